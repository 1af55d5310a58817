"""From a finished run to the small folder that is shipped: differences to a base, thresholds, hashes."""

import json
from dataclasses import replace
from pathlib import Path

from ltp_core import checkpoints
from ltp_core.bases import BASES, KNOWN, Base, CheckpointError, base_folder, sha256
from ltp_core.checkpoints import BASELINE_FOLDER, Described, Settings, has_baseline
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.files.whole import write_whole
from ltp_core.model import PrunedModel
from ltp_core.rules import Thresholds
from ltp_core.training.budget import settle
from ltp_core.training.job import Job, portable
from ltp_core.weights import deltas
from ltp_core.weights.pretrained import load_tokenizer

LOGGED = ("step", "loss", "thresholds", "flops_reduction", "multiplier")


def check_run(run: Path, about: Described) -> Base:
    """Refuse a run that cannot be shipped -> the base that it started from.

    Raises:
        CheckpointError: for one without thresholds or baseline, or from a base that is none of ours.
    """
    if about.thresholds is None:
        raise CheckpointError(f"{run} has no learned thresholds: ship what `train --method ltp` wrote")
    if not has_baseline(run):
        raise CheckpointError(f"{run} has no baseline weights beside it: ship what `train` wrote")
    name = Job.of(Settings.read(run / BASELINE_FOLDER).training).base  # that of the run itself may be unused
    if name not in BASES:
        raise CheckpointError(f"{run} started from {name}: only models of {KNOWN} are shipped")
    return BASES[name]


def pack(run: Path, folder: Path, bits: int) -> None:
    """Write a run's two models as differences to the base, with thresholds and settings."""
    tuned = PrunedModel.from_pretrained(run)
    base = check_run(run, tuned)
    assert tuned.thresholds is not None  # checked there
    usual = load_tokenizer(base_folder(base))
    if tuned.tokenizer is None or tuned.tokenizer.get_vocab() != usual.get_vocab():
        raise CheckpointError(f"{run} has another vocabulary than {base.name}, whose is shipped")
    rank = Job.of(tuned.settings.training).rank
    store = deltas.rounded(bits) if rank is None else deltas.low_rank(rank)
    folder.mkdir(parents=True, exist_ok=True)
    for weights in checkpoints.VARIANTS:
        model = PrunedModel.from_pretrained(run, weights=weights)
        checkpoints.save_difference(folder / f"{weights}.delta.safetensors", model.hf_model, base, store)
    tuned.hf_model.config.save_pretrained(folder)
    checkpoints.save_thresholds(folder, tuned.thresholds)
    training = portable(tuned.settings.training, Settings.read(run / BASELINE_FOLDER).training)
    replace(tuned.settings, base=base.name, files={}, training=training, results={}).write(folder)


def copy_log(run: Path, file: Path) -> None:
    """Keep what the last pruning stage logged about its thresholds, for notebooks to plot."""
    from ltp_core.training.loop import METRICS_FILE  # here, since it brings the Trainer, which is slow

    logs = sorted(run.glob(f"pruned/**/{METRICS_FILE}"), key=lambda log: log.stat().st_mtime)
    if not logs:
        return
    lines = [json.loads(line) for line in logs[-1].read_text(encoding="utf-8").splitlines()]
    kept = [{name: line[name] for name in LOGGED if name in line} for line in lines if "thresholds" in line]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, "".join(json.dumps(line) + "\n" for line in kept))


def settle_again(folder: Path, tuning: Rows, target_flops: float, note: str) -> None:
    """Multiply a packed model's thresholds by the factor that meets a FLOPs target on its tuning rows."""
    model = PrunedModel.from_pretrained(folder)
    rule = model.learned_rule
    if not isinstance(rule, Thresholds):
        raise CheckpointError(f"{folder} has no thresholds to settle")
    length = model.settings.trained_length
    factor = settle(
        lambda x: run_rows(model, tuning, rule.times(x), max_tokens=length).flops_reduction, target_flops
    )
    checkpoints.save_thresholds(folder, tuple(rule.times(factor).values))
    settled = {"target_flops": target_flops, "factor": factor, "note": note}
    replace(model.settings, training={**model.settings.training, "settled": settled}).write(folder)


def seal(folder: Path) -> None:
    """Write down the hashes of a finished model's files; from now on, loading checks them."""
    sealed = [
        "config.json",
        checkpoints.THRESHOLDS_FILE,
        "ltp.delta.safetensors",
        "baseline.delta.safetensors",
    ]
    files = {name: sha256(folder / name) for name in sealed}
    replace(Settings.read(folder), files=files).write(folder)
