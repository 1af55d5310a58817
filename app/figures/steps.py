"""Pictures of Why, step by step: from the attention of one layer's heads to who stays."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.attention_heatmap import MOST_TOKENS, attention_scale
from app.figures.colours import Palette
from app.figures.layout import (
    LEVEL_ROOM,
    TICK_SIZE,
    draw_levels,
    finish,
    plain_axis,
    slanted_height,
    token_axis,
)
from app.says.text import as_plotly
from app.says.words import attention_of, entering, percent, threshold
from ltp_core import LayerTrace, Trace

MOST_IN_MOSAIC = 128  # tokens a side of one head; the rest is not drawn
HEIGHT = 254  # px of the bars
ABOVE = 26  # px above them, for the share of a bar that is cut
MOST_NAMES = 40  # tokens with a word under their bar; of more, every second, third, …


def heads_mosaic(trace: Trace, token: int, palette: Palette, columns: int = 4) -> go.Figure:
    """All heads of a layer as small heatmaps in one picture; the token's column is framed in each.

    Args:
        trace: one that holds the attention of a layer.
        token: the one that is framed, by its index in the input.
        palette: the colours.
        columns: heads in a row.
    """
    attention = attention_of(trace)
    heads = np.asarray(attention.heads, dtype=np.float32)[:, :MOST_IN_MOSAIC, :MOST_IN_MOSAIC]  # [H, m, m]
    count, side = len(heads), heads.shape[-1]
    rows = math.ceil(count / columns)
    across, down = math.ceil(side * 1.08), math.ceil(side * 1.18)  # with a gap; room for a name above
    picture = np.full((rows * down, columns * across), np.nan, dtype=np.float32)
    figure = go.Figure()
    place = attention.tokens.index(token) if token in attention.tokens else -1
    for head in range(count):
        top, left = head // columns * down, head % columns * across
        picture[top : top + side, left : left + side] = heads[head]
        figure.add_annotation(
            x=left - 0.5,
            y=top - 0.5,
            text=f"head {head + 1}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": TICK_SIZE - 2, "color": palette.text},
        )
        if 0 <= place < side:
            figure.add_shape(_frame(left + place, top, side, palette))
    largest = float(np.nanmax(picture))
    figure.add_trace(
        go.Heatmap(
            z=picture, coloraxis="coloraxis", hovertemplate="%{z:.1%}<extra></extra>", hoverongaps=False
        )
    )
    figure.update_layout(
        xaxis=plain_axis(palette, showticklabels=False),
        yaxis=plain_axis(palette, showticklabels=False, autorange="reversed"),
        coloraxis=attention_scale(palette, largest),
    )
    return finish(figure, palette, 110 + rows * 200, {"l": 8, "r": 56, "t": 28, "b": 92})


def frame_column(figure: go.Figure, trace: Trace, token: int, palette: Palette) -> go.Figure:
    """Frame a token's column in an attention heatmap, if it is one of those that are drawn."""
    drawn = attention_of(trace).tokens[:MOST_TOKENS]
    if token in drawn:
        figure.add_shape(_frame(drawn.index(token), 0, len(drawn), palette))
    return figure


def narrowest(layer: LayerTrace) -> int:
    """The width in px below which the words under importance bars run into each other."""
    bars = sum(share is not None for share in layer.importance)
    return 88 + 17 * math.ceil(bars / math.ceil(bars / MOST_NAMES))


def importance_bars(
    trace: Trace, layer: LayerTrace, token: int, palette: Palette, decided: bool, narrow: bool = False
) -> go.Figure:
    """The importance of every token that enters a layer.

    Args:
        trace: what happened.
        layer: the layer.
        token: the one that is looked at; framed.
        palette: the colours.
        decided: whether the threshold is drawn, and colours say who stays; else all are grey.
        narrow: for a phone: fewer words, shorter and smaller.
    """
    shown = [index for index, share in enumerate(layer.importance) if share is not None]
    shares = [layer.importance[index] for index in shown]
    colours = [
        (palette.kept if layer.kept[index] else palette.dropped) if decided else palette.dense
        for index in shown
    ]
    chosen = [3 if index == token else 0 for index in shown]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(shown))),
            y=[100 * share for share in shares if share is not None],
            marker={"color": colours, "line": {"color": palette.text, "width": chosen}},
            customdata=[
                f"“{as_plotly(trace.tokens[index])}” · token {index + 1}<br>{percent(share)} of all attention"
                for index, share in zip(shown, shares, strict=True)
                if share is not None
            ],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    average = 1 / entering(trace)[layer.layer - 1]
    levels = [(average, f"average {percent(average)}", palette.text, "dash")]
    if decided and layer.threshold:
        levels.append((layer.threshold, f"threshold {threshold(layer.threshold)}", palette.dropped, "solid"))
    top = _cut(
        figure, [share for share in shares if share is not None], [level[0] for level in levels], palette
    )
    tokens = [trace.tokens[index] for index in shown]
    xaxis = token_axis(palette, tokens, MOST_NAMES, narrow, tickangle=-45)
    yaxis = plain_axis(palette, automargin=True, ticksuffix=" %", nticks=5, range=[0, 100 * top])
    yaxis |= {"showgrid": True, "gridcolor": palette.grid}
    yaxis["title"] |= {"text": "share of attention", "standoff": 10}
    figure.update_layout(xaxis=xaxis, yaxis=yaxis, bargap=0.25)
    above, below = ABOVE + LEVEL_ROOM, slanted_height(xaxis["ticktext"])
    finish(figure, palette, above + HEIGHT + below, {"l": 8, "r": 20, "t": above, "b": below})
    draw_levels(figure, palette, len(shown), levels, HEIGHT, ABOVE)
    return figure


def _frame(column: int, top: int, side: int, palette: Palette) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": column - 0.5,
        "x1": column + 0.5,
        "y0": top - 0.5,
        "y1": top + side - 0.5,
        "line": {"color": palette.dropped, "width": 2},
    }


def _cut(figure: go.Figure, shares: list[float], levels: list[float], palette: Palette) -> float:
    """Where the axis ends: one token often gets half of all attention, and would flatten the others."""
    others = sorted(shares)[-2:][0]
    top = 1.25 * max(others, *levels)
    for place, share in enumerate(shares):
        if share > top:
            figure.add_annotation(
                x=place,
                y=100 * top,
                text=f"↑ {percent(share)}",
                showarrow=False,
                yanchor="bottom",
                font={"size": TICK_SIZE - 2, "color": palette.text},
            )
    return top
