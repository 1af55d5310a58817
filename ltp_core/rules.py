"""Rules decide, layer by layer, which tokens go on. Free of hidden state: everything is an argument.

All tensors are on the grid of the input, ``[B, n]``: position j is the j-th token of the text, whatever
has been pruned before it. The callers see to it that ``[CLS]`` stays and that no token comes back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


class Rule(Protocol):
    """What the masked forward and the engine ask of a rule. Layers count from 1."""

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Say who stays.

        Args:
            importance: share of attention received, ``[B, n]``; meaningless where not alive.
            alive: bool ``[B, n]``, the tokens that this layer's attention ran over.
            layer: 1 for the first.
            carry: what this rule returned at the layer before (None at the first).

        Returns:
            ``(kept, carry)`` with kept bool ``[B, n]``.
        """
        ...

    def needs_importance(self, layer: int) -> bool:
        """Whether `keep` reads the importance at this layer; if not, attention may stay fused."""
        ...

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """The share that decided at this layer with so many tokens alive; None if there is none."""
        ...

    def check(self, layers: int) -> None:
        """Raise ValueError if the rule does not fit a model with so many layers."""
        ...


@dataclass(frozen=True)
class Dense:
    """Keep every token: the control."""

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep all that are alive."""
        return alive, carry

    def needs_importance(self, layer: int) -> bool:
        """Never: nothing is compared."""
        return False

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """There is none."""
        return None

    def check(self, layers: int) -> None:
        """Fits every model."""


@dataclass(frozen=True)
class Thresholds:
    """Keep a token when its importance reaches the layer's threshold (paper section 3.2).

    Attributes:
        values: one threshold a layer, as a share of attention (0.01 = 1 % of all attention).
        length_exponent: alpha in ``n^alpha s >= theta``. 0 is the paper's share; 1 makes a threshold
            relative to the average importance 1/n, as the authors' code has it.

    Raises:
        ValueError: if a threshold is not a number, negative or infinite.
    """

    values: Sequence[float]
    length_exponent: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers and freeze them."""
        try:
            if isinstance(self.values, str):
                raise TypeError
            values = tuple(float(value) for value in self.values)
        except (TypeError, ValueError):
            raise ValueError(f"thresholds must be numbers, got {self.values!r}") from None
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise ValueError(f"thresholds must be finite and not negative, got {list(values)}")
        if not math.isfinite(self.length_exponent):
            raise ValueError(f"the length exponent must be finite, got {self.length_exponent}")
        object.__setattr__(self, "values", values)

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep where ``s >= theta n^-alpha``."""
        theta = self.values[layer - 1]
        if self.length_exponent == 0:
            return alive & (importance >= theta), carry
        tokens = alive.sum(dim=-1, keepdim=True).to(importance.dtype)  # [B, 1]
        return alive & (importance >= theta * tokens**-self.length_exponent), carry

    def times(self, factor: float) -> "Thresholds":
        """All thresholds multiplied by one factor: the way along the accuracy against FLOPs curve."""
        return Thresholds([theta * factor for theta in self.values], self.length_exponent)

    def needs_importance(self, layer: int) -> bool:
        """A threshold of 0 drops nothing, since a share of attention is never negative."""
        return self.values[layer - 1] > 0

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """``theta n^-alpha``: what the share is compared with."""
        return float(self.values[layer - 1] * tokens**-self.length_exponent)

    def check(self, layers: int) -> None:
        """Ask for one threshold a layer."""
        if len(self.values) != layers:
            raise ValueError(
                f"this model has {layers} layers, so it needs {layers} thresholds; got {len(self.values)}"
            )


def observed_layers(rule: Rule, layers: int) -> list[bool]:
    """For each layer, whether a plain run computes its importance, which executed FLOPs depend on."""
    return [rule.needs_importance(layer) for layer in range(1, layers + 1)]


def first_tokens(attention_mask: Tensor) -> Tensor:
    """Mark the first real token of each row, ``[CLS]``, which no rule may drop: bool ``[B, n]``."""
    real = attention_mask.bool()
    return real & (real.long().cumsum(dim=-1) == 1)


def original_positions(attention_mask: Tensor) -> Tensor:
    """Positions 0 ... n-1 of the real tokens, wherever the padding is: long ``[B, n]``."""
    return (attention_mask.long().cumsum(dim=-1) - 1).clamp_min(0)


def alive_counts(kept: Sequence[Tensor]) -> Tensor:
    """Count the tokens left after each layer: L tensors ``[B, n]`` -> long ``[B, L]``."""
    return torch.stack([layer.sum(dim=-1) for layer in kept], dim=-1)
