"""Each entry of a docstring stands alone: it ends as a sentence does, and does not lean on the one before."""

import ast
import re
from pathlib import Path

import pytest

import ltp_core

ROOT = Path(ltp_core.__file__).resolve().parent
SECTION = re.compile(r"^(Args|Attributes):$")
ENTRY = re.compile(r"^    (\w+): (.*)$")
LEANS = re.compile(
    r"^(and|or|but|then|the same|of these|of those|those of|these|whose|likewise|as for|at it|below it)\b"
)


def entries(docstring: str) -> list[tuple[str, str]]:
    """The entries of `Args` and `Attributes`, each as one line."""
    found: list[list[str]] = []
    inside = False
    for line in docstring.splitlines():
        if SECTION.match(line):
            inside = True
        elif line and not line.startswith(" "):
            inside = False
        elif inside and (entry := ENTRY.match(line)):
            found.append([entry[1], entry[2]])
        elif inside and found and line.strip():
            found[-1][1] += f" {line.strip()}"
    return [(name, text) for name, text in found]


def leaning(source: str) -> list[str]:
    """Entries of a file that need another one to be understood."""
    wrong = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for name, text in entries(ast.get_docstring(node) or ""):
                if not text.endswith((".", "?", ")")) or LEANS.match(text):
                    wrong.append(f"{node.name}.{name}: {text}")
    return wrong


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_entries_stand_alone(file):
    assert leaning(file.read_text(encoding="utf-8")) == []


def test_what_runs_on_is_found():
    source = '''
def f(low, high, rest):
    """Do.

    Args:
        low: where it begins,
        high: and where it ends.
        rest: what is
            left.
    """
'''
    assert leaning(source) == ["f.low: where it begins,", "f.high: and where it ends."]
