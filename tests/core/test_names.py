"""A name means one thing: no two classes or types of the two packages are called the same."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def types_of(source: str) -> list[str]:
    """The public classes and names of types, like `Text = str | tuple[str, str]`, that a file defines."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found += [name for name in names if name[:1].isupper() and not name.isupper()]
    return [name for name in found if not name.startswith("_")]


def homonyms(files: dict[str, str]) -> dict[str, list[str]]:
    """Name -> the files that each mean something else by it."""
    where = defaultdict(list)
    for file, source in files.items():
        for name in types_of(source):
            where[name].append(file)
    return {name: places for name, places in where.items() if len(places) > 1}


def test_each_type_has_a_name_of_its_own():
    files = {
        str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
        for package in ("ltp_core", "app")
        for file in sorted((ROOT / package).rglob("*.py"))
    }
    assert len({name for source in files.values() for name in types_of(source)}) > 150
    assert homonyms(files) == {}


def test_what_means_two_things_is_found():
    files = {
        "a.py": "class Row:\n    pass\nclass _Own:\n    pass\nMOST = 3\n",
        "b.py": "Row = dict[str, int]\nclass _Own:\n    pass\nMOST = 4\n",
    }
    assert homonyms(files) == {"Row": ["a.py", "b.py"]}
