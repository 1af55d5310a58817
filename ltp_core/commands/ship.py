"""`ship`: turn a finished training run into a small model folder."""

import json as json_module
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core import checkpoints
from ltp_core.bases import BASES, KNOWN, Base, CheckpointError, base_folder, sha256
from ltp_core.checkpoints import BASELINE_FOLDER, Settings
from ltp_core.commands.shared import Json, emit, quiet
from ltp_core.data.evaluation import run_rows
from ltp_core.files.whole import swap, take_back, write_whole
from ltp_core.measuring.source import rows_for
from ltp_core.model import PrunedModel
from ltp_core.results import RESULTS
from ltp_core.rules import Thresholds
from ltp_core.training.budget import settle
from ltp_core.training.job import Job, portable
from ltp_core.weights import deltas
from ltp_core.weights.pretrained import load_tokenizer

LOGGED = ("step", "loss", "thresholds", "flops_reduction", "multiplier")


def ship(
    run: Annotated[Path, typer.Argument(help="A folder that `train` wrote.")],
    name: Annotated[str, typer.Option(help="The name to ship it under.")],
    bits: Annotated[int, typer.Option(help="Bits a weight of the difference to the base: 4 or 8.")] = 4,
    target_flops: Annotated[
        float | None,
        typer.Option(help="Settle the thresholds anew, for this FLOPs reduction on tuning rows."),
    ] = None,
    note: Annotated[
        str, typer.Option(help="How the target was chosen; stands in the card and the results.")
    ] = "",
    data: Annotated[str | None, typer.Option(help="Where these are: a file, a folder or a Hub id.")] = None,
    json: Json = False,
) -> None:
    """Store a run's two models as small differences to their base; `results` then measures them.

    Example: ltp ship runs/sst2 --name sst2 --target-flops 2
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*", name):
        raise ValueError(f"{name!r} is no name for a model: letters, digits, _ and single hyphens only")
    if target_flops is not None and not target_flops >= 1:
        raise ValueError(f"a FLOPs target is dense over pruned, at least 1; got {target_flops}")
    folder = checkpoints.SHIPPED / name
    aside = checkpoints.SHIPPED.parent / f".{name}.earlier"
    with quiet(), tempfile.TemporaryDirectory(dir=checkpoints.SHIPPED.parent) as work:
        take_back(folder, aside)  # of a call that was killed
        part = Path(work) / name  # whole or not at all: what fails leaves an earlier model as it was
        pack(run, part, bits)
        if target_flops is not None:
            settle_again(part, run, target_flops, note, data)
        seal(part)
        for weights in ("ltp", "baseline"):
            PrunedModel.from_pretrained(part, weights)  # what cannot be loaded replaces nothing
        swap(part, folder, aside)
    copy_log(run, RESULTS / f"training-{name}.jsonl")
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6

    def table(console: Console) -> None:
        console.print(f"{folder}: {size:.1f} MB")

    emit({"output": str(folder), "size_mb": size}, json, table)


def pack(run: Path, folder: Path, bits: int) -> None:
    """Write a run's two models as differences to the base, with thresholds and settings."""
    tuned = PrunedModel.from_pretrained(run)
    if tuned.thresholds is None:
        raise CheckpointError(f"{run} has no learned thresholds: ship what `train --method ltp` wrote")
    base = _base_of(run, tuned)
    rank = Job.of(tuned.settings.training).rank
    store = deltas.rounded(bits) if rank is None else deltas.low_rank(rank)
    folder.mkdir(parents=True, exist_ok=True)
    for weights in ("ltp", "baseline"):
        model = PrunedModel.from_pretrained(run, weights=weights)
        checkpoints.save_difference(folder / f"{weights}.delta.safetensors", model.hf_model, base, store)
    tuned.hf_model.config.save_pretrained(folder)
    checkpoints.save_thresholds(folder, tuned.thresholds)
    training = portable(tuned.settings.training, Settings.read(run / BASELINE_FOLDER).training)
    replace(tuned.settings, base=base.name, files={}, training=training, results={}).write(folder)


def _base_of(run: Path, tuned: PrunedModel) -> Base:
    """The base that a run started from; refuse one that is none of ours, or reads text in other tokens."""
    name = Job.of(Settings.read(run / BASELINE_FOLDER).training).base  # that of the run itself may be unused
    base = BASES.get(name)
    if base is None:
        raise CheckpointError(f"{run} started from {name}: only models of {KNOWN} are shipped")
    usual = load_tokenizer(base_folder(base))
    if tuned.tokenizer is None or tuned.tokenizer.get_vocab() != usual.get_vocab():
        raise CheckpointError(f"{run} has another vocabulary than {base.name}, whose is shipped")
    return base


def copy_log(run: Path, file: Path) -> None:
    """Keep what the last pruning stage logged about its thresholds, for notebooks to plot."""
    from ltp_core.training.loop import METRICS_FILE  # here, since it brings the Trainer, which is slow

    logs = sorted(run.glob(f"pruned/**/{METRICS_FILE}"), key=lambda log: log.stat().st_mtime)
    if not logs:
        return
    lines = [json_module.loads(line) for line in logs[-1].read_text(encoding="utf-8").splitlines()]
    kept = [{name: line[name] for name in LOGGED if name in line} for line in lines if "thresholds" in line]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, "".join(json_module.dumps(line) + "\n" for line in kept))


def settle_again(folder: Path, run: Path, target_flops: float, note: str, data: str | None) -> None:
    """Multiply a shipped model's thresholds by the factor that meets a FLOPs target on its tuning rows.

    The run still says where its rows lie, the shipped model no longer does.
    """
    model = PrunedModel.from_pretrained(folder)
    rule = model.learned_rule
    if not isinstance(rule, Thresholds):
        raise CheckpointError(f"{folder} has no thresholds to settle")
    tuning = rows_for(PrunedModel.from_pretrained(run), data, "tuning")
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
