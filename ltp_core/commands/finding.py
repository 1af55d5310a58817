"""`finding`: does LTP drop what does not matter? Measured over a data set, and written up."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
    USUAL_MODEL,
    Device,
    Json,
    Model,
    choose_device,
    emit,
    load,
    messages,
    progress_bar,
    quiet,
    reading,
)
from ltp_core.data.rows import DataError
from ltp_core.finding.examples import Options
from ltp_core.finding.study import study
from ltp_core.measuring.source import rows_for
from ltp_core.results import RESULTS, check_results, write_json


def finding(
    model: Model = USUAL_MODEL,
    data: Annotated[
        str | None, typer.Option(help="A file, a folder or a Hub id; else the task's own.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Else the task's development split.")] = None,
    others: Annotated[
        str, typer.Option(help="Models whose thresholds are tried on this one: names or folders, by commas.")
    ] = "",
    steps: Annotated[int, typer.Option(help="Of Integrated Gradients; up to four times where needed.")] = 16,
    draws: Annotated[int, typer.Option(help="Random deletions a text.")] = 3,
    limit: Annotated[int | None, typer.Option(help="At most so many rows, of all classes.")] = None,
    output: Annotated[Path | None, typer.Option(help="Else assets/results/finding-MODEL.json.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Set attribution beside pruning over a whole data set, and write what is found into assets/results.

    Half a second a text on one core. `ltp report` then writes docs/finding.md and its figures.

    Example: ltp finding --model sst2 --data ../glue
    """
    if steps < 1 or draws < 1 or (limit is not None and limit < 1):
        raise DataError("--steps, --draws and --limit must be at least 1")
    with quiet():
        where = choose_device(device)
        about = describe(model)  # all that can be refused is, before weights are loaded
        file = output or RESULTS / f"finding-{Path(model).name}.json"
        check_results(file)
        names = [name for name in others.split(",") if name]
        for name in names:
            describe(name)
        with reading() as read:
            rows = rows_for(about, data, split, read).fair(limit)
        pruner = load(model, where)
        borrowed = {Path(other).name: load(other, where) for other in names}
        options = Options(steps=steps, draws=draws)
        document = study(pruner, Path(model).name, rows, options, borrowed, messages.print, progress_bar)
        write_json(file, document)

    def table(console: Console) -> None:
        overall = document["agreement"]["overall"]
        if overall is not None:
            interval = f"{overall['low']:.3f}–{overall['high']:.3f}"
            console.print(f"agreement of attribution with survival: {overall['value']:.3f} ({interval})")
        console.print(str(file))

    emit(document, json, table)
