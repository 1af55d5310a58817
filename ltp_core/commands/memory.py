"""`memory`: the highest resident size of a process that runs a batch, ours and Hugging Face's."""

from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import USUAL_MODEL, Json, Model, emit, load, messages, quiet
from ltp_core.data.sentences import check_lengths
from ltp_core.results import RESULTS, check_results, stamp, write_json
from ltp_core.speed.resident import measure_resident
from ltp_core.speed.settled import to_multiply


def memory(
    model: Model = USUAL_MODEL,
    length: Annotated[int, typer.Option(help="Tokens of a text.")] = 512,
    batch_size: Annotated[int, typer.Option(help="Texts in the batch.")] = 16,
    target_flops: Annotated[float, typer.Option(help="FLOPs reduction of the pruned run.")] = 2.5,
    write: Annotated[bool, typer.Option(help="Also write assets/results/performance-memory.json.")] = False,
    json: Json = False,
) -> None:
    """Measure the peak resident memory of a batch, each run in a process of its own (Linux).

    Example: ltp memory --model sst2 --length 512 --batch-size 16
    """
    if length < 1 or batch_size < 1:
        raise ValueError("--length and --batch-size must be at least 1")
    file = RESULTS / "performance-memory.json"
    with quiet():
        about = describe(model)  # all that can be refused is, before weights are loaded
        check_lengths([length], about.max_tokens)
        to_multiply(about.learned_rule, "memory")
        if write:
            check_results(file, None)
        pruner = load(model, torch.device("cpu"))
        found = measure_resident(model, pruner, length, batch_size, target_flops, messages.print)
        document: dict[str, Any] = {"model": model, **found, **stamp()}
        if write:
            write_json(file, document)

    def table(console: Console) -> None:
        grid = Table("run", "peak resident MB")
        for run, value in document["megabytes"].items():
            grid.add_row(run, f"{value:.0f}")
        console.print(grid)

    emit(document, json, table)
