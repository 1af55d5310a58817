"""`evaluate`: a data set in; scores, FLOPs and kept tokens out."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
    USUAL_MODEL,
    Device,
    Json,
    Model,
    check_max_tokens,
    choose_device,
    emit,
    load,
    messages,
    progress_bar,
    quiet,
    reading,
)
from ltp_core.data.labels import describe as described
from ltp_core.data.rows import DataError
from ltp_core.measuring.scoring import baseline_of, cut_said, length_of, run_unpruned, score_against
from ltp_core.measuring.source import rows_for
from ltp_core.rules.reading import rule_of
from ltp_core.rules.table import rule_forms


def evaluate(
    model: Model = USUAL_MODEL,
    data: Annotated[str | None, typer.Option(help="A data file, a local folder, or a Hub id.")] = None,
    split: Annotated[
        str | None,
        typer.Option(help="A split of the data; or tuning, untouched: what training held out of its rows."),
    ] = None,
    rule: Annotated[str, typer.Option(help=f"One of: {rule_forms()}.")] = "learned",
    factor: Annotated[float, typer.Option(help="Multiplies all thresholds: walks the curve.")] = 1.0,
    limit: Annotated[int | None, typer.Option(help="Only the first so many rows.")] = None,
    batch_size: Annotated[int, typer.Option(help="Examples in a packed batch.")] = 32,
    max_tokens: Annotated[int | None, typer.Option(help="Cut longer rows; else where training did.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Score a model on a data set: pruned, with nothing pruned, and the separately tuned baseline.

    Example: ltp evaluate --model sst2 --data reviews.csv
    """
    if batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, got {batch_size}")
    check_max_tokens(max_tokens)
    if limit is not None and limit < 1:
        raise DataError(f"--limit must be at least 1, got {limit}")
    where = choose_device(device)
    with quiet():
        about = describe(model)  # all that can be refused is, before weights are loaded
        who = rule_of(about, rule, factor)
        with reading() as read:
            rows = rows_for(about, data, split, read).first(limit)
        messages.print(f"{len(rows):,} rows, {described(rows.classes or ())}", markup=False)
        pruner = load(model, where)
        length = length_of(pruner, max_tokens)
        against = run_unpruned(pruner, baseline_of(model, pruner), rows, batch_size, length, progress_bar)
        document = score_against(pruner, against, rows, who, batch_size, progress_bar)

    def table(console: Console) -> None:
        grid = Table("", document["metric"], "paper FLOPs", "executed FLOPs")
        grid.add_row("baseline", _shown(document["baseline"]["score"]), "", "")
        for name in ("dense", "pruned"):
            said = document[name]
            flops = (f"{said['flops'] / 1e6:.1f} M", f"{said['executed_flops'] / 1e6:.1f} M")
            grid.add_row(name, _shown(said["score"]), *flops)
        console.print(grid)
        kept = ", ".join(f"{share:.0%}" for share in document["kept_per_layer"])
        console.print(f"{document['examples']} examples, {document['flops_reduction']:.2f}× fewer FLOPs")
        console.print(f"tokens left after each layer: {kept}")
        if cut := cut_said(document):
            console.print(cut)

    emit(document, json, table)


def _shown(score: float | None) -> str:
    return "none" if score is None else f"{score:.4f}"
