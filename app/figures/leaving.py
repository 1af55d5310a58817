"""One encoding of "leaves in layer k": the same numbers and colours in every figure, legend and table.

Layers count from 1. A token that leaves in layer 1 is near the ground, one that stays is as far from it as
can be; in between the colours are spread over the layers, as in the stage's long texts
(app/components/stage/prose.js).
"""

import math
from collections.abc import Sequence
from typing import Any

from app.figures.colours import WHITE, Palette, contrast
from app.figures.layout import colour_bar
from app.says.words import leaves

STAYS = "stays"
TITLE = "leaves in layer"
_LAST = 9  # the last of ten colours, which only those that stay have


def places(survived: Sequence[int], layers: int) -> list[int]:
    """Where tokens stand on the scale: k for one that leaves in layer k, layers + 1 for one that stays."""
    return [layers + 1 if layer is None else layer for layer in leaves(survived, layers)]


def level(place: int, layers: int) -> int:
    """Which of the ten colours a place on the scale has."""
    return _LAST if place > layers else math.floor((_LAST - 1) * (place - 1) / max(1, layers - 1) + 0.5)


def colour(place: int, layers: int, palette: Palette) -> str:
    """The colour of a place on the scale."""
    return palette.attention[level(place, layers)]


def ink(place: int, layers: int, palette: Palette) -> str:
    """For a number on that colour: white or dark, whichever stands out more."""
    cell = colour(place, layers, palette)
    return max((WHITE, palette.ground, palette.text), key=lambda one: contrast(one, cell))


def names(layers: int) -> list[str]:
    """What the places are called, from the first layer to those that stay."""
    return [*map(str, range(1, layers + 1)), STAYS]


def axis(palette: Palette, layers: int, bar: bool, y: float) -> dict[str, Any]:
    """Plotly's colour axis: one flat colour a place, and its legend below the figure.

    Args:
        palette: the colours.
        layers: how many there are.
        bar: whether the legend belongs to this figure.
        y: where its top is, in fractions of the plot's height.
    """
    count = layers + 1
    steps = [colour(place, layers, palette) for place in range(1, count + 1)]
    scale = [edge for i, c in enumerate(steps) for edge in ((i / count, c), ((i + 1) / count, c))]
    return {
        "colorscale": scale,
        "cmin": 0.5,
        "cmax": count + 0.5,
        "showscale": bar,
        "colorbar": colour_bar(palette, TITLE, list(range(1, count + 1)), names(layers), y),
    }
