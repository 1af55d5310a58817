"""What a lesson is: a question about what is on the stage, something to do there, and why it came out so.

Each answer is computed from the model's own runs on the text that is drawn. What a lesson needs to know is a
`Situation`; what it needs to run, it asks of a `Lab`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from app.runs import Texts
from ltp_core import Prediction, Trace
from ltp_core.speed.latency import TextTimes

Heights = tuple[float, ...]  # of the lines: a threshold a layer


class Lab(Protocol):
    """Runs that a lesson may ask for, of the same model."""

    def predict(self, lines: Heights, text: str | None = None) -> Prediction:
        """Under these lines; `text` in place of what is on the stage."""

    def pinned(self, lines: Heights, stay: Sequence[int]) -> Prediction:
        """With tokens, counted from 0, that stay whatever they get."""

    def in_int8(self, lines: Heights) -> Prediction:
        """With weights in 8 bits."""


class Look(NamedTuple):
    """Whether a task is done, and what is to be seen or still missing."""

    done: bool
    said: str


class Move(NamedTuple):
    """What finishes a task: lines, on another text if one is named."""

    lines: Heights
    text: str | None = None


@dataclass(frozen=True)
class Situation:
    """What a lesson looks at.

    Attributes:
        texts: what is on the stage.
        lines: the thresholds that are set on the stage.
        learned: the model's own thresholds, or those a visitor starts with.
        reference: the model's reference length, None for none.
        special: strings of its special tokens.
        dense: the run with nothing pruned.
        pruned: the run under the lines.
        lab: for other runs.
        measured: times under exactly these lines, if the visitor has asked for them.
        guessed: positions that the visitor has marked, in a lesson that asks for these.
    """

    texts: Texts
    lines: Heights
    learned: Heights
    reference: float | None
    special: frozenset[str]
    dense: Prediction
    pruned: Prediction
    lab: Lab
    measured: TextTimes | None = None
    guessed: tuple[int, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """Of the text."""
        return self.pruned.trace.tokens

    @property
    def layers(self) -> int:
        """How many the model has."""
        return len(self.lines)

    @property
    def off(self) -> Heights:
        """Lines under which nothing leaves."""
        return (0.0,) * self.layers

    def factor(self, tokens: int | None = None) -> float:
        """What a line is multiplied by on this text, or on one of so many tokens."""
        n = len(self.tokens) if tokens is None else tokens
        return 1.0 if self.reference is None else min(1.0, self.reference / n)

    def set(self, layer: int, share: float, lines: Heights | None = None) -> Heights:
        """Lines (off, if none are given) with one at a share of attention; layers count from 1."""
        found = list(self.off if lines is None else lines)
        found[layer - 1] = min(1.0, share / self.factor())
        return tuple(found)

    def content(self) -> list[int]:
        """Positions of the tokens of the text itself."""
        return [i for i, token in enumerate(self.tokens) if token not in self.special]

    def named(self, position: int) -> str:
        """A token, with its place where it stands there more than once."""
        token = self.tokens[position]
        return f"{token} ({position + 1})" if self.tokens.count(token) > 1 else token


class Lesson(ABC):
    """One lesson: predict, do, see, why.

    Attributes:
        name: in the address.
        title: what it is about.
        minutes: how long it takes a student who reads slowly; at most 5.
        text: what it opens with, and what its claims were checked on.
        others: texts that its task is also about: what the button says -> text.
        learned_lines: whether it asks under the learned lines; else where nothing is pruned.
        action: the name of the second step.
        measures: whether its task needs times of this machine.
        marks: whether words are marked as the prediction.
        teaches: what to know before the question.
        expects: what a class says, and what to make of it; for the teacher.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    minutes: ClassVar[int]
    text: ClassVar[str]
    others: ClassVar[Mapping[str, str]] = {}
    learned_lines: ClassVar[bool] = False
    action: ClassVar[str] = "Drag"
    measures: ClassVar[bool] = False
    marks: ClassVar[bool] = False
    teaches: ClassVar[str]
    expects: ClassVar[str]

    def start(self, s: Situation) -> Heights:
        """The lines under which it asks, and from which its task begins."""
        return s.learned if self.learned_lines else s.off

    def unfit(self, s: Situation) -> str:
        """Why there is nothing to ask about this text or model; "" if there is."""
        if self.others and s.texts.first not in (self.text, *self.others.values()):
            return "This lesson compares texts of its own."
        return ""

    @abstractmethod
    def asks(self, s: Situation) -> str:
        """The question."""

    @abstractmethod
    def options(self, s: Situation) -> Sequence[str]:
        """Its possible answers."""

    def wanted(self, s: Situation) -> int:
        """How many of the options make a prediction."""
        return 1

    @abstractmethod
    def answer(self, s: Situation) -> str:
        """The right one, whatever the lines have been moved to; "" while it has to be measured."""

    @abstractmethod
    def task(self, s: Situation) -> str:
        """What to do then."""

    @abstractmethod
    def check(self, s: Situation) -> Look:
        """Whether it is done."""

    @abstractmethod
    def hint(self, s: Situation) -> str:
        """Where to look, after two misses."""

    @abstractmethod
    def solution(self, s: Situation) -> Move:
        """What finishes the task."""

    @abstractmethod
    def why(self, s: Situation) -> str:
        """The reason for what was seen."""


def shares(trace: Trace, layer: int) -> dict[int, float]:
    """Position -> share of attention of each token that enters a layer, counted from 1."""
    found = trace.layers[layer - 1].importance
    return {position: share for position, share in enumerate(found) if share is not None}


def line_that_leaves(trace: Trace, layer: int, left: int) -> float:
    """A share of attention that exactly so many tokens reach in a layer, as far as ties allow.

    The first token, which always stays, is one of them whatever it gets.
    """
    found = sorted((share for position, share in shares(trace, layer).items() if position), reverse=True)
    if left > len(found):
        return 0.0
    below = found[left - 1]  # the largest of those that leave
    return (found[left - 2] * below) ** 0.5 if left > 1 else min(1.0, 1.5 * below)


def moved(before: Prediction, after: Prediction) -> float:
    """How far an answer has moved: in probability of its label, or in the value of a regression."""
    if before.label is None:
        return abs((before.value or 0.0) - (after.value or 0.0))
    return (before.confidence or 0.0) - after.probabilities[before.label]


def read_to_the_end(prediction: Prediction) -> list[int]:
    """Positions that enter the last layer, so that the answer can still be read from them."""
    return list(shares(prediction.trace, len(prediction.trace.layers)))
