"""`handout`: a page to print, with a run of a model on it."""

from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core.checkpoints import USUAL_MODEL
from ltp_core.commands.shared import Device, Json, Model, choose_device, emit, load, quiet
from ltp_core.files.whole import check_file
from ltp_core.pages.handout import PageRun, write_handout
from ltp_core.rules import Dense

TEXT = "Even though the script is a mess, the photography is lovely."


def handout(
    output: Annotated[Path, typer.Option(help="The PDF to write; an earlier one is replaced.")],
    text: Annotated[str, typer.Argument(help="What the model reads.")] = TEXT,
    model: Model = USUAL_MODEL,
    pair: Annotated[str | None, typer.Option(help="The second text, for tasks on pairs.")] = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Write a page for a class as PDF: a sentence at every layer, both answers, the work, and four questions.

    All figures are of a run that is made now.

    Example: ltp handout --output handout.pdf
    """
    check_file(output)
    with quiet():
        pruner = load(model, choose_device(device))
        given = text if pair is None else (text, pair)
        dense, pruned = pruner.predict(given, Dense()), pruner.predict(given)
        made = f"LTP Lab {version('ltp-lab')}, model {Path(model).name}, run on {date.today().isoformat()}"
        shown = text if pair is None else f"{text}” and “{pair}"
        write_handout(PageRun(Path(model).name, pruner.dimensions, shown, dense, pruned, made), output)
    document = {
        "output": str(output),
        "model": model,
        "tokens": list(pruned.trace.tokens),
        "alive": list(pruned.trace.alive),
        "flops_reduction": pruned.flops_reduction,
    }

    def table(console: Console) -> None:
        console.print(
            f"{output}: {len(pruned.trace.tokens)} tokens, {pruned.flops_reduction:.2f}× fewer FLOPs"
        )

    emit(document, json, table)
