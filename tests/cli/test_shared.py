"""Bars on stderr: on a terminal they show how far a command is, in a file or a pipe they leave nothing."""

import io

import pytest
from rich.console import Console

from ltp_core.commands import shared


def told(monkeypatch, terminal):
    """What both bars write, the one of a reader as if it took long."""
    written = io.StringIO()
    monkeypatch.setattr(shared, "messages", Console(file=written, force_terminal=terminal, width=60))
    monkeypatch.setattr(shared, "A_MOMENT", -1.0)
    with shared.reading() as read:
        read(1, 4)
    with shared.progress_bar("counting", 4) as done:
        done(3)
    return written.getvalue()


def test_a_terminal_shows_how_far_it_is(monkeypatch):
    shown = told(monkeypatch, terminal=True)
    assert "reading" in shown and "25 %" in shown and "counting" in shown and "3/4" in shown


def test_a_pipe_gets_nothing(monkeypatch):
    assert told(monkeypatch, terminal=False) == ""


def test_what_fails_while_a_bar_is_shown_ends_it(monkeypatch):
    monkeypatch.setattr(shared, "messages", Console(file=io.StringIO(), force_terminal=True))
    monkeypatch.setattr(shared, "A_MOMENT", -1.0)
    with pytest.raises(ValueError, match="line 3"), shared.reading() as read:
        read(1, 4)
        raise ValueError("line 3")
    with shared.progress_bar("another", 1) as done:  # two at once would be an error
        done(1)
