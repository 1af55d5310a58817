"""What each task's model answers, as a question; and which model is for longer texts."""

from dataclasses import dataclass

from ltp_core import PrunedModel
from ltp_core.data.tasks import TASKS


@dataclass(frozen=True)
class Scale:
    """What the numbers of a regression mean.

    Attributes:
        low: the least that an answer can be.
        high: the most that an answer can be.
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
        scale: of the answers, if they are numbers.
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
    "sst2": ("Film remark", None, "imdb"),
    "imdb": ("Film review", None, None),
    "cola": ("Grammar", None, None),
    "mrpc": ("Paraphrase", None, None),
    "qqp": ("Two questions", None, None),
    "stsb": ("Similarity", _ALIKE, None),
    "rte": ("Entailment", None, None),
    "mnli": ("Entailment", None, None),
    "qnli": ("Answered?", None, None),
}  # name on the chip, scale, task for longer texts; what each asks is in the table of tasks


def question_of(task: str | None, name: str) -> Question:
    """The question of a task; of one that is not known, what can be said anyway."""
    if task not in TASKS or task not in _TASKS:
        return Question(name, f"What does “{name}” say?")
    chip, scale, longer = _TASKS[task]
    return Question(chip, TASKS[task].asks, scale, longer)


def question(model: PrunedModel, name: str = "") -> Question:
    """The question that a model answers; `name` is what the visitor knows it by."""
    return question_of(model.settings.task, name or model.name)
