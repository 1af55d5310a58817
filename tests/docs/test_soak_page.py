"""The page on serving a class says what the soak's file says, and what the limits are."""

import importlib.util
import json
import re
from pathlib import Path

from app import jobs, surveys
from app.serving.gate import ServerLimits
from app.visitor import state, uploads
from ltp_core import PrunedModel
from ltp_core.flops import paper_flops
from tests.soak.__main__ import faults

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
FOUND = {
    "measured": "2026-11-29T15:00:00+00:00",
    "commit": "abc",
    "machine": "a machine",
    "visitors": 30,
    "seconds": 600,
    "thinks_seconds": [6.0, 18.0],
    "milliseconds": {"new sentence": {"p50": 400, "p95": 2100, "slowest": 2900, "samples": 800}},
    "errors": {},
    "cross_talk": [],
    "wrong": [],
    "done": {"upload": 70, "results compared": 900, "reload": 80, "reload with a run": 20},
    "logged": {"a job failed": 0},
    "misbehaving": {"flood": 9, "garble": 7},
    "memory": {"before_mb": 900, "peak_mb": 1200, "after_mb": 910, "change": 0.0111, "files_held_mb": 0.0},
}


def hooks():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_has_the_figures(tmp_path):
    (tmp_path / "soak.json").write_text(json.dumps(FOUND))
    said = hooks().soak(tmp_path / "soak.json")
    assert "| new sentence | 800 | 400 | 2100 | 2900 |" in said
    assert "errors: none" in said and "wrong: none" in said and "900 MB before, 910 MB after (+1.1 %)" in said
    assert "No figures" in hooks().soak(tmp_path / "none.json") and hooks().SOAK_PLACE in PAGE


def test_what_is_not_as_it_should_be_is_said():
    assert faults(FOUND) == []
    slow = {**FOUND, "milliseconds": {"new sentence": {**FOUND["milliseconds"]["new sentence"], "p95": 3001}}}
    grown = {**FOUND, "memory": {**FOUND["memory"], "change": 0.06}}
    shrunk = {**FOUND, "memory": {**FOUND["memory"], "change": -0.06}}
    held = {**FOUND, "memory": {**FOUND["memory"], "files_held_mb": 5.0}}
    for wrong in (
        slow,
        grown,
        shrunk,
        held,
        FOUND | {"errors": {"x": 2}},
        FOUND | {"cross_talk": ["y"]},
        FOUND | {"logged": {"a job failed": 1}},
    ):
        assert len(faults(wrong)) == 1
    assert len(faults(FOUND | {"wrong": ["z"]})) == len(faults(FOUND | {"milliseconds": {}})) == 1


def test_the_limits_on_the_page_are_those_of_the_program():
    limits = ServerLimits()
    for said in (
        f"{limits.connections}, of a visitor {limits.per_visitor}",
        f"{limits.burst} at once, then {limits.messages:g} a second",
        f"{uploads.MOST_MEGABYTES} MB; {uploads.MOST_ROWS:,} rows, {uploads.MOST_CHARACTERS:,} characters",
        f"{limits.held} MB of all",
        f"{surveys.MOST_WORK / 1e12:g} TFLOPs",
        f"{state.LONGEST_LINK:,} characters of text, {state.LONGEST_OTHER:,} of anything else",
    ):
        assert said in PAGE, said
    assert limits.files == 2 and surveys.LONGEST_TURN == 2 and limits.absence == jobs.LONGEST_ABSENCE == 60


def test_what_the_budget_buys():
    """The page's two examples, from the shipped model's own size."""
    size = PrunedModel.from_pretrained("sst2").dimensions
    many = surveys.MOST_WORK / paper_flops(size, 25, [25] * size.layers)
    few = surveys.MOST_WORK / paper_flops(size, 512, [512] * size.layers)
    short, long = re.search(r"some ([\d,]+) runs .*? or (\d+) of 512", PAGE).groups()
    short, long = int(short.replace(",", "")), int(long)
    assert abs(many / short - 1) < 0.1 and abs(few / long - 1) < 0.1
