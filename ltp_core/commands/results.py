"""`results`: measure the shipped models, and write what was found into files, cards and docs."""

from typing import Annotated

import typer
from rich.console import Console

from ltp_core.checkpoints import absent_bases, shipped_models
from ltp_core.commands.shared import (
    Device,
    Json,
    check_max_tokens,
    choose_device,
    emit,
    messages,
    progress_bar,
    quiet,
)
from ltp_core.files.whole import check_output
from ltp_core.measuring.scoring import cut_said
from ltp_core.measuring.shipped import FACTORS, measure_shipped
from ltp_core.pages.shipped import write_shipped
from ltp_core.results import RESULTS, check_results
from ltp_core.rules.numbers import numbers

USUAL = ",".join(f"{factor:g}" for factor in FACTORS)


def results(
    data: Annotated[
        str | None, typer.Option(help="A file, a folder or a Hub id; else the task's own.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only this shipped model.")] = None,
    factors: Annotated[
        str, typer.Option(help="Factors on the thresholds for the accuracy against FLOPs curve.")
    ] = USUAL,
    max_tokens: Annotated[
        str | None, typer.Option(help="Cut inputs at each of these lengths; else at that of the training.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows, of all classes.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Measure the shipped models on their development, untouched and tuning rows.

    Example: ltp results --model imdb --max-tokens 256,512
    """
    lengths = (
        None if max_tokens is None else [int(n) for n in numbers(max_tokens, "--max-tokens", whole=True)]
    )
    for length in lengths or []:
        check_max_tokens(length)
    if limit is not None and limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    where, walk = choose_device(device), numbers(factors, "--factors")
    shipped = shipped_models()
    if model is not None and model not in shipped:
        raise ValueError(f"no shipped model {model!r}; there is: {', '.join(shipped)}")
    with quiet():
        absent = {} if model else absent_bases()
        for name, base in absent.items():
            messages.print(f"{name} is left out: {base.absence}")
        chosen = [model] if model else [name for name in shipped if name not in absent]
        found = {}
        for name in chosen:  # before anything is measured
            check_results(RESULTS / f"{name}.json", None)
            check_output(shipped[name], resumes=True, option=None)
        for name in chosen:
            measured = measure_shipped(name, data, walk, where, lengths, limit, messages.print, progress_bar)
            found[name] = write_shipped(name, *measured)

    def table(console: Console) -> None:
        for name, parts in found.items():
            console.print(f"{RESULTS / name}.json and the card of {name}")
            for title, part in parts.items():
                if title != "stamp" and (cut := cut_said(part)):
                    console.print(f"{title}: {cut}")

    emit({"models": found}, json, table)
