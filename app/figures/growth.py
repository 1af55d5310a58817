"""How time or memory grows with the length of a text or the size of a batch.

`python -m app.figures.growth` draws docs/pictures/.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import plotly.graph_objects as go

from app.figures.colours import LIGHT, Palette
from app.figures.layout import LABEL_SIZE, finish, legend, plain_axis

RUNS = {
    "hugging_face": "Hugging Face, dense",
    "packed_dense": "ours, dense",
    "pruned": "ours, pruned",
}
UNITS = {"milliseconds": "milliseconds", "megabytes": "memory on top, in MB"}
AXES = {"length": "tokens of a text", "batch_size": "texts in a batch"}


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


def series(rows: Sequence[Mapping[str, Any]], along: str) -> list[Mapping[str, Any]]:
    """The rows that differ in one size alone, in its order."""
    if along == "length":
        chosen = [row for row in rows if row["batch_size"] == 1]
    else:
        lengths = [row["length"] for row in rows]
        usual = max(lengths, key=lengths.count, default=None)
        chosen = [row for row in rows if row["length"] == usual]
    return sorted(chosen, key=lambda row: row[along])


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


def draw(rows: Sequence[Mapping[str, Any]], pictures: Path) -> list[Path]:
    """Write four SVGs: time and memory, along length and along batch size. Plotly needs a Chromium for it."""
    pictures.mkdir(parents=True, exist_ok=True)
    drawn = []
    axes: tuple[Literal["length", "batch_size"], ...] = ("length", "batch_size")
    units: tuple[Literal["milliseconds", "megabytes"], ...] = ("milliseconds", "megabytes")
    for along in axes:
        for what in units:
            figure = growth_curves(rows, along, what, LIGHT)
            figure.update_layout(width=640, paper_bgcolor=LIGHT.ground, font={"size": LABEL_SIZE})
            drawn.append(pictures / f"growth-{along.replace('_', '-')}-{what}.svg")
            figure.write_image(drawn[-1])
    return drawn


if __name__ == "__main__":
    from ltp_core.results import RESULTS, ROOT, read_rows

    for picture in draw(read_rows(RESULTS / "performance-growth.json"), ROOT / "docs" / "pictures"):
        print(picture)
