"""FLOPs as pictures: by layer and part, and against the length of the input."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import finish, legend, plain_axis, value_axis
from app.says.words import flops, times
from ltp_core.data.survey import LengthPoint
from ltp_core.flops import LayerFlops

_UNITS = (("TFLOPs", 1e12), ("GFLOPs", 1e9), ("MFLOPs", 1e6), ("kFLOPs", 1e3), ("FLOPs", 1))


def by_layer(dense: Sequence[LayerFlops], pruned: Sequence[LayerFlops], palette: Palette) -> go.Figure:
    """Two bars a layer, dense and pruned, each with attention below and FFN above."""
    unit, size = flops_unit(max(layer.total for layer in dense))
    figure = go.Figure()
    parts = (
        ("Dense: attention", dense, "attention", palette.dense_light, "dense"),
        ("Dense: FFN", dense, "feed_forward", palette.dense, "dense"),
        ("Pruned: attention", pruned, "attention", palette.pruned_light, "pruned"),
        ("Pruned: FFN", pruned, "feed_forward", palette.pruned, "pruned"),
    )
    for name, layers, part, colour, run in parts:
        counts = [getattr(layer, part) for layer in layers]
        figure.add_bar(
            x=[layer.layer for layer in layers],
            y=[count / size for count in counts],
            name=name,
            offsetgroup=run,
            marker={"color": colour, "line": {"width": 0}},
            customdata=[_hover(name, layer, count) for layer, count in zip(layers, counts, strict=True)],
            hovertemplate="%{customdata}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.28,
        bargroupgap=0.06,
        xaxis=plain_axis(palette, tickmode="linear", tick0=1, dtick=1 if len(dense) <= 12 else 2),
        yaxis=value_axis(palette, unit),
    )
    figure.layout.xaxis.title.text = "layer"
    finish(figure, palette, 380, {"l": 8, "r": 8, "t": 70, "b": 52})
    return figure.update_layout(legend(palette))


def by_length(
    points: Sequence[LengthPoint], palette: Palette, tokens: int, dense: float, pruned: float
) -> go.Figure:
    """Dense and pruned work against length, with the text on the page as a mark on each line.

    Args:
        points: shortest first.
        palette: the colours.
        tokens: length of the text on the page.
        dense: FLOPs of that text with nothing pruned.
        pruned: FLOPs of that text under the thresholds.
    """
    unit, size = flops_unit(max(point.dense for point in points))
    figure = go.Figure()
    lines = (
        ("Dense", [point.dense for point in points], palette.dense, dense),
        ("Pruned", [point.pruned for point in points], palette.pruned, pruned),
    )
    lengths = [point.length for point in points]
    for name, counts, colour, here in lines:
        figure.add_scatter(
            x=lengths,
            y=[count / size for count in counts],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 3},
            marker={"size": 8},
            customdata=[
                f"{point.length} tokens, {name.lower()}: {flops(count)}<br>"
                f"{times(point.dense / point.pruned)} fewer FLOPs when pruned"
                for point, count in zip(points, counts, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
        figure.add_scatter(
            x=[tokens],
            y=[here / size],
            name="your text",
            showlegend=name == "Pruned",
            mode="markers",
            marker={
                "size": 15,
                "symbol": "diamond",
                "color": colour,
                "line": {"width": 2, "color": palette.text},
            },
            hovertemplate=f"your text, {tokens} tokens, {name.lower()}: {flops(here)}<extra></extra>",
        )
    figure.update_layout(xaxis=value_axis(palette, "tokens in the input"), yaxis=value_axis(palette, unit))
    finish(figure, palette, 380, {"l": 8, "r": 16, "t": 50, "b": 52})
    return figure.update_layout(legend(palette))


def flops_unit(largest: float) -> tuple[str, float]:
    """The unit for an axis up to this count, and its size."""
    return next((name, size) for name, size in _UNITS if largest >= size or size == 1)


def _hover(name: str, layer: LayerFlops, count: int) -> str:
    share = count / layer.total if layer.total else 0
    return f"layer {layer.layer}, {name.lower()}: {flops(count)}<br>{share:.0%} of this layer’s work"
