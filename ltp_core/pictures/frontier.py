"""Points lost against FLOPs: one line a rule, each with its band."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from ltp_core.pictures.colours import DENSE, MUTED
from ltp_core.pictures.dots import Dot
from ltp_core.pictures.style import canvas, legend_above, line_look
from ltp_core.rules.names import name

LEAST = 10.0  # points that the axis spans: a difference of half a point is noise on most of these sets
MOST = 25.0  # and at most: a rule that loses more leaves the picture, else nobody sees the others


def frontier(dots: Sequence[Dot], title: str, width: float) -> Figure:
    """Draw what `ltp compare` measured on one task.

    Args:
        dots: as `pictures.dots.dots` sorts them; the band is one standard error to either side, over seeds.
        title: of the picture.
        width: in inches.
    """
    figure = canvas(width, 0.62 * width + 0.9)
    axes = figure.subplots()
    for rule in dict.fromkeys(dot.rule for dot in dots):
        line = [dot for dot in dots if dot.rule == rule]
        x, look = [dot.reduction for dot in line], line_look(rule)
        low, high = [-dot.high for dot in line], [-dot.low for dot in line]
        axes.fill_between(x, low, high, color=look["color"], alpha=0.13, linewidth=0)
        axes.plot(x, [-dot.lost for dot in line], label=name(rule), **look)
    axes.axhline(0, color=DENSE, linewidth=1)
    axes.annotate(
        "dense baseline",
        (1, 0),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        color=MUTED,
        fontsize="small",
    )
    axes.set_ylim(*_limits(dots))
    axes.grid(axis="y")
    axes.set(title=title, xlabel="dense ÷ pruned FLOPs", ylabel="points against the baseline")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    legend_above(figure, axes, 2 if width < 5 else 4)
    return figure


def _limits(dots: Sequence[Dot]) -> tuple[float, float]:
    """From above the best point to at least `LEAST` below it, and at most `MOST`."""
    high = max([0.0, *(-dot.low for dot in dots)])
    low = min([-1.0, *(-dot.high for dot in dots)])
    low = max(min(low, high - LEAST), high - MOST)
    return low - 0.04 * (high - low), high + 0.08 * (high - low)
