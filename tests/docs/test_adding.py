"""The walk-throughs in docs/adding, followed to the letter in a copy: at most one new file and one line."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "adding").glob("*.md"))
FENCE = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
CHECK, SAID = "check.py", "what it prints"


@pytest.fixture
def copy(tmp_path):
    """The two packages, and the shipped models by a link."""
    for package in ("ltp_core", "app"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    return tmp_path


def inserted(text: str, change: str) -> str:
    """Apply a diff of known lines and one new one, which comes after all of them."""
    lines = change.splitlines()
    known, new = (
        [line[1:] for line in lines if line[:1] != "+"],
        [line[1:] for line in lines if line[:1] == "+"],
    )
    assert len(new) == 1 and lines[-1][:1] == "+", "a walk-through adds one line"
    before = "\n".join(known) + "\n"
    assert text.count(before) == 1, f"these lines are not there once: {before}"
    return text.replace(before, f"{before}{new[0]}\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_walk_through_works_as_it_stands(page, copy):
    files, lines, said, check = [], [], None, None
    for kind, title, body in FENCE.findall(page.read_text(encoding="utf-8")):
        if title == CHECK:
            check = body
        elif title == SAID:
            said = body
        elif kind == "diff":
            lines.append(title)
            file = copy / title
            file.write_text(inserted(file.read_text(encoding="utf-8"), body), encoding="utf-8")
        else:
            assert not (copy / title).exists()
            files.append(title)
            (copy / title).write_text(body, encoding="utf-8")
    assert len(files) <= 1 and len(lines) == 1 and check and said
    done = subprocess.run(
        [sys.executable, "-c", check],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == said
    for name in [*files, *lines]:
        if name.endswith(".py"):
            style = [sys.executable, "-m", "ruff", "check", "--quiet", "--config", ROOT / "pyproject.toml"]
            assert subprocess.run([*style, copy / name], cwd=copy).returncode == 0


def test_there_is_one_for_each_thing_that_is_added():
    assert [page.stem for page in PAGES] == ["family", "page", "rule", "task"]
