"""FLOPs are not time: both are measured here, and compared."""

from collections.abc import Sequence

from app.lessons.lesson import Lesson, Look, Move, Situation
from app.lessons.two_texts import scaled
from app.says import clocked, words
from ltp_core.crossing import crossing

WANTED = 2.5  # times less work
OPTIONS = ("by more than the work", "by about as much", "by less than the work")
STEPS = 24


class Clock(Lesson):
    name = "time"
    title = "FLOPs are not time"
    minutes = 5
    text = (
        "Every performance is excellent, the camera is always where it should be, and still the whole "
        "thing left me cold."
    )
    learned_lines = True
    action = "Drag and measure"
    measures = True
    teaches = (
        "FLOPs count multiplications and additions. Who waits, waits for milliseconds. Both are those of "
        "one engine here, with and without pruning."
    )
    expects = (
        "“By about as much”. Let neighbours compare: two measurements of the same text differ, and the "
        "interval says by how much. On a busy machine it says nothing, which is an answer, too."
    )

    def _less(self, s: Situation) -> float:
        """Dense over pruned FLOPs, both as our engine runs them."""
        return s.dense.executed_flops / s.pruned.executed_flops

    def asks(self, s: Situation) -> str:
        return f"Lines are raised until the engine does {WANTED:g}× less work. The time falls …"

    def options(self, s: Situation) -> Sequence[str]:
        return OPTIONS

    def answer(self, s: Situation) -> str:
        if s.measured is None or self._less(s) < WANTED or s.measured.pruning.undecided:
            return ""
        ratio, less = s.measured.pruning, self._less(s)
        return OPTIONS[0] if ratio.low > less else OPTIONS[2] if ratio.high < less else OPTIONS[1]

    def task(self, s: Situation) -> str:
        return (
            f"Choose “all, linked” under the rows, and drag until the engine computes {WANTED:g}× less. "
            "Then press “Measure now”."
        )

    def check(self, s: Situation) -> Look:
        less = (
            f"The engine computes {words.times(self._less(s))} less (the headline counts as the paper does: "
            f"{words.times(s.pruned.flops_reduction)})"
        )
        if self._less(s) < WANTED:
            return Look(False, f"{less}. Raise the lines until it is {WANTED:g}×.")
        if s.measured is None:
            return Look(False, f"{less}. Now measure.")
        ratio = s.measured.pruning
        engine, pruned = (
            words.milliseconds(t.median_ms) for t in (s.measured.packed_dense, s.measured.pruned)
        )
        if ratio.undecided:
            return Look(
                True,
                f"{less}; {engine} and {pruned}, but the turns differ too much to say more: measure again "
                "when the machine is quiet.",
            )
        return Look(True, f"{less}, and {clocked.gain(ratio)}: {engine} → {pruned}.")

    def hint(self, s: Situation) -> str:
        return f"About {self._factor(s):.2f} times the learned lines do it. Then press “Measure now”."

    def _factor(self, s: Situation) -> float:
        def less(factor: float) -> float:
            return s.dense.executed_flops / s.lab.predict(scaled(s.learned, factor)).executed_flops

        found = crossing(less, WANTED, most=STEPS, tolerance=0.02)
        return found.above or found.nearest

    def solution(self, s: Situation) -> Move:
        return Move(scaled(s.learned, self._factor(s)))

    def why(self, s: Situation) -> str:
        said = (
            "FLOPs leave out what takes time all the same: reading every weight once, however few words "
            "are left, sorting out who stays, and products too small to fill the processor. The shorter "
            "the text, the more of that."
        )
        if s.measured is not None:
            face = words.milliseconds(s.measured.dense.median_ms)
            said += (
                f" Hugging Face’s own forward pass takes {face} for all words; what our engine gives over "
                "that is not pruning’s."
            )
        return said
