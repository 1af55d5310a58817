"""How time or memory grows with the length of a text or the size of a batch, on a screen."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import plotly.graph_objects as go

from app.figures.colours import Palette
from app.figures.layout import finish, legend, plain_axis
from ltp_core.pictures.growth import AXES, RUNS, UNITS, series


def growth_curves(
    rows: Sequence[Mapping[str, Any]],
    along: Literal["length", "batch_size"],
    what: Literal["milliseconds", "megabytes"],
    palette: Palette,
) -> go.Figure:
    """Three curves on logarithmic axes, where growing linearly is a slope of one.

    Args:
        rows: what `ltp growth` wrote.
        along: "length" draws the rows with one text; "batch_size" those of the length measured most often.
        what: time, or memory.
        palette: the colours.

    Raises:
        ValueError: if there is nothing to draw.
    """
    chosen = series(rows, along)
    if not chosen:
        raise ValueError("there are no measurements of growth")
    styles = {
        "hugging_face": (palette.text, "dot"),
        "packed_dense": (palette.dense, "dash"),
        "pruned": (palette.pruned, "solid"),
    }
    figure = go.Figure()
    for name, (colour, dash) in styles.items():
        points = [(row[along], row[what][name]) for row in chosen if row[what][name]]
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            name=RUNS[name],
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 3},
            marker={"size": 8},
            hovertemplate=f"{RUNS[name]}<br>%{{x}} {AXES[along]}: %{{y:.3g}} {UNITS[what]}<extra></extra>",
        )
    ticks = [row[along] for row in chosen]
    figure.update_layout(
        xaxis=_log_axis(palette, AXES[along], tickvals=ticks, ticktext=[str(tick) for tick in ticks]),
        yaxis=_log_axis(palette, UNITS[what], dtick=1, exponentformat="none"),
    )
    finish(figure, palette, 380, {"l": 8, "r": 16, "t": 44, "b": 52})
    return figure.update_layout(legend(palette))


def table(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """One row a length, one text at a time."""
    chosen = series(rows, "length")
    return {
        "tokens": [row["length"] for row in chosen],
        **{f"{title}, ms": [row["milliseconds"][name] for row in chosen] for name, title in RUNS.items()},
        "FLOPs reduction": [row["flops_reduction"] for row in chosen],
    }


def _log_axis(palette: Palette, title: str, **options: Any) -> dict[str, Any]:
    axis = plain_axis(palette, type="log", automargin=True, **options)
    axis["title"] |= {"text": title, "standoff": 10}
    return {**axis, "showgrid": True, "gridcolor": palette.grid}
