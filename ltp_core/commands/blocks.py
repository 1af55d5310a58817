"""`blocks`: where OpenVINO gathers the survivors, and where a block of several layers is faster."""

from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.architectures import family_of
from ltp_core.checkpoints import describe
from ltp_core.commands.shared import USUAL_MODEL, Json, Model, emit, messages, quiet
from ltp_core.data.sentences import check_lengths
from ltp_core.model import PRECISIONS, PrunedModel
from ltp_core.onnx.classifier import Known
from ltp_core.openvino import graph_at
from ltp_core.openvino.blocks import TABLE
from ltp_core.results import stamp, write_json
from ltp_core.rules.numbers import numbers
from ltp_core.speed.pace import LENGTHS, measure_pace


def blocks(
    model: Model = USUAL_MODEL,
    precision: Annotated[str, typer.Option(help="float32 or int8.")] = "int8",
    lengths: Annotated[str, typer.Option(help="Tokens of a text, rising.")] = ",".join(map(str, LENGTHS)),
    runs: Annotated[int, typer.Option(help="Runs of each at least.")] = 40,
    threads: Annotated[int | None, typer.Option(help="OpenVINO's threads; all cores by default.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the table that the OpenVINO backend goes by.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure up to how many tokens a block of the OpenVINO backend takes all layers that are left, or two.

    In a block tokens that leave are hidden; between two, the survivors are gathered, which costs a call more.

    Example: ltp blocks --model sst2 --precision int8 --write
    """
    if precision not in PRECISIONS["openvino"]:
        raise ValueError(f"--precision must be {' or '.join(PRECISIONS['openvino'])}, got {precision!r}")
    if runs < 1 or (threads is not None and threads < 1):
        raise ValueError("--runs and --threads must be at least 1")
    wanted = tuple(sorted(int(n) for n in numbers(lengths, "--lengths", whole=True)))
    if threads is not None:
        torch.set_num_threads(threads)
    with quiet():
        check_lengths(wanted, _most_tokens(model))  # all that can be refused is, before it is loaded
        chain = PrunedModel.from_pretrained(model, backend="openvino", precision=precision)
        found = measure_pace(chain, wanted, runs, lambda line: messages.print(line))
    document = {"model": model, "precision": precision, **found, **stamp()}
    if write:
        write_json(TABLE, document)
        messages.print(f"written: {TABLE}")

    def table(console: Console) -> None:
        grid = Table("tokens", "one block, ms", "two layers, ms", "one layer, ms", "nothing pruned, ms")
        for row in found["rows"]:
            times = (f"{row[f'{name}_ms']:.2f}" for name in ("one_block", "pairs", "gathered", "dense"))
            grid.add_row(str(row["length"]), *times)
        console.print(grid)
        console.print(
            f"a block takes all layers up to {found['together']} tokens, and two up to {found['pairs']}"
        )

    emit(document, json, table)


def _most_tokens(source: str) -> int:
    """What a model reads, or the graph that `export` wrote of one, without loading it."""
    if graph := graph_at(source):
        config = Known.beside(graph, source).config
        return family_of(config).max_tokens(config)
    return describe(source).max_tokens
