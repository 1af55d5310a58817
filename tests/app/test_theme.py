"""Figures fit the page: the palettes have the theme's ground and text, and enough contrast."""

import tomllib
from pathlib import Path

import pytest

from app.figures.colours import DARK, LIGHT
from app.figures.rules_map import rules_map
from ltp_core import LayerTrace, Trace

CONFIG = tomllib.loads(Path("app/.streamlit/config.toml").read_text(encoding="utf-8"))
PALETTES = pytest.mark.parametrize(("name", "palette"), [("light", LIGHT), ("dark", DARK)])


@PALETTES
def test_the_page_has_the_same_ground_and_text(name, palette):
    theme = CONFIG["theme"][name]
    assert (theme["backgroundColor"], theme["textColor"]) == (palette.ground, palette.text)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@PALETTES
def test_contrast(name, palette):
    assert contrast(palette.text, palette.ground) >= 4.5
    assert contrast(palette.dropped, palette.line) >= 4.5
    assert min(contrast(colour, palette.ground) for colour in palette.importance) >= 2  # a kept cell is seen


@PALETTES
@pytest.mark.parametrize("layers", [6, 12])
def test_numbers_in_the_map_of_rules_are_legible_on_every_cell(name, palette, layers):
    tokens = range(layers + 1)  # of which each survives as many layers as its position says
    steps = [
        LayerTrace(number, 0.1, (0.1,) * len(tokens), tuple(count >= number for count in tokens))
        for number in range(1, layers + 1)
    ]
    trace = Trace(tuple("w" * (i + 1) for i in tokens), (0,) * len(tokens), 0, tuple(steps))
    figure = rules_map(["a rule"], [trace], palette, 0, len(tokens))
    numbers, scale = figure.data[1], figure.layout.coloraxis.colorscale
    assert list(numbers.x) == list(range(layers))  # who survives all layers has no number
    for count, ink in zip(numbers.x, numbers.textfont.color, strict=True):
        cell = scale[2 * count][1]  # two edges of the same colour for each count
        assert contrast(ink, cell) >= 4.5, (count, ink, cell)
