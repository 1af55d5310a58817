"""The commands that repeat a training, from what is stored with the model that came out."""

import shlex
from dataclasses import replace
from typing import Any

from ltp_core.rules.table import DENSE, LTP
from ltp_core.training.job import Job, Pruning, Recipe
from ltp_core.training.options import options_of

# What `train --task … --output …` makes when it is told nothing else.
USUAL = Job(
    task="",
    data=None,
    base="all-MiniLM-L6-v2",
    baseline=None,
    method=LTP.name,
    dense=Recipe(),
    pruned=Recipe(learning_rate=3e-5),
    pruning=Pruning(),
)
UNNAMED = ("first_threshold", "last_threshold")  # `train` has no options for these


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
    if job.method == DENSE.name or dense == same:
        lines = [train_command(job, output)]
    else:
        first = replace(job, method=DENSE.name, pruned=job.dense, pruning=Pruning(), ablation=None)
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
    usual = {**_told(USUAL, ""), "target_flops": None}  # which is said always
    words = ["ltp", "train"]
    for name, value in _told(job, output).items():
        if value is not None and value != usual[name]:
            option = f"--{name.replace('_', '-')}"
            words += [f"--no-{name}"] if value is False else [option]
            words += [] if isinstance(value, bool) else [_said(value)]
    return shlex.join(words)


def _told(job: Job, output: str) -> dict[str, Any]:
    """Every option of `ltp train` in the order in which a line names them: where from, where to, how."""
    told = options_of(job)
    first = {"task": told["task"], "output": output}
    return first | {name: told[name] for name in ("data", "base", "baseline", "method")} | told


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
