"""What the commands share: options, devices, output, and errors as one line with exit code 2."""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, TypeVar

import torch
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from transformers.utils import logging as transformers_logging

from ltp_core.checkpoints import USUAL_MODEL as USUAL_MODEL
from ltp_core.model import PrunedModel
from ltp_core.speed.latency import choose_device as choose_device
from ltp_core.training.job import FEWEST_TOKENS

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else there.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps, or auto for the fastest one here.")]
Model = Annotated[str, typer.Option(help="A shipped model's name, a folder, or an id on the Hub.")]

Command = TypeVar("Command", bound=Callable[..., None])

messages = Console(stderr=True, highlight=False)
A_MOMENT = 0.5  # seconds


def load(source: str | Path, device: torch.device) -> PrunedModel:
    """Load a model onto a device, ready to run."""
    return PrunedModel.from_pretrained(source).to(device)


def check_max_tokens(max_tokens: float | None) -> None:
    """Refuse a length that leaves no room for text between `[CLS]` and `[SEP]`."""
    if max_tokens is not None and max_tokens < FEWEST_TOKENS:
        raise ValueError(f"--max-tokens must be at least {FEWEST_TOKENS}, got {max_tokens:g}")


def emit(document: dict[str, Any] | list[Any], as_json: bool, table: Callable[[Console], None]) -> None:
    """Print a result: as JSON, or as `table` draws it."""
    if as_json:
        sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
    else:
        table(Console(highlight=False))


def one_option_each(argument: str, options: Mapping[str, Any]) -> Callable[[Command], Command]:
    """Give a command an option of its own for each entry of a table, in the place of one argument.

    typer reads a command's options from its signature; what a table names cannot stand there in text.

    Args:
        argument: of the command; it gets a dictionary of what was given, by the options' names.
        options: name -> its annotation, ``Annotated[Path | None, typer.Option(…)]``.
    """

    def widened(command: Command) -> Command:
        @wraps(command)
        def told(**given: Any) -> None:
            found = {name: given.pop(name) for name in options}
            command(
                **given, **{argument: {name: value for name, value in found.items() if value is not None}}
            )

        plain = signature(command, eval_str=True)
        takes = {
            name: Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
            for name, annotation in options.items()
        }
        parameters: list[Parameter] = []
        for name, parameter in plain.parameters.items():
            keyword = parameter.replace(kind=Parameter.KEYWORD_ONLY)
            parameters += takes.values() if name == argument else [keyword]
        told.__signature__ = plain.replace(parameters=parameters)  # type: ignore[attr-defined]
        told.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return told  # type: ignore[return-value]

    return widened


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
    """A bar while data is read, if that takes more than a moment; yields what a reader tells.

    On a terminal only: elsewhere rich ends a bar that it has not drawn with an empty line.
    """
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
        if not started and messages.is_terminal and time.monotonic() - began > A_MOMENT:
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
    """A bar, on a terminal; yields a function that takes the number of things done."""
    if not messages.is_terminal:  # as above
        yield lambda done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
