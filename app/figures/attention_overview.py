"""Attention of all layers: each head's favourite, what has reached the first token, between two texts."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.attention_heatmap import attention_scale
from app.figures.colours import Palette
from app.figures.layout import PHONE_SIZE, finish, plain_axis, slanted_height, token_axis
from app.says.text import as_plotly, shorten
from app.says.words import percent
from ltp_core import AttentionTrace

ROW = 34  # px
DIRECTIONS = ("first → first", "first → second", "second → first", "second → second")
MOST_NAMED_LAYERS = 6  # side by side on a phone
MOST_NAMED = 40  # tokens on an axis; beyond, every second, third, … one


def heads_overview(
    attention: Sequence[AttentionTrace], tokens: Sequence[str], palette: Palette, narrow: bool = False
) -> go.Figure:
    """Layer by head: the token that gets most of the head's attention, and how much of it.

    On a phone (`narrow`) it is turned, as it has more heads than layers; many layers leave no room for names.
    """
    favourites = [favourite(layer) for layer in attention]
    shares = np.array([share for _, share in favourites])  # [L, H]
    layers, heads = shares.shape
    names = [[as_plotly(tokens[index]) for index in row] for row, _ in favourites]
    hover = [
        [
            f"layer {layer + 1}, head {head + 1}<br>“{names[layer][head]}” gets "
            f"{percent(float(shares[layer, head]))} of its attention"
            for head in range(heads)
        ]
        for layer in range(layers)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shares.T if narrow else shares,
            x=list(range(1, (layers if narrow else heads) + 1)),
            y=list(range(1, (heads if narrow else layers) + 1)),
            xgap=2,
            ygap=2,
            coloraxis="coloraxis",
            customdata=[list(row) for row in zip(*hover, strict=True)] if narrow else hover,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    largest = float(shares.max())
    written = [
        {
            "x": (layer if narrow else head) + 1,
            "y": (head if narrow else layer) + 1,
            "text": as_plotly(shorten(tokens[favourites[layer][0][head]], 7)),
            "showarrow": False,
            "font": {"size": PHONE_SIZE if narrow else 13, "color": palette.ground if dark else palette.text},
        }
        for layer in range(layers)
        for head in range(heads)
        if not narrow or layers <= MOST_NAMED_LAYERS
        for dark in [shares[layer, head] > 0.35 * largest]
    ]
    figure.update_layout(
        annotations=written,  # all at once: each `add_annotation` copies those before
        xaxis=plain_axis(palette, side="top", tickmode="linear", tick0=1, dtick=1),
        yaxis=plain_axis(palette, autorange="reversed", tickmode="linear", tick0=1, dtick=1),
        coloraxis=attention_scale(palette, largest),
    )
    across, down = ("layer", "head") if narrow else ("head", "layer")
    figure.layout.xaxis.title.text = across
    figure.layout.yaxis.title.text = down
    side = 10 if narrow else 56
    rows = heads if narrow else layers
    return finish(figure, palette, 150 + rows * ROW, {"l": 56, "r": side, "t": 56, "b": 92})


def favourite(layer: AttentionTrace) -> tuple[list[int], list[float]]:
    """For each head, the token that gets most of its attention, and the share."""
    best = layer.received.argmax(axis=1)  # [H]
    shares = layer.received.max(axis=1)
    return [layer.tokens[int(index)] for index in best], [float(share) for share in shares]


def rollout_map(
    reached: np.ndarray, tokens: Sequence[str], first: str, palette: Palette, narrow: bool = False
) -> go.Figure:
    """Layer by token: what has reached the first token, as `ltp_core.why.rollout` counts it.

    The first token's own column has no colour: it keeps most of itself, which would hide the others.
    """
    layers, count = reached.shape
    shown = reached.copy()
    shown[:, 0] = np.nan
    largest = float(np.nanmax(shown)) if count > 1 else 1.0
    names = [as_plotly(token) for token in tokens]
    hover = [
        [
            f"“{names[token]}” · token {token + 1}<br>{percent(float(reached[layer, token]))} of "
            f"{as_plotly(first)} after layer {layer + 1}"
            for token in range(count)
        ]
        for layer in range(layers)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            x=list(range(count)),
            y=list(range(1, layers + 1)),
            xgap=2 if count <= MOST_NAMED else 0,
            ygap=2,
            coloraxis="coloraxis",
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=True,
        )
    )
    axis = token_axis(palette, tokens, MOST_NAMED, narrow, side="top", tickangle=-45)
    scale = attention_scale(palette, largest)
    scale["colorbar"]["title"]["text"] = f"share of what {first} has drawn from"
    figure.update_layout(
        xaxis=axis,
        yaxis=plain_axis(palette, autorange="reversed", tickmode="linear", tick0=1, dtick=1),
        coloraxis=scale,
    )
    figure.layout.yaxis.title.text = "after layer"
    top = slanted_height(axis["ticktext"])
    side = 30 if narrow else 56
    return finish(figure, palette, 100 + top + layers * ROW, {"l": 56, "r": side, "t": top, "b": 92})


def between(shares: Sequence[Sequence[float]], palette: Palette) -> go.Figure:
    """Of a pair, layer by layer: how much attention each text gives to its own words, and to the other's.

    Args:
        shares: what `blocks` says of each layer.
        palette: the colours.
    """
    table = np.array(shares).T  # [4, L]
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=list(range(1, len(shares) + 1)),
            y=list(DIRECTIONS),
            xgap=2,
            ygap=2,
            coloraxis="coloraxis",
            texttemplate="%{z:.0%}",
            textfont={"size": 14},
            hovertemplate="layer %{x}, %{y}: %{z:.1%} of the giver’s attention<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis=plain_axis(palette, side="top", tickmode="linear", tick0=1, dtick=1),
        yaxis=plain_axis(palette, autorange="reversed", automargin=True),
        coloraxis=attention_scale(palette, float(np.nanmax(table)) or 1.0),
    )
    figure.layout.xaxis.title.text = "layer"
    return finish(figure, palette, 150 + 4 * ROW, {"l": 8, "r": 56, "t": 56, "b": 92})


def blocks(layer: AttentionTrace, segments: Sequence[int], special: Sequence[int]) -> list[float]:
    """Mean share of a giver's attention in the `DIRECTIONS`.

    Special tokens belong to neither; NaN where a text has no word left.
    """
    weights, out = layer.weights(), set(special)
    words = [
        [at for at, token in enumerate(layer.tokens) if segments[token] == text and token not in out]
        for text in (0, 1)
    ]
    return [
        float(weights[np.ix_(givers, takers)].sum() / len(givers)) if givers else float("nan")
        for givers in words
        for takers in words
    ]
