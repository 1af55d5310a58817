"""What the figures of Cost, Compare and Data set show, each as one sentence."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from app.says.clocked import gain
from app.says.dots import Speed
from app.says.timed import Timed
from app.says.words import NBSP, SCORES, agreement, faster, flops, number, probability, times
from ltp_core import Prediction
from ltp_core.data.survey import Fate, LengthPoint, Survey
from ltp_core.flops import LayerFlops
from ltp_core.pictures.dots import Dot
from ltp_core.rules.table import DENSE, LTP
from ltp_core.why.contest import Contender


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
    """How the saving changes with the length; one at which no text is left to read is no gain, and said."""
    if points[-1].dense == points[-1].pruned:
        return "Nothing is pruned at any length"
    whole = list(takewhile(lambda point: point.collapses is None, points))
    if not whole:
        return f"Too much is pruned: only the first token is left after layer {points[0].collapses}"
    first, last = whole[0], whole[-1]
    low, high = times(first.dense / first.pruned), times(last.dense / last.pruned)
    found = f"{low} fewer FLOPs at {first.length} tokens"
    if first is not last:
        found += f", {high} at {last.length}"
    if len(whole) < len(points):
        collapsed = points[len(whole)]
        found += f"; at {collapsed.length}, only the first token is left after layer {collapsed.collapses}"
    return found


def time(timed: Timed) -> str:
    """How much of the saved work is saved time: our pruned run against our dense one."""
    if timed.flops_reduction == 1:
        return f"{timed.name}: nothing is pruned, so nothing can be gained"
    ratio = timed.times.pruning
    if ratio.undecided:
        return f"{timed.name}: what pruning gives is {gain(ratio)}"
    less = f"{times(timed.executed_reduction)} fewer FLOPs ({share(timed.realised_pruning)} realised)"
    return f"{timed.name}: pruning makes it {gain(ratio)}, with {less}"


def control(timed: Timed) -> str:
    """What our engine gains without pruning, and what both give together."""
    engine = timed.times.packed_dense.median_ms / timed.times.dense.median_ms
    both = f"{faster(timed.times)}, with {times(timed.flops_reduction)} fewer paper FLOPs"
    return (
        f"Control: our engine, which computes no padding, takes {share(engine)} of Hugging Face’s time with "
        f"nothing pruned. Both together: {both}."
    )


def answer(prediction: Prediction) -> str:
    """A label with its probability, or the value of a regression."""
    if prediction.label is None:
        return number(prediction.value or 0)
    return f"{prediction.label} {probability(prediction.confidence or 0)}"


def contest(contenders: Sequence[Contender]) -> str:
    """Which rules keep the dense answer at the same work."""
    by_name = {contender.name: contender for contender in contenders}
    dense = by_name[DENSE.name].prediction
    if dense.label is None:
        moved = {name: abs((c.prediction.value or 0) - (dense.value or 0)) for name, c in by_name.items()}
        nearest = min((name for name in moved if name != DENSE.name), key=lambda name: moved[name])
        return f"Nearest to the dense answer: {by_name[nearest].kind.short}, {moved[nearest]:.2f} away"
    rivals = [c for c in contenders if c.kind is not DENSE]
    same = [c for c in rivals if c.prediction.label == dense.label]
    if len(same) == len(rivals):
        return f"All rules keep the answer of the dense run, {dense.label}"
    if not same:
        return f"No rule keeps the answer of the dense run, {dense.label}"
    lost = [c.kind.short for c in rivals if c not in same]
    verb = "changes" if len(lost) == 1 else "change"
    return f"{_listed(lost)} {verb} the answer; the other rules keep {dense.label}"


def frontier(dots: Sequence[Dot]) -> str:
    """How far the learned thresholds come at less than a point lost; with their band."""
    learned = [dot for dot in dots if dot.rule == LTP.name]
    cheap = [dot for dot in learned if dot.lost < 1]
    if not learned:
        return "The learned thresholds were not measured here"
    if not cheap:
        least = min(learned, key=lambda dot: dot.lost)
        at = times(least.reduction)
        return f"Learned thresholds lose {least.lost:.1f} points at least, at {at} fewer FLOPs"
    best = max(cheap, key=lambda dot: dot.reduction)
    return (
        f"Learned thresholds lose less than a point up to {times(best.reduction)} fewer FLOPs: "
        f"{number(best.lost, 1)} points ({number(best.low, 1)} to {number(best.high, 1)})"
    )


def measured(found: Sequence[Speed]) -> str:
    """What pruning alone gave in time for what it saved in FLOPs, over all benchmarks."""
    runs = [run for run in found if run.against == "sdpa"]
    low, high = min(run.pruning for run in runs), max(run.pruning for run in runs)
    less, more = min(run.reduction for run in runs), max(run.reduction for run in runs)
    return (
        f"Measured: pruning alone gives {times(low)} to {times(high)} in time "
        f"for {times(less)} to {times(more)} fewer FLOPs"
    )


def growth(rows: Sequence[Mapping[str, Any]]) -> str:
    """How the gain grows with the length of a text."""
    alone = sorted((row for row in rows if row["batch_size"] == 1), key=lambda row: row["length"])
    gains = [row["milliseconds"]["packed_dense"] / row["milliseconds"]["pruned"] for row in alone]
    return (
        f"From {alone[0]['length']} to {alone[-1]['length']} tokens, pruning’s gain in time goes from "
        f"{times(gains[0])} to {times(gains[-1])}"
    )


def chance(yours: Prediction, draws: Sequence[Prediction]) -> str:
    """What random choices of as many tokens do."""
    kept = sum(agreement(yours, draw) == "same answer" for draw in draws)
    if yours.label is None:
        values = [draw.value or 0 for draw in draws]
        low, high = number(min(values)), number(max(values))
        return f"{len(draws)} random choices of as many tokens answer {low} to {high}."
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


def survey(found: Survey) -> str:
    """What pruning did to many texts."""
    count, reduction = len(found.rows), times(found.flops_reduction)
    at = {point.factor: point for point in found.curve}
    dense, pruned = at[0.0], at[1.0]
    parts = [f"{reduction} fewer FLOPs on {count:,} {'text' if count == 1 else 'texts'}"]
    if pruned.agreement is not None:
        flipped = len(found.flipped)
        parts.append("no answer changes" if not flipped else f"{flipped:,} change their answer")
    else:
        parts.append(f"answers move by {sum(row.moved for row in found.rows) / count:.2f} on average")
    if pruned.score is not None and dense.score is not None:
        parts.append(
            f"{SCORES[found.metric]} {score(pruned.score, found.metric)}, dense "
            f"{score(dense.score, found.metric)}"
        )
    return "; ".join(parts)


def score(value: float, metric: str) -> str:
    """A score with its unit: percent where it is a share."""
    return f"{100 * value:.1f}{NBSP}%" if metric in ("accuracy", "f1") else number(value, 3)


def curve(found: Survey) -> str:
    """What more or less pruning would do."""
    at = {point.factor: point for point in found.curve}
    if len(at) == 2:
        return "Nothing is pruned, so there is no curve"
    last = found.curve[-1]
    if last.score is not None and at[0.0].score is not None:
        return (
            f"From dense to {times(last.flops_reduction)}, {SCORES[found.metric]} goes from "
            f"{score(at[0.0].score, found.metric)} to {score(last.score, found.metric)}"
        )
    if last.agreement is not None:
        return f"At {times(last.flops_reduction)}, {share(last.agreement)} of the answers are the dense ones"
    return f"The thresholds reach {times(last.flops_reduction)}"


def kept(shares: Sequence[float]) -> str:
    """Where most tokens leave, over all texts."""
    leaving = [before - after for before, after in zip([1.0, *shares[:-1]], shares, strict=True)]
    if not any(leaving):
        return "All tokens go through all layers"
    busiest = max(range(len(leaving)), key=lambda index: leaving[index])
    return f"Most tokens leave in layer {busiest + 1}: {share(leaving[busiest])} of all"


def words_that_go(fates: Sequence[Fate], layers: int) -> str:
    """Who goes first, who stays; the words themselves are in the figure."""
    if not fates:
        return "No word occurs often enough to be counted"
    if fates[0].layers == layers:
        return "Every word stays to the end"
    first, last = fates[0], fates[-1]
    if first.layers == last.layers:
        who = f"“{first.token}”" if len(fates) == 1 else "Every word"
        return f"{who} stays for {first.layers:.1f} of {layers} layers"
    return f"“{first.token}” goes first, after {first.layers:.1f} layers; “{last.token}” stays longest"


def work_of_texts(found: Survey) -> str:
    """How the saving depends on the length."""
    rows = sorted(found.rows, key=lambda row: row.tokens)
    if found.flops_reduction == 1:
        return "Nothing is saved at any length"
    third = max(len(rows) // 3, 1)
    short, long = (
        sum(row.dense_flops for row in part) / sum(row.flops for row in part)
        for part in (rows[:third], rows[-third:])
    )
    return f"The shortest third saves {times(short)}, the longest third {times(long)}"
