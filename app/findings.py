"""What the figures of Cost, Compare and Data set show, each as one sentence."""

from collections.abc import Sequence

from app.figures.latency import Timed
from app.words import NBSP, agreement, faster, flops, probability, times
from ltp_core import Prediction
from ltp_core.contest import Contender
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


def answer(prediction: Prediction) -> str:
    """A label with its probability, or the value of a regression."""
    if prediction.label is None:
        return f"{prediction.value:.2f}"
    return f"{prediction.label} {probability(prediction.probabilities[prediction.label])}"


def contest(contenders: Sequence[Contender]) -> str:
    """Which rules keep the dense answer at the same work."""
    by_name = {contender.name: contender for contender in contenders}
    dense = by_name["dense"].prediction
    if dense.label is None:
        moved = {name: abs((c.prediction.value or 0) - (dense.value or 0)) for name, c in by_name.items()}
        nearest = min((name for name in moved if name != "dense"), key=lambda name: moved[name])
        return f"{SHORT[nearest]} stays nearest to the dense answer: {moved[nearest]:.2f} away"
    rivals = [c for c in contenders if c.name != "dense"]
    same = [c for c in rivals if c.prediction.label == dense.label]
    if len(same) == len(rivals):
        return f"All rules keep the answer of the dense run, {dense.label}"
    if not same:
        return f"No rule keeps the answer of the dense run, {dense.label}"
    lost = [SHORT[c.name] for c in rivals if c not in same]
    verb = "changes" if len(lost) == 1 else "change"
    return f"{_listed(lost)} {verb} the answer; the other rules keep {dense.label}"


SHORT = {
    "ltp": "Your thresholds",
    "manual": "rising thresholds",
    "topk": "top-k",
    "lat": "lengths",
    "random": "random choice",
}


def chance(yours: Prediction, draws: Sequence[Prediction]) -> str:
    """What random choices of as many tokens do."""
    kept = sum(agreement(yours, draw) == "same answer" for draw in draws)
    if yours.label is None:
        spread_ = [draw.value or 0 for draw in draws]
        return (
            f"{len(draws)} random choices of as many tokens answer {min(spread_):.2f} to {max(spread_):.2f}."
        )
    return f"Of {len(draws)} random choices of as many tokens, {kept} give your thresholds’ answer."


def two(a: Prediction, b: Prediction) -> str:
    """Settings A against B."""
    said = "give the same answer" if agreement(a, b) == "same answer" else f"differ: {answer(a)}, {answer(b)}"
    if a.flops == b.flops:
        return f"A and B {said}, at the same FLOPs"
    less, ratio = ("A", b.flops / a.flops) if a.flops < b.flops else ("B", a.flops / b.flops)
    return f"A and B {said}; {less} takes {times(ratio)} fewer FLOPs"


def _listed(names: Sequence[str]) -> str:
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[:1].upper() + text[1:]
