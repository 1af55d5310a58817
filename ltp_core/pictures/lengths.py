"""How pruning follows the length of a text: what is left of short and long ones, and scores far beyond."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from ltp_core.pictures.colours import DENSE, DROPPED, KEPT, MUTED
from ltp_core.pictures.style import canvas, legend_above, line_look
from ltp_core.rules.names import name, order

LEAST = 0.1  # of a score: the axis does not zoom into noise


def adaptation(rows: Sequence[Mapping[str, Any]], title: str, width: float) -> Figure:
    """Share of tokens that the layers compute, for texts of each length, one line a rule.

    Args:
        rows: of `ltp compare` at one FLOPs target, one a rule; `kept_by_length` is drawn.
        title: of the picture.
        width: in inches.
    """
    figure = canvas(width, 0.62 * width + 0.7)
    axes = figure.subplots()
    for row in sorted(rows, key=lambda row: order(row["rule"])):
        groups = row["kept_by_length"]
        left = [100 * sum(one["kept_per_layer"]) / len(one["kept_per_layer"]) for one in groups]
        axes.plot(
            [one["mean_tokens"] for one in groups], left, label=name(row["rule"]), **line_look(row["rule"])
        )
    axes.set_ylim(0, 100)
    axes.set_xlim(left=0)
    axes.grid(axis="y")
    axes.set(
        title=title, xlabel="tokens of a text (mean of a quarter)", ylabel="tokens left, mean of layers, %"
    )
    legend_above(figure, axes, 2)
    return figure


def curves(rows: Sequence[Mapping[str, Any]], title: str, width: float) -> Figure:
    """Scores and FLOPs of texts cut at several lengths: dense, and pruned with each reference length.

    Args:
        rows: of `ltp lengths`, of one model.
        title: of the picture.
        width: in inches.
    """
    figure = canvas(width, 0.36 * width + 0.8)
    left, right = figure.subplots(ncols=2)
    lengths = sorted({row["max_tokens"] for row in rows})
    ways = list(dict.fromkeys(row["reference_length"] for row in rows))
    first = [row for row in rows if row["reference_length"] == ways[0]]
    _line(left, first, "dense_score", "dense", {"color": DENSE, "marker": "s", "linestyle": "--"})
    for way in sorted(ways, key=lambda way: (way is not None, way)):
        look = (
            {"color": DROPPED, "marker": "X", "linestyle": ":"}
            if way is None
            else {"color": KEPT, "marker": "o", "linestyle": "-"}
        )
        label = "pruned, no reference length" if way is None else f"pruned, reference length {way:g}"
        chosen = [row for row in rows if row["reference_length"] == way]
        _line(left, chosen, "pruned_score", label, look)
        _line(right, chosen, "flops_reduction", label, look, 1)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(lengths, [str(length) for length in lengths])
        axes.minorticks_off()
        axes.grid(axis="y")
        axes.set_xlabel("texts cut at so many tokens")
    if trained := rows[0].get("trained_length"):
        for axes in (left, right):
            axes.axvline(trained, color=DENSE, linewidth=0.8)
        right.annotate(
            "trained up to here",
            (trained, 0.98),
            (3, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize="x-small",
            color=MUTED,
        )
    low, high = left.get_ylim()
    if high - low < 100 * LEAST:
        middle = (low + high) / 2
        left.set_ylim(middle - 50 * LEAST, middle + 50 * LEAST)
    right.set_ylim(bottom=0)
    left.set_ylabel(f"{rows[0]['metric']}, %")
    right.set_ylabel("dense ÷ pruned FLOPs")
    left.set_title(title, loc="left")
    legend_above(figure, left, 3)
    return figure


def _line(
    axes: Any,
    rows: Sequence[Mapping[str, Any]],
    what: str,
    label: str,
    look: dict[str, str],
    times: float = 100,
) -> None:
    chosen = sorted(rows, key=lambda row: row["max_tokens"])
    axes.plot(
        [row["max_tokens"] for row in chosen], [times * row[what] for row in chosen], label=label, **look
    )
