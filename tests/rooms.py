"""The rooms of `ltp_core` and the arrows between them, read from the imports: `python -m tests.rooms`.

A *room* is a module at the root of the package, or a folder in it. An *arrow* leads from a room to one that
it imports from, wherever the import stands: inside a function and under `TYPE_CHECKING` count, too.
"""

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

PACKAGE = "ltp_core"
ROOT = Path(__file__).resolve().parents[1]
ENTRANCES = ("__init__", "__main__", "cli")  # they open the house, nobody in it imports them

Graph = dict[str, set[str]]


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the package by its name inside it: "rules.base"; a folder's `__init__` is "rules"."""
    found = {}
    for file in sorted((root / PACKAGE).rglob("*.py")):
        parts = file.relative_to(root / PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = file
    return found


def imports(root: Path = ROOT) -> Graph:
    """Module -> the modules of the package that it imports, anywhere in its text."""
    known = modules(root)
    return {name: set(_imported(file, name, known)) - {name} for name, file in known.items()}


def _imported(file: Path, name: str, known: Iterable[str]) -> Iterable[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from _from(node.module, [alias.name for alias in node.names], known)
        elif isinstance(node, ast.ImportFrom) and node.level > 0:
            raise ValueError(f"{name} imports by a relative path: write it in full")
        elif isinstance(node, ast.Import):
            yield from (found for alias in node.names for found in _from(alias.name, [], known))


def _from(module: str, names: Iterable[str], known: Iterable[str]) -> Iterable[str]:
    """`from ltp_core.rules import base` imports a module, `import Rule` the room's `__init__`."""
    head, _, rest = module.partition(".")
    if head != PACKAGE:
        return
    inside = [f"{rest}.{name}".removeprefix(".") for name in names]
    found = [name for name in inside if name in known]
    yield from found
    if len(found) < len(inside) or not inside:
        yield rest or "__init__"


def room_of(module: str) -> str:
    """The room that a module is in."""
    return module.partition(".")[0]


def rooms(root: Path = ROOT) -> list[str]:
    """All rooms but the entrances."""
    return sorted({room_of(name) for name in modules(root)} - set(ENTRANCES))


def root_modules(root: Path = ROOT) -> list[str]:
    """The rooms that are one module at the root."""
    files = modules(root)
    return [name for name in rooms(root) if name in files and files[name].name != "__init__.py"]


def arrows(root: Path = ROOT) -> Graph:
    """Room -> the other rooms that it imports from; entrances left out."""
    found: Graph = {room: set() for room in rooms(root)}
    for module, targets in imports(root).items():
        if (room := room_of(module)) in found:
            found[room] |= {room_of(target) for target in targets} - {room, *ENTRANCES}
    return found


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of two and more nodes that each lead to all the others (strongly connected components)."""
    reach = {node: _reached(graph, node) for node in graph}
    groups = {tuple(sorted(n for n in reach[node] if node in reach.get(n, ()))) for node in graph}
    return sorted(list(group) for group in groups if len(group) > 1)


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        for target in graph.get(todo.pop(), ()):
            if target not in found:
                found.add(target)
                todo.append(target)
    return found


def between_commands(root: Path = ROOT) -> list[tuple[str, str]]:
    """Imports from one command to another; what is in `commands.shared` is for all."""
    return sorted(
        (module, target)
        for module, targets in imports(root).items()
        for target in targets
        if module.startswith("commands.") and target.startswith("commands.") and target != "commands.shared"
    )


MAP = ROOT / "docs" / "architecture.md"


def mapped(page: Path = MAP) -> list[str]:
    """The rooms in the order of the table in docs/architecture.md, from the ground up."""
    part = page.read_text(encoding="utf-8").partition("## Rooms\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)/?` \|", part, re.MULTILINE)


def report(root: Path) -> str:
    """The counts, one a line."""
    found, inside = arrows(root), imports(root)
    lines = [
        f"modules at the root: {len(root_modules(root))}",
        f"rooms: {len(found)}",
        f"arrows between rooms: {sum(map(len, found.values()))}",
        f"circles of rooms: {_named(circles(found))}",
        f"circles of modules: {_named(circles(inside))}",
        f"imports from command to command: {len(between_commands(root))}",
    ]
    return "\n".join(lines)


def _named(groups: list[list[str]]) -> str:
    return "; ".join([str(len(groups)), *(" <-> ".join(group) for group in groups)])


if __name__ == "__main__":
    print(report(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
