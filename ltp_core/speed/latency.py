"""Measured time: warm-up, the compared things interleaved, medians with their spread."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from ltp_core.model import PrunedModel, Text
from ltp_core.rules import Dense, Rule

TOO_WIDE = 0.3  # of a ratio: an interval that is wider says nothing
LONG_MS = 100.0  # of a call: what libraries leave behind for the next one matters little beside it


@dataclass(frozen=True)
class Timing:
    """How long something took.

    Attributes:
        median_ms: median, in milliseconds.
        low_ms: first quartile.
        high_ms: third quartile.
        runs: how many times it was run.
        samples: the times themselves, turn by turn.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    runs: int
    samples: tuple[float, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Ratio:
    """How many times as fast one of two things that took turns is.

    Attributes:
        value: median over the turns of the other's time over its own.
        low: where the interval for the median ratio begins, with a confidence of at least 95 %.
        high: where this interval ends.
    """

    value: float
    low: float
    high: float

    @property
    def undecided(self) -> bool:
        """Whether nothing can be said: the interval holds 1, or is wider than `TOO_WIDE` of the value."""
        return self.low <= 1 <= self.high or self.high - self.low > TOO_WIDE * self.value


def paired_ratio(slower: Timing, faster: Timing) -> Ratio:
    """Compare two things that were timed in the same turns.

    A slow moment of the machine hits both runs of a turn, so the ratios of the turns vary less than the
    times. The interval needs no assumption on how they are distributed: its ends are the k-th smallest and
    the k-th largest ratio, with the largest k for which the sign test gives 95 %; of fewer than six turns,
    which give no such interval, the least and the largest.

    Args:
        slower: times above the line.
        faster: times below the line.

    Raises:
        ValueError: if they hold no turns, or not equally many.
    """
    if not slower.samples or len(slower.samples) != len(faster.samples):
        raise ValueError("a paired ratio needs times of the same turns")
    ratios = sorted(one / other for one, other in zip(slower.samples, faster.samples, strict=True))
    out = _left_out(len(ratios))
    return Ratio(statistics.median(ratios), ratios[out], ratios[-1 - out])


def _left_out(count: int) -> int:
    """How many of so many ordered values lie outside of a 95 % interval for their median, on each side."""
    below, out = 0.5**count, 0  # chance that none lies below the median
    while 2 * below <= 0.05:
        out += 1
        below += math.comb(count, out) * 0.5**count
    return max(0, out - 1)


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

    The first opens each turn; the others follow in one order and, the next time, in the other, since a call
    finds in the caches what the one before has left there.

    Args:
        calls: name -> what to run.
        device: waited for after each call where it works asynchronously.
        runs: at least so many runs each.
        seconds: at least so long in all.
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
        first, *others = calls
        for name in [first, *(others if rounds % 2 == 0 else reversed(others))]:
            call = calls[name]
            if rest and short.get(name, True):
                time.sleep(rest)
                timed(call)
            samples[name].append(timed(call))
        rounds += 1
        on_round()
    return {name: summary(values) for name, values in samples.items()}


def summary(milliseconds: list[float]) -> Timing:
    """Median and quartiles of measured times, which come in the order of their turns."""
    samples = tuple(milliseconds)
    if len(samples) < 2:
        return Timing(samples[0], samples[0], samples[0], len(samples), samples)
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Timing(median, low, high, len(samples), samples)


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@dataclass(frozen=True)
class TextTimes:
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

    @property
    def pruning(self) -> Ratio:
        """How many times as fast pruning makes our engine; raises as `paired_ratio` does."""
        return paired_ratio(self.packed_dense, self.pruned)

    @property
    def engine(self) -> Ratio:
        """How many times as fast our engine is as Hugging Face's forward, with nothing pruned; likewise."""
        return paired_ratio(self.dense, self.packed_dense)


def time_text(
    model: PrunedModel, text: Text | list[Text], rule: Rule | None = None, **options: Any
) -> TextTimes:
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
        return TextTimes(**interleaved(calls, model.device, **options))


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
