"""Accuracy against FLOPs: one line a rule through the means over seeds."""

import pytest

from app.figures import curves, training_log
from app.figures.colours import DARK, LIGHT, contrast, on_ground
from ltp_core.pictures.colours import RULES, rule_style
from tests.some import some


def row(rule, target, reduction, score, seed=0):
    return {
        "rule": rule,
        "target_flops": target,
        "flops_reduction": reduction,
        "pruned_score": score,
        "seed": seed,
        "metric": "accuracy",
    }


ROWS = [
    row("dense", 1.0, 1.0, 0.9),
    row("ltp", 3.0, 3.1, 0.8),
    row("ltp", 2.0, 2.0, 0.88),
    row("ltp", 2.0, 2.2, 0.86, seed=1),
    row("random", 2.0, 2.0, 0.7),
]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_points_are_means_over_seeds(palette):
    figure = curves.curves(ROWS, palette)
    assert [line.name for line in figure.data] == ["ltp", "random"]
    assert list(figure.data[0].x) == pytest.approx([2.1, 3.1])
    assert list(figure.data[0].y) == pytest.approx([87.0, 80.0])
    assert figure.layout.shapes[0].y0 == 90.0  # dense, across
    assert "FLOPs" in figure.layout.xaxis.title.text and "percent" in figure.layout.yaxis.title.text


def test_no_two_rules_look_alike():
    assert len({(colour, symbol) for colour, symbol, _ in RULES.values()}) == len(RULES)
    for rule in ("first", "ltp/soft-only"):  # no style of their own
        assert rule_style(rule) == rule_style(rule)
        assert rule_style(rule)[:2] not in {(colour, symbol) for colour, symbol, _ in RULES.values()}


def test_a_rules_colour_stands_out_in_the_dark_and_is_the_papers_in_the_light():
    for rule in some([*RULES, "first", "ltp/soft-only"]):
        colour = rule_style(rule)[0]
        assert contrast(on_ground(colour, DARK), DARK.ground) >= 4.5
        assert on_ground(colour, LIGHT) == colour
    assert len({on_ground(colour, DARK) for colour, *_ in RULES.values()}) == len(
        {colour for colour, *_ in RULES.values()}
    )


def test_a_rule_without_a_style_is_drawn_after_those_with_one():
    figure = curves.curves([row("first", 2.0, 2.1, 0.85), *ROWS], LIGHT)
    assert [line.name for line in figure.data] == ["ltp", "random", "first"]
    assert list(figure.data[2].y) == pytest.approx([85.0])


def test_the_axis_does_not_zoom_into_noise():
    figure = curves.curves([row("ltp", 2.0, 2.0, 0.8), row("ltp", 3.0, 3.0, 0.801)], LIGHT)
    low, high = figure.layout.yaxis.range
    assert high - low >= 10


def test_the_log_of_a_training_has_units_at_its_ticks():
    log = [{"step": step, "thresholds": [0.01 * step, 0.3], "flops_reduction": 2.0} for step in (1, 2)]
    axis = training_log.thresholds(log, LIGHT).layout.yaxis
    assert all(text.endswith(" %") for text in some(axis.ticktext))
    assert len(axis.ticktext) == len(axis.tickvals)
    assert "share of attention" in axis.title.text
