"""One line in one layer: nothing but the share decides."""

from collections.abc import Sequence

from app.lessons.lesson import Lesson, Look, Move, Situation, line_that_leaves, shares
from app.says import words

LAYER = 2
NEAR = 1  # tokens: as near to half as the steps of the arrow keys come


class Line(Lesson):
    name = "line"
    title = "One line, one layer"
    minutes = 4
    text = "A clever script with a villain one almost likes."
    teaches = (
        "A token stays when its share reaches the layer’s line; what is under the line leaves for good. "
        "[CLS], from which the answer is read, always stays."
    )
    expects = (
        "Some choose the least important word by its meaning. The model asks for attention in this layer "
        "only, and that can be a word that a reader would keep."
    )

    def asks(self, s: Situation) -> str:
        return (
            f"Nothing is pruned yet. As layer {LAYER}’s line rises, which word or sign of the text leaves "
            "first?"
        )

    def options(self, s: Situation) -> Sequence[str]:
        return [s.named(position) for position in s.content()]

    def _order(self, s: Situation) -> list[int]:
        found = shares(s.dense.trace, LAYER)
        return sorted(s.content(), key=lambda position: found[position])

    def answer(self, s: Situation) -> str:
        return s.named(self._order(s)[0])

    def task(self, s: Situation) -> str:
        return f"Find the line in layer {LAYER} that leaves half of the {len(s.tokens)} tokens."

    def check(self, s: Situation) -> Look:
        left, total = s.pruned.trace.alive[LAYER - 1], len(s.tokens)
        if any(s.lines[: LAYER - 1]):
            return Look(False, "Set layer 1’s line back to 0: it takes words away before layer 2 sees them.")
        if abs(left - total / 2) > NEAR:
            way = "lower" if left < total / 2 else "raise"
            return Look(False, f"{left} of {total} are left after layer {LAYER}: {way} its line.")
        return Look(
            True, f"{left} of {total} are left, at {words.threshold(s.lines[LAYER - 1] * s.factor())}."
        )

    def hint(self, s: Situation) -> str:
        return (
            f"Try {words.percent(self._share(s))}. The number beside the handle is the line; the lowest bar "
            "goes first."
        )

    def _share(self, s: Situation) -> float:
        return line_that_leaves(s.dense.trace, LAYER, round(len(s.tokens) / 2))

    def solution(self, s: Situation) -> Move:
        return Move(s.set(LAYER, self._share(s)))

    def why(self, s: Situation) -> str:
        found, order = shares(s.dense.trace, LAYER), self._order(s)
        first, last = order[0], order[-1]
        return (
            f"“{s.named(first)}” gets {words.percent(found[first])}, the least of all words and signs, so "
            f"any line above that takes it; “{s.named(last)}” gets {words.percent(found[last])} and would go "
            "last. "
            "Neither meaning nor place is asked. A higher line never brings a token back."
        )
