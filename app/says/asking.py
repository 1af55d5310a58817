"""What a class is asked before it sees the stage: the answer, or the words that go."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.says.pieces import pieces
from app.says.questions import Question
from app.says.text import shorten, visible
from ltp_core import Prediction, Trace

MOST_WORDS = 64  # options on a phone
SHOWN = 600  # characters of the text above them


class NothingToAsk(ValueError):
    """Why there is no such question about this text, in one line."""


@dataclass(frozen=True)
class Asked:
    """A question for the class.

    Attributes:
        asks: in words.
        about: the text.
        options: what there is to choose from.
        right: the options that are right, counted from 0.
        several: whether any number may be chosen, or one.
    """

    asks: str
    about: str
    options: tuple[str, ...]
    right: tuple[int, ...]
    several: bool


def answer(question: Question, pruned: Prediction, labels: Sequence[str], texts: Sequence[str]) -> Asked:
    """What will the model say?

    Args:
        question: what it answers.
        pruned: what it says.
        labels: all that it can say; none for a number.
        texts: that it reads.
    """
    if len(labels) < 2:
        raise NothingToAsk("This model answers with a number, which nobody can vote on: ask about its words.")
    said = (pruned.label,) if pruned.labels is None else pruned.labels
    right = tuple(index for index, label in enumerate(labels) if label in said)
    asks = f"What will the model say? {question.asks}"
    return Asked(asks, _about(texts), tuple(map(visible, labels)), right, pruned.labels is not None)


def words(trace: Trace, special: frozenset[str], texts: Sequence[str]) -> Asked:
    """Which words has the model dropped, after the layer where nearest to half of them are gone?

    Args:
        trace: what happened to them.
        special: tokens that are no words.
        texts: that it reads.
    """
    apart = [index for index, token in enumerate(trace.tokens) if token in special]
    asked = [index for index in range(len(trace.tokens)) if index not in apart]
    if len(asked) > MOST_WORDS:
        raise NothingToAsk(f"This text has {len(asked)} words; a class is asked about {MOST_WORDS} at most.")
    if len(asked) < 2:
        raise NothingToAsk("There are not enough words here to ask about.")
    gone = [[not layer.kept[index] for index in asked] for layer in trace.layers]
    layer = min(range(len(gone)), key=lambda number: abs(sum(gone[number]) - len(asked) / 2))
    shown = pieces(trace.tokens, apart)
    return Asked(
        f"Which words has the model dropped after layer {layer + 1} of {len(gone)}?",
        _about(texts),
        tuple(shown[index].text for index in asked),
        tuple(place for place, dropped in enumerate(gone[layer]) if dropped),
        several=True,
    )


def _about(texts: Sequence[str]) -> str:
    return " / ".join(visible(shorten(" ".join(text.split()), SHOWN)) for text in texts)
