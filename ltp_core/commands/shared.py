"""What the commands share: options, devices, output, and errors as one line with exit code 2."""

import json
import logging
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers.utils import logging as transformers_logging

from ltp_core.model import PrunedModel
from ltp_core.rules import (
    Dense,
    LengthConfig,
    RandomKeep,
    Rule,
    Thresholds,
    TopK,
    falling_shares,
    flat_thresholds,
    rising_thresholds,
)
from ltp_core.speed.latency import available_devices

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else there.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps, or auto for the fastest one here.")]
Model = Annotated[str, typer.Option(help="A shipped model's name, a folder, or an id on the Hub.")]

messages = Console(stderr=True, highlight=False)


def choose_device(name: str) -> torch.device:
    """Turn a device's name into one that is here.

    Raises:
        ValueError: if it is not, with the list of those that are.
    """
    here = available_devices()
    if name == "auto":
        return torch.device(here[-1])
    if name not in here:
        raise ValueError(f"no device {name!r} here; there is: {', '.join(here)}, and auto")
    return torch.device(name)


def load(source: str | Path, device: torch.device) -> PrunedModel:
    """Load a model onto a device, ready to run."""
    return PrunedModel.from_pretrained(source).to(device)


RULE_FORMS = "learned, off, t1,t2,…, manual:0.02, manual/flat:0.02, topk:0.5, lat:0.5, random:0.5"


def rule_of(model: PrunedModel, text: str, factor: float = 1.0) -> Rule:
    """Read a rule from text.

    ``learned``, ``off``, ``t1,t2,…`` and ``manual:θ`` (rising to θ in the last layer) or
    ``manual/flat:θ`` are thresholds, which a factor multiplies. ``topk:r`` and ``lat:r`` keep a share of the
    tokens that falls to r, or has one value a layer, ``topk:r1,r2,…``; ``random:`` before a share, or before
    any other rule, keeps as many at random.

    Raises:
        ValueError: for anything else, the wrong count, or a factor with a rule that has no thresholds.
    """
    if not 0 <= factor < math.inf:
        raise ValueError(f"the factor on the thresholds must be finite and not negative, got {factor}")
    rule = _rule(model, text)
    if isinstance(rule, Thresholds):
        rule = rule.times(factor)
    elif factor != 1 and not isinstance(rule, Dense):
        raise ValueError(f"a factor multiplies thresholds, and {text!r} has none")
    rule.check(model.layers)
    return rule


def _rule(model: PrunedModel, text: str) -> Rule:
    kind, _, rest = text.partition(":")
    exponent = model.settings.length_exponent
    if text == "learned":
        return model.learned_rule
    if text == "off":
        return Thresholds([0.0] * model.layers, exponent)
    if kind == "manual":
        return rising_thresholds(_number(rest, kind), model.layers, exponent)
    if kind == "manual/flat":
        return flat_thresholds(_number(rest, kind), model.layers, exponent)
    if kind == "topk":
        return TopK(_shares(rest, kind, model.layers))
    if kind == "lat":
        return LengthConfig(_shares(rest, kind, model.layers))
    if kind == "random":
        counted = rest.lstrip(".")[:1].isdigit() and ":" not in rest
        return RandomKeep(LengthConfig(_shares(rest, kind, model.layers)) if counted else _rule(model, rest))
    return Thresholds(numbers(text, f"a rule ({RULE_FORMS})"), exponent)


def _number(text: str, kind: str) -> float:
    values = numbers(text, f"{kind}:θ")
    if len(values) != 1:
        raise ValueError(f"{kind}:θ takes one number, got {text!r}")
    return values[0]


def _shares(text: str, kind: str, layers: int) -> list[float]:
    values = numbers(text, f"{kind}:r")
    return values if len(values) > 1 else falling_shares(values[0], layers)


def numbers(text: str, what: str, whole: bool = False) -> list[float]:
    """Read numbers separated by commas.

    Raises:
        ValueError: if one is no number; or, where whole ones are wanted, not a whole one above 0.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{what}: {text!r} is not a list of numbers separated by commas") from None
    if whole and not all(value >= 1 and value.is_integer() for value in values):
        raise ValueError(f"{what}: {text!r} must hold whole numbers above 0")
    return values


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
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; yields a function that takes the number of things done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
