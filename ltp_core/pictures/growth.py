"""How time or memory grows with the length of a text or the size of a batch."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from ltp_core.pictures.colours import DENSE, KEPT, TEXT
from ltp_core.pictures.style import canvas, legend_above

Along = Literal["length", "batch_size"]
What = Literal["milliseconds", "megabytes"]
RUNS = {
    "hugging_face": "Hugging Face, dense",
    "packed_dense": "ours, dense",
    "pruned": "ours, pruned",
}
UNITS: dict[What, str] = {"milliseconds": "milliseconds", "megabytes": "memory on top, in MB"}
AXES: dict[Along, str] = {"length": "tokens of a text", "batch_size": "texts in a batch"}
_LOOKS: dict[str, dict[str, Any]] = {
    "hugging_face": {"color": TEXT, "linestyle": ":", "marker": "D"},
    "packed_dense": {"color": DENSE, "linestyle": "--", "marker": "s"},
    "pruned": {"color": KEPT, "linestyle": "-", "marker": "o"},
}


def growth(rows: Sequence[Mapping[str, Any]], along: Along, what: What, width: float) -> Figure:
    """Three curves on logarithmic axes, where growing linearly is a slope of one.

    Args:
        rows: what `ltp growth` wrote.
        along: "length" draws the rows with one text; "batch_size" those of the length measured most often.
        what: time, or memory.
        width: in inches.
    """
    chosen = series(rows, along)
    figure = canvas(width, 0.58 * width + 0.7)
    axes = figure.subplots()
    for name, title in RUNS.items():
        points = [(row[along], row[what][name]) for row in chosen if row[what][name]]
        axes.plot([x for x, _ in points], [y for _, y in points], label=title, **_LOOKS[name])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([row[along] for row in chosen], [str(row[along]) for row in chosen])
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid()
    axes.set(xlabel=AXES[along], ylabel=UNITS[what])
    legend_above(figure, axes, 3 if width > 5 else 2)
    return figure


def series(rows: Sequence[Mapping[str, Any]], along: str) -> list[Mapping[str, Any]]:
    """The rows that differ in one size alone, in its order."""
    if along == "length":
        chosen = [row for row in rows if row["batch_size"] == 1]
    else:
        lengths = [row["length"] for row in rows]
        usual = max(lengths, key=lengths.count, default=None)
        chosen = [row for row in rows if row["length"] == usual]
    return sorted(chosen, key=lambda row: row[along])
