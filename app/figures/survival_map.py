"""The survival map: tokens from left to right, layers from top to bottom, colour for attention received."""

import math
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from app.figures.colours import Palette, diverging
from app.figures.layout import CHARACTERS, colour_bar, finish, plain_axis, slanted_height
from app.says.text import as_plotly
from app.says.words import entering, percent, times
from ltp_core import LayerTrace, Trace

COLUMNS = 32  # tokens in one line
REACH = 3  # the scale runs from 2^-3 to 2^3 times the average; what lies beyond takes its end colour
TALL, SMALL, ONE_LINE = 64, 32, 384  # px: a cell of a map of one line, of several; most for one line
GAP, BELOW, SIDES, WORD = 14, 92, 130, 19  # px: between lines, for the colour bar, beside; a narrow column


@dataclass(frozen=True)
class Line:
    """One line of a wrapped map: tokens start to stop - 1, its cells from `bottom` to `top` (0 to 1)."""

    start: int
    stop: int
    bottom: float
    top: float


def survival_map(
    trace: Trace, palette: Palette, start: int = 0, stop: int | None = None, columns: int = COLUMNS
) -> go.Figure:
    """Draw who stays and who leaves, token by layer.

    Args:
        trace: what happened.
        palette: the colours.
        start: the first token shown, counted from 0.
        stop: the token after the last one shown; None for all.
        columns: most tokens in one line; longer inputs are wrapped into lines of equal length.
    """
    stop = len(trace.tokens) if stop is None else min(stop, len(trace.tokens))
    lines, width, height = _lines(trace, start, stop, columns)
    figure = go.Figure()
    for number, line in enumerate(lines, start=1):
        suffix = "" if number == 1 else str(number)
        figure.add_traces(_line_traces(trace, line, palette, suffix))
        figure.update_layout({f"xaxis{suffix}": _token_axis(trace, line, width, palette, suffix)})
        figure.update_layout({f"yaxis{suffix}": _layer_axis(trace, line, palette, suffix)})
    if 1 in trace.segments:
        _mark_second_text(figure, trace.segments.index(1), lines, palette)
    steps = range(-REACH, REACH + 1)
    title = "attention, in multiples of the average"
    labels = [_multiple(step) for step in steps]
    figure.update_layout(
        coloraxis={
            "colorscale": diverging(palette.importance),
            "cmin": -REACH,
            "cmax": REACH,
            "colorbar": colour_bar(palette, title, list(steps), labels, y=-20 / height),
        }
    )
    return finish(figure, palette, height + BELOW + 8, {"l": 8, "r": 56, "t": 8, "b": BELOW})


def narrowest(tokens: int, columns: int = COLUMNS) -> int:
    """The width in px below which the words of a map run into each other."""
    return SIDES + WORD * math.ceil(tokens / _count(tokens, columns))


def level(share: float, entering: int) -> int:
    """Which of the ten colours of importance: 0 an eighth of the average or less, 9 eight times or more."""
    doublings = max(-REACH, min(REACH, math.log2(share * entering))) if share > 0 else -REACH
    half = 4 * (doublings + REACH) / REACH if doublings < 0 else 5 + 4 * doublings / REACH
    return math.floor(half + 0.5)


def _count(tokens: int, columns: int) -> int:
    return math.ceil(tokens / columns)


def _lines(trace: Trace, start: int, stop: int, columns: int) -> tuple[list[Line], int, int]:
    """Break tokens into lines of equal length -> lines, tokens in a line, height of all in px."""
    count = _count(stop - start, columns)
    width = math.ceil((stop - start) / count)
    layers = len(trace.layers)
    cells = layers * (max(SMALL, min(TALL, ONE_LINE // layers)) if count == 1 else SMALL)
    firsts = range(start, stop, width)
    labels = [slanted_height(trace.tokens[first : first + width]) for first in firsts]
    height = sum(labels) + count * cells + (count - 1) * GAP
    lines, top = [], height
    for first, label in zip(firsts, labels, strict=True):
        top -= label
        lines.append(Line(first, min(first + width, stop), (top - cells) / height, top / height))
        top -= cells + GAP
    return lines, width, height


def _line_traces(trace: Trace, line: Line, palette: Palette, suffix: str) -> list[Any]:
    shown = range(line.start, line.stop)
    numbers = [layer.layer for layer in trace.layers]
    axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    grid = {"x": list(shown), "y": numbers, "xgap": 2, "ygap": 2, **axes}
    hover = {
        "customdata": [
            [_hover(trace, layer, token, alive) for token in shown]
            for layer, alive in zip(trace.layers, entering(trace), strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    gone = [[None if layer.kept[token] else 0 for token in shown] for layer in trace.layers]
    kept = [
        [_colour(layer, token, alive) for token in shown]
        for layer, alive in zip(trace.layers, entering(trace), strict=True)
    ]
    leaving = [
        (token, layer.layer)
        for layer in trace.layers
        for token in shown
        if layer.importance[token] is not None and not layer.kept[token]
    ]
    return [
        go.Heatmap(
            z=gone, colorscale=[(0, palette.line), (1, palette.line)], showscale=False, **grid, **hover
        ),
        go.Heatmap(z=kept, coloraxis="coloraxis", **grid, **hover),
        go.Scatter(
            x=[token for token, _ in leaving],
            y=[layer for _, layer in leaving],
            mode="markers",
            marker={"symbol": "x-thin", "size": 11, "line": {"width": 3, "color": palette.dropped}},
            hoverinfo="skip",
            **axes,
        ),
    ]


def _token_axis(trace: Trace, line: Line, width: int, palette: Palette, suffix: str) -> dict[str, Any]:
    shown = range(line.start, line.stop)
    return plain_axis(
        palette,
        side="top",
        anchor=f"y{suffix}",
        range=[line.start - 0.5, line.start + width - 0.5],
        tickmode="array",
        tickvals=list(shown),
        ticktext=[as_plotly(trace.tokens[token], CHARACTERS) for token in shown],
        tickangle=-45,
    )


def _layer_axis(trace: Trace, line: Line, palette: Palette, suffix: str) -> dict[str, Any]:
    numbers = [layer.layer for layer in trace.layers]
    return plain_axis(
        palette,
        anchor=f"x{suffix}",
        automargin=True,
        domain=[line.bottom, line.top],
        range=[numbers[-1] + 0.5, numbers[0] - 0.5],
        tickmode="array",
        tickvals=numbers,
        ticktext=[f"layer {number}" for number in numbers],
    )


def _mark_second_text(figure: go.Figure, first: int, lines: list[Line], palette: Palette) -> None:
    """Draw a line before the first token of the second text of a pair."""
    for number, line in enumerate(lines, start=1):
        if line.start < first < line.stop:
            suffix = "" if number == 1 else str(number)
            figure.add_shape(
                type="line",
                x0=first - 0.5,
                x1=first - 0.5,
                y0=0,
                y1=1,
                xref=f"x{suffix}",
                yref=f"y{suffix} domain",
                line={"color": palette.text, "width": 2},
            )


def _colour(layer: LayerTrace, token: int, alive: int) -> float | None:
    """Where a kept token is on the scale: log2 of its importance over the average 1/n."""
    share = layer.importance[token]
    if share is None or not layer.kept[token]:
        return None
    return max(-REACH, min(REACH, math.log2(share * alive))) if share > 0 else -REACH


def _hover(trace: Trace, layer: LayerTrace, token: int, alive: int) -> str:
    name = f"“{as_plotly(trace.tokens[token])}” · token {token + 1}"
    if 1 in trace.segments:
        name += f" · {'second' if trace.segments[token] else 'first'} text"
    share = layer.importance[token]
    if share is None:
        left = next(other.layer for other in trace.layers if not other.kept[token])
        return f"{name}<br>left in layer {left}"
    average = times(share * alive)
    got = f"{name}<br>layer {layer.layer}: {percent(share)} of all attention, {average} the average"
    if not layer.threshold:
        return f"{got}<br>stays: nothing is pruned here"
    if not layer.kept[token]:
        return f"{got}<br>leaves: less than {percent(layer.threshold)}"
    if share < layer.threshold:
        return f"{got}<br>stays: the classifier reads this token, so it never leaves"
    return f"{got}<br>stays: at least {percent(layer.threshold)}"


def _multiple(step: int) -> str:
    label = {-3: "⅛", -2: "¼", -1: "½"}.get(step, str(2**step) if step >= 0 else "")
    return ("≤ " if step == -REACH else "≥ " if step == REACH else "") + label
