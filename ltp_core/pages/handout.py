"""One page to print: a sentence read again at every layer, drawn from a run at the time of making."""

import textwrap
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltp_core.files.whole import whole_file
from ltp_core.flops import Dimensions, flops_by_layer
from ltp_core.prediction import Prediction

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

TITLE = "A sentence, read with fewer words each time"
MOST_TOKENS = 24  # in a row that can be read on paper
MOST_LAYERS = 12
STAYS, LEAVES, DENSE, INK, MUTED = "#2b6cb0", "#b34700", "#7d8894", "#0f151c", "#5b6572"
_STYLE: dict[Any, Any] = {
    "pdf.fonttype": 42,  # text stays text: it can be searched and copied
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
HOW = (
    "Each row is a layer of the model. A bar is the share of all attention that a token gets there, on a "
    "logarithmic axis; the shares of a row add up to 100 %. What is under the line leaves for good, and "
    "the next layer no longer reads it. [CLS] always stays: the answer is read from it."
)


class HandoutError(ValueError):
    """Why no page can be made of this text or model, in one line."""


@dataclass(frozen=True)
class PageRun:
    """What the page is drawn from.

    Attributes:
        model: the name of the model.
        size: what its FLOPs depend on.
        text: what was read.
        dense: the run with nothing pruned.
        pruned: the run under the thresholds.
        made: when, and by which version; stands at the top.
    """

    model: str
    size: Dimensions
    text: str
    dense: Prediction
    pruned: Prediction
    made: str


def write_handout(run: PageRun, output: Path) -> None:
    """Draw the page and write it as PDF, A4.

    Raises:
        HandoutError: if the text or the model is too large for a page.
    """
    import matplotlib  # half a second, which no other command needs to spend

    with matplotlib.rc_context(_STYLE):
        page = draw(run)
        output.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(output) as part:
            page.savefig(part, format="pdf", metadata={"Title": TITLE})


def draw(run: PageRun) -> "Figure":
    """The page; raises as `write_handout` does."""
    from matplotlib.figure import Figure

    tokens, layers = run.pruned.trace.tokens, run.pruned.trace.layers
    if len(tokens) > MOST_TOKENS:
        said = f"this text has {len(tokens)} tokens, a page has room for {MOST_TOKENS}"
        raise HandoutError(f"{said}: take a shorter one")
    if len(layers) > MOST_LAYERS:
        raise HandoutError(f"this model has {len(layers)} layers, a page has room for {MOST_LAYERS}")
    page = Figure(figsize=(8.27, 11.69))
    parts: Any = page.subfigures(4, 1, height_ratios=(1.7, 5.6, 1.9, 2.9))
    head, rows, sums, asked = parts
    _head(head, run)
    _rows(rows, run)
    _sums(sums, run)
    _questions(asked, run)
    return page


def _head(part: "SubFigure", run: PageRun) -> None:
    part.text(0.07, 0.72, TITLE, size=17, weight="bold", color=INK)
    quoted = "\n".join(textwrap.wrap(f"“{run.text}”", 84))
    part.text(0.07, 0.5, quoted, size=11.5, color=INK, va="center").set_parse_math(False)
    part.text(0.07, 0.26, "\n".join(textwrap.wrap(HOW, 122)), size=8.5, color=MUTED, va="top")
    part.text(0.93, 0.9, run.made, size=6.5, color=MUTED, ha="right").set_parse_math(False)


def _rows(part: "SubFigure", run: PageRun) -> None:
    """One row a layer: words over bars, the line, and how many are left."""
    tokens, layers = run.pruned.trace.tokens, run.pruned.trace.layers
    widths = [max(2.5, len(token) + 1.0) for token in tokens]
    total = sum(widths)
    middles = [sum(widths[:place]) + width / 2 for place, width in enumerate(widths)]
    found = [share for layer in layers for share in layer.importance if share]
    lowest, highest = min(found) / 1.5, log(max(found) / (min(found) / 1.5))
    letters = min(9.0, 700 / total * 1.0)
    grid = part.subplots(
        len(layers), 1, gridspec_kw={"left": 0.13, "right": 0.86, "top": 0.97, "bottom": 0.03}
    )
    for layer, axes in zip(layers, grid if len(layers) > 1 else [grid], strict=True):
        axes.set(xlim=(0, total), ylim=(0, highest * 1.75), xticks=[], yticks=[])
        axes.spines[["left"]].set_visible(False)
        for place, (share, kept) in enumerate(zip(layer.importance, layer.kept, strict=True)):
            if share is None:
                continue
            colour = STAYS if kept else LEAVES
            axes.bar(
                middles[place],
                log(max(share, lowest) / lowest),
                width=widths[place] * 0.8,
                color=colour,
                alpha=0.85,
            )
            word = axes.text(
                middles[place],
                highest * 1.28,
                tokens[place],
                ha="center",
                va="bottom",
                size=letters,
                color=colour,
            )
            word.set_parse_math(False)
            if not kept:
                half = len(tokens[place]) / 2
                struck = (middles[place] - half, middles[place] + half)
                axes.plot(struck, [highest * 1.45] * 2, color=LEAVES, lw=0.8)
        if layer.threshold:
            axes.axhline(log(max(layer.threshold, lowest) / lowest), color=LEAVES, lw=1)
        asked = _percent(layer.threshold, 2) if layer.threshold else "no line"
        axes.text(
            -0.01 * total, highest * 0.6, f"Layer {layer.layer}\n{asked}", ha="right", va="center", size=8
        )
        here = sum(share is not None for share in layer.importance)
        said = f"{here} → {sum(layer.kept)}"
        axes.text(1.01 * total, highest * 0.6, said, ha="left", va="center", size=9, color=INK)


def _sums(part: "SubFigure", run: PageRun) -> None:
    """What both runs answer, and their work layer by layer."""
    answers, work = part.subplots(
        1, 2, gridspec_kw={"left": 0.13, "right": 0.93, "wspace": 0.35, "bottom": 0.3}
    )
    runs = {"fewer words": run.pruned, "all words": run.dense}
    label = run.dense.label
    if label is not None:
        bars = [said.probabilities[label] for said in runs.values()]
        answers.set(xlim=(0, 1), xlabel=f"probability of “{label}”", title="The answer")
    else:
        bars = [said.value or 0.0 for said in runs.values()]
        answers.set(xlabel="value", title="The answer")
    answers.barh(list(runs), bars, color=[STAYS, DENSE], height=0.4)
    answers.set_ylim(-0.5, 1.9)
    for place, said in enumerate(runs.values()):
        inside = answers.get_yaxis_transform()
        said_here = answers.text(0.02, place + 0.24, _answer(said), transform=inside, va="bottom", color=INK)
        said_here.set_parse_math(False)
    answers.xaxis.label.set_parse_math(False)
    trace = run.pruned.trace
    total = len(trace.tokens)
    dense = [layer.total / 1e6 for layer in flops_by_layer(run.size, total, [total] * len(trace.layers))]
    pruned = [layer.total / 1e6 for layer in flops_by_layer(run.size, total, trace.alive)]
    numbers = range(1, len(dense) + 1)
    work.bar(numbers, dense, color=DENSE, width=0.75, label="all words")
    work.bar(numbers, pruned, color=STAYS, width=0.5, label="fewer words")
    work.set(xlabel="layer", ylabel="million FLOPs", xticks=list(numbers), title="The work")
    work.set_ylim(0, max(dense) * 1.35)
    work.legend(frameon=False, ncols=2, loc="upper right", fontsize=8)


def _questions(part: "SubFigure", run: PageRun) -> None:
    """Questions with room to write; their answers upside down at the foot."""
    asked = questions(run)
    for place, (question, _) in enumerate(asked):
        top = 0.97 - place * 0.205
        part.text(0.07, top, f"{place + 1}. {question}", size=9.5, color=INK, va="top").set_parse_math(False)
        part.add_artist(_rule(part, top - 0.145))
    answers = "   ".join(f"{place}. {answer}" for place, (_, answer) in enumerate(asked, start=1))
    foot = part.text(
        0.93,
        0.1,
        "\n".join(textwrap.wrap(answers, 150)),
        size=6.5,
        color=MUTED,
        rotation=180,
        va="top",
        ha="right",
    )
    foot.set_parse_math(False)


def questions(run: PageRun) -> list[tuple[str, str]]:
    """Four questions on the page, with answers from the run."""
    trace = run.pruned.trace
    total, alive = len(trace.tokens), trace.alive
    leaving = [before - after for before, after in zip((total, *alive), alive, strict=False)]
    before_last = leaving[:-1] or leaving  # after the last layer only the first token is read
    busiest = before_last.index(max(before_last)) + 1
    first = trace.layers[0].importance
    most = max(range(total), key=lambda place: first[place] or 0.0)
    saved = run.pruned.flops_reduction
    tokens = [trace.tokens[place] for place in _read(run)]
    same = "No" if run.dense.label == run.pruned.label else "Yes"
    return [
        (
            "Which token gets most attention in layer 1, and how many times the average?",
            f"“{trace.tokens[most]}”, {(first[most] or 0.0) * total:.1f} times the average of "
            f"{_percent(1 / total)}.",
        ),
        (
            "In which layer do most tokens leave, but for the last? Which are read to the end?",
            f"Layer {busiest}, {max(before_last)} tokens; the last layer reads {len(_read(run))}: "
            f"{' '.join(tokens)}.",
        ),
        (
            f"The work falls {saved:.2f}×. Why not by as much as the tokens?",
            f"The first layers read all {total} tokens; only later ones read fewer.",
        ),
        (
            "Does the answer change? Raise which line, and it would? Try it in the lab, in Learn.",
            f"{same}: {_answer(run.dense)} with all words, {_answer(run.pruned)} with fewer.",
        ),
    ]


def _read(run: PageRun) -> list[int]:
    return [place for place, share in enumerate(run.pruned.trace.layers[-1].importance) if share is not None]


def _answer(said: Prediction) -> str:
    if said.label is None:
        return f"{said.value:.2f}"
    return f"{said.label} {_percent(said.confidence or 0)}"


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _rule(part: "SubFigure", height: float) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([0.07, 0.93], [height, height], color="#c8ced6", lw=0.7, transform=part.transSubfigure)
