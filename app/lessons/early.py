"""Why the first layers are spared: what leaves early was heard by nobody."""

from collections.abc import Sequence

from app.lessons.lesson import Lesson, Look, Move, Situation, line_that_leaves, moved
from app.says import findings, words
from ltp_core import Prediction

NEAR = 1  # tokens
PART = 4  # of so many tokens, one is left


class Early(Lesson):
    name = "early"
    title = "Why the first layers are spared"
    minutes = 5
    text = "What a waste of a fine cast, a big budget and my evening."
    teaches = (
        "What leaves in layer 1 saves the work of all later layers, what leaves at the end saves next to "
        "nothing. So why does training not drop everything in layer 1?"
    )
    expects = (
        "Guesses split between “at once, since most is lost” and “late, since then it is decided”. Other "
        "sentences can come out otherwise; on most of ours layer 1 does most harm."
    )

    def unfit(self, s: Situation) -> str:
        return "This model has too few layers to compare early with late." if s.layers < 4 else ""

    def _layers(self, s: Situation) -> tuple[int, int, int]:
        """An early, a middle and a late one; after the last, only [CLS] is read."""
        return 1, (s.layers + 1) // 2, s.layers - 1

    def _left(self, s: Situation) -> int:
        return max(1, round(len(s.tokens) / PART))

    def _share(self, s: Situation, layer: int) -> float:
        return line_that_leaves(s.dense.trace, layer, self._left(s))

    def _runs(self, s: Situation) -> dict[int, Prediction]:
        return {layer: s.lab.predict(s.set(layer, self._share(s, layer))) for layer in self._layers(s)}

    def asks(self, s: Situation) -> str:
        return (
            f"In one layer only, all but {self._left(s)} of the {len(s.tokens)} tokens leave, those with "
            "the smallest shares. In which layer does that harm the answer most?"
        )

    def options(self, s: Situation) -> Sequence[str]:
        return [f"in layer {layer}" for layer in self._layers(s)]

    def answer(self, s: Situation) -> str:
        runs = self._runs(s)
        return f"in layer {max(runs, key=lambda layer: moved(s.dense, runs[layer]))}"

    def task(self, s: Situation) -> str:
        return (
            f"Drag layer 1’s line until {self._left(s)} of the {len(s.tokens)} tokens are left, all other "
            "lines at 0, and watch both answers under the rows."
        )

    def check(self, s: Situation) -> Look:
        left, wanted = s.pruned.trace.alive[0], self._left(s)
        if any(s.lines[1:]):
            return Look(False, "Only layer 1’s line is to be above 0: press Off, then drag it.")
        if abs(left - wanted) > NEAR:
            way = "lower" if left < wanted else "raise"
            return Look(False, f"{left} tokens are left after layer 1, {wanted} are wanted: {way} its line.")
        said = [f"in layer {layer}: {findings.answer(run)}" for layer, run in self._runs(s).items()]
        return Look(True, f"All words: {findings.answer(s.dense)}. All but {wanted} gone {'; '.join(said)}.")

    def hint(self, s: Situation) -> str:
        return f"Try {words.percent(self._share(s, 1))} in the first row, and 0 in all others."

    def solution(self, s: Situation) -> Move:
        return Move(s.set(1, self._share(s, 1)))

    def why(self, s: Situation) -> str:
        trace = s.lab.predict(s.learned).trace
        left = " → ".join(str(count) for count in (len(s.tokens), *trace.alive))
        return (
            "A word that leaves in layer 1 has been looked up, and read by nobody. Later, the words that "
            "stay have taken up what it says, and it can go. The learned lines know: on this text they "
            f"leave {left} tokens, layer by layer."
        )
