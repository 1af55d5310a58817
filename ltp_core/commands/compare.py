"""`compare`: accuracy against FLOPs of every rule on one family of models."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
    Device,
    Json,
    check_max_tokens,
    choose_device,
    emit,
    messages,
    one_option_each,
    progress_bar,
    quiet,
    reading,
)
from ltp_core.measuring.equal_flops import load_family, measured_rows, merged
from ltp_core.measuring.scoring import cut_said
from ltp_core.measuring.source import rows_for
from ltp_core.results import RESULTS, check_results, read_rows, write_rows
from ltp_core.rules.numbers import numbers
from ltp_core.rules.table import RULES
from ltp_core.training.rivals import RIVALS

# --topk FOLDER, --lat FOLDER: an option for each rival in the table.
Rivals = dict[str, Path]
FOLDERS = {
    name: Annotated[Path | None, typer.Option(help=f"What `train --method {name}` left.")] for name in RIVALS
}


@one_option_each("rivals", FOLDERS)
def compare(
    task: Annotated[str, typer.Option(help="The task: its shipped model is the first --ltp.")],
    ltp: Annotated[
        list[str] | None,
        typer.Option(help="Models with learned thresholds; of several, each target takes the nearest."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Whose baseline all is measured against; else the first --ltp's.")
    ] = None,
    rivals: Rivals | None = None,
    data: Annotated[
        str | None, typer.Option(help="A file, a folder or a Hub id; else the task's own.")
    ] = None,
    targets: Annotated[str, typer.Option(help="FLOPs reductions to meet.")] = "1.5,2.1,2.5,3",
    rules: Annotated[
        str | None, typer.Option(help="Only these, by their names in the results; else all.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Cut longer inputs; else as in training.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows, of all classes.")] = None,
    tuning_rows: Annotated[int, typer.Option(help="At most so many tuning rows to meet a target on.")] = 300,
    output: Annotated[
        Path | None, typer.Option(help="Results file; else assets/results/compare-TASK.json.")
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Measure every rule at the same FLOPs reductions, each on the weights that are its own.

    Whatever a rule needs to meet a target is chosen on tuning rows, held out of the training set; scores
    are the development set's. A rival whose folder is not given runs on the dense baseline, as
    `topk/untrained`; manual, calibrated and random rules always do.

    Example: ltp compare --task mrpc --ltp runs/mrpc --topk runs/mrpc-topk --lat runs/mrpc-lat
    """
    wanted = list(RULES) if rules is None else [name.strip() for name in rules.split(",")]
    if unknown := [name for name in wanted if name not in RULES]:
        raise ValueError(f"unknown rule {unknown[0]!r}; known: {', '.join(RULES)}")
    reductions = numbers(targets, "--targets")
    if not all(target >= 1 for target in reductions):
        raise ValueError(f"--targets are dense over pruned FLOPs, at least 1; got {targets}")
    if tuning_rows < 1 or (limit is not None and limit < 1):
        raise ValueError("--tuning-rows and --limit must be at least 1")
    check_max_tokens(max_tokens)
    file = output or RESULTS / f"compare-{Path(task).stem}.json"
    with quiet():
        learned = ltp or [task]
        dense = baseline or learned[0]
        check_results(file)  # all that can be refused is, before weights are loaded
        with reading() as read:
            rows = rows_for(describe(dense), data, None, read).fair(limit)
        where, say = choose_device(device), messages.print
        family = load_family(task, learned, dense, rivals or {}, where, data, tuning_rows, max_tokens, say)
        found: list[dict[str, Any]] = []
        for row in measured_rows(family, rows, wanted, reductions, say, progress_bar):
            found.append(row)
            write_rows(file, merged(read_rows(file), found))  # at once: a long run may be stopped
    document = {"task": task, "output": str(file), "rows": found}

    def table(console: Console) -> None:
        grid = Table(
            "rule", "target", found[0]["metric"] if found else "", "points lost", "FLOPs", "executed"
        )
        for row in found:
            ratios = [f"{row[kind]:.2f}×" for kind in ("flops_reduction", "executed_flops_reduction")]
            scores = [f"{100 * row['pruned_score']:.1f}", f"{row['points_lost']:z.1f}"]
            grid.add_row(row["rule"], f"{row['target_flops']:g}×", *scores, *ratios)
        console.print(grid)
        console.print(f"{len(rows)} development rows; {file}")
        if found and (cut := cut_said(found[0])):
            console.print(cut)

    emit(document, json, table)
