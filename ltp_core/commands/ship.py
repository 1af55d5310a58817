"""`ship`: turn a finished training run into a small model folder."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core import checkpoints
from ltp_core.checkpoints import MINILM, CheckpointError
from ltp_core.commands.shared import Json, emit, quiet
from ltp_core.model import PrunedModel


def ship(
    run: Annotated[Path, typer.Argument(help="A folder that `train` wrote.")],
    name: Annotated[str, typer.Option(help="The name to ship it under.")],
    bits: Annotated[int, typer.Option(help="Bits a weight of the difference to the base: 4 or 8.")] = 4,
    json: Json = False,
) -> None:
    """Store a run's two models as small differences to their base; `results` then measures them.

    Example: ltp ship runs/sst2 --name sst2
    """
    folder = checkpoints.SHIPPED / name
    with quiet():
        pack(run, folder, bits)
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6

    def table(console: Console) -> None:
        console.print(f"{folder}: {size:.1f} MB")

    emit({"output": str(folder), "size_mb": size}, json, table)


def pack(run: Path, folder: Path, bits: int) -> None:
    """Write a run's two models as differences to the base, with thresholds and settings."""
    tuned = PrunedModel.from_pretrained(run)
    if tuned.thresholds is None:
        raise CheckpointError(f"{run} has no learned thresholds: ship what `train --method ltp` wrote")
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for weights in ("ltp", "baseline"):
        file = f"{weights}.delta.safetensors"
        model = PrunedModel.from_pretrained(run, weights=weights)
        files[file] = checkpoints.save_difference(folder, file, model.hf_model, MINILM, bits)
    tuned.hf_model.config.save_pretrained(folder)
    checkpoints.save_thresholds(folder, tuned.thresholds)
    training = {**tuned.settings.training, "data": None, "baseline": None}  # paths of this machine
    replace(tuned.settings, base=MINILM.name, files=files, training=training, results={}).write(folder)
