"""The growth figure shows what was measured, on axes where linear growth is a straight line of slope one."""

import pytest

from app.figures.colours import DARK, LIGHT
from app.figures.growth import growth_curves
from ltp_core.pictures.colours import KEPT
from ltp_core.pictures.growth import growth, series
from ltp_core.pictures.style import COLUMN

NAMES = ("hugging_face", "packed_dense", "pruned")


def row(length, batch, times=(3.0, 2.0, 1.0), memory=(6.0, 5.0, 4.0)):
    return {
        "length": length,
        "batch_size": batch,
        "milliseconds": dict(zip(NAMES, times, strict=True)),
        "megabytes": dict(zip(NAMES, memory, strict=True)),
    }


ROWS = [row(64, 4, (12, 8, 4)), row(128, 1), row(64, 1), row(64, 2, (6, 4, 2), (None,) * 3), row(512, 16)]


def test_the_rows_along_each_axis():
    assert [r["length"] for r in series(ROWS, "length")] == [64, 128]
    assert [r["batch_size"] for r in series(ROWS, "batch_size")] == [1, 2, 4]  # at 64 tokens
    assert series([], "length") == []


def test_curves_are_the_numbers():
    figure = growth_curves(ROWS, "batch_size", "milliseconds", LIGHT)
    assert [list(curve.y) for curve in figure.data] == [[3, 6, 12], [2, 4, 8], [1, 2, 4]]
    assert [list(curve.x) for curve in figure.data] == [[1, 2, 4]] * 3
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "4"]
    assert figure.layout.yaxis.title.text == "milliseconds"


def test_memory_that_nobody_measured_is_left_out():
    assert [list(c.x) for c in growth_curves(ROWS, "batch_size", "megabytes", DARK).data] == [[1, 4]] * 3


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no measurements"):
        growth_curves([], "length", "milliseconds", LIGHT)


def test_on_paper_it_is_the_same():
    axes = growth(ROWS, "batch_size", "megabytes", COLUMN).axes[0]
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[1, y], [4, y]] for y in (6, 5, 4)]
    assert axes.lines[2].get_color() == KEPT and axes.get_xscale() == axes.get_yscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "4"]
