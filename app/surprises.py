"""Surprises: named cases on the shipped models, each a link with thresholds and one question.

Every claim of a case is held against the shipped weights by tests/app/test_surprises.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app import examples


@dataclass(frozen=True)
class Surprise:
    """One case.

    Attributes:
        name: on its button.
        question: what to find out, in a line.
        model: name of the model that the case is about.
        text: what the model reads.
        pair: the second text, for a model that reads two.
        moved: thresholds that are not the learned ones: layer, 1 for the first -> share.
    """

    name: str
    question: str
    model: str
    text: str
    pair: str = ""
    moved: Mapping[int, float] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """Its link: parameters of the address."""
        texts = {"model": self.model, "text": self.text} | ({"pair": self.pair} if self.pair else {})
        return texts | {f"t{layer}": repr(value) for layer, value in self.moved.items()}


_JOBS = "The company said on {} that it would cut two hundred jobs at its plant in Ohio."

FLIP = Surprise(
    "One line decides",
    "drag the line of layer 2 up to 4.2 %. Which word takes the answer with it?",
    "sst2",
    "Even though the script is a mess, the photography is lovely.",
)
DECIDED = Surprise(
    "The word that decided",
    "layer 1 drops “bad”, and praise becomes blame. Is it “bad” that is missing, or what “not” does to it?",
    "sst2",
    "It is not a bad film.",
    moved={1: 0.08},
)
DOUBLE_NEGATION = Surprise(
    "A double negation",
    "“impossible” and “not” are both read to the end. Does that help?",
    "sst2",
    "It is impossible not to like this film.",
)
TOO_LONG = Surprise(
    "A text too long",
    "131 tokens, and the line of layer 1 stands where a sentence has it. What is left? Now press Learned.",
    "sst2",
    next(example.text for example in examples.REVIEWS if example.name == "Complaint"),
    moved={1: 0.148},  # acts as 2.8 % on a text so long, as the learned one does on up to 25 tokens
)
ORDER = Surprise(
    "The same words in another order",
    "who bit whom? See how sure the model is that both say the same.",
    "mrpc",
    "The dog bit the man in the park.",
    "The man bit the dog in the park.",
)
GIBBERISH = Surprise(
    "Sure of gibberish",
    "no word of this exists. How sure is the model?",
    "sst2",
    "Blorp fnord zibble wug.",
)
CHANCE = Surprise(
    "Chance does as well",
    "on Compare, words drawn at random give the same answer. Which sentence needs the right words?",
    "sst2",
    "A warm, funny and beautifully acted film that I would gladly see again tomorrow.",
)
DIFFERENCE = Surprise(
    "The difference is dropped",
    "one word differs. In which layer do both versions of it leave?",
    "mrpc",
    _JOBS.format("Monday"),
    _JOBS.format("Friday"),
)
THERE_AND_BACK = Surprise(
    "There and back",
    "move the line of layer 1 from 5 % up to 6 %. How often does the answer change, and over which words?",
    "sst2",
    "The script is a mess, and still I loved every minute.",
    moved={1: 0.055},
)
NOTHING = Surprise(
    "An answer to nothing",
    "no word is read after layer 1, and still there is an answer. Whose?",
    "sst2",
    "Two hours of noise in search of a story, and it never finds one.",
    moved={1: 0.3},
)

SURPRISES = (
    FLIP,
    DECIDED,
    DOUBLE_NEGATION,
    THERE_AND_BACK,
    TOO_LONG,
    ORDER,
    DIFFERENCE,
    GIBBERISH,
    CHANCE,
    NOTHING,
)


def offered(models: Sequence[str]) -> list[Surprise]:
    """Those whose model can be chosen here."""
    return [case for case in SURPRISES if case.model in models]


def opening(model: str) -> Surprise | None:
    """What a model opens with, if there is a case of it: the first."""
    return next((case for case in SURPRISES if case.model == model and not case.moved), None)


def about(model: str, text: str, pair: str = "") -> Surprise | None:
    """The case that is on the page, whatever its thresholds have been moved to."""
    return next((c for c in SURPRISES if (c.model, c.text, c.pair) == (model, text, pair)), None)
