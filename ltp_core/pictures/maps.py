"""What happened to one text: who stays in each layer, and who attends to whom."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure

from ltp_core.pictures.colours import ATTENTION, GONE, IMPORTANCE
from ltp_core.pictures.style import canvas
from ltp_core.trace import AttentionTrace, Trace

REACH = 3  # doublings: the scale runs from an eighth of the average to eight times it
CELL = 0.24  # inches: the height of a row
MOST_NAMED = 80  # tokens; with more, places are numbered
PANELS = 3  # in a row of attention maps
LONGEST = 14  # characters of a token


def survival(trace: Trace, title: str, width: float) -> Figure:
    """A row a layer, a column a token, coloured by its share of attention; a cross where it leaves.

    Args:
        trace: of the pruned run.
        title: of the picture.
        width: in inches.
    """
    layers = len(trace.layers)
    figure = canvas(width, CELL * layers + 1.5)
    axes = figure.subplots()
    shown = axes.imshow(relative(trace), _importance(), aspect="auto", vmin=-REACH, vmax=REACH)
    for place, layer in enumerate(trace.layers):
        leaving = [
            token
            for token, (share, kept) in enumerate(zip(layer.importance, layer.kept, strict=True))
            if share is not None and not kept
        ]
        size = min(14.0, 500 * width / len(trace.tokens) ** 1.5)
        axes.scatter(leaving, [place] * len(leaving), size, "white", marker="x", linewidths=1.1)
    _name_tokens(axes, trace.tokens, width)
    axes.set_yticks(range(layers), [f"layer {layer.layer}" for layer in trace.layers])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title)
    bar = figure.colorbar(shown, ax=axes, location="bottom", shrink=0.6, aspect=50, pad=0.02)
    ticks = range(-REACH, REACH + 1)
    bar.set_ticks(
        list(ticks), labels=[f"{2.0**tick:g}×" if tick >= 0 else f"1/{2**-tick}×" for tick in ticks]
    )
    bar.set_label("share of attention, in multiples of the layer’s average; ✕ leaves in this layer")
    bar.outline.set_visible(False)
    return figure


def relative(trace: Trace) -> np.ndarray:
    """Doublings of each token's share over the layer's average -> ``[layers, n]``; NaN once it has left."""
    values = np.full((len(trace.layers), len(trace.tokens)), np.nan)
    for place, layer in enumerate(trace.layers):
        here = [token for token, share in enumerate(layer.importance) if share is not None]
        for token in here:
            share = layer.importance[token] or 0.0
            values[place, token] = math.log2(max(share * len(here), 2.0**-REACH))
    return values


def attention(tokens: Sequence[str], layers: Sequence[AttentionTrace], title: str, width: float) -> Figure:
    """A map for each layer, the mean over its heads: who attends (a row) to whom (a column).

    Args:
        tokens: all of the input; those that have left are blank.
        layers: attention in each layer to be drawn.
        title: of the picture.
        width: in inches.
    """
    columns = min(PANELS, len(layers))
    rows = math.ceil(len(layers) / columns)
    figure = canvas(width, rows * (width / columns + 0.12) + 0.9)
    parts = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    scale = LinearSegmentedColormap.from_list("attention", ATTENTION).with_extremes(bad=GONE)
    last = None
    for axes, found in zip(parts.flat, layers, strict=False):
        whole = np.full((len(tokens), len(tokens)), np.nan)
        whole[np.ix_(found.tokens, found.tokens)] = np.sqrt(found.weights())
        last = axes.imshow(whole, scale, vmin=0, vmax=1)
        axes.set_title(f"layer {found.layer}")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    for axes in list(parts.flat)[len(layers) :]:
        axes.set_visible(False)
    for axes in parts[-1]:
        _name_tokens(axes, tokens, width / columns)
    for axes in parts[:, 0]:
        _name_rows(axes, tokens, width / columns)
    figure.suptitle(title)
    if last is not None:
        bar = figure.colorbar(last, ax=parts, location="bottom", shrink=0.5, aspect=50, pad=0.02)
        shares = (0, 0.05, 0.2, 0.5, 1)
        bar.set_ticks([math.sqrt(share) for share in shares], labels=[f"{share:.0%}" for share in shares])
        bar.set_label("share of a token’s attention (rows attend to columns), mean over heads")
        bar.outline.set_visible(False)
    return figure


def _importance() -> Colormap:
    """Ten steps; the middle of the scale is between the fifth and the sixth, which are equal."""
    return ListedColormap(list(IMPORTANCE)).with_extremes(bad=GONE)


def _font(tokens: int, width: float) -> float:
    """Points that fit as many tokens beside each other."""
    return max(3.5, min(8.0, 0.78 * 72 * width / tokens))


def _name_tokens(axes: Axes, tokens: Sequence[str], width: float) -> None:
    if len(tokens) > MOST_NAMED:
        axes.set_xlabel("place of the token in the text")
        return
    size = _font(len(tokens), width)
    axes.set_xticks(range(len(tokens)), [_short(token) for token in tokens], rotation=90, fontsize=size)


def _name_rows(axes: Axes, tokens: Sequence[str], width: float) -> None:
    if len(tokens) <= MOST_NAMED:
        axes.set_yticks(
            range(len(tokens)), [_short(token) for token in tokens], fontsize=_font(len(tokens), width)
        )


def _short(token: str) -> str:
    """A token as one short line."""
    printable = "".join(character if character.isprintable() else "·" for character in token)
    return printable if len(printable) <= LONGEST else printable[: LONGEST - 1] + "…"
