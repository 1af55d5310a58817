"""The commands that repeat a training, from what is stored with the model that came out."""

import shlex
from dataclasses import replace
from typing import Any

from ltp_core.importance import ALL
from ltp_core.training.job import Job, Pruning, Recipe

# What `train --task … --output …` makes when it is told nothing else.
USUAL = Job(
    task="",
    data=None,
    base="all-MiniLM-L6-v2",
    baseline=None,
    method="ltp",
    dense=Recipe(),
    pruned=Recipe(learning_rate=3e-5),
    pruning=Pruning(),
)
UNNAMED = ("threshold_rate", "first_threshold", "last_threshold")  # `train` has no options for these


def train_commands(job: Job, output: str) -> list[str]:
    """The lines of shell that repeat a job, a line of its own for a dense stage with another seed or batches.

    Args:
        job: what was trained.
        output: the folder to name.

    Returns:
        The lines; none for what `train` cannot be told.
    """
    usual = Recipe()
    same = replace(job.pruned, epochs=usual.epochs, learning_rate=usual.learning_rate)
    dense = replace(job.dense, epochs=usual.epochs, learning_rate=usual.learning_rate)
    if job.method == "dense" or dense == same:
        lines = [train_command(job, output)]
    else:
        first = replace(job, method="dense", pruned=job.dense, pruning=Pruning(), ablation=None)
        second = replace(job, baseline=f"{output}-dense", dense=same)
        lines = [train_command(first, f"{output}-dense"), train_command(second, output)]
    return [line for line in lines if line] if all(lines) else []


def train_command(job: Job, output: str) -> str | None:
    """One line of shell. Only what differs from the defaults of `ltp train` is named.

    Args:
        job: what was trained; its dense stage had the batches and lengths of the pruned one.
        output: the folder to name.

    Returns:
        The line; None for what `train` cannot be told, as that of a version which had another unit.
    """
    if any(getattr(job.pruning, name) != getattr(Pruning(), name) for name in UNNAMED):
        return None
    usual = {**_options(USUAL, ""), "target_flops": None}  # which is said always
    words = ["ltp", "train"]
    for name, value in _options(job, output).items():
        if value is not None and value != usual[name]:
            option = f"--{name.replace('_', '-')}"
            words += [f"--no-{name}"] if value is False else [option, _said(value)]
    return shlex.join(words)


def _options(job: Job, output: str) -> dict[str, Any]:
    """What `ltp train` must be told, by the names of its arguments."""
    pruned, pruning = job.pruned, job.pruning
    told = {
        "task": job.task,
        "output": output,
        "data": job.data,
        "base": job.base,
        "baseline": job.baseline,
        "method": job.method,
        "epochs": job.dense.epochs,
        "learning_rate": job.dense.learning_rate,
        "batch_size": pruned.batch_size,
        "max_tokens": pruned.max_tokens,
        "seed": pruned.seed,
        "limit": job.limit,
        "tuning": job.tuning,
        "untouched": job.untouched,
        "rank": job.rank,
        "bfloat16": pruned.bfloat16,
        "save_steps": pruned.save_steps,
        "ablation": job.ablation,
    }
    if job.method == "dense":
        return told
    return told | {
        "target_flops": pruning.target_flops,
        "penalty": None if pruning.target_flops else pruning.penalty,
        "stages": ",".join(pruning.stages),
        "thresholds": pruning.thresholds and ",".join(map(_said, pruning.thresholds)),
        "temperature": pruning.temperature,
        "last_temperature": pruning.last_temperature,
        "reference_length": pruning.reference_length,
        "importance_queries": str(pruning.importance_queries or ALL),
        "distill": pruning.distill,
        "distill_hidden": pruning.distill_hidden,
        "shortest": pruning.shortest,
        "spared_layers": pruning.spared_layers,
        "augment": pruning.augment,
        "unlabelled": pruning.unlabelled,
        "pruning_epochs": pruned.epochs,
        "pruning_learning_rate": pruned.learning_rate,
    }


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
