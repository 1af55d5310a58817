"""What the commands share: options, devices, output, and errors as one line with exit code 2."""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers.utils import logging as transformers_logging

from ltp_core.checkpoints import Described
from ltp_core.model import PrunedModel
from ltp_core.speed.latency import choose_device as choose_device
from ltp_core.training.job import FEWEST_TOKENS

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else there.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps, or auto for the fastest one here.")]
Model = Annotated[str, typer.Option(help="A shipped model's name, a folder, or an id on the Hub.")]

messages = Console(stderr=True, highlight=False)
A_MOMENT = 0.5  # seconds


def load(source: str | Path, device: torch.device) -> PrunedModel:
    """Load a model onto a device, ready to run."""
    return PrunedModel.from_pretrained(source).to(device)


def check_max_tokens(max_tokens: float | None) -> None:
    """Refuse a length that leaves no room for text between `[CLS]` and `[SEP]`."""
    if max_tokens is not None and max_tokens < FEWEST_TOKENS:
        raise ValueError(f"--max-tokens must be at least {FEWEST_TOKENS}, got {max_tokens:g}")


def check_lengths(model: Described, lengths: Sequence[int]) -> None:
    """Refuse an input of more tokens than a model reads."""
    if too_long := [length for length in lengths if length > model.max_tokens]:
        raise ValueError(f"length {too_long[0]} is more than this model's {model.max_tokens} tokens")


def emit(document: dict[str, Any] | list[Any], as_json: bool, table: Callable[[Console], None]) -> None:
    """Print a result: as JSON, or as `table` draws it."""
    if as_json:
        sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
    else:
        table(Console(highlight=False))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep stdout for the result: what libraries print goes to stderr, their chatter nowhere."""
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for library in ("datasets", "huggingface_hub"):  # the errors that they raise say what they would log
        logging.getLogger(library).setLevel(logging.CRITICAL)
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def reading() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while data is read, if that takes more than a moment; yields what a reader tells."""
    columns = (
        TextColumn("reading"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
    )
    progress, began, started = Progress(*columns, console=messages, transient=True), time.monotonic(), False
    task = progress.add_task("reading")

    def tell(done: int, total: int) -> None:
        nonlocal started
        if not started and time.monotonic() - began > A_MOMENT:
            progress.start()
            started = True
        progress.update(task, completed=done, total=max(total, 1))

    try:
        yield tell
    finally:
        if started:  # one that was never shown ends in an empty line
            progress.stop()


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; yields a function that takes the number of things done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
