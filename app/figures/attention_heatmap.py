"""The attention of one layer: who looks (rows) at whom (columns), for one head or the mean of all."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.colours import Palette, sequential
from app.figures.layout import colour_bar, finish, token_axis
from app.says.text import as_plotly
from app.says.words import attention_of, percent
from ltp_core import Trace

MOST_TICKS = 32  # words on an axis; of longer inputs every second, third, … word is named
MOST_NAMES = 96  # tokens up to which the hover box has the words; beyond, their positions
MOST_TOKENS = 256  # cells a side; the rest is not drawn


def attention_heatmap(trace: Trace, head: int | None, palette: Palette, narrow: bool = False) -> go.Figure:
    """Draw the attention kept in a trace.

    Args:
        trace: one that holds the attention of a layer.
        head: 1 for the first; None for the mean over heads.
        palette: the colours.
        narrow: for a phone: fewer words, shorter and smaller.

    Raises:
        ValueError: if the trace holds no attention.
    """
    attention = attention_of(trace)
    weights = attention.weights(head)[:MOST_TOKENS, :MOST_TOKENS]
    tokens = [trace.tokens[index] for index in attention.tokens[:MOST_TOKENS]]
    side = len(tokens)
    which = f", first {side} tokens" if side < len(attention.tokens) else ""
    largest = float(weights.max())
    figure = go.Figure(
        go.Heatmap(
            z=weights,
            x=list(range(side)),
            y=list(range(side)),
            xgap=1 if side <= MOST_TICKS else 0,
            ygap=1 if side <= MOST_TICKS else 0,
            coloraxis="coloraxis",
            **_hover(tokens, attention.tokens),
        )
    )
    figure.update_layout(
        xaxis=_axis(tokens, palette, f"gets attention{which}", narrow, side="top", tickangle=-45),
        yaxis=_axis(tokens, palette, f"gives attention{which}", narrow, autorange="reversed"),
        coloraxis=attention_scale(palette, largest),
    )
    height = 250 + max(220, min(side * 24, 560))
    return finish(figure, palette, height, {"l": 8, "r": 30 if narrow else 56, "t": 40, "b": 92})


def narrowest(trace: Trace) -> int:
    """The width in px below which the words of a heatmap run into each other."""
    side = min(len(attention_of(trace).tokens), MOST_TOKENS)
    return 170 + 17 * math.ceil(side / math.ceil(side / MOST_TICKS))


def attention_scale(palette: Palette, largest: float) -> dict[str, Any]:
    """The colour axis of shares of a row's attention, from 0 to the largest."""
    ticks = [0, largest / 4, largest / 2, largest]
    labels = ["0", *(percent(tick) for tick in ticks[1:])]
    return {
        "colorscale": sequential(palette.attention),
        "cmin": 0,
        "cmax": largest,
        "colorbar": colour_bar(palette, "share of a row’s attention", ticks, labels, y=-0.04),
    }


def most_attended(trace: Trace, head: int | None) -> tuple[str, float]:
    """The token that gets most attention, and its share of all of it."""
    attention = attention_of(trace)
    received = attention.weights(head).mean(axis=0)  # [n]
    best = int(received.argmax())
    return trace.tokens[attention.tokens[best]], float(received[best])


def _axis(tokens: list[str], palette: Palette, title: str, narrow: bool, **options: Any) -> dict[str, Any]:
    axis = token_axis(palette, tokens, MOST_TICKS, narrow, automargin=True, **options)
    axis["title"] |= {"text": title, "standoff": 6 if narrow else 12}
    return axis


def _hover(tokens: list[str], positions: Sequence[int]) -> dict[str, Any]:
    if len(tokens) > MOST_NAMES:
        customdata = np.stack(np.meshgrid(positions[: len(tokens)], positions[: len(tokens)]), axis=-1) + 1
        return {
            "customdata": customdata.astype(np.uint16),
            "hovertemplate": "token %{customdata[1]} gives %{z:.1%}<br>of its attention to token "
            "%{customdata[0]}<extra></extra>",
        }
    names = [as_plotly(token) for token in tokens]
    return {  # two names a cell: whole sentences would be most of what the browser has to load
        "customdata": [[(giver, taker) for taker in names] for giver in names],
        "hovertemplate": "“%{customdata[0]}” gives %{z:.3~p}<br>of its attention to “%{customdata[1]}”"
        "<extra></extra>",
    }
