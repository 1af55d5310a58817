"""Old addresses lead to their new places, with their parameters."""

import pytest

from app import moved
from tests.app.harness import VIEWS


@pytest.mark.parametrize("old", moved.MOVED)
def test_each_leads_to_a_page_that_is_there_and_to_a_section_that_it_has(old):
    file, query = moved.target(old, {})
    assert (VIEWS.parent / file).is_file()
    assert f'"{query["show"]}"' in (VIEWS.parent / file).read_text(encoding="utf-8")


def test_parameters_come_along():
    old = {"text": "a film", "t2": "0.1", "layer": "3", "part": "2", "class": "positive"}
    file, query = moved.target("attribution", old)
    assert file == "views/why.py"
    new = {"text": "a film", "t2": "0.1", "layer": "3", "tokens": "2", "class": "positive", "show": "matter"}
    assert query == new
