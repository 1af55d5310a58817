"""Puts into pages what they say of the program: each command's `--help`; what soak, poll, lessons took."""

import json
import os
from pathlib import Path

COMMANDS_PAGE, PLACE = "reference/commands.md", "<!-- commands -->"
SOAK_PAGE, SOAK_PLACE = "serving.md", "<!-- soak -->"
POLL_PAGE, POLL_PLACE = "class.md", "<!-- poll -->"
SOAK = Path(__file__).parents[1] / "assets" / "results" / "soak.json"
POLL = SOAK.with_name("poll.json")
WALK_PAGE, WALK_PLACE = "teaching.md", "<!-- walk -->"
WALK = SOAK.with_name("lessons.json")


def on_page_markdown(markdown, page, config, files):
    """Called by MkDocs for every page."""
    if page.file.src_uri == SOAK_PAGE:
        return markdown.replace(SOAK_PLACE, soak(SOAK))
    if page.file.src_uri == POLL_PAGE:
        return markdown.replace(POLL_PLACE, poll(POLL))
    if page.file.src_uri == WALK_PAGE:
        return markdown.replace(WALK_PLACE, walk(WALK))
    if page.file.src_uri != COMMANDS_PAGE:
        return markdown
    os.environ |= {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100"}  # read by Rich when Typer loads it
    from typer.testing import CliRunner

    from ltp_core.cli import app

    sections = []
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        shown = CliRunner().invoke(app, [name, "--help"]).stdout.strip("\n")
        sections.append(f"## ltp {name}\n\n```text\n{shown}\n```\n")
    return markdown.replace(PLACE, "\n".join(sections))


def soak(file):
    """The figures of a soak as Markdown; that there are none, where nobody has recorded any."""
    if not file.is_file():
        return "No figures are recorded yet."
    found = json.loads(file.read_text(encoding="utf-8"))
    memory, done, (short, long) = found["memory"], found["done"], found["thinks_seconds"]
    times = [
        f"| {what} | {ms['samples']} | {ms['p50']} | {ms['p95']} | {ms['slowest']} |"
        for what, ms in found["milliseconds"].items()
    ]
    errors = [f"{number} × {line}" for line, number in found["errors"].items()]
    misdeeds = [f"{number} × {what}" for what, number in found["misbehaving"].items()]
    facts = {
        "errors": ", ".join(errors) or "none",
        "results compared": f"{done.get('results compared', 0)}, wrong: {len(found['wrong']) or 'none'}",
        "words of other visitors": len(found["cross_talk"]) or "none",
        "memory with nobody there": f"{memory['before_mb']} MB before, {memory['after_mb']} MB after "
        f"({100 * memory['change']:+.1f} %)",
        "memory at most": f"{memory['peak_mb']} MB",
        "files still held": f"{memory['files_held_mb']:g} MB",
        "uploads": done.get("upload", 0),
        "reloads": f"{done.get('reload', 0)}, and {done.get('reload with a run', 0)} while a data set ran",
        "misdeeds": ", ".join(misdeeds) or "none",
    }
    return "\n".join(
        [
            f"Measured {found['measured'][:10]} at {found['commit']}, {found['machine']}: "
            f"{found['visitors']} visitors for "
            f"{found['seconds'] / 60:g} minutes, {short:g} to {long:g} s between two actions.",
            "",
            "| what | times | p50, ms | p95, ms | slowest, ms |",
            "|---|---|---|---|---|",
            *times,
            "",
            *(f"- {name}: {value}" for name, value in facts.items()),
        ]
    )


def poll(file):
    """The figures of a poll as Markdown; that there are none, where nobody has recorded any."""
    if not file.is_file():
        return "No figures are recorded yet."
    found = json.loads(file.read_text(encoding="utf-8"))
    times = [
        f"| {what} | {ms['samples']} | {ms['p50']:g} | {ms['p95']:g} | {ms['slowest']:g} |"
        for what, ms in found["milliseconds"].items()
    ]
    counted = " and ".join(map(str, found["votes_counted"]))
    return "\n".join(
        [
            f"Measured {found['measured'][:10]} at {found['commit']}, {found['machine']}: "
            f"{found['voters']} phones, each question within {found['seconds']:g} seconds. "
            f"{counted} votes were counted, with {len(found['errors']) or 'no'} errors; the teacher's page "
            f"read {found['sentences_meanwhile']} sentences meanwhile.",
            "",
            "| what | times | p50, ms | p95, ms | slowest, ms |",
            "|---|---|---|---|---|",
            *times,
        ]
    )


def walk(file):
    """How long a slow student takes for each lesson, as Markdown; that nobody knows, where it is so."""
    if not file.is_file():
        return "No figures are recorded yet."
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = [
        f"| {name} | {one['minutes']:.1f} | {one['words']} | {one['acts']} | {one['waited_seconds']:.0f} |"
        for name, one in found["lessons"].items()
    ]
    return "\n".join(
        [
            f"Measured {found['measured'][:10]} at {found['commit']}, {found['machine']}: "
            f"{found['words_a_minute']} words a minute, {found['thinks_seconds']:g} s to think before the "
            f"prediction, {found['acts_seconds']:g} s for each drag or press.",
            "",
            "| lesson | minutes | words | acts | waited for the lab, s |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )
