"""The dense model that a run begins with: its own, another run's, or a base with a new head."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import set_seed

from ltp_core.bases import BASES, KNOWN, Base, base_folder
from ltp_core.checkpoints import Settings, has_baseline
from ltp_core.data.rows import DataError
from ltp_core.model import PrunedModel
from ltp_core.training.job import Job
from ltp_core.training.low_rank import with_factors
from ltp_core.weights.pretrained import (
    check_folder,
    check_vocabulary,
    in_float32,
    load_classifier,
    load_config,
    load_tokenizer,
    reason,
)


def dense_start(job: Job, names: tuple[str, ...], baseline: Path, say: Callable[[str], None]) -> PrunedModel:
    """The dense model that the pruned one, or the dense stage, begins with.

    Args:
        job: the run.
        names: of the classes; none for a regression.
        baseline: where this run's own lies, once there is one.
        say: told what is unusual, a line at a time.

    Raises:
        DataError: for a base that cannot be trained, or another run's model that does not fit, or that was
            trained on rows which this job holds out.
    """
    if (baseline / "config.json").is_file():
        return PrunedModel.from_pretrained(baseline)
    if job.baseline is None:
        return fresh_model(job, names, say)
    weights = "baseline" if has_baseline(job.baseline) else "ltp"  # a pruned model's, or a dense one itself
    model = PrunedModel.from_pretrained(job.baseline, weights)
    _check_held_out(job, model)
    if model.dimensions.classes != max(len(names), 1):
        raise DataError(
            f"{job.baseline} has {model.dimensions.classes} outputs, which does not fit this task"
        )
    return model


def fresh_model(
    job: Job, names: tuple[str, ...], say: Callable[[str], None] = lambda line: None
) -> PrunedModel:
    """The base with a new, seeded head for these classes; for a regression if there are none.

    Weights in half precision are trained in float32, which is said.

    Raises:
        DataError: for a base that cannot be trained, with what to do.
    """
    set_seed(job.dense.seed)
    source: Any = base_folder(BASES[job.base]) if job.base in BASES else job.base
    heads: dict[str, Any] = {"num_labels": max(len(names), 1), "problem_type": None}
    if names:
        heads |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    try:
        if Path(source).is_dir():
            check_folder(Path(source))
        config = load_config(source, **heads)
        for name in ("attention_probs_dropout_prob", "attention_dropout"):  # whichever the family has
            if hasattr(config, name):
                setattr(config, name, 0.0)  # it would cost half of the time at 256 tokens on a CPU
        model = load_classifier(source, config=config, ignore_mismatched_sizes=True)
        if stored := in_float32(model):
            say(f"{job.base} is stored in {stored}: trained in float32")
        tokenizer = load_tokenizer(source)
        check_vocabulary(model, tokenizer)
        settings = Settings(task=job.task, importance_queries=job.pruning.importance_queries)
        return PrunedModel(model, tokenizer, settings=settings, name=job.base)
    except Exception as error:  # transformers raises many kinds
        raise DataError(f"cannot start from {job.base}: {reason(error)}") from None


def _check_held_out(job: Job, baseline: PrunedModel) -> None:
    """Refuse a baseline that was trained on rows which this job holds out."""
    if not baseline.settings.training:
        raise DataError(f"{job.baseline} does not say how it was trained, so it may have seen held-out rows")
    other = Job.of(baseline.settings.training)
    for name in ("task", "tuning", "untouched", "limit"):
        if getattr(other, name) != getattr(job, name):
            raise DataError(
                f"{job.baseline} was trained with another --{name}: it may have seen held-out rows"
            )


def learnable(job: Job, model: PrunedModel) -> PrunedModel:
    """The model as its weights are learned: whole, or as factors of their difference to the base."""
    if job.rank is not None:
        model.hf_model = with_factors(model.hf_model, base_of(job, model), job.rank)
    return model


def base_of(job: Job, model: PrunedModel) -> Base:
    """The base that a dense model started from, which may be another than the one named for this run."""
    name = Job.of(model.settings.training).base if model.settings.training else job.base
    if name not in BASES:
        raise DataError(f"--rank needs a base whose weights are known ({KNOWN}), not {name}")
    return BASES[name]
