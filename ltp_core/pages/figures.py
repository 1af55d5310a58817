"""Pictures for a paper, from assets/results and the shipped models: what `report --figures` writes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ltp_core.model import PrunedModel
from ltp_core.pictures.dots import dots
from ltp_core.pictures.frontier import frontier
from ltp_core.pictures.growth import AXES, UNITS, growth
from ltp_core.pictures.lengths import adaptation, curves
from ltp_core.pictures.maps import attention, survival
from ltp_core.pictures.style import COLUMN, PAGE, look, write
from ltp_core.prediction import Text
from ltp_core.results import read_rows

USUAL = 2.0  # the FLOPs reduction at which rules are compared by length
# What the maps show where nobody asks for another text; ours, as all texts in this project.
SENTENCE = (
    "A moving film, not without its faults, but the jokes are tired and the plot is predictable, yet somehow "
    "nothing about it feels wrong."
)
PAIR = (
    "The company said on Monday that it would cut two hundred jobs at its plant in Ohio.",
    "Two hundred jobs will be lost at the plant in Ohio, the company announced on Monday.",
)


def frontiers(results: Path, folder: Path, width: float = COLUMN, **options: Any) -> list[Path]:
    """Accuracy against FLOPs: a picture for each `compare-NAME.json` -> its files."""
    written = []
    for file in sorted(results.glob("compare-*.json")):
        name = file.stem.removeprefix("compare-")
        if found := dots(read_rows(file)):
            metric = found[0].rows[0]["metric"]
            with look():
                written += write(frontier(found, f"{name}, {metric}", width), folder, file.stem, **options)
    return written


def adaptations(results: Path, folder: Path) -> list[Path]:
    """What is left of short and long texts, at about half of the FLOPs."""
    written = []
    for file in sorted(results.glob("compare-*.json")):
        rows = [row for row in read_rows(file) if row["rule"] in ("ltp", "topk", "lat", "random")]
        by_rule: dict[str, dict[str, Any]] = {}
        for row in sorted(rows, key=lambda row: (abs(row["target_flops"] - USUAL), row["seed"])):
            if row.get("kept_by_length"):
                by_rule.setdefault(row["rule"], row)
        if not by_rule:
            continue
        name = file.stem.removeprefix("compare-")
        targets = " and ".join(f"{x:g}×" for x in sorted({row["target_flops"] for row in by_rule.values()}))
        with look():
            figure = adaptation(list(by_rule.values()), f"{name} at {targets} fewer FLOPs", COLUMN)
            written += write(figure, folder, f"adaptation-{name}")
    return written


def length_curves(results: Path, folder: Path, **options: Any) -> list[Path]:
    """Scores and FLOPs at several lengths, with a reference length and without."""
    written = []
    for file in sorted(results.glob("lengths-*.json")):
        if rows := read_rows(file):
            title = f"{rows[0]['model']} on {rows[0]['examples']:,} texts"
            with look():
                written += write(curves(rows, title, PAGE), folder, file.stem, **options)
    return written


def growths(results: Path, folder: Path, width: float = COLUMN, **options: Any) -> list[Path]:
    """Time and memory, along length and along batch size."""
    rows = read_rows(results / "performance-growth.json")
    written = []
    for along in AXES if rows else ():
        for what in UNITS:
            with look():
                figure = growth(rows, along, what, width)
                written += write(figure, folder, f"growth-{along.replace('_', '-')}-{what}", **options)
    return written


def maps(model: PrunedModel, text: Text, folder: Path) -> list[Path]:
    """One text: who stays in each layer, and the attention of the pruned run."""
    found = [model.predict(text, attention_layer=layer) for layer in range(1, model.layers + 1)]
    trace = found[0].trace
    layers = [one.trace.attention for one in found if one.trace.attention is not None]
    answer = found[0].label or f"{found[0].value:.2f}"
    about = f"{model.name}: {answer}, {found[0].flops_reduction:.2f}× fewer FLOPs"
    with look():
        return [
            *write(survival(trace, about, PAGE), folder, f"survival-{model.name}"),
            *write(attention(trace.tokens, layers, about, PAGE), folder, f"attention-{model.name}"),
        ]


def write_figures(
    results: Path,
    folder: Path,
    models: Sequence[tuple[str, Text]],
    load: Callable[[str], PrunedModel],
    say: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Write all of them.

    Args:
        results: a folder like assets/results.
        folder: where the pictures go.
        models: names, each with the text that its maps show.
        load: name -> the model.
        say: told what is drawn now.

    Returns:
        The files, in two formats each.
    """
    written = [*frontiers(results, folder), *adaptations(results, folder), *length_curves(results, folder)]
    written += growths(results, folder)
    say(f"{len(written)} files from {results}")
    for name, text in models:
        written += maps(load(name), text, folder)
        say(f"maps of {name}")
    return written
