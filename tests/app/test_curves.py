"""Accuracy against FLOPs: one line a rule through the means over seeds."""

import math
from itertools import combinations

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


# How eyes see linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
EYES = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.15229, 1.05258, -0.20487), (0.11450, 0.78628, 0.09922), (-0.00388, -0.04812, 1.05200)),
    "deutan": ((0.36732, 0.86065, -0.22797), (0.28009, 0.67250, 0.04741), (-0.01182, 0.04294, 0.96888)),
    "tritan": ((1.25553, -0.07675, -0.17878), (-0.07841, 0.93081, 0.14760), (0.00473, 0.69137, 0.30390)),
}  # fmt: skip
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE_POINT = (0.95047, 1.0, 1.08883)


def lab(colour, eyes):
    """CIELAB of a colour as such eyes see it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    for matrix in (EYES[eyes], TO_XYZ):
        linear = [sum(a * min(1, max(0, b)) for a, b in zip(row, linear, strict=True)) for row in matrix]
    shares = [value / white for value, white in zip(linear, WHITE_POINT, strict=True)]
    x, y, z = (
        share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116 for share in shares
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_of_rules_are_told_apart(palette):
    colours = sorted({on_ground(colour, palette) for colour, *_ in RULES.values()})
    assert len(colours) == len({colour for colour, *_ in RULES.values()})
    eyes = ["usual"] if palette is LIGHT else list(EYES)  # on paper some need their shapes and dashes
    for seen in some(eyes):
        for one, other in some(combinations(colours, 2)):
            apart = math.dist(lab(one, seen), lab(other, seen))
            assert apart >= (24 if seen == "usual" else 16), (seen, one, other)


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
