"""Top-k sets how many stay, thresholds set how much is asked of each."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from app.lessons.lesson import Lesson, Look, Move, Situation, read_to_the_end
from app.says import words
from ltp_core import Prediction
from ltp_core.crossing import crossing

FIRST = "The camera loves her face, and by the end so do we."
SECOND = "I cannot remember when I was last so bored by so much noise."
SIZES = ("fewer", "as many", "more")
STEPS = 24  # of the search for the factor that leaves as many


class TopKLesson(Lesson):
    name = "topk"
    title = "Top-k against thresholds"
    minutes = 5
    text = FIRST
    others: ClassVar[Mapping[str, str]] = {"Read the other sentence": SECOND, "Back to the first": FIRST}
    learned_lines = True
    teaches = (
        "The rival of thresholds is top-k: in each layer it keeps a share of the tokens that was set "
        "before, those with the largest importance. Both rules rank alike; they differ in where they cut."
    )
    expects = (
        "“As many”, since both sentences are equally long. Ask which rule you would rather have with a "
        "fixed budget of time (top-k: its work is known beforehand), and which with an easy and a hard "
        "text."
    )

    def unfit(self, s: Situation) -> str:
        if said := super().unfit(s):
            return said
        first, second = self._runs(s)
        same = len(first.trace.tokens) == len(second.trace.tokens)
        return "" if same else "Of this model’s tokens the two sentences are not equally many."

    def _runs(self, s: Situation) -> tuple[Prediction, Prediction]:
        return s.lab.predict(s.learned, FIRST), s.lab.predict(s.learned, SECOND)

    def _wanted(self, s: Situation) -> int:
        return len(read_to_the_end(self._runs(s)[0]))

    def asks(self, s: Situation) -> str:
        total, wanted = len(s.tokens), self._wanted(s)
        return (
            f"Under the learned lines {wanted} of these {total} tokens reach the last layer. “{SECOND}” has "
            f"{total} tokens, too, so top-k would leave {wanted} again. The learned lines leave …"
        )

    def options(self, s: Situation) -> Sequence[str]:
        return SIZES

    def answer(self, s: Situation) -> str:
        first, second = (len(read_to_the_end(run)) for run in self._runs(s))
        return SIZES[(second > first) - (second < first) + 1]

    def task(self, s: Situation) -> str:
        return (
            "Read the other sentence. Then choose “all, linked” under the rows, and drag until as many "
            f"tokens reach its last layer as top-k leaves: {self._wanted(s)}."
        )

    def check(self, s: Situation) -> Look:
        if s.texts.first != SECOND:
            return Look(False, "The first sentence is on the stage.")
        left, wanted = len(read_to_the_end(s.pruned)), self._wanted(s)
        learned = len(read_to_the_end(self._runs(s)[1]))
        if left != wanted:
            way = "raise" if left > wanted else "lower"
            return Look(
                False,
                f"{left} tokens reach the last layer, {wanted} are wanted: {way} the lines, all linked.",
            )
        return Look(
            True,
            f"Learned lines leave {learned} here; {wanted} is what top-k would leave. The work would be "
            f"{words.times(s.pruned.flops_reduction)} less in place of "
            f"{words.times(self._runs(s)[1].flops_reduction)}.",
        )

    def hint(self, s: Situation) -> str:
        factor = self._factor(s)
        way = "Raise" if factor > 1 else "Lower"
        return (
            f"{way} all lines to about {factor:.2f} times the learned ones: with “all, linked”, the others "
            "follow the one that you drag."
        )

    def _factor(self, s: Situation) -> float:
        """What the learned lines are multiplied by, so that the second sentence keeps as many as the "
        "first."""
        total, wanted = len(self._runs(s)[1].trace.tokens), self._wanted(s)

        def gone(factor: float) -> float:
            return 1 + total - len(read_to_the_end(s.lab.predict(scaled(s.learned, factor), SECOND)))

        return crossing(gone, 1 + total - wanted, most=STEPS).nearest

    def solution(self, s: Situation) -> Move:
        return Move(scaled(s.learned, self._factor(s)), SECOND)

    def why(self, s: Situation) -> str:
        return (
            "A threshold looks at each token by itself: where attention is spread evenly many pass, where "
            "few words draw it few do. Top-k always cuts at the same rank, on a text where everything "
            "matters as on one where nothing does. Its price is known beforehand, which thresholds cannot "
            "promise."
        )


def scaled(lines: tuple[float, ...], factor: float) -> tuple[float, ...]:
    """All lines times one factor."""
    return tuple(min(1.0, line * factor) for line in lines)
