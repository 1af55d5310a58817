"""A training run as the options of `ltp train`, and back: what is told is a job, a job says what to tell."""

import re
from dataclasses import replace
from typing import Any, cast

from ltp_core.importance import ALL, checked_queries
from ltp_core.rules.numbers import numbers
from ltp_core.rules.table import DENSE
from ltp_core.training.job import Job, Pruning, Recipe, Stage
from ltp_core.training.rivals import RIVALS

# Options that are called as the setting is, in the order in which a command names them.
_SOURCE = ("task", "data", "base", "baseline", "method")  # of the job
_BATCHES = ("batch_size", "max_tokens", "seed")  # of both recipes
_HELD_OUT = ("limit", "tuning", "untouched", "rank")  # of the job
_RUNNING = ("bfloat16", "save_steps")  # of both recipes
_NAMING = ("ablation", "regression")  # of the job
_GATES = ("temperature", "last_temperature", "threshold_rate", "reference_length")  # of the pruning
_TEACHING = ("distill", "distill_hidden", "shortest", "spared_layers", "augment", "unlabelled")  # likewise


def job_from_options(options: dict[str, Any]) -> Job:
    """The job that options describe.

    Args:
        options: every option of `ltp train` that says what is trained, by the name of its argument:
            ``{"task": "sst2", "target_flops": 2.1, "stages": "soft,hard", …}``.

    Raises:
        ValueError: in one line, for what cannot be trained, and for options that contradict each other.
    """
    method, target, penalty = (options[name] for name in ("method", "target_flops", "penalty"))
    if target is not None and penalty is not None:
        raise ValueError("give --target-flops or --penalty, not both")
    if penalty is not None and method in RIVALS:
        raise ValueError(f"--penalty steers learned thresholds: for {method}, give --target-flops")
    if (ablation := options["ablation"]) is not None and not re.fullmatch(r"[a-z0-9.-]+", ablation):
        raise ValueError(f"--ablation takes small letters, digits, points and hyphens, got {ablation!r}")
    usual, thresholds = Pruning(), options["thresholds"]
    if penalty is None and target is None:
        target = usual.target_flops
    pruning = Pruning(
        target_flops=target,
        penalty=usual.penalty if penalty is None else penalty,
        stages=cast(tuple[Stage, ...], tuple(options["stages"].split(","))),
        thresholds=None if thresholds is None else tuple(numbers(thresholds, "--thresholds")),
        importance_queries=_queries(options["importance_queries"]),
        **{name: options[name] for name in (*_GATES, *_TEACHING)},
    )
    for name in RIVALS[method].unread if method in RIVALS else ():
        if getattr(pruning, name) != getattr(usual, name):
            raise ValueError(f"--{name.replace('_', '-')} has no effect on --method {method}: leave it out")
    same = {name: options[name] for name in (*_BATCHES, *_RUNNING)}
    dense = Recipe(epochs=options["epochs"], learning_rate=options["learning_rate"], **same)
    pruned = replace(dense, epochs=options["pruning_epochs"], learning_rate=options["pruning_learning_rate"])
    rest = {name: options[name] for name in (*_SOURCE, *_HELD_OUT, *_NAMING)}
    return Job(dense=dense, pruned=pruned, pruning=pruning, **rest)


def options_of(job: Job) -> dict[str, Any]:
    """What `ltp train` must be told for a job whose dense stage had the batches of the pruned one.

    Returns:
        Values by the names of the command's arguments; without those of pruning for a dense model alone.
    """
    pruned, pruning = job.pruned, job.pruning
    told = {
        **_named(job, _SOURCE),
        "epochs": job.dense.epochs,
        "learning_rate": job.dense.learning_rate,
        **_named(pruned, _BATCHES),
        **_named(job, _HELD_OUT),
        **_named(pruned, _RUNNING),
        **_named(job, _NAMING),
    }
    if job.method == DENSE.name:
        return told
    return told | {
        "target_flops": pruning.target_flops,
        "penalty": None if pruning.target_flops else pruning.penalty,
        "stages": ",".join(pruning.stages),
        "thresholds": pruning.thresholds and ",".join(f"{theta:g}" for theta in pruning.thresholds),
        **_named(pruning, _GATES),
        "importance_queries": str(pruning.importance_queries or ALL),
        **_named(pruning, _TEACHING),
        "pruning_epochs": pruned.epochs,
        "pruning_learning_rate": pruned.learning_rate,
    }


def _named(settings: Job | Recipe | Pruning, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in names}


def _queries(text: str) -> int | None:
    """`--importance-queries`: a number, or "all", which is None."""
    try:
        return None if text == ALL else checked_queries(int(text))
    except ValueError:
        raise ValueError(
            f"--importance-queries takes a whole number above 0, or {ALL}; got {text!r}"
        ) from None
