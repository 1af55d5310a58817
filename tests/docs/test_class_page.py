"""The page on a class says what the poll's file says, and what the limits are."""

import json
import re
from pathlib import Path

from app.poll.page import PAGE as PHONE
from app.poll.rooms import CODE_LENGTH, PollLimits
from app.says.qr import qr
from app.visitor import listed, state
from tests.docs.test_soak_page import hooks

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "class.md").read_text(encoding="utf-8")
FOUND = {
    "measured": "2026-11-29T15:00:00+00:00",
    "commit": "abc",
    "machine": "a machine",
    "voters": 100,
    "seconds": 10.0,
    "votes_counted": [100, 99],
    "sentences_meanwhile": 12,
    "errors": ["one"],
    "milliseconds": {"vote": {"p50": 4.5, "p95": 40.0, "slowest": 120.1, "samples": 199}},
}


def test_the_page_has_the_figures(tmp_path):
    (tmp_path / "poll.json").write_text(json.dumps(FOUND))
    said = hooks().poll(tmp_path / "poll.json")
    assert "| vote | 199 | 4.5 | 40 | 120.1 |" in said and "100 and 99 votes" in said and "1 errors" in said
    assert "No figures" in hooks().poll(tmp_path / "none.json") and hooks().POLL_PLACE in PAGE


def test_the_limits_are_the_limits():
    limits = PollLimits()
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE))
    assert rows["rooms at once"].startswith(f"{limits.rooms};") and limits.idle == 600
    assert rows["rooms of one browser"].startswith(f"{limits.of_one};")
    assert rows["voters of a room"] == str(limits.voters) and rows["options of a question"] == str(
        limits.options
    )
    assert limits.lifetime == 2 * 3600 and CODE_LENGTH == 5
    assert f"{listed.MOST} texts and {state.LONGEST_LINK:,} characters" in PAGE
    assert f"one file of {round(len(PHONE) / 1000)} kB" in PAGE
    assert qr("http://lab/?" + "x" * 950) and qr("http://lab/?" + "x" * 1050) is None
