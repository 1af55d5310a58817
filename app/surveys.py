"""What a run over your own file asks of `ltp_core`: texts to run, and the run itself. See also `runs`."""

import os
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from app.examples import is_pair_task
from app.models import first_line
from app.runs import own_texts
from app.turns import surveying
from app.visitor.uploads import MOST_ROWS, DataSet
from ltp_core import PrunedModel, Thresholds
from ltp_core.data.rows import DataError, load_rows
from ltp_core.data.survey import Survey, survey
from ltp_core.data.tasks import TASKS
from ltp_core.flops import paper_flops
from ltp_core.model import Text

DATA_VARIABLE = "LTP_LAB_DATA"  # a folder with task data in the Hub's layout, so that nothing is downloaded
FACTORS = (0.5, 0.75, 1.25, 1.5)
BATCH = 16  # texts; small, since a visitor who measures waits for the batch that runs
LONGEST_TURN = 2.0  # seconds of it: others wait for theirs
MOST_WORK = 10e12  # paper FLOPs of all runs of one set of texts, counted as if nothing were pruned


class SurveyProblem(ValueError):
    """Why a set of texts cannot be run, in one line."""


def ours(model: PrunedModel) -> DataSet:
    """The sentences that come with the project, two by two for a model that compares; without labels."""
    pairs = is_pair_task(model.settings.task)
    return DataSet("pairs of our own sentences" if pairs else "our own sentences", own_texts(pairs), None)


def check_texts(model: PrunedModel, data: DataSet) -> None:
    """See that a model gets single texts or pairs, as its task has them; an unknown task may have both.

    Raises:
        DataError: one line that says what the model reads.
    """
    task = TASKS.get(model.settings.task or "")
    if task is None or task.pairs == isinstance(data.texts[0], tuple):
        return
    holds, reads = ("single texts", "pairs") if task.pairs else ("pairs of texts", "single texts")
    raise DataError(f"{data.name} holds {holds}, but a model of {task.name} reads {reads}")


def has_task_data(model: PrunedModel) -> bool:
    """Whether the model's task has data that could be sampled."""
    return model.settings.task in TASKS


def task_sample(model: PrunedModel, rows: int) -> DataSet:
    """Random rows of the development set of the model's task, the same ones each time.

    Raises:
        SurveyProblem: if there is no such data here, and the Hub cannot be reached.
    """
    task = TASKS[model.settings.task or ""]
    folder = os.environ.get(DATA_VARIABLE)
    try:
        found = load_rows(folder or task.hub_id, task.development, task.config, task.classes)
    except DataError as error:
        where = f"in {DATA_VARIABLE}" if folder else f"on the Hub ({task.hub_id})"
        raise SurveyProblem(f"The data of {task.name} cannot be read {where}: {error}") from None
    chosen = sorted(random.Random(0).sample(range(len(found)), min(rows, MOST_ROWS, len(found))))
    sample = found.take(chosen)
    name = f"{len(sample):,} of {len(found):,} rows of {task.name}, {task.development}"
    return DataSet(name, sample.texts, [float(label) for label in sample.labels])


def run(
    model: PrunedModel,
    thresholds: tuple[float, ...],
    data: Callable[[], DataSet],
    progress: Callable[[int, int], None],
) -> tuple[DataSet, Survey]:
    """Get the texts and run them, batch by batch, in turn with what visitors measure.

    Raises:
        SurveyProblem: one line that says what is wrong with them.
    """
    latest = 0, 0

    def step(done: int, total: int) -> None:
        nonlocal latest
        latest = done, total
        progress(done, total)

    def turn() -> AbstractContextManager[None]:
        progress(*latest)
        return surveying(lambda: progress(*latest))

    rule = Thresholds(thresholds, model.reference_length)
    factors = FACTORS if any(thresholds) else ()
    texts = data()
    texts = affordable(model, texts, _check_rows(model, texts, turn), runs=len(factors) + 2)
    try:
        found = survey(model, texts.texts, texts.labels, rule, factors, BATCH, step, turn, LONGEST_TURN)
        return texts, found
    except ValueError as error:
        raise SurveyProblem(str(error)) from None
    except RuntimeError as error:  # out of memory, a device that has gone
        first = first_line(error)
        raise SurveyProblem(f"These texts could not be run on {model.device}: {first}") from None


def affordable(model: PrunedModel, data: DataSet, tokens: Sequence[int], runs: int) -> DataSet:
    """The first rows whose runs are within `MOST_WORK`, at least one; a note says so where that is not all.

    Args:
        model: what is to run.
        data: the texts.
        tokens: of each text, as the model reads it.
        runs: of each text.
    """
    size = model.dimensions
    work, rows = 0.0, 0
    for count in tokens:
        work += runs * paper_flops(size, count, [count] * size.layers)
        if work > MOST_WORK and rows:
            break
        rows += 1
    if rows == len(data.texts):
        return data
    note = (
        f"Only the first {rows:,} of {len(data.texts):,} texts are run: with texts this long, that is the "
        "work that one run may ask of this server."
    )
    labels = None if data.labels is None else data.labels[:rows]
    return replace(data, texts=data.texts[:rows], labels=labels, note=f"{data.note} {note}".strip())


def _check_rows(
    model: PrunedModel, data: DataSet, turn: Callable[[], AbstractContextManager[None]]
) -> list[int]:
    """See that each text has a token before any is run, else minutes of work end at a row -> their tokens."""
    tokens: list[int] = []
    for start in range(0, len(data.texts), BATCH):
        batch = data.texts[start : start + BATCH]
        try:
            with turn():
                tokens += model.encode(batch)[0]["attention_mask"].sum(dim=1).tolist()
        except ValueError:
            for number, text in enumerate(batch, start=start + 1):
                _check_row(model, text, f"{data.name}, row {number}")
    return tokens


def _check_row(model: PrunedModel, text: Text, place: str) -> None:
    try:
        model.encode([text])
    except ValueError as error:
        raise SurveyProblem(f"{place}: {error}") from None
