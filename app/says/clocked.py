"""What a measured comparison says in words: pruning's own gain first, our engine's apart from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.says import words
from ltp_core.speed.latency import Ratio, TextTimes, paired_ratio, summary

NOTHING = "Pruning: nothing is pruned, so nothing is gained"


@dataclass(frozen=True)
class TimeSaid:
    """Lines for the stage.

    Attributes:
        headline: pruning's own gain, or that it is too noisy to say.
        lines: what stands under it.
        noisy: whether nothing can be said.
    """

    headline: str
    lines: tuple[str, ...]
    noisy: bool


def said(measured: TextTimes, device: str, prunes: bool = True) -> TimeSaid:
    """Pruning's gain with its interval, the times, and our engine's gain over Hugging Face's.

    Args:
        measured: the three runs in turns.
        device: name of the device, for people.
        prunes: whether the thresholds remove anything.
    """
    ratio, engine = measured.pruning, measured.engine
    noisy = prunes and ratio.undecided
    dense, pruned = (words.milliseconds(t.median_ms) for t in (measured.packed_dense, measured.pruned))
    turns = measured.pruned.runs
    return TimeSaid(
        NOTHING if not prunes else f"Pruning: {gain(ratio)}",
        (
            f"{dense} → {pruned} on this {device}, in {turns} turns",
            f"Apart from that, our engine {compared(engine)} Hugging Face’s",
        ),
        noisy,
    )


def said_of_browser(rounds: Sequence[tuple[float, float]], prunes: bool = True) -> TimeSaid:
    """Pruning's gain in the visitor's browser, where both runs have taken turns.

    Args:
        rounds: milliseconds, dense and pruned, of each turn.
        prunes: whether the thresholds remove anything.
    """
    dense, pruned = (summary([turn[at] for turn in rounds]) for at in (0, 1))
    ratio = paired_ratio(dense, pruned)
    times = f"{words.milliseconds(dense.median_ms)} → {words.milliseconds(pruned.median_ms)}"
    return TimeSaid(
        NOTHING if not prunes else f"Pruning: {gain(ratio)}",
        (f"{times} in this browser, on one thread, in {len(rounds)} turns",),
        prunes and ratio.undecided,
    )


def gain(ratio: Ratio) -> str:
    """A ratio with its interval: "1.31× faster (1.22–1.40)"; none is claimed that the noise swallows."""
    interval = f"({_bare(ratio.low)}–{_bare(ratio.high)})"
    if ratio.undecided:
        return f"too noisy to say {interval}"
    if ratio.value >= 1:
        return f"{words.times(ratio.value)} faster {interval}"
    slower = f"({_bare(1 / ratio.high)}–{_bare(1 / ratio.low)})"
    return f"{words.times(1 / ratio.value)} slower {slower}"


def compared(ratio: Ratio) -> str:
    """Of our engine beside another: "is 1.7× as fast as"."""
    if ratio.low <= 1 <= ratio.high:
        return "is about as fast as"
    return f"is {words.times(ratio.value)} as fast as"


def _bare(ratio: float) -> str:
    return words.times(ratio).removesuffix("×")
