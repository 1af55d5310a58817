"""Each entry of a docstring stands alone: it ends as a sentence does, and does not lean on the one before."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(file for package in ("ltp_core", "app") for file in (ROOT / package).rglob("*.py"))
SECTION = re.compile(r"^(Args|Attributes):$")
ENTRY = re.compile(r"^    (\*{0,2}\w+): (.*)$")
# What goes on with the entry before: a connective, or a pronoun for what that one named.
LEANS = re.compile(
    r"^(and|or|but|then|also|too|likewise|the same|as for|whose|whom|what (they|that)|"
    r"where (it|they)|its?|their|them|they|these|those|that of|(of|at|in|below|above) (it|its|them|"
    r"these|those|each of them|so many))\b"
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
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for name, text in entries(ast.get_docstring(node) or ""):
                if not text.endswith((".", "?", ")")) or LEANS.match(text):
                    wrong.append(f"{node.name}.{name}: {text}")
    return wrong


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_entries_stand_alone(file):
    assert leaning(file.read_text(encoding="utf-8")) == []


def test_both_packages_are_read():
    """The entries that are checked: a pattern that no longer found them would find nothing wrong."""
    found = {"ltp_core": 0, "app": 0}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[file.relative_to(ROOT).parts[0]] += len(entries(ast.get_docstring(node) or ""))
    assert found["ltp_core"] > 700 and found["app"] > 200


@pytest.mark.parametrize(
    "entry",
    [
        "after: and at the factor.",
        "after: where it ends,",
        "after: of it, the label.",
        "after: its label.",
        "after: those of the other model.",
        "after: the same with nothing pruned.",
        "after: whose label moved.",
        "**after: or the label.",
    ],
)
def test_what_runs_on_is_found(entry):
    source = f'''
async def f(before, after):
    """Do.

    Args:
        before: the label with nothing pruned, which
            may be long.
        {entry}

    Returns:
        and this is no entry: of it.
    """
'''
    assert leaning(source) == [f"f.{entry}"]
    assert leaning(source.replace(entry, "after: the label at the factor.")) == []
