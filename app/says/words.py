"""Numbers with their units, and what a figure shows as a sentence."""

from collections.abc import Sequence

from ltp_core import AttentionTrace, Prediction, Trace
from ltp_core.speed.latency import TextTimes, Timing

MOVED = 0.1  # of probability: beyond, the same label is not the same answer
NBSP = "\u00a0"  # keeps a number and its unit on one line
MINUS = "\u2212"  # as wide as a plus; a hyphen is for words, files and addresses
SCORES = {"accuracy": "accuracy", "f1": "F1", "matthews": "Matthews correlation", "spearman": "Spearman’s ρ"}


def percent(share: float) -> str:
    """A share with two digits that mean something: "43 %", "4.3 %", "0.43 %"."""
    value = share * 100
    if value == 0 or value >= 10:
        return f"{value:.0f}{NBSP}%"
    return f"{value:.1f}{NBSP}%" if value >= 1 else f"{value:.2g}{NBSP}%"


def threshold(share: float) -> str:
    """A threshold with three digits: "1.25 %"."""
    return f"{share * 100:.3g}{NBSP}%"


def probability(share: float) -> str:
    """A probability in percent; never rounded up to certainty."""
    if 0.999 < share < 1:
        return f">{NBSP}99.9{NBSP}%"
    return f"<{NBSP}0.1{NBSP}%" if 0 < share < 0.001 else f"{share * 100:.1f}{NBSP}%"


def number(value: float, decimals: int = 2) -> str:
    """A number that may be less than zero: "0.12", "−0.12"; never "−0.00"."""
    return with_minus(f"{value:z.{decimals}f}")


def signed(value: float, decimals: int = 2) -> str:
    """A change, with its sign: "+0.12", "−0.12"; never "−0.00"."""
    return with_minus(f"{value:+z.{decimals}f}")


def with_minus(figures: str) -> str:
    """Numbers in words that were written elsewhere: a true minus sign for each hyphen."""
    return figures.replace("-", MINUS)


def flops(count: float) -> str:
    """Floating-point operations with three digits: "537 MFLOPs"."""
    for unit, size in (("TFLOPs", 1e12), ("GFLOPs", 1e9), ("MFLOPs", 1e6), ("kFLOPs", 1e3)):
        if count >= size:
            return f"{_three_digits(count / size)}{NBSP}{unit}"
    return f"{count:.0f}{NBSP}FLOPs"


def milliseconds(value: float) -> str:
    """A duration with three digits: "12.3 ms"."""
    return f"{_three_digits(value)}{NBSP}ms"


def times(ratio: float) -> str:
    """A ratio: "2.3×"."""
    return f"{ratio:.2f}×" if ratio < 1.995 else f"{ratio:.1f}×"


def tokens(count: int) -> str:
    """A number of tokens, with its noun."""
    return f"{count:,} token" if count == 1 else f"{count:,} tokens"


def head(number: int) -> str:
    """A head in a list of heads; 0 is their mean.

    Their count is not in it: it differs between models, and a browser keeps the label that it was sent.
    """
    return f"head {number}" if number else "mean of all heads"


def agreement(dense: Prediction, pruned: Prediction) -> str:
    """Whether pruning changed the answer."""
    if dense.value is not None and pruned.value is not None:
        shown = [round(value, 2) for value in (dense.value, pruned.value)]  # as both stand beside it
        return f"answer moves by {abs(shown[0] - shown[1]):.2f}"
    return "same answer" if dense.label == pruned.label else "different answer"


def sameness(dense: Prediction, pruned: Prediction) -> str:
    """As `agreement`, but the same label at a confidence that moved by more than `MOVED` is not the same."""
    if dense.label is None or dense.label != pruned.label:
        return agreement(dense, pruned)
    before, after = dense.confidence or 0, pruned.confidence or 0  # of the same label
    if abs(before - after) <= MOVED:
        return agreement(dense, pruned)
    return f"same label, not as sure ({probability(before)} → {probability(after)})"


def map_finding(trace: Trace) -> str:
    """What the survival map shows."""
    total, layers = len(trace.tokens), len(trace.layers)
    left = trace.alive[-1]
    if left == total:
        return f"Nothing is pruned: all {tokens(total)} go through all {layers} layers"
    leaving = [before - after for before, after in zip(entering(trace), trace.alive, strict=True)]
    busiest = max(range(layers), key=lambda index: leaving[index])
    if leaving[busiest] == total - left:
        return f"{left} of {tokens(total)} reach the end; all the others leave in layer {busiest + 1}"
    return f"{left} of {tokens(total)} reach the end; most leave in layer {busiest + 1}"


def collapse(trace: Trace) -> str | None:
    """Why nothing but the first token is left early, where a threshold asks more than the average gets."""
    for layer, before, after in zip(trace.layers[:-1], entering(trace), trace.alive, strict=False):
        if after == 1 < before and layer.threshold is not None and layer.threshold * before > 1:
            return (
                f"Layer {layer.layer} asks for {threshold(layer.threshold)} of the attention, but {before} "
                f"tokens get {percent(1 / before)} each on average: too high for so many tokens."
            )
    return None


def attention_of(trace: Trace) -> AttentionTrace:
    """The attention that a trace holds; ValueError if it holds none."""
    if trace.attention is None:
        raise ValueError("this trace holds no attention")
    return trace.attention


def leaves(survived: Sequence[int], layers: int) -> list[int | None]:
    """Layers that tokens survive -> the layer in which each leaves, from 1; None for one that stays."""
    return [None if count == layers else count + 1 for count in survived]


def entering(trace: Trace) -> list[int]:
    """How many tokens enter each layer, and so share its attention."""
    return [len(trace.tokens), *trace.alive[:-1]]


def attention_finding(layer: int, heads: str, token: str, share: float) -> str:
    """What the attention heatmap shows; `token` as it is, not yet escaped."""
    return f"Layer {layer}, {heads}: “{token}” gets the most attention, {percent(share)} of it"


def summary(dense: Prediction, pruned: Prediction, time: str) -> str:
    """Tokens left, agreement, FLOPs and time, in one sentence."""
    return f"{outcome(dense, pruned)}; {time}."


def outcome(dense: Prediction, pruned: Prediction) -> str:
    """Tokens left, agreement and FLOPs."""
    total, layers = len(pruned.trace.tokens), len(pruned.trace.layers)
    if pruned.flops == dense.flops:
        return f"Nothing is pruned: {tokens(total)} go through all {layers} layers, as in the dense run"
    half = (layers + 1) // 2
    left = pruned.trace.alive[half - 1]
    return (
        f"{left} of {tokens(total)} left after layer {half} of {layers}; {sameness(dense, pruned)}; "
        f"{times(pruned.flops_reduction)} fewer FLOPs"
    )


def faster(measured: TextTimes) -> str:
    """The speedup over Hugging Face's own dense run in words."""
    return compared(measured.dense, measured.pruned)


def compared(dense: Timing, pruned: Timing) -> str:
    """A speedup in words; none is claimed where each median lies in the middle half of the other's times."""
    if (
        pruned.low_ms <= dense.median_ms <= pruned.high_ms
        and dense.low_ms <= pruned.median_ms <= dense.high_ms
    ):
        return "about as fast as dense"
    ratio = dense.median_ms / pruned.median_ms
    return f"{times(ratio)} faster" if ratio > 1 else f"{times(1 / ratio)} slower"


def spread(low: float, high: float) -> str:
    """The middle half of the measured times."""
    return f"({_three_digits(low)}–{_three_digits(high)})"


def _three_digits(value: float) -> str:
    decimals = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{decimals}f}"
