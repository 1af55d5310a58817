"""Two texts under the same lines, and then lines that treat the second as the first."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from app.lessons.lesson import Heights, Lesson, Look, Move, Situation, read_to_the_end
from ltp_core import Prediction
from ltp_core.crossing import crossing

STEPS = 24  # of the search for a factor


class TwoTexts(Lesson):
    """Asks how much of a second text is read to the end; the task is to drag all lines until it is as much.

    Attributes:
        second: the other text.
        there, back: what the buttons say that bring one text and the other.
        sizes: the answers: less, the same, more.
        near: a difference that is none.
    """

    learned_lines = True
    second: ClassVar[str]
    there: ClassVar[str]
    back: ClassVar[str]
    sizes: ClassVar[tuple[str, str, str]]
    near: ClassVar[float] = 0

    def __init_subclass__(cls) -> None:
        cls.others = {cls.there: cls.second, cls.back: cls.text}

    @abstractmethod
    def size(self, run: Prediction) -> float:
        """What is compared: how much of a text reaches the last layer."""

    @abstractmethod
    def seen(self, s: Situation, first: Prediction, second: Prediction) -> str:
        """What there is to see when the task is done; both runs are under the learned lines."""

    def runs(self, s: Situation) -> tuple[Prediction, Prediction]:
        """Both texts under the learned lines."""
        return s.lab.predict(s.learned, self.text), s.lab.predict(s.learned, self.second)

    def options(self, s: Situation) -> Sequence[str]:
        return self.sizes

    def answer(self, s: Situation) -> str:
        first, second = map(self.size, self.runs(s))
        return self.sizes[1 if abs(second - first) <= self.near else 0 if second < first else 2]

    def goal(self, s: Situation) -> int:
        """Tokens of the second text that are to reach the last layer."""
        first, second = self.runs(s)
        return round(self.size(first) * len(read_to_the_end(second)) / self.size(second))

    def check(self, s: Situation) -> Look:
        if s.texts.first != self.second:
            return Look(False, f"This is the first text: press “{self.there}”.")
        first, second = self.runs(s)
        if abs(self.size(s.pruned) - self.size(first)) <= self.near:
            return Look(True, self.seen(s, first, second))
        left, goal = len(read_to_the_end(s.pruned)), self.goal(s)
        way = "raise" if left > goal else "lower"
        return Look(
            False, f"{left} tokens reach the last layer, {goal} are wanted: {way} the lines, all linked."
        )

    def hint(self, s: Situation) -> str:
        factor = self.factor(s)
        way = "Raise" if factor > 1 else "Lower"
        return (
            f"{way} all lines to about {factor:.2f} times the learned ones: with “all, linked”, the others "
            "follow the one that you drag."
        )

    def factor(self, s: Situation) -> float:
        """What the learned lines are multiplied by, so that as much of the second text is left as wanted."""
        total, goal = len(self.runs(s)[1].trace.tokens), self.goal(s)

        def gone(factor: float) -> float:
            return 1 + total - len(read_to_the_end(s.lab.predict(scaled(s.learned, factor), self.second)))

        return crossing(gone, 1 + total - goal, most=STEPS).nearest

    def solution(self, s: Situation) -> Move:
        return Move(scaled(s.learned, self.factor(s)), self.second)


def scaled(lines: Heights, factor: float) -> Heights:
    """All lines times one factor."""
    return tuple(min(1.0, line * factor) for line in lines)
