"""`precision`: time and accuracy of a model in float32, bfloat16 and dynamic int8."""

from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import USUAL_MODEL, Json, Model, emit, load, messages, quiet, reading
from ltp_core.data.sentences import check_lengths
from ltp_core.measuring.source import rows_for
from ltp_core.results import RESULTS, check_results, stamp, write_json
from ltp_core.rules.numbers import numbers
from ltp_core.speed.precision import measure_precision
from ltp_core.speed.settled import to_multiply


def precision(
    model: Model = USUAL_MODEL,
    data: Annotated[str | None, typer.Option(help="Labelled texts to score on; without, no scores.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many rows, of all classes.")] = 400,
    lengths: Annotated[str, typer.Option(help="Tokens of a text, at batch 1.")] = "32,128,512",
    target_flops: Annotated[float, typer.Option(help="FLOPs reduction that is set at each length.")] = 2.5,
    write: Annotated[
        bool, typer.Option(help="Also write assets/results/performance-precision.json.")
    ] = False,
    json: Json = False,
) -> None:
    """Time the pruned model in float32, bfloat16 and dynamic int8 on the CPU, and score each.

    Example: ltp precision --model sst2 --lengths 32,128
    """
    if limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    wanted = [int(n) for n in numbers(lengths, "--lengths", whole=True)]
    file = RESULTS / "performance-precision.json"
    with quiet():
        about = describe(model)  # all that can be refused is, before weights are loaded
        to_multiply(about.learned_rule, "precision")
        check_lengths(wanted, about.max_tokens)
        if write:
            check_results(file, None)
        with reading() as read:
            rows = None if data is None else rows_for(about, data, None, read).fair(limit)
        plain = load(model, torch.device("cpu"))
        found = measure_precision(plain, wanted, target_flops, rows, messages.print)
        document: dict[str, Any] = {"model": model, **found, **stamp()}
        if write:
            write_json(file, document)

    def table(console: Console) -> None:
        times, scores = document["times"], document["scores"]
        grid = Table("", *(f"{row['length']} tokens, ms" for row in times), "score")
        for name in times[0]["milliseconds"]:
            cells = [f"{row['milliseconds'][name]:.1f}" for row in times]
            grid.add_row(name, *cells, f"{scores[name]['pruned']:.4f}" if scores else "")
        console.print(grid)

    emit(document, json, table)
