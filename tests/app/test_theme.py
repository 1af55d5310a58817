"""Figures fit the page: the palettes have the theme's ground and text, and enough contrast."""

import tomllib
from pathlib import Path

import pytest

from app.figures.colours import DARK, LIGHT

CONFIG = tomllib.loads(Path(".streamlit/config.toml").read_text(encoding="utf-8"))
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
