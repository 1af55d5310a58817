"""One look for all pictures, and how they are written: PDF and SVG, as wide as a paper's column or page."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ltp_core.pictures.colours import GRID, MUTED, TEXT, rule_style

COLUMN, PAGE = 3.3, 6.9  # inches: a column of a two-column paper, and its whole width
FORMATS = ("pdf", "svg")

_MARKERS = {
    **{"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v"},
    **{"cross": "P", "x": "X"},
}
_DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
_LOOK: dict[Any, Any] = {
    "svg.hashsalt": "ltp",  # the same numbers give the same file
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,  # and in a PDF is set in TrueType, as publishers ask
    "font.family": "sans-serif",
    "text.parse_math": False,  # a dollar sign in a text is a dollar sign
    "axes.titlesize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": TEXT,
    "text.color": TEXT,
    "grid.color": GRID,
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def line_look(rule: str) -> dict[str, Any]:
    """A rule's colour, marker and dash, as matplotlib takes them."""
    colour, symbol, dash = rule_style(rule)
    hollow = symbol.endswith("-open")
    return {
        "color": colour,
        "marker": _MARKERS[symbol.removesuffix("-open")],
        "linestyle": _DASHES[dash],
        "markerfacecolor": "white" if hollow else colour,
    }


def look(size: float = 8) -> Any:
    """A context in which all is drawn alike; `size` is that of the text, in points."""
    return matplotlib.rc_context({**_LOOK, "font.size": size, "lines.linewidth": 1.3, "lines.markersize": 4})


def canvas(width: float, height: float) -> Figure:
    """An empty picture, in inches, that no window shows."""
    return Figure(figsize=(width, height), layout="constrained")


def legend_above(figure: Figure, axes: Axes, columns: int) -> None:
    """Name the lines of one part of a picture above all of it."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, fontsize="small")


def write(figure: Figure, folder: Path, name: str, formats: Iterable[str] = FORMATS) -> list[Path]:
    """Write a picture, without the date -> its files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.{kind}" for kind in formats]
    for file in files:
        figure.savefig(file, metadata={"CreationDate" if file.suffix == ".pdf" else "Date": None})
    return files
