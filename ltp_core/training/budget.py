"""Steering the FLOPs: a target as a constraint while training, and exactly met at the end."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ltp_core.crossing import crossing
from ltp_core.flops import Dimensions, layer_flops, paper_flops
from ltp_core.training.factor import _between


def batch_flops(size: Dimensions, attention_mask: Tensor, masks: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Paper FLOPs of a padded batch, dense and under the masks; differentiable in the masks.

    Args:
        size: the model.
        attention_mask: ``[B, n]``.
        masks: L tensors ``[B, n]``, the tokens left after each layer.

    Returns:
        ``(dense, pruned)``: sums over the batch, scalars.
    """
    tokens = attention_mask.sum(dim=-1).to(torch.float32)  # [B]
    dense, pruned, entering = torch.zeros_like(tokens), torch.zeros_like(tokens), tokens
    for layer, mask in enumerate(masks, start=1):
        staying = mask.sum(dim=-1)  # [B]
        dense = dense + layer_flops(size, tokens, tokens, layer)
        pruned = pruned + layer_flops(size, entering, staying, layer)
        entering = staying
    return dense.sum(), pruned.sum()


class Budget(Protocol):
    """What steers the FLOPs while a module trains: by a term of the loss, a factor on thresholds, or both."""

    factor: Any  # on the thresholds: a number, or a scalar tensor that moves

    def penalty(
        self, dense: Tensor, pruned: Tensor, attention_mask: Tensor, masks: tuple[Tensor, ...]
    ) -> Tensor:
        """The term of the loss for one batch.

        Args:
            dense: FLOPs of the batch with nothing pruned, scalar; see `batch_flops`.
            pruned: what is computed of them, scalar, differentiable in the masks.
            attention_mask: ``[B, n]``.
            masks: L tensors ``[B, n]``, the tokens left after each layer.

        Returns:
            A scalar.
        """
        ...

    def update(self, dense: Tensor, pruned: Tensor, done: float) -> None:
        """Look at a batch that was run.

        Args:
            dense: FLOPs of the batch with nothing pruned, the mean over all processes, scalar.
            pruned: what was computed of them.
            done: share of the training that is done.
        """
        ...

    def progress(self) -> dict[str, float]:
        """What to log; `flops_reduction` at least."""
        ...


class FlopsTarget(nn.Module):
    """Brings pruned FLOPs to a share of the dense ones while a model trains, and keeps them there.

    The loss gets the share that is computed, times a Lagrange multiplier. The multiplier is the sum over
    all batches of what was computed too much (gradient ascent on the dual problem), which alone
    overshoots: it goes on rising while thresholds are on their way. So it also gets a term in proportion
    to the present excess (PI control; Stooke, Achiam & Abbeel, ICML 2020), and the share that is allowed
    falls from 1 to the target over the first part of the training. Both sums of FLOPs are running means,
    so that the target holds for the ratio of means over the data and not for each batch. State lies in
    buffers, so it is saved with a checkpoint.

    Args:
        reduction: dense over pruned FLOPs to reach, at least 1.
        rate: what a batch adds to the multiplier, for each unit of excess.
        proportion: what the multiplier gets for each unit of the present excess.
        decay: of the running means, for each batch.
        ramp: share of the training in which the allowed share falls.
    """

    factor = 1.0  # on the thresholds, which this moves by gradients
    multiplier: Tensor
    integral: Tensor
    mean_dense: Tensor
    mean_pruned: Tensor
    seen: Tensor

    def __init__(
        self,
        reduction: float,
        rate: float = 0.01,
        proportion: float = 2.0,
        decay: float = 0.95,
        ramp: float = 0.3,
    ) -> None:
        super().__init__()
        if not reduction >= 1:
            raise ValueError(f"a FLOPs target is dense over pruned, at least 1; got {reduction}")
        self.reduction, self.rate, self.proportion = reduction, rate, proportion
        self.decay, self.ramp = decay, ramp
        for name in ("multiplier", "integral", "mean_dense", "mean_pruned", "seen"):
            self.register_buffer(name, torch.zeros(()))

    def penalty(
        self, dense: Tensor, pruned: Tensor, attention_mask: Tensor, masks: tuple[Tensor, ...]
    ) -> Tensor:
        """The term of the loss for one batch, scalar; `dense` and `pruned` from `batch_flops`."""
        mean = dense.detach() if self.seen == 0 else self.mean_dense / (1 - self.decay**self.seen)
        return self.multiplier.clone() * pruned / mean  # `update` writes into the buffer before backward

    def allowed(self, done: float) -> float:
        """The share of the dense FLOPs that may be computed when so much of the training is done."""
        return 1 - (1 - 1 / self.reduction) * min(done / self.ramp, 1.0)

    @torch.no_grad()
    def update(self, dense: Tensor, pruned: Tensor, done: float) -> None:
        """Move the multiplier, with the means over all processes' batches.

        Args:
            dense: FLOPs of the batch, scalar.
            pruned: what was computed of them.
            done: share of the training that is done.
        """
        self.seen += 1
        self.mean_dense.lerp_(dense, 1 - self.decay)
        self.mean_pruned.lerp_(pruned, 1 - self.decay)
        excess = self.mean_pruned / self.mean_dense - self.allowed(done)
        self.integral.add_(self.rate * excess).clamp_(min=0)
        self.multiplier.copy_(self.integral + self.proportion * excess).clamp_(min=0)

    def progress(self) -> dict[str, float]:
        """The reduction reached, as running means, and the multiplier."""
        reached = float(self.mean_dense / self.mean_pruned) if self.seen > 0 else 1.0
        return {"flops_reduction": reached, "multiplier": float(self.multiplier)}


class FlopsHold(nn.Module):
    """Holds pruned FLOPs at a share of the dense ones while weights train, by a factor on given thresholds.

    Weights that learn under fixed thresholds learn to save less: attention moves until more tokens stay. So
    each batch that computes too much raises the factor, and one that computes too little lowers it
    (integral control). What counts is the ratio of sums over the data, as results are reported.

    State lies in buffers, so it is saved with a checkpoint.

    Args:
        reduction: dense over pruned FLOPs to hold.
        rate: what a batch adds to the factor's logarithm, for each unit of excess.
        decay: of the running mean of the dense FLOPs, for each batch.
    """

    factor: Tensor
    mean_dense: Tensor
    seen: Tensor

    def __init__(self, reduction: float, rate: float = 0.05, decay: float = 0.95) -> None:
        super().__init__()
        self.reduction, self.rate, self.decay = reduction, rate, decay
        self.reached = reduction
        for name, value in (("factor", 1.0), ("mean_dense", 0.0), ("seen", 0.0)):
            self.register_buffer(name, torch.tensor(value))

    def penalty(
        self, dense: Tensor, pruned: Tensor, attention_mask: Tensor, masks: tuple[Tensor, ...]
    ) -> Tensor:
        """Nothing: hard masks have no gradient."""
        return dense.new_zeros(())

    @torch.no_grad()
    def update(self, dense: Tensor, pruned: Tensor, done: float) -> None:
        """Move the factor, with the means over all processes' batches."""
        self.seen += 1
        self.mean_dense.lerp_(dense, 1 - self.decay)
        excess = (pruned - dense / self.reduction) * (1 - self.decay**self.seen) / self.mean_dense
        self.factor.mul_((self.rate * excess).exp())
        self.reached = float(dense / pruned)

    def progress(self) -> dict[str, float]:
        """The last batch's reduction, and the factor."""
        return {"flops_reduction": self.reached, "factor": float(self.factor)}


class KeepPenalty(nn.Module):
    """The paper's penalty: lambda times the mean mask (paper section 3.3), over real tokens and layers.

    Args:
        weight: lambda, not negative.
    """

    factor = 1.0  # on the thresholds, which this moves by gradients

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight
        self.reached = 1.0

    def penalty(
        self, dense: Tensor, pruned: Tensor, attention_mask: Tensor, masks: tuple[Tensor, ...]
    ) -> Tensor:
        """The term of the loss for one batch, scalar."""
        kept = torch.stack([mask.sum() for mask in masks]).mean()
        return self.weight * kept / attention_mask.sum()

    def update(self, dense: Tensor, pruned: Tensor, done: float) -> None:
        """Remember the batch for the log; a fixed penalty steers nothing."""
        self.reached = float(dense / pruned)

    def progress(self) -> dict[str, float]:
        """The last batch's reduction."""
        return {"flops_reduction": self.reached}


def ceiling(size: Dimensions, tokens: Sequence[int], spared_layers: int = 0) -> float:
    """The FLOPs reduction where the first layer that may remove tokens leaves `[CLS]` alone.

    Args:
        size: the model.
        tokens: the lengths of the rows that it is for, special tokens included.
        spared_layers: the first so many layers remove nothing.
    """
    pruning = size.layers - spared_layers
    dense = sum(paper_flops(size, n, [n] * size.layers) for n in tokens)
    return dense / sum(paper_flops(size, n, [n] * spared_layers + [1] * pruning) for n in tokens)


def settle(reduction_of: Callable[[float], float], target: float, tolerance: float = 0.005) -> float:
    """Find the factor on all thresholds that gives a FLOPs reduction, by bisection; 0 drops nothing.

    Args:
        reduction_of: factor -> dense over pruned FLOPs on held-out rows, rising with the factor.
        target: what to reach.
        tolerance: relative; 0.005 is half a percent. Few rows may allow no more than ten times that.

    Returns:
        The factor.

    Raises:
        ValueError: if no factor comes near the target, with the ceiling or the nearest.
    """
    if not target >= 1:
        raise ValueError(f"a FLOPs target is dense over pruned, at least 1; got {target}")
    found = crossing(
        reduction_of, target, tried={0.0: 1.0}, tolerance=tolerance, between=_between, limit=1e6
    )  # on this branch: a third of the runs that halves take
    factor = found.nearest
    if found.above is None and not found.gap(factor) <= tolerance:  # as near as that is there, above or below
        ceiling = max(found.tried.values())
        raise ValueError(f"a FLOPs reduction of {target} cannot be reached: the ceiling is {ceiling:.2f}")
    if found.gap(factor) > 10 * tolerance:
        raise ValueError(
            f"no factor gives a FLOPs reduction near {target} on these rows; the nearest: "
            f"{found.tried[factor]:.2f}"
        )
    return factor
