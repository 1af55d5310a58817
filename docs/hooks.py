"""Puts each command's own `--help` into the reference, so that the page cannot differ from the program."""

import os

COMMANDS_PAGE, PLACE = "reference/commands.md", "<!-- commands -->"


def on_page_markdown(markdown, page, config, files):
    """Called by MkDocs for every page."""
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
