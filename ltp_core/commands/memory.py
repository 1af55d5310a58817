"""`memory`: the highest resident size of a process that runs a batch, ours and Hugging Face's."""

from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import USUAL_MODEL, Json, Model, check_lengths, emit, load, messages, quiet
from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.results import RESULTS, check_results, stamp, write_json
from ltp_core.rules import Thresholds
from ltp_core.speed.growth import rule_for
from ltp_core.speed.memory import RUNS, process_megabytes


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
        check_lengths(about, [length])
        if not isinstance(learned := about.learned_rule, Thresholds):
            raise ValueError("memory needs thresholds to multiply, and this model has none")
        if write:
            check_results(file, None)
        pruner = load(model, torch.device("cpu"))
        texts = inputs_of_length(pruner.tokenizer, own_sentences(), length, batch_size)
        rule, reduction = rule_for(pruner, learned, texts[:4], target_flops)
        megabytes = {}
        for run in RUNS:
            megabytes[run] = process_megabytes(model, run, texts, length, rule.values)
            messages.print(f"{run}: {megabytes[run]:.0f} MB")
        document: dict[str, Any] = {
            **{"model": model, "length": length, "batch_size": batch_size, "flops_reduction": reduction},
            **{"megabytes": megabytes, **stamp()},
        }
        if write:
            write_json(file, document)

    def table(console: Console) -> None:
        grid = Table("run", "peak resident MB")
        for run, value in megabytes.items():
            grid.add_row(run, f"{value:.0f}")
        console.print(grid)

    emit(document, json, table)
