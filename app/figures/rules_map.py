"""Rules below one another, tokens from left to right: the layer in which each leaves under each rule."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures import leaving
from app.figures.colours import Palette
from app.figures.layout import CHARACTERS, finish, plain_axis, slanted_height
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
    fates = [leaving.places(trace.survived, layers)[start:stop] for trace in traces]
    rows = range(len(names))
    figure = go.Figure(
        go.Heatmap(
            z=fates,
            x=list(shown),
            y=list(rows),
            xgap=2,
            ygap=3,
            coloraxis="coloraxis",
            customdata=[
                [_hover(name, token, place, layers) for token, place in zip(tokens, places, strict=True)]
                for name, places in zip(names, fates, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    gone = [
        (index, row, place)
        for row, places in enumerate(fates)
        for index, place in zip(shown, places, strict=True)
        if place <= layers
    ]
    figure.add_scatter(
        x=[index for index, _, _ in gone],
        y=[row for _, row, _ in gone],
        text=[str(place) for _, _, place in gone],
        mode="text",
        textfont={"size": 14, "color": [leaving.ink(place, layers, palette) for _, _, place in gone]},
        hoverinfo="skip",
    )
    label, height = slanted_height(tokens), CELL * len(names)
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
        coloraxis=leaving.axis(palette, layers, bar, -20 / height),
    )
    below = BELOW if bar else 8
    return finish(figure, palette, label + height + below + 8, {"l": 8, "r": 56, "t": label, "b": below})


def narrowest(tokens: int) -> int:
    """The width in px below which the words of a line run into each other."""
    return SIDES + WORD * tokens


def _hover(name: str, token: str, place: int, layers: int) -> str:
    fate = "stays to the end" if place > layers else f"leaves in layer {place}"
    return f"{as_plotly(name)}: “{as_plotly(token)}” {fate}"
