"""The tests themselves: none checks each of many where there is none, and slow ones are on record."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.some import some

ROOT = Path(__file__).resolve().parents[2]


def bare(text: str) -> Iterator[int]:
    """The lines of ``assert all(… for x in y)`` in a text of Python where y may be empty.

    Held to have items: what goes through `tests.some.some`, literals, constants in capitals, and what
    depends on these alone. ``assert not all(…)`` fails where there is nothing.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assert):
            yield from sorted(call.lineno for call in _calls(node.test) if not _has_items(call.args[0]))


def _calls(test: ast.AST) -> Iterator[ast.Call]:
    """Calls of `all` on which the assertion depends, without those inside of a generator or a `not`."""
    if isinstance(test, ast.UnaryOp | ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.Lambda):
        return
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "all":
        yield test
        return
    for child in ast.iter_child_nodes(test):
        yield from _calls(child)


def _has_items(node: ast.AST) -> bool:
    match node:
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
            loops = node.generators
            return _has_items(loops[0].iter) and not any(loop.ifs for loop in loops)
        case ast.Call(func=ast.Name(id="some")):
            return True
        case ast.Call(
            func=ast.Name(id="zip" | "enumerate" | "list" | "sorted" | "pairwise"), args=[first, *_]
        ):
            return _has_items(first)
        case ast.Call(func=ast.Name(id="map"), args=[_, first, *_]):
            return _has_items(first)
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=count)]):
            return count > 0
        case ast.Call(func=ast.Attribute(value=owner, attr="values" | "items" | "keys"), args=[]):
            return _has_items(owner)
        case ast.Name(id=name):
            return name.isupper()
        case ast.Tuple() | ast.List() | ast.Set():
            return any(not isinstance(item, ast.Starred) for item in node.elts)
        case ast.Dict():
            return bool(node.keys)
    return False


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("assert all(x > 0 for x in found)", [1]),
        ("assert all(x > 0 for x in some(found))", []),
        ("assert all(x > 0 for x in some(found) if x)", [1]),
        ("assert all(found)", [1]),
        ("assert len(found) == 2 and all(map(ok, found))", [1]),
        ("assert all(map(ok, some(found)))", []),
        ("assert all(a == b for a, b in zip(some(one), other, strict=True))", []),
        ("assert all(\n    all(row) for row in some(rows)\n)", []),
        ("assert all(x in y for x in TABLE.values())", []),
        ("assert all(x in y for x in (1, 2))", []),
        ("assert all(x in y for x in ())", [1]),
        ("assert all(x in y for x in range(3))", []),
        ("assert all(x in y for x in range(n))", [1]),
        ("assert not all(found)", []),
        ("assert ok(all(found) for one in some(two))", []),
        ("if all(found):\n    pass", []),
    ],
)
def test_what_is_refused(text, lines):
    assert list(bare(text)) == lines


def test_nothing_is_checked_of_each_of_none():
    """Write ``all(… for x in some(y))``, with `tests.some.some`.

    Where none is right, too, list what is wrong: ``assert not [x for x in y if …]``.
    """
    files = some((ROOT / "tests").rglob("*.py"))
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in files
        for line in bare(file.read_text(encoding="utf-8"))
    ]
    assert sorted(found) == []


def test_slow_tests_are_on_record():
    """CONTRIBUTING.md says of each file what takes long, and when it was last run."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(tests/[\w/]+\.py)` \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    files = some((ROOT / "tests").rglob("test_*.py"))
    marked = [str(file.relative_to(ROOT)) for file in files if _is_slow(file.read_text(encoding="utf-8"))]
    assert rows == sorted(marked) != []


def _is_slow(text: str) -> bool:
    """Whether a mark of this name is in the code, not in a text."""
    return any(isinstance(node, ast.Attribute) and node.attr == "slow" for node in ast.walk(ast.parse(text)))
