"""`ship`: turn a finished training run into a small model folder."""

import re
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core import checkpoints
from ltp_core.commands.shared import Json, emit, quiet
from ltp_core.files.whole import check_file, check_output, swap, take_back
from ltp_core.measuring.source import rows_for
from ltp_core.model import PrunedModel
from ltp_core.results import RESULTS
from ltp_core.training.shipping import check_run, copy_log, pack, seal, settle_again


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
    log = RESULTS / f"training-{name}.jsonl"
    about = checkpoints.describe(run)  # all that can be refused is, before weights are loaded
    check_run(run, about)
    check_output(folder, needs=about.bytes, resumes=True, option="--name")
    check_file(log, "--name")
    tuning = None if target_flops is None else rows_for(about, data, "tuning")  # the run says where they lie
    with quiet(), tempfile.TemporaryDirectory(dir=checkpoints.SHIPPED.parent) as work:
        take_back(folder, aside)  # of a call that was killed
        part = Path(work) / name  # whole or not at all: what fails leaves an earlier model as it was
        pack(run, part, bits)
        if target_flops is not None and tuning is not None:
            settle_again(part, tuning, target_flops, note)
        seal(part)
        for weights in checkpoints.VARIANTS:
            PrunedModel.from_pretrained(part, weights)  # what cannot be loaded replaces nothing
        swap(part, folder, aside)
    copy_log(run, log)
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6

    def table(console: Console) -> None:
        console.print(f"{folder}: {size:.1f} MB")

    emit({"output": str(folder), "size_mb": size}, json, table)
