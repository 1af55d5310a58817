"""The number of words that are read adapts to the length of the text."""

from typing import ClassVar

from app.lessons.lesson import Situation, read_to_the_end
from app.lessons.two_texts import TwoTexts
from app.says import findings, words
from ltp_core import Prediction

LONG = (
    "A warm and funny film, said the poster in the lobby, and I believed it until the second act, when the "
    "jokes thin out, the plot stands still, and even the two leads begin to look as if they were waiting "
    "for the bus home."
)


class Length(TwoTexts):
    name = "length"
    title = "Length adapts"
    minutes = 4
    text = "A warm and funny film."
    second = LONG
    there, back = "Read the long text", "Read the short text"
    sizes = ("a smaller share", "about the same share", "a larger share")
    near: ClassVar[float] = 0.05  # of the tokens
    teaches = (
        "Earlier methods set how many tokens stay. Here lines are set, and each text brings its own "
        "number: the same lines read a remark and a review."
    )
    expects = (
        "“The same share”, since the lines are the same. But more tokens share the same 100\u00a0%, so each "
        "gets less. With a reference length, that holds up to that length only."
    )

    def size(self, run: Prediction) -> float:
        return len(read_to_the_end(run)) / len(run.trace.tokens)

    def asks(self, s: Situation) -> str:
        short, long = self.runs(s)
        read, total = len(read_to_the_end(short)), len(short.trace.tokens)
        return (
            f"Under the learned lines {read} of these {total} tokens reach the last layer. Of a text of "
            f"{len(long.trace.tokens)} tokens, under the same lines, it is …"
        )

    def task(self, s: Situation) -> str:
        short, long = self.runs(s)
        return (
            f"{self.there}. Then choose “all, linked” under the rows, and drag until as large a share of it "
            f"reaches the last layer as of the short one, {findings.share(self.size(short))}: "
            f"{self.goal(s)} of {len(long.trace.tokens)} tokens."
        )

    def seen(self, s: Situation, first: Prediction, second: Prediction) -> str:
        few, many = findings.share(self.size(first)), findings.share(self.size(second))
        return (
            f"Under the learned lines {few} of the short text reaches the last layer, at "
            f"{words.times(first.flops_reduction)} less work, and {many} of the long one, at "
            f"{words.times(second.flops_reduction)}. Yours let {findings.share(self.size(s.pruned))} of the "
            f"long one through, and the work is {words.times(s.pruned.flops_reduction)} less."
        )

    def why(self, s: Situation) -> str:
        short, long = (len(run.trace.tokens) for run in self.runs(s))
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
