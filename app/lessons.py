"""Five lessons on the live model: a question before the answer, then something to do that is looked at.

A lesson is plain data and functions of one `Situation`: what the visitor has set, and what the model said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.figures.shares import MOST
from app.says import findings, words
from app.says.text import shorten
from app.says.words import entering
from app.visitor.state import SAID
from ltp_core import Prediction, Trace
from ltp_core.speed.latency import TextTimes

ENOUGH = 1.3  # a reduction of FLOPs that is worth looking at
MUCH = 2.0
MODERATE = 1.5  # times the starting thresholds: beyond, even what gets much attention leaves
SPECIAL = ("[CLS]", "[SEP]", "<s>", "</s>")  # a lone "[" is a token of the text


@dataclass(frozen=True)
class Situation:
    """What a lesson looks at.

    Attributes:
        thresholds: what the visitor has set.
        learned: the model's own, or those it started with.
        dense: the run with nothing pruned.
        pruned: the run under the thresholds.
        predict: runs other thresholds on the same text.
        chosen: the token that the visitor picked in lesson 1, its position; None for none.
        measured: times under exactly these thresholds, if the visitor has measured.
    """

    thresholds: tuple[float, ...]
    learned: tuple[float, ...]
    dense: Prediction
    pruned: Prediction
    predict: Callable[[tuple[float, ...]], Prediction]
    chosen: int | None = None
    measured: TextTimes | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """Of the text."""
        return self.pruned.trace.tokens

    @property
    def executed_reduction(self) -> float:
        """Dense over pruned FLOPs, both as our engine runs them."""
        return self.dense.executed_flops / self.pruned.executed_flops


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        title: what it is about.
        teach: a few sentences.
        question: what is to be answered before the reveal.
        options: the answers that are offered.
        answer: the right one, and what the model just did to show it.
        task: what to do then.
        check: whether it is done, and what is to be seen or still missing.
        controls: the task needs one of these, as a teacher's link names them; none: it needs nothing.
        unfit: why there is nothing to ask about this model; "" if there is.
    """

    title: str
    teach: str
    question: Callable[[Situation], str]
    options: Callable[[Situation], Sequence[str]]
    answer: Callable[[Situation], tuple[str, str]]
    task: str
    check: Callable[[Situation], tuple[bool, str]]
    controls: tuple[str, ...] = ()
    unfit: Callable[[Situation], str] = lambda s: ""

    def can_be_done(self, hidden: frozenset[str]) -> bool:
        """Whether a teacher's link that hides these controls leaves what the task needs."""
        return not self.controls or not hidden.issuperset(self.controls)


def shares(trace: Trace, layer: int = 1) -> list[float]:
    """Share of attention of each token in a layer; 0 where it is gone."""
    return [share or 0.0 for share in trace.layers[layer - 1].importance]


def named(trace: Trace, position: int) -> str:
    """A token with its place, so that equal words differ."""
    return f"{trace.tokens[position]} ({position + 1})"


def content(trace: Trace) -> list[int]:
    """Positions of the tokens of the text itself, of those that the figure draws."""
    return [i for i, token in enumerate(trace.tokens[:MOST]) if token not in SPECIAL]


def _which(s: Situation) -> str:
    of = "of the text" if len(s.tokens) <= MOST else f"of the first {MOST}"
    return f"Which token {of} receives most attention in layer 1?"


def _most(s: Situation) -> tuple[str, str]:
    trace, received = s.dense.trace, shares(s.dense.trace)
    best = max(content(trace), key=lambda i: received[i])
    average = words.percent(1 / len(received))
    return named(trace, best), (
        f"“{trace.tokens[best]}” receives {words.percent(received[best])} of all attention in layer 1; the "
        f"average of {len(received)} tokens is {average}. All shares add up to 100 %."
    )


def _least(s: Situation) -> tuple[bool, str]:
    trace, received = s.dense.trace, shares(s.dense.trace)
    least = min(content(trace), key=lambda i: received[i])
    if s.chosen is None:
        return False, "Pick a token above."
    if received[s.chosen] <= received[least]:
        return (
            True,
            f"Right: {words.percent(received[least])}. With a threshold above that, it would go first.",
        )
    return (
        False,
        f"“{trace.tokens[s.chosen]}” receives {words.percent(received[s.chosen])}; another has less.",
    )


_PARTS = ("fewer than a quarter", "between a quarter and three quarters", "more than three quarters")


def _at_average(s: Situation) -> tuple[str, str]:
    total = len(s.tokens)
    found = s.predict((1 / total, *(0.0,) * (len(s.thresholds) - 1)))
    gone = total - found.trace.alive[0]
    part = _PARTS[0] if gone < total / 4 else _PARTS[1] if gone <= 3 * total / 4 else _PARTS[2]
    return part, (
        f"{gone} of {total} leave at {words.percent(1 / total)}. A few tokens receive far more than the "
        "average, so most of the others are below it."
    )


def _half(s: Situation) -> tuple[bool, str]:
    if any(s.thresholds[1:]):
        return False, "Set all layers but the first to 0."
    left, total = s.pruned.trace.alive[0], len(s.tokens)
    if abs(left - total / 2) <= 1:
        return True, f"{left} of {total} are left, at a threshold of {words.threshold(s.thresholds[0])}."
    return False, f"{left} of {total} are left after layer 1: {'lower' if left < total / 2 else 'raise'} it."


_SIZES = ("smaller than in layer 1", "the same", "larger than in layer 1")


def _average(s: Situation) -> tuple[str, str]:
    found = s.predict(s.learned)
    counts = entering(found.trace)
    first, last = counts[0], counts[-1]
    size = _SIZES[2] if last < first else _SIZES[1]
    listed = ", ".join(words.percent(1 / count) for count in counts)
    return size, (
        f"{first} tokens enter layer 1 and {last} the last one. The average share, layer by layer: {listed}. "
        "To drop the weaker tokens, a threshold must be higher where the average is. Learned ones mostly "
        "rise, though not at every step; the last one is free to, since after it only [CLS] is read."
    )


def _flat(s: Situation) -> tuple[bool, str]:
    if len(set(s.thresholds)) > 1 or not s.thresholds[0]:
        return False, "Set one and the same threshold above 0 in all layers."
    reduction = s.pruned.flops_reduction
    if reduction < ENOUGH:
        return False, f"{words.times(reduction)} fewer FLOPs so far: raise it, until {ENOUGH:g}× is reached."
    leaving = [b - a for b, a in zip(entering(s.pruned.trace), s.pruned.trace.alive, strict=True)]
    busiest = leaving.index(max(leaving)) + 1
    return True, (
        f"{words.times(reduction)} fewer FLOPs, and most tokens leave in layer {busiest}. The learned "
        f"thresholds give {words.times(s.predict(s.learned).flops_reduction)}; compare who goes, and when."
    )


_TIMES = ("more than the FLOPs fall", "as much as the FLOPs fall", "less than the FLOPs fall")


def _time(s: Situation) -> tuple[str, str]:
    if s.executed_reduction <= 1:
        return (
            "",
            "Under these thresholds our engine computes no less than without: raise them, then measure.",
        )
    if s.measured is None:
        return "", "Press “Measure now” below: the answer is measured on this machine, not known beforehand."
    realised = _realised(s, s.measured)
    part = _TIMES[1] if abs(realised - 1) < 0.05 else _TIMES[0] if realised > 1 else _TIMES[2]
    dense, ours = s.measured.dense, s.measured.packed_dense
    return part, (
        f"{words.times(s.executed_reduction)} fewer FLOPs; {words.compared(ours, s.measured.pruned)}. FLOPs "
        "do not count reading weights, sorting out who stays, and small matrices that do not fill the "
        f"processor. With nothing pruned our engine takes {words.milliseconds(ours.median_ms)}, Hugging "
        f"Face’s own forward pass {words.milliseconds(dense.median_ms)}: that difference is not pruning’s."
    )


def _measured(s: Situation) -> tuple[bool, str]:
    fewer = f"{words.times(s.executed_reduction)} fewer FLOPs"
    if s.executed_reduction < MUCH:
        return False, f"{fewer}: raise thresholds until {MUCH:g}× is reached."
    if s.measured is None:
        return False, f"{fewer}. Now measure again."
    faster = words.compared(s.measured.packed_dense, s.measured.pruned)
    realised = findings.share(_realised(s, s.measured))
    return True, f"{faster} at {fewer}: {realised} realised. At 100 % the time falls as the FLOPs do."


def _realised(s: Situation, measured: TextTimes) -> float:
    """Speedup over FLOPs reduction, both of our engine, so of pruning alone: 1 if time falls as FLOPs do."""
    return measured.packed_dense.median_ms / measured.pruned.median_ms / s.executed_reduction


def _stays(s: Situation) -> tuple[str, str]:
    found = s.predict(tuple(min(1.0, MODERATE * value) for value in s.learned))
    return ("yes" if s.dense.label == found.label else "no"), (
        f"At {MODERATE:g} times the starting thresholds, {words.times(found.flops_reduction)} fewer FLOPs: "
        f"{words.agreement(s.dense, found)}."
    )


def _a_number(s: Situation) -> str:
    if s.dense.label is not None:
        return ""
    return (
        "This model answers with a number, which any pruning moves a little. Here a label is to change: "
        "choose a model that answers with one."
    )


def _flip(s: Situation) -> tuple[bool, str]:
    if s.dense.label == s.pruned.label:
        return False, f"Both runs still say {s.dense.label}. Try other thresholds, or another sentence."
    flipped = f"Dense says {s.dense.label}, pruned says {s.pruned.label}. "
    if any(now > MODERATE * start for now, start in zip(s.thresholds, s.learned, strict=True)):
        return True, flipped + (
            "But thresholds this high remove much-attended tokens, too, which says little about attention. "
            f"Can you find one with thresholds of at most {MODERATE:g} times the starting ones?"
        )
    return True, flipped + (
        "What left was little attended to, and still it decided: attention is not explanation. About has "
        "another example."
    )


LESSONS = (
    Lesson(
        "What attention importance is",
        "In a layer every token spreads its attention over all tokens. Average over heads and over the "
        "tokens that give it: what a token receives is its importance, a share of the layer’s attention.",
        _which,
        lambda s: [named(s.dense.trace, i) for i in content(s.dense.trace)],
        _most,
        "Read the figure: pick the one among these tokens that receives least attention in layer 1.",
        _least,
    ),
    Lesson(
        "One threshold, one layer",
        "A token stays when its share reaches the layer’s threshold. [CLS], from which the answer is read, "
        "always stays. Nothing else decides.",
        lambda s: "Layer 1 gets the average share as its threshold. How many tokens leave there?",
        lambda s: _PARTS,
        _at_average,
        "Switch all other layers off, and find a threshold for layer 1 that leaves half of the tokens.",
        _half,
        ("thresholds",),
    ),
    Lesson(
        "Why one threshold does not fit all layers",
        "Shares add up to 100 % over the tokens that are still there.",
        lambda s: "With the starting thresholds few tokens reach the last layer. Their average share is …",
        lambda s: _SIZES,
        _average,
        f"Use one threshold for all layers, and raise it until {ENOUGH:g}× fewer FLOPs are needed.",
        _flat,
        ("thresholds",),
    ),
    Lesson(
        "FLOPs against milliseconds",
        "FLOPs count multiplications and additions. A visitor waits for milliseconds. Here both are those of "
        "our own engine, with and without pruning.",
        lambda s: "Under thresholds the FLOPs fall. The time falls …",
        lambda s: _TIMES,
        _time,
        f"Raise thresholds until the FLOPs fall by {MUCH:g}×, and measure again.",
        _measured,
        ("thresholds",),
    ),
    Lesson(
        "When pruning changes the answer",
        "Pruning removes words. Sooner or later it removes one that the answer needs.",
        lambda s: "All starting thresholds times 1.5: does the answer stay the same?",
        lambda s: ("yes", "no"),
        _stays,
        "Find thresholds, or a sentence, where the dense and the pruned answer differ.",
        _flip,
        ("thresholds", "text"),
        _a_number,
    ),
)


def read_lesson(text: str) -> tuple[int, str | None]:
    """The number of a lesson from an address, and a notice if it cannot be used."""
    numbers = {str(number): number for number in range(1, len(LESSONS) + 1)}
    if text in numbers:
        return numbers[text], None
    return 1, f"There is no lesson {shorten(text, SAID)}; there are 1 to {len(LESSONS)}. This is the first."
