"""The finding's figures as SVG, drawn from its JSON file."""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {"ltp": "#2b6cb0", "random": "#7d8894", "lowest": "#1a7f6b", "highest": "#b34700"}
NAMES = {
    "ltp": "what LTP drops",
    "random": "as many at random",
    "lowest": "smallest attributions",
    "highest": "largest attributions",
}
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
        folder: where they go.
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
            drawing(canvas.subplots(), found)
            canvas.savefig(file, metadata={"Date": None})
        files[figure] = file
    return files


def agreement(axes: Axes, found: dict[str, Any]) -> None:
    """Area under the ROC curve in each layer."""
    rows = [(row["layer"], row["auc"]) for row in found["agreement"]["layers"] if row["auc"]]
    layers, values = [layer for layer, _ in rows], [auc["value"] for _, auc in rows]
    axes.errorbar(
        layers, values, _bars([auc for _, auc in rows]), fmt="o-", color=COLOURS["ltp"], capsize=4, lw=2
    )
    axes.axhline(0.5, color="#0f151c", lw=1, ls="--")
    axes.annotate("chance", (layers[-1], 0.5), xytext=(0, 4), textcoords="offset points", ha="right")
    axes.set(xlabel="layer", ylabel="area under the ROC curve", ylim=(0.4, 1.0), xticks=layers)


def deletion(axes: Axes, found: dict[str, Any]) -> None:
    """Fall of the log-odds when words are deleted from the text, by the layer whose losses are copied."""
    for choice, rows in found["deletion"]["from_text"].items():
        rows = rows[:-1]  # what is left after the last layer is read by nobody
        axes.errorbar(
            [row["layer"] for row in rows],
            [row["drop"]["value"] for row in rows],
            _bars([row["drop"] for row in rows]),
            fmt="o-",
            label=NAMES[choice],
            color=COLOURS[choice],
            capsize=4,
            lw=2,
        )
    axes.axhline(0, color="#0f151c", lw=1)
    axes.set(xlabel="deleted: what is gone after layer", ylabel="the answer’s log-odds fall by")
    axes.set_xticks(range(1, found["layers"]))
    axes.legend(frameon=False)


def kinds(axes: Axes, found: dict[str, Any]) -> None:
    """Kinds of words: size of their attributions against the layers that they survive."""
    for row in found["kinds"]:
        if row["words"] < 100:
            continue  # too few for a place of their own; the table has them
        size, survived = row["relative_attribution"], row["layers_survived"]
        axes.errorbar(
            size["value"],
            survived["value"],
            _bars([survived]),
            _bars([size]),
            fmt="o",
            color=COLOURS["ltp"],
            capsize=3,
        )
        axes.annotate(
            row["name"],
            (size["value"], survived["value"]),
            xytext=(6, -14 if row["name"] in ("preposition", "content") else 6),
            textcoords="offset points",
        )
    axes.set(
        xlabel="size of attribution, in multiples of the sentence’s mean", ylabel="layers survived, mean"
    )


def left(axes: Axes, found: dict[str, Any]) -> None:
    """Which share of each fifth of a sentence is left after each layer."""
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
