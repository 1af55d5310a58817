"""The page on teaching says what the walk through the lessons has measured."""

import json
from pathlib import Path

from app.lessons import LESSONS
from tests.docs.test_soak_page import hooks
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "assets" / "results" / "lessons.json"
FOUND = {
    "measured": "2026-11-30T05:00:00+00:00",
    "commit": "abc",
    "machine": "a machine",
    "words_a_minute": 130,
    "thinks_seconds": 20.0,
    "acts_seconds": 6.0,
    "lessons": {"share": {"minutes": 2.1, "words": 200, "acts": 4, "waited_seconds": 9.6}},
}


def test_the_page_has_the_figures(tmp_path):
    (tmp_path / "lessons.json").write_text(json.dumps(FOUND))
    said = hooks().walk(tmp_path / "lessons.json")
    assert "| share | 2.1 | 200 | 4 | 10 |" in said and "130 words a minute" in said
    assert "No figures" in hooks().walk(tmp_path / "none.json")
    assert hooks().WALK_PLACE in (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def test_each_lesson_was_walked_and_takes_no_longer_than_it_says():
    found = json.loads(RESULTS.read_text(encoding="utf-8"))["lessons"]
    assert list(found) == list(LESSONS)
    assert all(found[name]["minutes"] <= lesson.minutes for name, lesson in some(LESSONS.items()))
