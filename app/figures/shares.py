"""What each token of a text receives in one layer, as bars, with the average and the threshold as lines."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import (
    CHARACTERS,
    LEVEL_ROOM,
    draw_levels,
    finish,
    plain_axis,
    slanted_height,
    value_axis,
)
from app.says.text import as_plotly
from app.says.words import percent

MOST = 40  # tokens


def share_bars(
    tokens: Sequence[str], shares: Sequence[float], threshold: float, layer: int, palette: Palette
) -> go.Figure:
    """One bar a token.

    Args:
        tokens: of the text; the first 40 are drawn.
        shares: of the layer's attention, one a token.
        threshold: the share that decides; 0 draws no line.
        layer: number of the layer, 1 is the first.
        palette: the colours.
    """
    shown = list(range(min(len(tokens), MOST)))
    average = 1 / len(tokens)
    below = [shares[i] < threshold and i > 0 for i in shown]
    figure = go.Figure(
        go.Bar(
            x=shown,
            y=[100 * shares[i] for i in shown],
            marker={"color": [palette.dropped if low else palette.pruned for low in below]},
            customdata=[
                f"“{as_plotly(tokens[i])}”: {percent(shares[i])}, {shares[i] / average:.2f}× the average"
                for i in shown
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    levels = [(average, f"average {percent(average)}", palette.muted, "dot")]
    if threshold > 0:
        levels.append((threshold, f"threshold {percent(threshold)}", palette.dropped, "solid"))
    draw_levels(figure, levels)
    label = slanted_height([tokens[i] for i in shown])
    figure.update_layout(
        bargap=0.2,
        xaxis=plain_axis(
            palette,
            tickangle=-45,
            tickvals=shown,
            ticktext=[as_plotly(tokens[i], CHARACTERS) for i in shown],
        ),
        yaxis=value_axis(palette, f"share of attention in layer {layer}, %"),
    )
    return finish(figure, palette, 280 + label, {"l": 8, "r": LEVEL_ROOM, "t": 12, "b": label + 12})
