"""What all figures share: type, margins, axes without decoration, the colour bar below."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.says.text import as_plotly

FONT = "Source Sans, sans-serif"
TICK_SIZE = 16  # px: read from the last row of a class
LABEL_SIZE = 16
PHONE_SIZE = 13  # px: with the two below, an axis fits into 320 px
PHONE_NAMES = 15  # tokens on an axis
PHONE_CHARACTERS = 9  # of one of them
LEVEL_ROOM = 34  # px above the bars, for the names of `draw_levels`
COLUMNS = 32  # tokens in one line of a map
CHARACTERS = 12  # of a token on an axis; the hover box has all of it


def plain_axis(palette: Palette, **options: Any) -> dict[str, Any]:
    """An axis of positions with text: no grid, no ticks, no zoom."""
    return {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "fixedrange": True,
        "ticks": "",
        "tickfont": {"size": TICK_SIZE, "color": palette.text},
        "title": {"font": {"size": LABEL_SIZE, "color": palette.text}},
        **options,
    }


def token_axis(
    palette: Palette, tokens: Sequence[str], most: int, narrow: bool = False, **options: Any
) -> dict[str, Any]:
    """An axis with a word at each token, or at every second, …: at most so many, and fewer on a phone."""
    step = -(-len(tokens) // (PHONE_NAMES if narrow else most))
    named = list(range(0, len(tokens), step))
    axis = plain_axis(palette, tickmode="array", tickvals=named, **options)
    length = PHONE_CHARACTERS if narrow else CHARACTERS
    axis["ticktext"] = [as_plotly(tokens[index], length) for index in named]
    if narrow:
        axis["tickfont"]["size"] = PHONE_SIZE
    return axis


def value_axis(palette: Palette, title: str, **options: Any) -> dict[str, Any]:
    """An axis of measured values from 0: light grid lines, a title with the unit."""
    axis = plain_axis(palette, **{"rangemode": "tozero", "automargin": True, **options})
    axis["title"] |= {"text": as_plotly(title), "standoff": 10}  # it may name a class of somebody's model
    return {**axis, "showgrid": True, "gridcolor": palette.grid}


def score_range(values: Sequence[float], rows: int, unit: float = 100.0) -> tuple[float, float]:
    """The ends of an axis of scores that never zooms into noise.

    It spans a tenth of the scale at least, and four standard errors of a score of one half on so many rows.

    Args:
        values: scores that are shown.
        rows: texts that each rests on.
        unit: 100 for percent, 1 for shares.
    """
    low, high = min(values), max(values)
    least = unit * max(0.1, 4 * math.sqrt(0.25 / max(rows, 1)))
    room = 0.6 * max(high - low, least)
    middle = min((low + high) / 2, 1.04 * unit - room)  # a little room above a perfect score, for names
    return middle - room, middle + room


def legend(palette: Palette) -> dict[str, Any]:
    """A legend above the plot, in a row that breaks on a narrow screen; it only names, no click hides."""
    return {
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": LABEL_SIZE, "color": palette.text},
            "itemclick": False,
            "itemdoubleclick": False,
            "traceorder": "normal",
        },
    }


def colour_bar(
    palette: Palette, title: str, values: Sequence[float], labels: Sequence[str], y: float
) -> dict[str, Any]:
    """A horizontal bar below the figure; y is where its top is, in fractions of the plot's height."""
    return {
        "orientation": "h",
        "title": {
            "text": as_plotly(title),
            "side": "top",
            "font": {"size": LABEL_SIZE, "color": palette.text},
        },
        "tickvals": list(values),
        "ticktext": list(labels),
        "tickfont": {"size": TICK_SIZE, "color": palette.text},
        "thickness": 12,
        "len": 1.0,
        "lenmode": "fraction",
        "x": 0,
        "xanchor": "left",
        "y": y,
        "yanchor": "top",
        "outlinewidth": 0,
        "xpad": 0,
        "ypad": 0,
    }


def finish(figure: go.Figure, palette: Palette, height: int, margin: dict[str, int]) -> go.Figure:
    """Set size, type and a transparent ground, so that the page's own shows."""
    figure.update_layout(
        template="none",
        height=height,
        margin={"pad": 4, **margin},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": TICK_SIZE, "color": palette.text},
        hoverlabel={
            "font": {"family": FONT, "size": TICK_SIZE, "color": palette.text},
            "bgcolor": palette.ground,
            "bordercolor": palette.text,
            "align": "left",
            "namelength": 0,
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": palette.text, "activecolor": palette.text},
        showlegend=False,
        dragmode=False,
        hovermode="closest",
    )
    return figure


def draw_levels(
    figure: go.Figure,
    palette: Palette,
    bars: int,
    levels: Sequence[tuple[float, str, str, str]],
    height: int,
    above: int,
) -> None:
    """Lines across bars, named above them, where names have room on a phone, too.

    Args:
        figure: what has the bars.
        palette: the colours.
        bars: how many there are.
        levels: share, name, colour and dash of each.
        height: of the plot, in px.
        above: px above the plot that are taken.
    """
    for share, name, colour, dash in sorted(levels):
        figure.add_scatter(
            x=[-0.5, bars - 0.5],
            y=[100 * share] * 2,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            hoverinfo="skip",
        )
    figure.update_layout(**legend(palette))
    figure.update_layout(legend={"y": 1 + above / height, "font": {"size": TICK_SIZE - 1}})


def slanted_height(names: Sequence[str]) -> int:
    """Room in px for words at 45 degrees: a character is about half as wide as it is high."""
    longest = max(min(len(name), CHARACTERS) for name in names)
    return round(18 + 0.71 * 0.55 * TICK_SIZE * longest)
