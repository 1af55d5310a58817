"""When pruning breaks an answer: a word of little attention decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.lessons.lesson import Heights, Lesson, Look, Move, Situation, shares
from app.says import findings, words
from ltp_core import Prediction

MOST_TOKENS = 40  # of a text that is searched: each token is a run in each layer


@dataclass(frozen=True)
class Flip:
    """Where the answer changes as one layer's line rises.

    Attributes:
        layer: counted from 1.
        below: the last line, as a share of attention, under which the answer stands.
        above: the first line, likewise a share, under which the answer changes.
        word: position of the token between both.
        run: under the second.
    """

    layer: int
    below: float
    above: float
    word: int
    run: Prediction


class Breaks(Lesson):
    name = "breaks"
    title = "When pruning breaks an answer"
    minutes = 5
    text = "Even though the script is a mess, the photography is lovely."
    learned_lines = True
    teaches = "Pruning removes words. Raise a line far enough, and one goes that the answer needs."
    expects = (
        "Good readers name the word that carries the judgement, and are right here. Ask: could you have "
        "told from its bar? Then let them break the answer of a sentence of their own, and collect three "
        "on the board. Complaints break; plain praise often does not, since positive is what the model says "
        "of nothing."
    )

    def unfit(self, s: Situation) -> str:
        if s.dense.label is None:
            return (
                "This model answers with a number, which any pruning moves a little; here a label is to "
                "change."
            )
        if len(s.tokens) > MOST_TOKENS:
            return f"This lesson searches texts of up to {MOST_TOKENS} tokens."
        if s.lab.predict(s.learned).label != s.dense.label:
            return "Under the learned lines the answer of this text has changed already."
        if self._flip(s) is None:
            return (
                "This text does not break: its answer stays, whichever one line is raised, and however far. "
                "Try one with the other answer."
            )
        return ""

    def _flip(self, s: Situation) -> Flip | None:
        """The first flip, in the second layer if there is one, else in another."""
        for layer in sorted(range(1, s.layers), key=lambda layer: abs(layer - 2)):
            if found := _flip_in(s, layer):
                return found
        return None

    def _found(self, s: Situation) -> Flip:
        flip = self._flip(s)
        if flip is None:
            raise ValueError("no line changes this answer")
        return flip

    def asks(self, s: Situation) -> str:
        return (
            f"Layer {self._found(s).layer}’s line rises, and one token after the other leaves there. With "
            "which of them does the answer change?"
        )

    def options(self, s: Situation) -> Sequence[str]:
        entering = shares(s.lab.predict(s.learned).trace, self._found(s).layer)
        return [s.named(position) for position in entering if position]

    def answer(self, s: Situation) -> str:
        return s.named(self._found(s).word)

    def task(self, s: Situation) -> str:
        return f"Drag layer {self._found(s).layer}’s line up until the model says something else."

    def check(self, s: Situation) -> Look:
        if s.dense.label == s.pruned.label:
            return Look(False, f"Both runs still say {s.dense.label}. Further up.")
        return Look(
            True, f"All words: {findings.answer(s.dense)}. What is left: {findings.answer(s.pruned)}."
        )

    def hint(self, s: Situation) -> str:
        flip = self._found(s)
        return (
            f"In layer {flip.layer}, between {words.threshold(flip.below)} and "
            f"{words.threshold(flip.above)}, with all other lines as learned."
        )

    def solution(self, s: Situation) -> Move:
        flip = self._found(s)
        return Move(s.set(flip.layer, flip.above, s.learned))

    def why(self, s: Situation) -> str:
        flip = self._found(s)
        lines = self.solution(s).lines
        kept = s.lab.pinned(lines, [flip.word])
        entering = shares(flip.run.trace, flip.layer)
        share, rank = entering[flip.word], 1 + sum(entering[flip.word] < other for other in entering.values())
        back = (
            f"keep it and drop the others, and it is {findings.answer(kept)} again"
            if kept.label == s.dense.label
            else f"keeping it alone gives {findings.answer(kept)}: the others had left with something, too"
        )
        return (
            f"“{s.tokens[flip.word]}” got {words.percent(share)} in layer {flip.layer}, place {rank} of "
            f"{len(entering)}. With it goes the answer; {back}. Attention says what is looked at, not what "
            "decides: it is not an explanation."
        )


def _flip_in(s: Situation, layer: int) -> Flip | None:
    """Raise one line past one token after the other, beginning under the learned lines."""
    start = s.lab.predict(s.learned)
    now = s.learned[layer - 1] * s.factor()
    entering = shares(start.trace, layer)
    leaving = sorted((position for position in entering if position), key=lambda position: entering[position])
    leaving = [position for position in leaving if entering[position] >= now]
    last = now
    for position, following in zip(leaving, [*leaving[1:], None], strict=True):
        share = entering[position]
        line = 1.5 * share if following is None else (share * entering[following]) ** 0.5
        run = s.lab.predict(_raised(s, layer, line))
        if run.label != start.label:
            return Flip(layer, last, line, position, run)
        last = line
    return None


def _raised(s: Situation, layer: int, share: float) -> Heights:
    return s.set(layer, share, s.learned)
