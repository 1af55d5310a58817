"""What each task's model answers, as a question; and which model is for longer texts."""

from dataclasses import dataclass

from ltp_core import PrunedModel


@dataclass(frozen=True)
class Scale:
    """What the numbers of a regression mean.

    Attributes:
        low: the least,
        high: and the most that it can be.
        words: one meaning for each whole number between them.
    """

    low: int
    high: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What a model is asked.

    Attributes:
        name: what it reads, on a chip.
        asks: the question, in full.
        scale: of its answers, if they are numbers.
        longer: the task whose model takes the same question about longer texts.
    """

    name: str
    asks: str
    scale: Scale | None = None
    longer: str | None = None


_ALIKE = Scale(
    0,
    5,
    (
        "nothing in common",
        "the same topic only",
        "some details shared",
        "roughly the same",
        "the same but for details",
        "the same meaning",
    ),
)

_TASKS = {
    "sst2": Question("Film remark", "Is this sentence about a film positive?", longer="imdb"),
    "imdb": Question("Film review", "Is this whole film review positive?"),
    "cola": Question("Grammar", "Is this sentence well formed?"),
    "mrpc": Question("Paraphrase", "Do the two texts say the same?"),
    "qqp": Question("Two questions", "Do both questions ask the same?"),
    "stsb": Question("Similarity", "How much do the two texts mean the same, from 0 to 5?", _ALIKE),
    "rte": Question("Entailment", "Does the second text follow from the first?"),
    "mnli": Question("Entailment", "Does the second text follow from the first, or contradict it?"),
    "wnli": Question("Pronouns", "Does the second text follow from the first?"),
    "qnli": Question("Question", "Does the second text answer the question?"),
}


def question_of(task: str | None, name: str) -> Question:
    """The question of a task; of one that is not known, what can be said anyway."""
    return _TASKS.get(task or "", Question(name, f"What does “{name}” say?"))


def question(model: PrunedModel) -> Question:
    """The question that a model answers."""
    return question_of(model.settings.task, model.name)
