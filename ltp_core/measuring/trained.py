"""A finished training run, measured on the tuning rows that it held out: its row of results."""

from pathlib import Path
from typing import Any

from ltp_core.checkpoints import BASELINE_FOLDER, Settings
from ltp_core.measuring.scoring import Bar, baseline_of, no_bar, row_of, run_unpruned, score_against
from ltp_core.model import PrunedModel
from ltp_core.results import stamp
from ltp_core.rules import Rule
from ltp_core.training.job import Job, portable


def measure_trained(
    job: Job, model: PrunedModel, folder: Path, bar: Bar = no_bar
) -> tuple[dict[str, Any], Rule]:
    """Score what a run ends with against the dense baseline beside it.

    Args:
        job: what was trained.
        model: what `training.pipeline.run` returned.
        folder: where the model lies.
        bar: shows how far the scoring is.

    Returns:
        The row, with what it takes to repeat the run; and the rule that was measured: a rival has many, so
        the one that meets the job's FLOPs target.
    """
    from ltp_core.training.pipeline import rule_at, split_of  # the Trainer takes seconds to import

    rows = split_of(job).tuning
    baseline, longest = baseline_of(folder, model), job.pruned.max_tokens
    against = run_unpruned(model, baseline, rows, max_tokens=longest, bar=bar)
    rule = rule_at(job, model, folder, rows)
    name = job.method if job.ablation is None else f"{job.method}/{job.ablation}"
    row = row_of(model, name, score_against(model, against, rows, rule, bar=bar))
    about = {
        "split": "tuning",
        "target_flops": job.pruning.target_flops,
        "penalty": job.pruning.penalty,
        "training": portable(model.settings.training, Settings.read(folder / BASELINE_FOLDER).training),
    }
    return row | about | stamp(model.device), rule
