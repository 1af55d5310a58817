"""Can the dropped words be guessed? Mark them first, then count."""

from collections.abc import Sequence

from app.lessons.lesson import Lesson, Look, Move, Situation
from app.says import findings
from ltp_core.finding.word_classes import kind_of


class Guess(Lesson):
    name = "guess"
    title = "Can the dropped words be guessed?"
    minutes = 5
    text = "The plot is thin, but the two leads are so good together that I hardly noticed."
    action = "Look"
    marks = True
    teaches = (
        "You know now what decides: the share of attention in each layer. Here are all bars of the dense "
        "run, and no lines."
    )
    expects = (
        "A class does better than chance and worse than it thinks; articles and commas are the easy ones. "
        "With the poll, compare the class with its best reader."
    )

    def wanted(self, s: Situation) -> int:
        """How many words to mark: as many as have left by the middle of the learned run."""
        return max(1, len(self._gone(s)))

    def _half(self, s: Situation) -> int:
        return (s.layers + 1) // 2

    def _gone(self, s: Situation) -> list[int]:
        kept = s.lab.predict(s.learned).trace.layers[self._half(s) - 1].kept
        return [position for position in s.content() if not kept[position]]

    def unfit(self, s: Situation) -> str:
        gone = len(self._gone(s))
        if not 0 < gone < len(s.content()):
            which = "none of the words has" if not gone else "all words have"
            return (
                f"By layer {self._half(s)}, {which} left under the learned lines: there is nothing to guess."
            )
        return ""

    def asks(self, s: Situation) -> str:
        count = self.wanted(s)
        return (
            f"Under the learned lines {count} of the {len(s.content())} words and signs have left after "
            f"layer {self._half(s)}. Which? Mark {count}."
        )

    def options(self, s: Situation) -> Sequence[str]:
        return [s.named(position) for position in s.content()]

    def answer(self, s: Situation) -> str:
        return " · ".join(s.named(position) for position in self._gone(s))

    def task(self, s: Situation) -> str:
        return "Press “Learned” under the rows, and read what is struck through."

    def check(self, s: Situation) -> Look:
        if s.lines != s.learned:
            return Look(False, "These are not the learned lines.")
        gone, total = set(self._gone(s)), len(s.content())
        hits = len(gone.intersection(s.guessed))
        rule = len(gone.intersection(self.by_rule(s)))
        by_chance = len(gone) ** 2 / total
        return Look(
            True,
            f"{hits} of {len(gone)} are right. Chance would hit {by_chance:.1f}; a rule of thumb, signs and "
            f"small words first, hits {rule}.",
        )

    def by_rule(self, s: Situation) -> list[int]:
        """Punctuation and function words first, then short ones."""

        def order(position: int) -> tuple[int, int, int]:
            kind = kind_of(s.tokens[position])
            return (
                (0 if kind == "punctuation" else 2 if kind == "content" else 1),
                len(s.tokens[position]),
                position,
            )

        return sorted(s.content(), key=order)[: self.wanted(s)]

    def hint(self, s: Situation) -> str:
        return "“Learned” stands in the line under the rows."

    def solution(self, s: Situation) -> Move:
        return Move(s.learned)

    def why(self, s: Situation) -> str:
        left = [position for position in s.content() if position not in set(self._gone(s))]
        text = " ".join(s.tokens[position] for position in left).replace(" ##", "")
        alone = s.lab.predict(s.off, text)
        return (
            "Shares of later layers depend on the whole sentence, and on who has left before, so no list "
            "of words can tell. And the other way round: from what is left, would you have guessed the "
            f"rest? Read by itself, “{text}” gives {findings.answer(alone)}; after the words that leave "
            f"were heard, {findings.answer(s.lab.predict(s.learned))}."
        )
