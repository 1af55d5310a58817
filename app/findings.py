"""What the figures of Cost, Compare and Data set show, each as one sentence."""

from collections.abc import Sequence

from app.figures.latency import Timed
from app.words import NBSP, faster, flops, times
from ltp_core.flops import LayerFlops
from ltp_core.survey import LengthPoint


def share(value: float) -> str:
    """A share in whole percent: "62 %"."""
    return f"{value * 100:.0f}{NBSP}%"


def work(dense: Sequence[LayerFlops], pruned: Sequence[LayerFlops]) -> str:
    """Which part and which layers save most."""
    whole = sum(layer.total for layer in dense)
    saved = [before.total - after.total for before, after in zip(dense, pruned, strict=True)]
    total = sum(saved)
    if total == 0:
        return f"Nothing is pruned: the {len(dense)} layers do {flops(whole)}, all alike"
    by_ffn = sum(b.feed_forward - a.feed_forward for b, a in zip(dense, pruned, strict=True)) / total
    part, amount = ("FFN", by_ffn) if by_ffn >= 0.5 else ("attention", 1 - by_ffn)
    half = len(saved) // 2
    late = sum(saved[half:]) / total
    return (
        f"{share(total / whole)} of the work is saved: {share(amount)} of that in the {part}, "
        f"{share(late)} in the second half of the layers"
    )


def lengths(points: Sequence[LengthPoint]) -> str:
    """How the saving changes with the length."""
    first, last = points[0], points[-1]
    low, high = times(first.dense / first.pruned), times(last.dense / last.pruned)
    if last.dense == last.pruned:
        return "Nothing is pruned at any length"
    return f"{low} fewer FLOPs at {first.length} tokens, {high} at {last.length}"


def time(timed: Timed) -> str:
    """How much of the saved work is saved time."""
    if timed.flops_reduction == 1:
        return f"{timed.name}: nothing is pruned, so nothing can be gained"
    found = f"{timed.name}: {faster(timed.times)}, with {times(timed.flops_reduction)} fewer FLOPs"
    if timed.realised > 1:
        return f"{found}: more than pruning promises, so look at the control"
    return f"{found} ({share(timed.realised)} realised)"


def control(timed: Timed) -> str:
    """What our engine gains without pruning, and what pruning adds."""
    engine = timed.times.dense.median_ms / timed.times.packed_dense.median_ms
    alone = timed.times.packed_dense.median_ms / timed.times.pruned.median_ms
    return (
        f"Control: our engine, which computes no padding, takes {share(1 / engine)} of Hugging Face’s time "
        f"with nothing pruned. From there, pruning makes it {times(alone)} as fast, for "
        f"{times(timed.executed_reduction)} fewer executed FLOPs ({share(timed.realised_pruning)} realised)."
    )
