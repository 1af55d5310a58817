"""The runs that lessons ask for: each made once, while the visitor stays with text and model."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from app import runs
from app.lessons.lesson import Heights, Lesson, Situation
from app.models import start_thresholds
from app.runs import Texts
from ltp_core import Prediction, PrunedModel

MOST = 500  # predictions that are remembered; a drag leaves some behind


@dataclass(frozen=True)
class Bench:
    """A model and what is on the stage.

    Attributes:
        model: the model as it was trained.
        rounded: makes the model in 8 bits, when somebody asks.
        texts: what is on the stage.
        known: what was run already.
    """

    model: PrunedModel
    rounded: Callable[[], PrunedModel]
    texts: Texts
    known: dict[Hashable, Prediction] = field(default_factory=dict)

    def predict(self, lines: Heights, text: str | None = None) -> Prediction:
        """Under these lines; raises as `runs.predict` does."""
        texts = self.texts if text is None else Texts(text)
        return self._once((lines, texts), lambda: runs.predict(self.model, texts, lines))

    def dense(self) -> Prediction:
        """With nothing pruned; raises likewise."""
        return self._once((None, self.texts), lambda: runs.predict(self.model, self.texts, None))

    def pinned(self, lines: Heights, stay: Sequence[int]) -> Prediction:
        """With some tokens that stay; raises likewise."""
        key = (lines, self.texts, *stay)
        return self._once(key, lambda: runs.predict_pinned(self.model, self.texts, lines, stay, []))

    def in_int8(self, lines: Heights) -> Prediction:
        """With rounded weights; raises likewise."""
        key = (lines, self.texts, "int8")
        return self._once(key, lambda: runs.predict(self.rounded(), self.texts, lines))

    def _once(self, key: Hashable, run: Callable[[], Prediction]) -> Prediction:
        if key not in self.known:
            if len(self.known) >= MOST:
                self.known.clear()
            self.known[key] = run()
        return self.known[key]


def situation(bench: Bench, lines: Heights, guessed: Sequence[int] = ()) -> Situation:
    """What is on the stage under these lines, with both runs; raises as `runs.predict` does."""
    model = bench.model
    return Situation(
        bench.texts,
        lines,
        start_thresholds(model),
        model.reference_length,
        frozenset(getattr(model.tokenizer, "all_special_tokens", ())),
        bench.dense(),
        bench.predict(lines),
        bench,
        guessed=tuple(guessed),
    )


def opened(lesson: Lesson, bench: Bench) -> Situation:
    """A lesson before anything was done."""
    learned = start_thresholds(bench.model)
    return situation(bench, learned if lesson.learned_lines else (0.0,) * len(learned))
