"""The stage and the survival map as they stand still: SVG that needs no script, for the report.

Colours are the --ltp-… of the style sheet around it, so the pictures follow light and dark.
"""

import math
from collections.abc import Sequence

from app.figures.colours import level
from app.says import words
from app.says.text import as_html, shorten
from ltp_core import LayerTrace, Prediction, Trace

WIDTH = 1140  # units of the drawing; the page scales it
LEFT, RIGHT = 150, 70  # beside the rows: the layer's name and count; its threshold
ROW, WORDS = 58, 20  # units: a layer, and the words over its bars
LETTER, GAP, LEAST = 7.4, 8, 14  # about what a letter takes at 14 px; between words; the least of a column
LONGEST = 18  # characters of a word
CELL = 22  # units: a row of the map


def stage_svg(dense: Prediction, pruned: Prediction) -> str:
    """A row a layer: the words still alive over bars as high as their share of attention.

    Bars stand on a logarithmic axis with the layer's threshold as a line; what is under it is struck
    through. Long texts have several such blocks below each other.

    Args:
        dense: the run with nothing pruned, whose least share is the foot of the axis.
        pruned: the run that is shown.
    """
    trace = pruned.trace
    lowest = _lowest(dense.trace)
    drawn, top = [], 0.0
    for first, columns in _systems([_column(token) for token in trace.tokens], WIDTH - LEFT - RIGHT):
        for layer, entering in zip(trace.layers, words.entering(trace), strict=True):
            drawn.append(_row(trace, layer, entering, first, columns, top, lowest))
            top += ROW
        top += 16
    alt = f"The stage: {words.map_finding(trace)}"
    return _svg(top - 16, alt, "".join(drawn))


def map_svg(trace: Trace) -> str:
    """A row a layer, a column a token: coloured by its share of attention, a cross where it leaves."""
    tokens = len(trace.tokens)
    step = (WIDTH - LEFT - 10) / tokens
    cells = []
    for place, (layer, entering) in enumerate(zip(trace.layers, words.entering(trace), strict=True)):
        y = place * CELL
        cells.append(f'<text x="0" y="{y + 16}">layer {layer.layer}</text>')
        for token, share in enumerate(layer.importance):
            if share is None:
                continue
            x = LEFT + token * step
            said = f"{trace.tokens[token]}: {words.percent(share)} in layer {layer.layer}"
            cells.append(
                f'<rect class="i{level(share, entering)}" x="{x:.1f}" y="{y}" width="{max(1, step - 1):.1f}" '
                f'height="{CELL - 1}"><title>{as_html(said)}</title></rect>'
            )
            if not layer.kept[token]:
                cells.append(f'<text class="cross" x="{x + step / 2:.1f}" y="{y + 16}">✕</text>')
    bottom = len(trace.layers) * CELL
    names = ""
    if step >= 11:
        names = "".join(
            f'<text class="name" transform="translate({LEFT + (token + 0.5) * step + 4:.1f},{bottom + 8}) '
            f'rotate(90)">{as_html(shorten(name, LONGEST))}</text>'
            for token, name in enumerate(trace.tokens)
        )
    height = bottom + (8 + LETTER * min(LONGEST, max(map(len, trace.tokens))) + 12 if names else 4)
    return _svg(height, f"The survival map: {words.map_finding(trace)}", "".join(cells) + names)


def _row(
    trace: Trace,
    layer: LayerTrace,
    entering: int,
    first: int,
    columns: Sequence[tuple[float, float]],
    top: float,
    lowest: float,
) -> str:
    alive = sum(layer.kept)
    foot, room = top + ROW - 4, ROW - WORDS - 6
    parts = [
        f'<line class="rule" x1="0" x2="{WIDTH}" y1="{top:.0f}" y2="{top:.0f}"/>',
        f'<text class="strong" x="0" y="{top + 18:.0f}">Layer {layer.layer}</text>',
        f'<text class="muted" x="0" y="{top + 36:.0f}">{entering} → {alive} tokens</text>',
    ]
    for offset, (x, width) in enumerate(columns):
        token = first + offset
        share = layer.importance[token]
        if share is None:
            continue
        fate = "stays" if layer.kept[token] else "leaves"
        height = max(2.0, room * _up(share, lowest))
        word = as_html(shorten(trace.tokens[token], LONGEST))
        parts.append(
            f'<g class="{fate}"><rect x="{LEFT + x:.1f}" y="{foot - height:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" rx="2"/><text x="{LEFT + x:.1f}" y="{top + 16:.0f}">{word}</text></g>'
        )
    if layer.threshold is not None:
        y = foot - room * _up(layer.threshold, lowest)
        said = "off" if layer.threshold == 0 else words.threshold(layer.threshold)
        parts.append(
            f'<line class="threshold" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="threshold" x="{WIDTH - RIGHT + 6}" y="{y + 5:.1f}">{said}</text>'
        )
    return "".join(parts)


def _systems(widths: Sequence[float], room: float) -> list[tuple[int, list[tuple[float, float]]]]:
    """Columns below each other where one line has no room: ``[(first token, [(x, width), …]), …]``."""
    found: list[tuple[int, list[tuple[float, float]]]] = []
    x = math.inf
    for token, width in enumerate(widths):
        if x + width > room:
            found.append((token, []))
            x = 0.0
        found[-1][1].append((x, width))
        x += width + GAP
    return found


def _column(token: str) -> float:
    return max(LEAST, LETTER * len(shorten(token, LONGEST)))


def _lowest(trace: Trace) -> float:
    """The foot of the axis, as on the stage: half of the least that any token gets, or of the average."""
    shares = [share for layer in trace.layers for share in layer.importance if share]
    return max(1e-6, min([1 / len(trace.tokens), *shares]) / 2)


def _up(share: float, lowest: float) -> float:
    """How far up the logarithmic axis a share is, from 0 to 1."""
    return 0.0 if share <= lowest else min(1.0, math.log(share / lowest) / math.log(1 / lowest))


def _svg(height: float, alt: str, content: str) -> str:
    return (
        f'<svg class="still" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{as_html(alt)}">'
        f"{content}</svg>"
    )
