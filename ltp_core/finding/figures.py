"""The finding's figures as SVG, drawn from its JSON file."""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from ltp_core.why.deletion import CHOICES, OWN

COLOURS = {OWN: "#2b6cb0", "random": "#7d8894", "lowest": "#1a7f6b", "highest": "#b34700"}
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ltp",  # the same numbers give the same file
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dfe3e8",
    "axes.axisbelow": True,
}


def draw(found: dict[str, Any], folder: Path, name: str) -> dict[str, Path]:
    """Draw all figures of one finding.

    Args:
        found: what the `finding` command wrote.
        folder: where the figures go.
        name: of the finding, for the files.

    Returns:
        Figure -> its file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for figure, drawing in (
        ("agreement", agreement),
        ("deletion", deletion),
        ("kinds", kinds),
        ("left", left),
    ):
        file = folder / f"finding-{name}-{figure}.svg"
        with matplotlib.rc_context(_STYLE):
            canvas = Figure(figsize=(7.2, 4.2), layout="constrained")
            drawing(canvas, found)
            canvas.savefig(file, metadata={"Date": None})
        files[figure] = file
    return files


def agreement(canvas: Figure, found: dict[str, Any]) -> None:
    """Area under the ROC curve in each layer."""
    axes = canvas.subplots()
    rows = [(row["layer"], row["auc"]) for row in found["agreement"]["layers"] if row["auc"]]
    layers, values = [layer for layer, _ in rows], [auc["value"] for _, auc in rows]
    axes.errorbar(
        layers, values, _bars([auc for _, auc in rows]), fmt="o-", color=COLOURS[OWN], capsize=4, lw=2
    )
    axes.axhline(0.5, color="#0f151c", lw=1, ls="--")
    axes.annotate("chance", (layers[-1], 0.5), xytext=(0, 4), textcoords="offset points", ha="right")
    axes.set(xlabel="layer", ylabel="area under the ROC curve", ylim=(0.4, 1.0), xticks=layers)


def deletion(canvas: Figure, found: dict[str, Any]) -> None:
    """Fall of the log-odds when words are deleted from the text, by the layer whose losses are copied."""
    axes = canvas.subplots()
    for choice, rows in found["deletion"]["from_text"].items():
        rows = rows[:-1]  # what is left after the last layer is read by nobody
        axes.errorbar(
            [row["layer"] for row in rows],
            [row["drop"]["value"] for row in rows],
            _bars([row["drop"] for row in rows]),
            fmt="o-",
            label=CHOICES[choice],
            color=COLOURS[choice],
            capsize=4,
            lw=2,
        )
    axes.axhline(0, color="#0f151c", lw=1)
    axes.set(xlabel="deleted: what is gone after layer", ylabel="the answer’s log-odds fall by")
    axes.set_xticks(range(1, found["layers"]))
    axes.legend(frameon=False)


def kinds(canvas: Figure, found: dict[str, Any]) -> None:
    """Kinds of words, one a row: size of their attributions beside the layers that they survive."""
    rows = [row for row in found["kinds"] if row["words"] >= 100]  # the table has the others, too
    rows.sort(key=lambda row: row["relative_attribution"]["value"])
    sides = canvas.subplots(ncols=2, sharey=True)
    for axes, what in zip(sides, ("relative_attribution", "layers_survived"), strict=True):
        found_here = [row[what] for row in rows]
        axes.errorbar(
            [one["value"] for one in found_here],
            [row["name"] for row in rows],
            xerr=_bars(found_here),
            fmt="o",
            color=COLOURS[OWN],
            capsize=3,
        )
    sides[0].set_xlabel("size of attribution, in multiples\nof the sentence’s mean")
    sides[1].set_xlabel("layers survived, mean")


def left(canvas: Figure, found: dict[str, Any]) -> None:
    """Which share of each fifth of a sentence is left after each layer."""
    axes = canvas.subplots()
    shades = matplotlib.colormaps["viridis"]
    places = found["places"]
    for number, row in enumerate(places):
        axes.plot(
            range(1, found["layers"] + 1),
            [100 * share["value"] for share in row["left"]],
            "o-",
            color=shades(number / len(places)),
            lw=2,
            label=row["name"],
        )
    axes.set(xlabel="layer", ylabel="words left, %", xticks=range(1, found["layers"] + 1))
    axes.legend(frameon=False, title="place in the sentence")


def _bars(intervals: list[dict[str, float]]) -> list[list[float]]:
    """Distances from the value down and up."""
    return [
        [max(0.0, one["value"] - one["low"]) for one in intervals],
        [max(0.0, one["high"] - one["value"]) for one in intervals],
    ]
