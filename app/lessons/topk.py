"""Top-k sets how many stay, thresholds set how much is asked of each."""

from app.lessons.lesson import Situation, read_to_the_end
from app.lessons.two_texts import TwoTexts
from app.says import words
from ltp_core import Prediction


class TopKLesson(TwoTexts):
    name = "topk"
    title = "Top-k against thresholds"
    minutes = 5
    text = "The camera loves her face, and by the end so do we."
    second = "I cannot remember when I was last so bored by so much noise."
    there, back = "Read the other sentence", "Back to the first"
    sizes = ("fewer", "as many", "more")
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
        first, second = self.runs(s)
        same = len(first.trace.tokens) == len(second.trace.tokens)
        return "" if same else "Of this model’s tokens the two sentences are not equally many."

    def size(self, run: Prediction) -> float:
        return len(read_to_the_end(run))

    def asks(self, s: Situation) -> str:
        total, wanted = len(s.tokens), self.goal(s)
        return (
            f"Under the learned lines {wanted} of these {total} tokens reach the last layer. “{self.second}” "
            f"has {total} tokens, too, so top-k would leave {wanted} again. The learned lines leave …"
        )

    def task(self, s: Situation) -> str:
        return (
            f"{self.there}. Then choose “all, linked” under the rows, and drag until as many tokens reach "
            f"its last layer as top-k leaves: {self.goal(s)}."
        )

    def seen(self, s: Situation, first: Prediction, second: Prediction) -> str:
        return (
            f"Learned lines leave {self.size(second):g} here; {self.size(first):g} is what top-k would "
            f"leave. The work would be {words.times(s.pruned.flops_reduction)} less in place of "
            f"{words.times(second.flops_reduction)}."
        )

    def why(self, s: Situation) -> str:
        return (
            "A threshold looks at each token by itself: where attention is spread evenly many pass, where "
            "few words draw it few do. Top-k always cuts at the same rank, on a text where everything "
            "matters as on one where nothing does. Its price is known beforehand, which thresholds cannot "
            "promise."
        )
