"""Measured time: warm-up, the compared things interleaved, medians with their spread."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ltp_core.model import PrunedModel, Text
from ltp_core.rules import Dense, Rule

LONG_MS = 100.0  # of a call: what libraries leave behind for the next one matters little beside it


@dataclass(frozen=True)
class Timing:
    """How long something took.

    Attributes:
        median_ms: median, in milliseconds.
        low_ms: first quartile.
        high_ms: third quartile.
        runs: how many times it was run.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    runs: int


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    device: torch.device,
    runs: int = 10,
    seconds: float = 0.5,
    warmup: int = 2,
    on_round: Callable[[], object] = lambda: None,
    rest: float = 0.0,
) -> dict[str, Timing]:
    """Time several calls in turn, so that a slow moment of the machine hits all of them.

    Args:
        calls: name -> what to run.
        device: waited for after each call where it works asynchronously.
        runs: at least so many runs each,
        seconds: and at least so long in all.
        warmup: untimed runs before.
        on_round: called after each round, outside of what is timed; may raise to stop.
        rest: seconds to wait before each turn, which then begins with an untimed call. Needed where
            libraries with threads of their own take turns: after a call the threads wait busily for some
            milliseconds and take the cores from whoever is next, and the caches hold another's weights.
            A call of over `LONG_MS` is not disturbed by either and goes without.

    Returns:
        name -> `Timing`.
    """
    samples: dict[str, list[float]] = {name: [] for name in calls}
    short: dict[str, bool] = {}

    def timed(call: Callable[[], object]) -> float:
        begin = time.perf_counter()
        call()
        synchronize(device)
        return (time.perf_counter() - begin) * 1000

    for _ in range(warmup):
        for name, call in calls.items():
            short[name] = timed(call) < LONG_MS
    start = time.perf_counter()
    rounds = 0
    while rounds < runs or time.perf_counter() - start < seconds:
        for name, call in calls.items():
            if rest and short.get(name, True):
                time.sleep(rest)
                timed(call)
            samples[name].append(timed(call))
        rounds += 1
        on_round()
    return {name: summary(values) for name, values in samples.items()}


def summary(milliseconds: list[float]) -> Timing:
    """Median and quartiles of measured times."""
    if len(milliseconds) < 2:
        return Timing(milliseconds[0], milliseconds[0], milliseconds[0], len(milliseconds))
    low, median, high = statistics.quantiles(milliseconds, n=4, method="inclusive")
    return Timing(median, low, high, len(milliseconds))


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@dataclass(frozen=True)
class Comparison:
    """The same text, three ways, timed in turn.

    Attributes:
        dense: Hugging Face's own forward, as loaded (sdpa attention).
        packed_dense: our engine with nothing pruned.
        pruned: our engine under the rule.
    """

    dense: Timing
    packed_dense: Timing
    pruned: Timing

    @property
    def speedup(self) -> float:
        """Dense over pruned medians."""
        return self.dense.median_ms / self.pruned.median_ms


def compare(
    model: PrunedModel, text: Text | list[Text], rule: Rule | None = None, **options: Any
) -> Comparison:
    """Measure how long a text takes here and now; tokenization is not counted.

    Args:
        model: what to run.
        text: a text, a pair, or a list of either as one batch.
        rule: who stays; None for the learned thresholds.
        options: for `interleaved`.
    """
    batch, _ = model.encode(text if isinstance(text, list) else [text])
    calls = {
        "dense": lambda: model.hf_model(**batch),
        "packed_dense": lambda: model(**batch, rule=Dense()),
        "pruned": lambda: model(**batch, rule=rule),
    }
    with torch.inference_mode():
        return Comparison(**interleaved(calls, model.device, **options))


def available_devices() -> list[str]:
    """The devices of this machine, the preferred one last: cpu, then mps or cuda where present."""
    devices = ["cpu"]
    if torch.backends.mps.is_available():
        devices.append("mps")
    if torch.cuda.is_available():
        devices.append("cuda")
    return devices


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
