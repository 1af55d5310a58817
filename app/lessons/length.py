"""The number of words that are read adapts to the length of the text."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from app.lessons.lesson import Lesson, Look, Move, Situation, read_to_the_end
from app.says import findings, words
from ltp_core import Prediction

SHORT = "A warm and funny film."
LONG = (
    "A warm and funny film, said the poster in the lobby, and I believed it until the second act, when the "
    "jokes thin out, the plot stands still, and even the two leads begin to look as if they were waiting "
    "for the bus home."
)
ABOUT = 0.05  # of the tokens: shares that near are the same
SIZES = ("a smaller share", "about the same share", "a larger share")


class Length(Lesson):
    name = "length"
    title = "Length adapts"
    minutes = 4
    text = SHORT
    others: ClassVar[Mapping[str, str]] = {"Read the long text": LONG, "Read the short text": SHORT}
    learned_lines = True
    action = "Change"
    teaches = (
        "Earlier methods set how many tokens stay. Here lines are set, and each text brings its own "
        "number: the same lines read a remark and a review."
    )
    expects = (
        "“The same share”, since the lines are the same. But more tokens share the same 100 %, so each "
        "gets less. With a reference length, that holds up to that length only."
    )

    def _long(self, s: Situation) -> Prediction:
        return s.lab.predict(s.learned, LONG)

    def _short(self, s: Situation) -> Prediction:
        return s.lab.predict(s.learned, SHORT)

    def asks(self, s: Situation) -> str:
        read, total = _read(self._short(s))
        longer = len(self._long(s).trace.tokens)
        return (
            f"Under the learned lines {read} of these {total} tokens reach the last layer. Of a text of "
            f"{longer} tokens, under the same lines, it is …"
        )

    def options(self, s: Situation) -> Sequence[str]:
        return SIZES

    def answer(self, s: Situation) -> str:
        short, long = (read / total for read, total in map(_read, (self._short(s), self._long(s))))
        return SIZES[1] if abs(long - short) <= ABOUT else SIZES[0 if long < short else 2]

    def task(self, s: Situation) -> str:
        return "Press “Read the long text”. Then drag as you like, and come back to “Learned”."

    def check(self, s: Situation) -> Look:
        if s.texts.first != LONG:
            return Look(False, "The short text is on the stage.")
        if s.lines != s.learned:
            return Look(False, "The long text, but other lines: press “Learned” under the rows.")
        short, long = self._short(s), s.pruned
        (few, of_few), (many, of_many) = _read(short), _read(long)
        return Look(
            True,
            f"{few} of {of_few} against {many} of {of_many}: {findings.share(few / of_few)} and "
            f"{findings.share(many / of_many)}. The short text needs {words.times(short.flops_reduction)} "
            f"less work, the long one {words.times(long.flops_reduction)}.",
        )

    def hint(self, s: Situation) -> str:
        return "The button stands under this text. “Learned”, under the rows, brings the learned lines back."

    def solution(self, s: Situation) -> Move:
        return Move(s.learned, LONG)

    def why(self, s: Situation) -> str:
        short, long = (len(run.trace.tokens) for run in (self._short(s), self._long(s)))
        said = (
            f"{short} tokens get {words.percent(1 / short)} each on average, {long} only "
            f"{words.percent(1 / long)}: a line that most pass in a short text is high in a long one. So "
            "pruning saves more where there is more to save."
        )
        if s.factor(long) < 1:
            at = findings.share(s.factor(long))
            said += (
                f" But not without end: beyond {s.reference:g} tokens this model lowers its lines with the "
                f"length, here to {at} of what is set, since else a long text could keep no more tokens "
                "than a short one."
            )
        elif high := max(s.learned[:-1]):
            said += f" At {words.threshold(high)}, no text keeps more than {int(1 / high)} tokens."
        return said


def _read(run: Prediction) -> tuple[int, int]:
    return len(read_to_the_end(run)), len(run.trace.tokens)
