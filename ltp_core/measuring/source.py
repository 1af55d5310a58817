"""Which rows a model is measured on: its task's own, a file's, or what its training held out."""

from dataclasses import replace
from pathlib import Path

from ltp_core.checkpoints import Described
from ltp_core.data.lines import Progress
from ltp_core.data.reader import format_of
from ltp_core.data.rows import HELD_OUT, DataError, Rows, labelled
from ltp_core.data.sources import load_table
from ltp_core.data.tasks import TASKS
from ltp_core.training.job import Job


def rows_for(model: Described, data: str | None, split: str | None, progress: Progress | None = None) -> Rows:
    """Load what a model is to be measured on: by default, its task's development set on the Hub.

    Args:
        model: the one that is to be measured.
        data: a file, a folder or a Hub id.
        split: of the data; or "tuning" or "untouched", what training held out of its rows.
        progress: told how much of a file is read.

    Raises:
        DataError: one line that says what cannot be read.
    """
    if split in HELD_OUT:
        return _held_out(model, data, split, progress)
    task = TASKS.get(model.settings.task or "")
    if data is None and task is None:
        raise DataError("name what to measure on, with --data")
    source = data or (task.hub_id if task else "")
    where = (source, split or (task.development if task else None), task.config if task else None)
    return labelled(load_table(*where, progress=progress).filled(), model.classes)


def _held_out(model: Described, data: str | None, split: str, progress: Progress | None) -> Rows:
    """What training held out of its rows: of those in `data` if that has splits, else where they were.

    A file has only itself: it holds the rows to measure on, and held-out ones must not be cut from it.
    """
    if not model.settings.training:
        raise DataError(f"nothing is known of how this model was trained, so it has no {split} rows")
    from ltp_core.training.pipeline import held_out_rows  # brings the Trainer with it

    job = Job.of(model.settings.training)
    if data is not None and format_of(data) is None:
        job = replace(job, data=data)
    source = job.data or job.task
    if format_of(source) and not Path(source).is_file():
        raise DataError(f"{split} rows were held out of {source}, which is gone: put it back")
    held = held_out_rows(job, split, progress)
    if not len(held):
        raise DataError(f"training held out no {split} rows")
    return held
