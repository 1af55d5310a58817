"""Thresholds for a model that is already fine-tuned, found without training and without labels.

A greedy walk from the dense model: each step tries, for each layer, the threshold that drops a few more
tokens there, and takes the one that moves the model's output least for the FLOPs it saves. The steps are the
curve of divergence against FLOPs; the last one is settled on the target. A head that reads `[CLS]` alone
lets all other tokens leave the last layer for nothing, so there the walk starts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ltp_core.crossing import crossing
from ltp_core.flops import paper_flops
from ltp_core.model import PrunedModel, Text
from ltp_core.rules import Dense, Rule, Thresholds, first_tokens, length_scale
from ltp_core.run import Run


@dataclass(frozen=True)
class Found:
    """What thresholds give on the sentences that they were sought on.

    Attributes:
        thresholds: one a layer, never falling.
        flops_reduction: dense over pruned paper FLOPs, a ratio of means.
        divergence: from the dense model's output, see `divergence`.
    """

    thresholds: tuple[float, ...]
    flops_reduction: float
    divergence: float


@dataclass(frozen=True)
class Calibration:
    """The outcome of a search.

    Attributes:
        target: the FLOPs reduction that was asked for.
        found: the thresholds that meet it within half a percent, or come nearest.
        curve: the steps on the way; the first drops nothing that is read.
    """

    target: float
    found: Found
    curve: tuple[Found, ...]


def calibrate(
    model: PrunedModel,
    texts: Sequence[Text],
    target: float,
    step: float = 0.1,
    batch_size: int = 32,
    max_tokens: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Calibration:
    """Search thresholds, rising with depth, that reach a FLOPs target near the dense model's output.

    Args:
        model: a fine-tuned model; it is not changed, and thresholds it has are not looked at.
        texts: a few hundred typical inputs; no labels are needed.
        target: dense over pruned paper FLOPs to reach.
        step: share of all tokens that a step drops in a layer. Smaller is finer and slower.
        batch_size: inputs in a packed batch.
        max_tokens: longer inputs are cut; None for what the model can read.
        progress: told the reduction reached, after each step.

    Raises:
        ValueError: for a target below 1 or above the ceiling of this model on these texts, or an
            unusable text.
    """
    return Walk(model, texts, step, batch_size, max_tokens).to(target, progress)


class Walk:
    """The steps from the dense model on, taken when a target needs them: several share their way.

    Arguments and errors are those of `calibrate`.
    """

    def __init__(
        self,
        model: PrunedModel,
        texts: Sequence[Text],
        step: float = 0.1,
        batch_size: int = 32,
        max_tokens: int | None = None,
    ) -> None:
        if not 0 < step <= 1:
            raise ValueError(f"a step drops a share of the tokens, above 0 and at most 1; got {step}")
        self._step = step
        self._sample = sample = _Sample(model, texts, batch_size, max_tokens)
        self._ceiling = sample.run(Thresholds([1.0] * model.layers)).flops_reduction
        start = [0.0] * model.layers
        self._before = sample.run(sample.rule(start)).point
        if model.dimensions.reads_first_token:
            start[-1] = 1.0  # what the last layer puts out for other tokens is read by nobody
        self._here = sample.run(sample.rule(start))
        self._curve = [self._here.point]

    def to(self, target: float, progress: Callable[[float], None] | None = None) -> Calibration:
        """Walk to a target, and settle there."""
        if not target >= 1:
            raise ValueError(f"a FLOPs target is dense over pruned, at least 1; got {target}")
        if target > self._ceiling:
            raise ValueError(
                f"a FLOPs reduction of {target} cannot be reached: the ceiling is {self._ceiling:.2f}, "
                f"with [CLS] alone after the first of {self._sample.model.layers} layers"
            )
        while self._here.flops_reduction < target:
            self._take_step()
            if progress is not None:
                progress(self._here.flops_reduction)
        place = next(i for i, point in enumerate(self._curve) if point.flops_reduction >= target)
        low = self._curve[place - 1] if place else self._before
        found = _between(self._sample, low, self._curve[place], target)
        return Calibration(target, found, tuple(self._curve[: place + 1]))

    def _take_step(self) -> None:
        here = self._here
        tries = [self._sample.run(self._sample.rule(values)) for values in _raised(here, self._step)]
        tries = [tried for tried in tries if tried.flops < here.flops]
        if not tries:
            raise ValueError(f"no threshold saves more than {here.flops_reduction:.2f} times the FLOPs here")
        self._here = min(tries, key=lambda tried: _price(here, tried))
        self._curve.append(self._here.point)


def divergence(logits: np.ndarray, dense: np.ndarray, multi_label: bool = False) -> float:
    """How far outputs are from the dense model's, a mean over N inputs.

    Args:
        logits: of the pruned model, ``[N, C]``.
        dense: of the dense model, ``[N, C]``.
        multi_label: whether each label is answered by itself.

    Returns:
        KL(dense ‖ pruned) in nats, of a multi-label model the sum over its labels; squared error where there
        is one output.
    """
    if logits.shape[-1] == 1:
        return float(np.square(logits - dense).mean())
    outputs = [torch.from_numpy(x).double() for x in (logits, dense)]
    if multi_label:  # yes or no, for each label
        outputs = [torch.stack([x, torch.zeros_like(x)], dim=-1) for x in outputs]  # [N, C, 2]
    says, meant = (x.log_softmax(dim=-1) for x in outputs)
    return float((meant.exp() * (meant - says)).flatten(1).sum(dim=-1).mean().clamp_min(0))


@dataclass(frozen=True)
class _Tried:
    """One run over the sample.

    Attributes:
        point: what it gave.
        flops: mean paper FLOPs an input.
        compared: for each layer, what its threshold was compared with, over all tokens of all inputs in
            falling order; [CLS], and tokens that had left before, at the end as 0.
    """

    point: Found
    flops: float
    compared: tuple[Tensor, ...]

    @property
    def flops_reduction(self) -> float:
        return self.point.flops_reduction


class _Sample:
    """Inputs, tokenized once, with the dense model's outputs on them."""

    def __init__(
        self, model: PrunedModel, texts: Sequence[Text], batch_size: int, max_tokens: int | None
    ) -> None:
        if not texts:
            raise ValueError("there are no texts to calibrate on")
        self.model = model
        ordered = sorted(texts, key=lambda text: len("".join(text)))
        cuts = range(0, len(ordered), batch_size)
        self.batches = [model.encode(ordered[start : start + batch_size], max_tokens)[0] for start in cuts]
        self.tokens = torch.cat([batch["attention_mask"].sum(dim=-1) for batch in self.batches]).tolist()
        size, layers = model.dimensions, model.layers
        self.dense_flops = float(np.mean([paper_flops(size, n, [n] * layers) for n in self.tokens]))
        self.dense = self._forward(Dense())[0]

    def rule(self, values: Sequence[float]) -> Thresholds:
        """Thresholds, read as this model reads them."""
        return self.model.hand_set(values)

    def run(self, rule: Thresholds) -> _Tried:
        logits, alive, compared = self._forward(rule)
        counts = zip(self.tokens, alive.tolist(), strict=True)
        flops = float(np.mean([paper_flops(self.model.dimensions, n, kept) for n, kept in counts]))
        point = Found(
            tuple(rule.values),
            self.dense_flops / flops,
            divergence(logits, self.dense, self.model.multi_label),
        )
        return _Tried(point, flops, compared)

    def _forward(self, rule: Rule) -> tuple[np.ndarray, Tensor, tuple[Tensor, ...]]:
        logits, alive, layers = [], [], []
        for batch in self.batches:
            with torch.inference_mode():
                output = self.model(**batch, rule=rule, record=True)
            logits.append(output.logits.float().cpu())
            alive.append(output.alive.cpu())
            layers.append(self._compared(batch["attention_mask"].bool(), output.run))
        compared = tuple(torch.cat(parts).sort(descending=True)[0] for parts in zip(*layers, strict=True))
        return torch.cat(logits).numpy(), torch.cat(alive), compared

    def _compared(self, real: Tensor, run: Run) -> list[Tensor]:
        """For each layer ``s / min(1, N / n)`` of one batch, ``[tokens]``: what reaches theta, or not."""
        entering, found = real, []
        scale = length_scale(real.sum(dim=-1, keepdim=True), self.model.reference_length)  # 1 or [B, 1]
        for mask, importance in zip(run.masks, run.importance, strict=True):
            assert importance is not None  # recorded
            may_go = entering & ~first_tokens(real)
            found.append((importance / scale * may_go)[real].cpu())
            entering = mask
        return found


def _raised(here: _Tried, step: float) -> list[list[float]]:
    """For each layer, thresholds with which about a step more of all tokens leaves there."""
    candidates = []
    for layer, compared in enumerate(here.compared):
        values = list(here.point.thresholds)
        left = int((compared >= max(values[layer], 1e-12)).sum())
        if not left:
            continue
        staying = compared[: max(0, left - max(1, round(step * len(compared))))]
        staying = staying[staying > compared[left - 1]]  # who ties with the first to go, goes too
        # The lowest that stays is the threshold; nobody stays above the highest.
        top = np.nextafter(np.float32(compared[0]), np.float32(2))
        values[layer] = float(staying[-1] if len(staying) else top)
        values[layer + 1 :] = [max(values[layer], later) for later in values[layer + 1 :]]
        if tuple(values) != here.point.thresholds:
            candidates.append(values)
    return candidates


def _price(here: _Tried, tried: _Tried) -> float:
    """Divergence paid for each FLOP saved."""
    return (tried.point.divergence - here.point.divergence) / (here.flops - tried.flops)


def _between(sample: _Sample, low: Found, high: Found, target: float, tolerance: float = 0.005) -> Found:
    """Settle the last step: the place between two points of the curve that meets the target."""
    points = {1.0: high}  # place between the two -> what is there

    def reduction_at(place: float) -> float:
        pairs = zip(low.thresholds, high.thresholds, strict=True)
        points[place] = sample.run(sample.rule([a + place * (b - a) for a, b in pairs])).point
        return points[place].flops_reduction

    known = {1.0: high.flops_reduction}
    found = crossing(reduction_at, target, tried=known, tolerance=tolerance, most=12)
    return points[found.nearest]
