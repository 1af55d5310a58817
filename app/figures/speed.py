"""Measured speed against the FLOPs that were saved."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import finish, legend, value_axis
from app.published import Anchor
from app.says.dots import Speed
from app.says.text import as_plotly
from app.says.words import milliseconds, times
from ltp_core.pages.factors import Race

KINDS = (
    ("all of it: over Hugging Face, dense", "speedup", "diamond"),
    ("pruning alone: over ours, dense", "pruning", "circle"),
)
STARS = ("star", "star-triangle-up", "star-square", "star-diamond")


def speed_against_flops(runs: Sequence[Speed], anchors: Sequence[Anchor], palette: Palette) -> go.Figure:
    """Two dots a benchmark, the line on which time falls as FLOPs do, and what others have published."""
    colours = (palette.dense, palette.pruned)
    figure = go.Figure()
    for (name, what, symbol), colour in zip(KINDS, colours, strict=True):
        figure.add_scatter(
            x=[run.reduction for run in runs],
            y=[getattr(run, what) for run in runs],
            name=name,
            mode="markers",
            marker={"size": 11, "symbol": symbol, "color": colour},
            customdata=[_hover(run, getattr(run, what)) for run in runs],
            hovertemplate="%{customdata}<extra></extra>",
        )
    for place, anchor in enumerate(anchors):  # named in the legend: beside a star there are dots
        figure.add_scatter(
            x=[1.0],
            y=[anchor.reduction],
            name=f"published: {as_plotly(anchor.name)}",
            mode="markers",
            marker={"size": 15, "symbol": STARS[place % len(STARS)], "color": palette.text},
            hovertext=[
                f"{as_plotly(anchor.name)}: {anchor.reduction:g}× in time<br>{as_plotly(anchor.source)}"
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    most = max([run.reduction for run in runs] + [2.0])
    figure.add_scatter(
        x=[1, most],
        y=[1, most],
        mode="lines",
        name="time falls as FLOPs do",
        line={"color": palette.text, "width": 1, "dash": "dash"},
        hoverinfo="skip",
    )
    top = max([run.speedup for run in runs] + [anchor.reduction for anchor in anchors] + [most])
    figure.update_layout(
        xaxis=value_axis(palette, "dense ÷ pruned FLOPs", ticksuffix="×", range=[0.9, most * 1.06]),
        yaxis=value_axis(palette, "dense ÷ pruned time", ticksuffix="×", range=[0, top * 1.08]),
    )
    finish(figure, palette, 440, {"l": 8, "r": 16, "t": 12, "b": 52})
    return figure.update_layout(legend(palette))


def table(runs: Sequence[Speed]) -> dict[str, list[Any]]:
    """One row a benchmark."""
    return {
        "against": [run.against for run in runs],
        "tokens": [run.length for run in runs],
        "texts at once": [run.batch for run in runs],
        "dense, ms": [run.dense_ms for run in runs],
        "ours pruned, ms": [run.pruned_ms for run in runs],
        "speedup": [run.speedup for run in runs],
        "speedup by pruning alone": [run.pruning for run in runs],
        "FLOPs reduction": [run.reduction for run in runs],
        "where": [run.where for run in runs],
    }


def line(run: Speed) -> tuple[str, ...]:
    """One row of a table of peers."""
    return (
        run.against,
        str(run.length),
        str(run.batch),
        milliseconds(run.dense_ms),
        milliseconds(run.pruned_ms),
        times(run.speedup),
        f"{times(run.reduction)} fewer",
    )


def race(run: Race) -> tuple[str, ...]:
    """One row of a table of what one would pick."""
    return (
        str(run.length),
        str(run.batch_size),
        f"{run.peer}, {milliseconds(run.dense_ms)}",
        f"{run.engine}, {milliseconds(run.pruned_ms)}",
        times(run.speedup),
    )


def _hover(run: Speed, ratio: float) -> str:
    return (
        f"{run.length} tokens, {run.batch} at once: {times(ratio)} at {times(run.reduction)} fewer FLOPs"
        f"<br>{as_plotly(run.where)}"
    )
