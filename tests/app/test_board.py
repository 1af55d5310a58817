"""What the threshold board gets from a trace, and what it may answer."""

import json
from dataclasses import replace

import pytest

from app.components import threshold_board as board
from app.components.threshold_board import board_data
from ltp_core import LayerTrace, Prediction, Trace


def data(trace, **changes):
    run = Prediction("positive", {"positive": 1.0}, None, 400, 1_000, 400, trace)
    given = {
        "dense": replace(run, flops=1_000),
        "thresholds": (0.1, 0.2, 0.0),
        "learned": None,
        "steps": (0.0, 1.0),
    }
    return board_data(run, **(given | changes))


def test_the_board_gets_plain_numbers(trace):
    found = json.loads(json.dumps(data(trace)))
    assert found["importance"][1] == [0.1, 0.25, None, 0.5, 0.15]
    assert found["kept"][1] == [1, 1, 0, 1, 0]
    assert found["thresholds"] == [0.1, 0.2, 0.0]
    assert found["finding"].startswith("3 of 5 tokens reach the end")
    assert found["outcome"] == "3 of 5 tokens left after layer 2 of 3; same answer; 2.5× fewer FLOPs"


def test_control_characters_are_shown_and_markup_stays_as_it_is():
    layer = LayerTrace(1, None, (0.5, 0.5), (True, True))
    trace = Trace(("<b>", "a\u202eb"), (0, 0), 0, (layer,))
    assert data(trace, thresholds=(0.0,))["tokens"] == ["<b>", "a⟨U+202E⟩b"]


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ([0, 0.5, 1], (0.0, 0.5, 1.0)),
        ([0, 0.5], None),
        ([0, 0.5, 1.1], None),
        ([0, 0.5, -0.1], None),
        ([0, 0.5, "1"], None),
        ([0, 0.5, float("nan")], None),
        ({"0": 1}, None),
        (None, None),
    ],
)
def test_an_answer_that_is_no_list_of_shares_is_left_alone(answer, read):
    assert board._thresholds(answer, 3) == read


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ({"layer": 3, "token": 5}, {"layer": 3, "token": 5}),
        ({"layer": 4, "token": 5}, None),
        ({"layer": 3, "token": 0}, None),
        ({"layer": "3", "token": 5}, None),
        ("<img>", None),
        (None, None),
    ],
)
def test_a_cell_is_one_of_the_map(answer, read):
    assert board._cell(answer, layers=3, tokens=5) == read


def test_the_page_loads_nothing_from_elsewhere():
    texts = [
        path.read_text(encoding="utf-8") for path in board._HERE.iterdir() if path.suffix in (".js", ".css")
    ]
    assert not any("http" in text.replace("http://www.w3.org/2000/svg", "") for text in texts)
