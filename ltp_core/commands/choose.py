"""`choose`: which FLOPs reduction a finished run ships at, by the rule, from its tuning rows."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import CheckpointError, describe
from ltp_core.commands.shared import Device, Json, choose_device, emit, load, messages, quiet
from ltp_core.measuring.choosing import choose_target
from ltp_core.measuring.lengths import learned_thresholds
from ltp_core.measuring.scoring import baseline_of
from ltp_core.measuring.source import rows_for


def choose(
    run: Annotated[Path, typer.Argument(help="A folder that `train` wrote.")],
    data: Annotated[
        str | None, typer.Option(help="Where its rows are: a file, a folder or a Hub id.")
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Find the largest FLOPs reduction whose loss on tuning rows is below a point, as far as they can tell.

    From 3.5 down in steps of a tenth: the first whose points lost, plus 0.84 of their standard errors, are
    below 1. `ship --target-flops` then takes it. Rows that scores are reported on are not read.

    Example: ltp choose runs/sst2
    """
    where = choose_device(device)
    with quiet():
        about = describe(run)  # all that can be refused is, before weights are loaded
        learned_thresholds(about)
        tuning = rows_for(about, data, "tuning")
        model = load(str(run), where)
        baseline = baseline_of(run, model)
        if baseline is None:
            raise CheckpointError(f"{run} has no dense model beside it to compare with")
        rows = choose_target(
            model,
            baseline,
            tuning,
            lambda row: messages.print(f"{row['target']:g}×: bound {row['bound']:.1f}"),
        )

    def table(console: Console) -> None:
        grid = Table("target", "FLOPs", "points lost", "upper 80 % bound", "factor")
        for row in rows:
            lost = f"{row['points_lost']:.1f} ± {row['points_lost_error']:.1f}"
            cells = (f"{row['flops_reduction']:.2f}×", lost, f"{row['bound']:.1f}", f"{row['factor']:.3g}")
            grid.add_row(f"{row['target']:g}×", *cells)
        console.print(grid)
        if rows and rows[-1]["taken"]:
            console.print(f"by the rule: ltp ship {run} --target-flops {rows[-1]['target']:g}")
        else:
            console.print("no reduction meets the rule on these rows: the training's target is what ships")

    emit({"run": str(run), "tuning_rows": len(tuning), "rows": rows}, json, table)
