"""The log of a training run as pictures: thresholds, and the FLOPs reduction against its target."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import TICK_SIZE, finish, legend, plain_axis, value_axis

TICKS = [0.1, 0.3, 1, 3, 10, 30, 100]  # percent


def thresholds(log: Sequence[dict[str, Any]], palette: Palette) -> go.Figure:
    """One line a layer: its threshold against the step, in percent of all attention, on a log axis.

    Args:
        log: lines of `metrics.jsonl` that have thresholds.
        palette: the colours; later layers are darker.
    """
    lines = [line for line in log if "thresholds" in line]
    layers = len(lines[0]["thresholds"])
    figure = go.Figure()
    for layer in range(layers):
        shade = palette.attention[2 + round(7 * layer / max(layers - 1, 1))]
        figure.add_scatter(
            x=[line["step"] for line in lines],
            y=[100 * line["thresholds"][layer] for line in lines],
            name=f"layer {layer + 1}",
            mode="lines",
            line={"color": shade, "width": 2},
            hovertemplate=f"layer {layer + 1}, step %{{x}}: %{{y:.2f}} %<extra></extra>",
        )
    figure.update_layout(
        xaxis=plain_axis(palette),
        yaxis=value_axis(
            palette,
            "threshold, share of attention",
            type="log",
            rangemode="normal",
            tickvals=TICKS,
            ticktext=[f"{tick:g} %" for tick in TICKS],  # a suffix is not drawn beside ticks of one's own
        ),
    )
    figure.layout.xaxis.title.text = "step"
    finish(figure, palette, 380, {"l": 8, "r": 8, "t": 70, "b": 52})
    return figure.update_layout(legend(palette))


def reduction(log: Sequence[dict[str, Any]], palette: Palette, target: float | None = None) -> go.Figure:
    """Dense over pruned FLOPs of the batches, a running mean, against the step."""
    lines = [line for line in log if "flops_reduction" in line]
    figure = go.Figure(
        go.Scatter(
            x=[line["step"] for line in lines],
            y=[line["flops_reduction"] for line in lines],
            mode="lines",
            line={"color": palette.pruned, "width": 2},
            hovertemplate="step %{x}: %{y:.2f}×<extra></extra>",
        )
    )
    if target is not None:
        figure.add_hline(
            y=target,
            line={"color": palette.dropped, "dash": "dash"},
            annotation={"text": f"target {target:g}×", "font": {"color": palette.dropped, "size": TICK_SIZE}},
            annotation_position="right",
        )
    figure.update_layout(
        xaxis=plain_axis(palette),
        yaxis=value_axis(palette, "dense ÷ pruned FLOPs", ticksuffix="×", rangemode="normal"),
    )
    figure.layout.xaxis.title.text = "step"
    return finish(figure, palette, 320, {"l": 8, "r": 120, "t": 30, "b": 52})
