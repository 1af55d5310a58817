"""Rules below one another, tokens from left to right: how many layers each token survives under each rule."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.colours import WHITE, Palette, contrast
from app.figures.layout import CHARACTERS, colour_bar, finish, plain_axis, slanted_height
from app.says.text import as_plotly
from ltp_core import Trace

CELL, BELOW, SIDES, WORD = 40, 92, 150, 20  # px: a row; below for the colour bar; beside; a narrow column


def rules_map(
    names: Sequence[str], traces: Sequence[Trace], palette: Palette, start: int, stop: int, bar: bool = True
) -> go.Figure:
    """Draw one line of tokens.

    Args:
        names: of the rules, from the top.
        traces: of the same text, one a rule.
        palette: the colours.
        start: the first token shown, counted from 0.
        stop: the token after the last one.
        bar: whether the colour bar belongs below this line.
    """
    shown, layers = range(start, stop), len(traces[0].layers)
    tokens = [traces[0].tokens[index] for index in shown]
    survived = [[trace.survived[index] for index in shown] for trace in traces]
    rows = range(len(names))
    figure = go.Figure(
        go.Heatmap(
            z=survived,
            x=list(shown),
            y=list(rows),
            xgap=2,
            ygap=3,
            coloraxis="coloraxis",
            customdata=[
                [_hover(name, token, count, layers) for token, count in zip(tokens, counts, strict=True)]
                for name, counts in zip(names, survived, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    leaving = [
        (index, row, count + 1)
        for row, counts in enumerate(survived)
        for index, count in zip(shown, counts, strict=True)
        if count < layers
    ]
    figure.add_scatter(
        x=[index for index, _, _ in leaving],
        y=[row for _, row, _ in leaving],
        text=[str(layer) for _, _, layer in leaving],
        mode="text",
        textfont={
            "size": 14,
            "color": [_ink(layer - 1, layers, palette) for _, _, layer in leaving],
        },
        hoverinfo="skip",
    )
    label, height = slanted_height(tokens), CELL * len(names)
    ticks = list(range(layers + 1))
    figure.update_layout(
        xaxis=plain_axis(
            palette,
            side="top",
            tickangle=-45,
            tickvals=list(shown),
            ticktext=[as_plotly(token, CHARACTERS) for token in tokens],
            range=[start - 0.5, stop - 0.5],
        ),
        yaxis=plain_axis(
            palette,
            tickvals=list(rows),
            ticktext=[as_plotly(name) for name in names],
            range=[len(names) - 0.5, -0.5],
            automargin=True,
        ),
        coloraxis={
            "colorscale": _scale(palette, layers),
            "cmin": -0.5,
            "cmax": layers + 0.5,
            "showscale": bar,
            "colorbar": colour_bar(
                palette, "layers that the token survives", ticks, [str(tick) for tick in ticks], -20 / height
            ),
        },
    )
    below = BELOW if bar else 8
    return finish(figure, palette, label + height + below + 8, {"l": 8, "r": 56, "t": label, "b": below})


def narrowest(tokens: int) -> int:
    """The width in px below which the words of a line run into each other."""
    return SIDES + WORD * tokens


def _hover(name: str, token: str, count: int, layers: int) -> str:
    fate = "stays to the end" if count == layers else f"leaves in layer {count + 1}"
    return f"{as_plotly(name)}: “{as_plotly(token)}” {fate}"


def _scale(palette: Palette, layers: int) -> list[tuple[float, str]]:
    """One flat colour for each number of layers, from near the ground to far from it."""
    steps = [_colour(count, layers, palette) for count in range(layers + 1)]
    size = len(steps)
    return [edge for i, c in enumerate(steps) for edge in ((i / size, c), ((i + 1) / size, c))]


def _colour(count: int, layers: int, palette: Palette) -> str:
    return palette.attention[round(count / layers * (len(palette.attention) - 1))]


def _ink(count: int, layers: int, palette: Palette) -> str:
    """The number in a cell: white or dark, whichever stands out more from the cell's colour."""
    cell = _colour(count, layers, palette)
    return max((WHITE, palette.ground, palette.text), key=lambda ink: contrast(ink, cell))
