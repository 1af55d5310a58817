"""Every task by name: its columns, classes and metric, and what it asks. All else reads this table."""

from dataclasses import dataclass
from typing import Literal

Metric = Literal["accuracy", "f1", "matthews", "spearman"]
_GLUE = "nyu-mll/glue"


@dataclass(frozen=True)
class Task:
    """A task by name.

    Attributes:
        name: as on the command line.
        asks: what it answers, in a line.
        columns: what its data calls the text: one for single texts, two for pairs.
        classes: names of the labels 0, 1, ...; empty for a regression.
        hub_id: place of the data on the Hub.
        config: the configuration there and in local folders of the same layout; None if it has one only.
        metric: the one that is its score.
        development: the split to report on.
        longest: tokens at which its rows are cut in the recipes that ship.
        aim: the FLOPs reduction that we set ourselves, dense over pruned; None where we set none.
    """

    name: str
    asks: str
    columns: tuple[str] | tuple[str, str]
    classes: tuple[str, ...]
    hub_id: str = _GLUE
    config: str | None = None
    metric: Metric = "accuracy"
    development: str = "validation"
    longest: int = 128
    aim: float | None = None

    @property
    def pairs(self) -> bool:
        """Whether an example is a pair of texts."""
        return len(self.columns) == 2


_PAIR = ("sentence1", "sentence2")
TASKS = {
    task.name: task
    for task in (
        Task(
            "sst2",
            "Is a sentence about a film positive?",
            ("sentence",),
            ("negative", "positive"),
            config="sst2",
            aim=2.5,
        ),
        Task(
            "mrpc",
            "Do two sentences say the same?",
            _PAIR,
            ("not equivalent", "equivalent"),
            config="mrpc",
            metric="f1",
        ),
        Task(
            "rte",
            "Does the second text follow from the first?",
            _PAIR,
            ("entailment", "not entailment"),
            config="rte",
        ),
        Task(
            "stsb", "How alike are two sentences, from 0 to 5?", _PAIR, (), config="stsb", metric="spearman"
        ),
        Task(
            "cola",
            "Is a sentence well formed?",
            ("sentence",),
            ("unacceptable", "acceptable"),
            config="cola",
            metric="matthews",
        ),
        Task(
            "qnli",
            "Does the sentence answer the question?",
            ("question", "sentence"),
            ("entailment", "not entailment"),
            config="qnli",
        ),
        Task(
            "qqp",
            "Do two questions ask the same?",
            ("question1", "question2"),
            ("different", "duplicate"),
            config="qqp",
            metric="f1",
        ),
        Task(
            "mnli",
            "Does the second text follow from the first, contradict it, or neither?",
            ("premise", "hypothesis"),
            ("entailment", "neutral", "contradiction"),
            config="mnli",
            development="validation_matched",
        ),
        Task(
            "imdb",
            "Is a review of a film positive?",
            ("text",),
            ("negative", "positive"),
            "stanfordnlp/imdb",
            development="test",
            longest=256,
            aim=3.0,
        ),
    )
}


def known_columns() -> list[tuple[str, ...]]:
    """All columns that can be the text of a file, those of pairs first."""
    return sorted(dict.fromkeys(task.columns for task in TASKS.values()), key=len, reverse=True)
