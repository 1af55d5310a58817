"""From a task's name to a trained model in a folder: dense first, then pruned, resumable at any point."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

from accelerate import PartialState
from transformers import set_seed

from ltp_core.checkpoints import BASELINE_FOLDER
from ltp_core.data.labels import describe
from ltp_core.data.lines import Progress
from ltp_core.data.rows import DataError, Rows, Split, hold_out, load_rows, texts_of
from ltp_core.data.tasks import TASKS
from ltp_core.files.whole import check_output
from ltp_core.model import PrunedModel, Text
from ltp_core.rules import Rule, falling_shares
from ltp_core.rules.table import LTP, RULES
from ltp_core.training.augment import drawable
from ltp_core.training.bfloat16 import multiplies_bfloat16
from ltp_core.training.budget import ceiling
from ltp_core.training.claim import check_claim, claim
from ltp_core.training.job import Job
from ltp_core.training.lengths import (
    LOWEST_SHARE,
    SEARCH_ROWS,
    falling_at,
    lengths_at,
    read_search,
    reduction_of,
    search_lengths,
    token_counts,
    write_search,
)
from ltp_core.training.processes import join
from ltp_core.training.rivals import RIVALS
from ltp_core.training.stages import train_dense, train_pruned, train_rival
from ltp_core.training.start import base_of, dense_start, learnable


def held_out_rows(job: Job, name: str, progress: Progress | None = None) -> Rows:
    """The rows that a job held out of its training set: "tuning" or "untouched"."""
    rows: Rows = getattr(split_of(job, progress=progress), name)
    return rows


def split_of(
    job: Job, say: Callable[[str], None] = lambda line: None, progress: Progress | None = None
) -> Split:
    """Load a job's training rows and hold out what it says: always the same rows.

    Rows with an empty text, as QQP has some, are left out, which is said: they have no token to learn from.
    """
    task = TASKS.get(job.task)
    source = job.data or (task.hub_id if task else job.task)
    classes = task.classes if task else () if job.regression else None
    found = load_rows(source, "train", task.config if task else None, classes, progress)
    rows = found.with_text()
    if empty := len(found) - len(rows):
        say(f"{empty:,} of {len(found):,} rows hold no text: left out")
    return hold_out(rows.fair(job.limit), job.tuning, job.untouched, seed=0)


def run(
    job: Job,
    folder: Path,
    say: Callable[[str], None],
    device: str = "cpu",
    reading: Callable[[], AbstractContextManager[Progress | None]] = nullcontext,
) -> PrunedModel:
    """Train what a job describes; go on where an earlier, interrupted call stopped.

    Under `torchrun` or `accelerate launch`, all processes call this, and all get the model.

    Args:
        job: what to do.
        folder: where the model comes to lie; `baseline/` in it holds the dense one.
        say: told what happens, a line at a time, by rank 0.
        device: where to train; of several of its kind, each process takes its own.
        reading: entered while the data is read, with what is told how much of a file is.

    Returns:
        The finished model.

    Raises:
        DataError: for unusable data, a target out of reach, or a folder that holds another job.
    """
    ranks = join(device)
    if ranks.num_processes > 1:
        device = str(ranks.device)
    if not ranks.is_main_process:
        say, reading = _silent, nullcontext
    if ranks.is_main_process:
        check_output(folder, resumes=True)
        check_claim(job, folder)
    with reading() as progress:
        split = split_of(job, say, progress)
    names = classes_to_learn(split)
    baseline = folder / BASELINE_FOLDER
    start = dense_start(job, names, baseline, say)
    unlabelled = None
    if job.rank is not None:
        base_of(job, start)
    if job.method != "dense":  # what is wrong here is said now, not after the dense stage
        _check_target(job, start, split.tuning)
        if job.pruning.unlabelled is not None:
            unlabelled = drawable(texts_of(job.pruning.unlabelled), split)
    if ranks.is_main_process:
        claim(job, folder)
    ranks.wait_for_everyone()
    held = f"{len(split.tuning)} tuning, {len(split.untouched)} untouched"
    say(f"{len(split.train)} training rows, {held}; {describe(names)}")
    if (job.dense.bfloat16 or job.pruned.bfloat16) and not multiplies_bfloat16(device):
        say("this processor has no instructions for bfloat16: matrix products are computed in float32")
        job = job.in_float32()  # stored with the model; the folder is claimed for what was told
    if not (baseline / "config.json").is_file():
        if job.baseline is None:
            say("dense fine-tuning")
            train_dense(learnable(job, start).to(device), split.train, job.dense, folder / "dense")
            start.settings = replace(start.settings, training=asdict(job))
        if ranks.is_main_process:
            start.eval().save_pretrained(baseline)
    ranks.wait_for_everyone()
    if job.method == "dense":
        return PrunedModel.from_pretrained(baseline).to(device)
    if not (folder / "config.json").is_file():
        say(f"{RULES[job.method].trained}")
        set_seed(job.pruned.seed)
        model = learnable(job, PrunedModel.from_pretrained(baseline)).to(device)
        model = prune(job, model, split, unlabelled, folder, say)
        model.settings = replace(model.settings, training=asdict(job))
        if ranks.is_main_process:
            model.save_pretrained(folder)
    ranks.wait_for_everyone()
    return PrunedModel.from_pretrained(folder).to(device)


def prune(
    job: Job,
    model: PrunedModel,
    split: Split,
    unlabelled: Sequence[Text] | None,
    folder: Path,
    say: Callable[[str], None],
) -> PrunedModel:
    """From the dense model to the one that a job's method makes of it."""
    stage = folder / "pruned"
    if job.method == LTP.name:
        return train_pruned(model, split.train, split.tuning, job.pruned, job.pruning, stage, unlabelled)
    rival = RIVALS[job.method]
    model = train_rival(model, split.train, job.pruned, job.pruning, rival.module, stage, unlabelled)
    if rival.searches:
        say("searching length configurations on tuning rows")
        rows = split.tuning.fair(SEARCH_ROWS)
        front = search_lengths(
            model, rows, job.pruned.max_tokens, seed=job.pruned.seed, progress=_every(20, say)
        )
        if PartialState().is_main_process:
            write_search(folder, front, len(rows))
    return model


def rule_at(job: Job, model: PrunedModel, folder: Path, rows: Rows) -> Rule:
    """The rule that a finished run ends with: a rival has many, so the one at the job's FLOPs target."""
    target = job.pruning.target_flops
    rival = RIVALS.get(job.method)
    if rival is None or target is None:
        return model.learned_rule
    size, counts = model.dimensions, token_counts(model, rows, job.pruned.max_tokens)
    if rival.searches:
        return rival.rule(lengths_at(read_search(folder), size, counts, target))
    return rival.rule(falling_at(size, counts, target, job.pruning.spared_layers))


def _every(number: int, say: Callable[[str], None]) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if done % number == 0 or done == total:
            say(f"{done} of {total}")

    return tell


def _silent(line: str) -> None:
    """What the other ranks would say, rank 0 says."""


def _check_target(job: Job, model: PrunedModel, tuning: Rows) -> None:
    """Refuse a FLOPs target that the method cannot promise to reach, before hours of training."""
    job.pruning.first_thresholds(model.layers)  # says so, if the wrong number of them was given
    target = job.pruning.target_flops
    if target is None:
        return
    size, counts = model.dimensions, token_counts(model, tuning, job.pruned.max_tokens)
    rival = RIVALS.get(job.method)
    if rival is not None and rival.searches:  # what its search starts from
        highest = reduction_of(size, counts, falling_shares(LOWEST_SHARE, model.layers))
        left = f"{LOWEST_SHARE:.0%} of the tokens left after the last"
    else:
        spared = job.pruning.spared_layers
        highest = ceiling(size, counts, spared)
        left = f"[CLS] alone left after the attention of layer {spared + 1}"
    if target > highest:
        raise DataError(
            f"a FLOPs reduction of {target:g} cannot be reached: with {model.layers} layers, and {left}, "
            f"the ceiling on these rows is {highest:.2f}"
        )


def classes_to_learn(split: Split) -> tuple[str, ...]:
    """The names of the labels 0, 1, …, by the rule of `data.labels`; none for a regression.

    Raises:
        DataError: if there is one class only, or if a regression's tuning rows have one value only: its score
            is a correlation, which they do not have.
    """
    labels = [label for rows in (split.train, split.tuning, split.untouched) for label in rows.labels]
    names = split.train.classes or ()
    if len(set(labels)) < 2:
        only = names[int(labels[0])] if names else labels[0]
        raise DataError(f"all labels are {only}: there is nothing to learn")
    if not names and len(set(split.tuning.labels)) < 2:
        raise DataError(
            f"the labels of all {len(split.tuning)} tuning rows are {split.tuning.labels[0]:g}, so no "
            "correlation can be measured on them: hold out more, with --tuning"
        )
    return names
