"""Int8 and pruning: rounded weights, and a line that a rounding can cross."""

from collections.abc import Sequence
from typing import NamedTuple

from app.lessons.lesson import Lesson, Look, Move, Situation, line_that_leaves
from app.measured import precision_of
from app.says import findings, words
from ltp_core import Prediction
from ltp_core.checkpoints import USUAL_MODEL

LEAST = 1.2  # times less work: without any pruning both agree, which says nothing
OPTIONS = ("the same tokens in every layer", "some other tokens")


class Other(NamedTuple):
    """A token that only one of both runs drops in a layer.

    Attributes:
        position: of the token.
        layer: counted from 1.
        exact: the share that the token gets with the weights as they are.
        rounded: the share that the token gets with weights in 8 bits.
        line: what is asked of it.
        stays: whether it stays with the weights as they are.
    """

    position: int
    layer: int
    exact: float
    rounded: float
    line: float
    stays: bool


class Int8(Lesson):
    name = "int8"
    title = "Int8 and pruning"
    minutes = 5
    text = "A quiet little film that trusts its actors, takes its time, and never once raises its voice."
    learned_lines = True
    teaches = (
        "Weights of 32 bits can be rounded to 8: a quarter of the memory, and faster products. Every share "
        "of attention then moves a little."
    )
    expects = (
        "“The same”, since rounding is small. It is, but a line is sharp: who stands next to it falls on "
        "either side, and what follows differs. Let them compare the two answers: they are mostly near "
        "each other."
    )

    def asks(self, s: Situation) -> str:
        return "The weights are rounded to 8 bits. Under the same learned lines, which tokens stay?"

    def options(self, s: Situation) -> Sequence[str]:
        return OPTIONS

    def answer(self, s: Situation) -> str:
        return OPTIONS[0 if _first_other(s.lab.predict(s.learned), s.lab.in_int8(s.learned)) is None else 1]

    def task(self, s: Situation) -> str:
        if self.answer(s) == OPTIONS[0]:
            return "On this text and this machine both keep the same. Drag a line, and see whether it holds."
        return (
            f"Find lines under which both keep the same tokens in every layer, with at least {LEAST:g}× "
            "less work: move a line away from the token beside it."
        )

    def check(self, s: Situation) -> Look:
        rounded = s.lab.in_int8(s.lines)
        other = _first_other(s.pruned, rounded)
        answers = f"32 bits say {findings.answer(s.pruned)}, 8 bits {findings.answer(rounded)}"
        if other is not None:
            stays, leaves = ("32", "8") if other.stays else ("8", "32")
            exact, eight = words.threshold(other.exact), words.threshold(other.rounded)
            return Look(
                False,
                f"Layer {other.layer} asks for {words.threshold(other.line)}. “{s.tokens[other.position]}” "
                f"gets {exact} with 32 bits, {eight} with 8: it stays with {stays} bits and leaves with "
                f"{leaves}. {answers}.",
            )
        if s.pruned.flops_reduction < LEAST:
            less = words.times(s.pruned.flops_reduction)
            return Look(False, f"{less} less work: a bit more is wanted. {answers}.")
        both = "Both" if s.lines == s.learned else "Under your lines, in place of the learned ones, both"
        return Look(True, f"{both} keep the same tokens in every layer; {answers}.")

    def hint(self, s: Situation) -> str:
        lines = self.solution(s).lines
        layer = next(number for number, line in enumerate(lines, start=1) if line)
        return f"One line is enough: all at 0 but layer {layer}’s, at {words.threshold(lines[layer - 1])}."

    def solution(self, s: Situation) -> Move:
        """One line alone, where both rank the tokens alike: the first such place, layer by layer."""
        for layer in range(2, s.layers):
            for left in range(len(s.tokens) - 2, 1, -1):
                lines = s.set(layer, line_that_leaves(s.dense.trace, layer, left))
                exact = s.lab.predict(lines)
                if exact.flops_reduction < LEAST:
                    continue
                if _first_other(exact, s.lab.in_int8(lines)) is None:
                    return Move(lines)
        return Move(s.set(1, 1.0))  # [CLS] alone is left, which no rounding changes

    def why(self, s: Situation) -> str:
        said = (
            "Rounding moves all numbers a little, and a threshold makes of a little a yes or a no: who "
            "stands next to the line changes sides, and the layers after it read other words."
        )
        if (found := precision_of(USUAL_MODEL)) is not None:
            said += (
                f" What 8 bits give besides, measured on {USUAL_MODEL} before: at {found.length} tokens the "
                f"pruned run takes {words.milliseconds(found.float32)} in 32 bits and "
                f"{words.milliseconds(found.int8)} in 8, {words.times(found.float32 / found.int8)} as fast; "
                f"of {found.rows} sentences {found.right32:.1%} and {found.right8:.1%} were right."
            )
        return said.replace("%", "\u00a0%")


def _first_other(exact: Prediction, rounded: Prediction) -> Other | None:
    """The first token, layer by layer, that one run keeps and the other drops."""
    for one, two in zip(exact.trace.layers, rounded.trace.layers, strict=True):
        for position, (here, there) in enumerate(zip(one.kept, two.kept, strict=True)):
            if here != there:
                got = one.importance[position] or 0.0, two.importance[position] or 0.0
                return Other(position, one.layer, *got, one.threshold or 0.0, here)
    return None
