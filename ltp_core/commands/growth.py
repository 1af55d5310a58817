"""`growth`: time and memory against the length of a text and the size of a batch."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

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
    quiet,
)
from ltp_core.data.sentences import check_lengths, own_sentences
from ltp_core.results import RESULTS, check_results, put_row, stamp
from ltp_core.rules.numbers import numbers
from ltp_core.speed.growth import GrowthRow, measure_growth
from ltp_core.speed.settled import to_multiply


def growth(
    model: Model = USUAL_MODEL,
    lengths: Annotated[str, typer.Option(help="Tokens of a text, at batch 1.")] = "16,32,64,128,256,512",
    batch_sizes: Annotated[str, typer.Option(help="Texts in a batch, at --length.")] = "1,2,4,8,16,32,64",
    length: Annotated[int, typer.Option(help="Tokens of a text, for --batch-sizes.")] = 128,
    largest: Annotated[str, typer.Option(help="One more case: tokens, batch size.")] = "512,16",
    target_flops: Annotated[float, typer.Option(help="FLOPs reduction that is set at each length.")] = 2.5,
    runs: Annotated[int, typer.Option(help="Runs of each at least.")] = 5,
    output: Annotated[Path, typer.Option(help="The file that is written.")] = RESULTS
    / "performance-growth.json",
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Measure how time and memory grow: Hugging Face, ours with nothing pruned, and ours pruned.

    A row replaces that of its length and batch size in the file, as soon as it is measured, so the work can
    be cut into pieces: an empty --lengths, --batch-sizes or --largest leaves those cases out.

    Example: ltp growth --model sst2
    """
    cases = [*((n, 1) for n in _whole(lengths, "--lengths"))]
    cases += [(length, size) for size in _whole(batch_sizes, "--batch-sizes")]
    if largest:
        extra = _whole(largest, "--largest")
        if len(extra) != 2:
            raise ValueError(f"--largest: {largest!r} must be two numbers, tokens and batch size")
        cases.append((extra[0], extra[1]))
    with quiet():
        where, about = choose_device(device), describe(model)  # before weights are loaded
        to_multiply(about.learned_rule, "growth")
        check_lengths([n for n, _ in cases], about.max_tokens)
        check_results(output)
        pruner = load(model, where)
        origin = {
            **{"model": model, "device": str(pruner.device), "threads": torch.get_num_threads()},
            **{"target_flops": target_flops, **stamp()},
        }

        def keep(row: GrowthRow) -> None:
            messages.print(f"{row.length} tokens, batch {row.batch_size}")
            put_row(output, {**asdict(row), **origin}, _case)

        found = measure_growth(pruner, own_sentences(), list(dict.fromkeys(cases)), target_flops, runs, keep)
    rows = [{**row, **origin} for row in found]

    def table(console: Console) -> None:
        grid = Table("tokens", "batch", "Hugging Face ms (MB)", "packed dense ms (MB)", "pruned ms (MB)")
        for row in found:
            times, memory = row["milliseconds"], row["megabytes"]
            cells = [f"{times[name]:.1f} ({_megabytes(memory[name])})" for name in times]
            grid.add_row(str(row["length"]), str(row["batch_size"]), *cells)
        console.print(grid)

    emit({"output": str(output), "rows": rows}, json, table)


def _whole(text: str, what: str) -> list[int]:
    return [int(n) for n in numbers(text, what, whole=True)] if text else []


def _case(row: dict[str, Any]) -> tuple[str, int, int]:
    return row["model"], row["length"], row["batch_size"]


def _megabytes(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0f}"
