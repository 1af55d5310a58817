"""What README and docs/ promise: links lead somewhere, Python runs, commands and targets exist."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from ltp_core.cli import app
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def blocks(page: Path, language: str | None = None) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [text for kind, text in found if language is None or kind.strip() == language]


def shell_lines(page: Path) -> list[list[str]]:
    lines = [line for text in blocks(page) for line in text.replace("\\\n", " ").splitlines()]
    return [
        shlex.split(line.removesuffix(" &"), comments=True)
        for line in lines
        if re.match(r"(ltp|make|python -m ltp_core) ", line)
    ]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", [p for p in PAGES if shell_lines(p)], ids=lambda page: page.name)
def test_the_commands_of_a_page_exist_with_their_options(page):
    commands = typer.main.get_command(app).commands
    for words in shell_lines(page):
        if words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
            assert set(targets) <= TARGETS, words
            continue
        name, *arguments = words[1:] if words[0] == "ltp" else words[3:]
        assert name in commands, words
        commands[name].make_context(name, arguments)  # raises for an option that is not there


def test_the_site_builds_without_a_broken_link(tmp_path):
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        tmp_path / "site",
    ]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert built.returncode == 0, built.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md")))
    for page in pages:  # nothing is fetched from another host while a page is read
        outside = re.findall(
            r'<(?:script|img|link rel="(?:stylesheet|preconnect)")[^>]*(?:src|href)="(https?:[^"]+)',
            page.read_text(encoding="utf-8"),
        )
        assert not outside, page


NAMED = re.compile(r"(?<![\w/.])((?:ltp_core|app)/[\w/-]+\.(?:py|js|mjs|css))\b")


def test_files_that_a_text_names_are_there():
    """A comment that says where something is must follow when that moves."""
    adding = ROOT / "docs" / "adding"  # names files that a reader is to write
    texts = [page for page in PAGES if adding not in page.parents]
    texts += [
        file
        for folder in ("ltp_core", "app")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".js", ".mjs", ".css") and "node_modules" not in file.parts
    ]
    named = {(file, name) for file in texts for name in NAMED.findall(file.read_text(encoding="utf-8"))}
    assert len(named) > 20
    gone = [f"{file.relative_to(ROOT)}: {name}" for file, name in named if not (ROOT / name).exists()]
    assert gone == []


def test_links_of_the_readme_lead_to_files():
    pages = (ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    texts = {page.name: FENCE.sub("", page.read_text(encoding="utf-8")) for page in pages}
    for name, target in some((n, t) for n, text in texts.items() for t in re.findall(r"\]\(([^)#]+)", text)):
        assert re.match(r"https?:", target) or (ROOT / target).exists(), f"{name}: {target}"


def test_the_points_lost_by_stages_are_those_of_the_runs():
    """The prose in architecture.md against the rows that `train` wrote."""
    lost = {}
    for file in (ROOT / "assets" / "results").glob("train-*.json"):
        for row in json.loads(file.read_text(encoding="utf-8"))["rows"]:
            lost[row["task"], row["rule"]] = f"{row['points_lost']:.1f}"
    once, hard = "ltp/no-hard-stage", "ltp/hard-stage.half-the-passes"
    quarter = "ltp/hard-stage.quarter-of-the-passes"
    said = " ".join((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split())
    for words in (
        f"sparing layer 1 lost {lost['stsb', once]} points where a learned threshold lost "
        f"{lost['stsb', once + '.none-spared']}.",
        f"stsb then lost {lost['stsb', hard]} instead of {lost['stsb', once]} points at 2.1×, and imdb "
        f"{lost['imdb', 'ltp']} instead of {lost['imdb', once]} at 3×",
        f"({lost['stsb', once + '.more-made-up']} points at equal passes)",
        f"{lost['sst2', 'ltp/hidden-states.hard-stage']} instead of {lost['sst2', 'ltp/hidden-states']} "
        "points lost at 2.2×",
        f"α = ½ lost {lost['stsb', quarter + '.alpha-half']} points on the tuning rows at 2.1×, and α = 0 "
        f"lost {lost['stsb', quarter]}. α = 1 lost {lost['stsb', quarter + '.alpha-1']}.",
        f"a hard stage lost {lost['sst2', 'ltp/hard-stage.unlabelled']} points at 2.1×",
        f"straight-through gates and a hard stage lost {lost['stsb', quarter]} points; soft gates and a hard "
        f"stage {lost['stsb', quarter + '.soft-gates']}; the paper's masks, which scale outputs, and a hard "
        f"stage {lost['stsb', quarter + '.soft-output-gates']} (in float32, the others in bfloat16); soft "
        "gates alone "
        f"{lost['stsb', 'ltp/soft-gates-only.quarter-of-the-passes']}; a hard stage alone, under hand-set "
        f"thresholds that rise with depth, {lost['stsb', 'ltp/hard-stage-only.quarter-of-the-passes']}.",
        f"the baseline's outputs, lost {lost['stsb', quarter + '.labels-only']}:",
        f"with {lost['sst2', 'ltp/held-stage.longer-rows']} points lost; half of the loss from the labels "
        "and no made-up rows, three passes, gave 0.116, with "
        f"{lost['sst2', 'ltp/held-stage.half-labels.none-made-up']} lost.",
    ):
        assert words in said
