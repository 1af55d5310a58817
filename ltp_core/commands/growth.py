"""`growth`: time and memory against the length of a text and the size of a batch."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.commands.shared import Device, Json, Model, choose_device, emit, load, messages, numbers, quiet
from ltp_core.growth import measure
from ltp_core.results import RESULTS, stamp, write_rows
from ltp_core.sentences import own_sentences


def growth(
    model: Model = "sst2",
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

    Example: ltp growth --model sst2
    """
    in_length = [int(n) for n in numbers(lengths, "--lengths", whole=True)]
    in_batch = [int(n) for n in numbers(batch_sizes, "--batch-sizes", whole=True)]
    extra = [int(n) for n in numbers(largest, "--largest", whole=True)]
    if len(extra) != 2:
        raise ValueError(f"--largest: {largest!r} must be two numbers, tokens and batch size")
    cases = list(
        dict.fromkeys([*((n, 1) for n in in_length), *((length, b) for b in in_batch), tuple(extra)])
    )
    with quiet():
        pruner = load(model, choose_device(device))
        if too_long := [n for n, _ in cases if n > pruner.max_tokens]:
            raise ValueError(f"length {too_long[0]} is more than this model's {pruner.max_tokens} tokens")
        found = measure(
            pruner,
            own_sentences(),
            [(n, b) for n, b in cases],
            target_flops,
            runs,
            lambda row: messages.print(f"{row.length} tokens, batch {row.batch_size}"),
        )
        origin = {"model": model, "device": str(pruner.device), "threads": torch.get_num_threads(), **stamp()}
        rows = [{**row, **origin} for row in found]
        write_rows(output, rows)

    def table(console: Console) -> None:
        grid = Table("tokens", "batch", "Hugging Face ms (MB)", "packed dense ms (MB)", "pruned ms (MB)")
        for row in found:
            times, memory = row["milliseconds"], row["megabytes"]
            cells = [f"{times[name]:.1f} ({_megabytes(memory[name])})" for name in times]
            grid.add_row(str(row["length"]), str(row["batch_size"]), *cells)
        console.print(grid)

    emit({"output": str(output), "rows": rows}, json, table)


def _megabytes(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0f}"
