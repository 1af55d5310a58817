"""What a share of attention is, and why most words lie under the average."""

from collections.abc import Sequence

from app.lessons.lesson import Lesson, Look, Move, Situation, shares
from app.says import words

NEAR = 0.1  # of the average: as near as a step of the arrow keys comes
SIZES = ("fewer than half", "half of them", "more than half")


class Share(Lesson):
    name = "share"
    title = "What a share of attention means"
    minutes = 4
    text = "I laughed twice, and both times at the wrong moment."
    teaches = (
        "In a layer every token spreads its attention, 100\u00a0% of it, over all tokens. Averaged over "
        "heads and over all who look, what a token gets is its share: the height of its bar. The shares of a "
        "row add up to 100\u00a0%."
    )
    expects = (
        "Most say “half of them”, as if the average were the middle. Let somebody name another quantity "
        "with few very large values: incomes, or the followers of accounts."
    )

    def asks(self, s: Situation) -> str:
        average = words.percent(1 / len(s.tokens))
        return (
            f"{len(s.tokens)} tokens share 100\u00a0%, so the average is {average}, the small mark left of a "
            "row. With layer 1’s line there, how many of them leave?"
        )

    def options(self, s: Situation) -> Sequence[str]:
        return SIZES

    def answer(self, s: Situation) -> str:
        total = len(s.tokens)
        gone = total - s.lab.predict(s.set(1, 1 / total)).trace.alive[0]
        return SIZES[1] if abs(gone - total / 2) < 1 else SIZES[0 if gone < total / 2 else 2]

    def task(self, s: Situation) -> str:
        return f"Drag layer 1’s line up to the average, {words.percent(1 / len(s.tokens))}."

    def check(self, s: Situation) -> Look:
        total, line = len(s.tokens), s.lines[0] * s.factor()
        if abs(line * total - 1) > NEAR:
            way = "lower" if line > 1 / total else "raise"
            at = words.threshold(line)
            return Look(
                False, f"Layer 1’s line is at {at}, the average is {words.percent(1 / total)}: {way} it."
            )
        gone = total - s.pruned.trace.alive[0]
        return Look(True, f"{gone} of {total} leave at {words.threshold(line)}.")

    def hint(self, s: Situation) -> str:
        return (
            "The handle is at the right of the first row. Drag it to the height of the small mark, or give "
            "it the focus and press the arrow keys: each step is about 12\u00a0%."
        )

    def solution(self, s: Situation) -> Move:
        return Move(s.set(1, 1 / len(s.tokens)))

    def why(self, s: Situation) -> str:
        found = shares(s.dense.trace, 1)
        most = max(found, key=lambda position: found[position])
        total = len(s.tokens)
        return (
            f"“{s.tokens[most]}” alone gets {words.percent(found[most])}, {found[most] * total:.1f} times "
            "the average. Few large shares lift the average above the middle, as with incomes. A line at "
            f"{words.percent(1 / total)} asks for that much of all attention, so at most {total} tokens "
            "could ever reach it."
        )
