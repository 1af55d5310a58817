"""JavaScript modules joined into the one that a component is given: Streamlit takes a single text.

The files are plain modules, which Node imports and tests as they are. Joined, they share one scope; so a
name may be declared at the top of one of them only (a test looks).
"""

import re
from pathlib import Path

_IMPORT = re.compile(r"^import\s+[^;]*?from\s+\"(\.[^\"]+)\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def bundle(entry: Path) -> str:
    """Join a module with all that it imports, each after what it needs.

    Args:
        entry: the module that exports what the component runs; the exports of the others are taken off.
    """
    parts: dict[Path, str] = {}
    _collect(entry.resolve(), parts)
    return "\n".join(parts.values())


def _collect(file: Path, parts: dict[Path, str]) -> None:
    if file in parts:
        return
    text = file.read_text(encoding="utf-8")
    for name in _IMPORT.findall(text):
        _collect((file.parent / name).resolve(), parts)
    parts[file] = _EXPORT.sub("", _IMPORT.sub("", text))
