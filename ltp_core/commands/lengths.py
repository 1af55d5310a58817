"""`lengths`: scores and FLOPs far beyond the length of the training, with a reference length and without."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
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
from ltp_core.data.sentences import check_lengths
from ltp_core.measuring.lengths import learned_thresholds, measure_lengths, usual_lengths
from ltp_core.measuring.scoring import baseline_of
from ltp_core.measuring.source import rows_for
from ltp_core.results import RESULTS, check_results, put_row, stamp
from ltp_core.rules.numbers import numbers
from ltp_core.rules.thresholds import checked_reference_length

NONE = "none"


def lengths(
    model: Model = "sst2",
    data: Annotated[
        str | None, typer.Option(help="Long texts: a file, a folder or a Hub id; else the task's own.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="A split of the data.")] = None,
    max_tokens: Annotated[
        str | None, typer.Option(help="Cut texts at each of these; else at 1, 2 and 4 times the training's.")
    ] = None,
    reference_lengths: Annotated[
        str | None,
        typer.Option(help="Reference lengths to compare, or none; else none and the model's own: none,25."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows, of all classes.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file that is written; else assets/results/lengths-MODEL.json.")
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Measure a model on texts longer than those of its training; `report` draws what was found.

    A row replaces that of its length and reference length in the file as soon as it is measured.

    Example: ltp lengths --model sst2 --data stanfordnlp/imdb --split test --limit 400
    """
    if limit is not None and limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    cuts = None if max_tokens is None else [int(n) for n in numbers(max_tokens, "--max-tokens", whole=True)]
    for cut in cuts or []:
        check_max_tokens(cut)
    asked = None if reference_lengths is None else _references(reference_lengths)
    where, file = choose_device(device), output or RESULTS / f"lengths-{Path(model).name}.json"
    measured: list[dict[str, Any]] = []
    with quiet():
        about = describe(model)  # all that can be refused is, before weights are loaded
        learned_thresholds(about)
        check_lengths(cuts or [], about.max_tokens)
        check_results(file)
        with reading() as read:
            rows = rows_for(about, data, split, read).fair(limit)
        pruner = load(model, where)
        if asked is None:
            asked = list(dict.fromkeys([None, pruner.reference_length]))
        origin = {"model": model, "data": data, "limit": limit, **stamp(pruner.device)}

        def keep(found: dict[str, Any]) -> None:
            row = found | origin
            messages.print(f"{row['max_tokens']} tokens, reference length {row['reference_length']}")
            measured.append(row)
            put_row(file, row, _case)

        baseline = baseline_of(model, pruner)
        measure_lengths(pruner, baseline, rows, cuts or usual_lengths(pruner), asked, keep, progress_bar)

    def table(console: Console) -> None:
        grid = Table("cut at", "reference length", "dense", "pruned", "FLOPs", "rows cut")
        for row in measured:
            scores = [f"{100 * row[name]:.1f}" for name in ("dense_score", "pruned_score")]
            reference = NONE if row["reference_length"] is None else f"{row['reference_length']:g}"
            cut = f"{row['truncated_examples']:,} of {row['examples']:,}"
            grid.add_row(str(row["max_tokens"]), reference, *scores, f"{row['flops_reduction']:.2f}×", cut)
        console.print(grid)
        console.print(str(file))

    emit({"output": str(file), "rows": measured}, json, table)


def _references(text: str) -> list[float | None]:
    """`none,25` -> the reference lengths, each once."""
    found: list[float | None] = []
    for part in text.split(","):
        if part.strip() == NONE:
            found.append(None)
        else:
            found += [checked_reference_length(number) for number in numbers(part, "--reference-lengths")]
    return list(dict.fromkeys(found))


def _case(row: dict[str, Any]) -> tuple[str, int, float]:
    """What a row replaces; no reference length comes first."""
    return row["model"], row["max_tokens"], row["reference_length"] or 0.0
