"""What a rule is, and the helpers that everything around rules shares.

All tensors are on the grid of the input, ``[B, n]``: a token keeps its column, whatever has been pruned
before it. The callers see to it that ``[CLS]`` stays and that no token comes back.
"""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor


class Rule(Protocol):
    """What the masked forward and the engine ask of a rule. Layers count from 1.

    A rule inherits from this class and writes `keep`; all else has a default.
    """

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
        return True

    def rows(self, start: int, end: int) -> Self:
        """The rule for some rows of a batch: itself, unless it holds something for each row."""
        return self

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """The share that decided at this layer on an input of so many tokens; None if there is none."""
        return None

    def check(self, layers: int) -> None:
        """Raise ValueError if the rule does not fit a model with so many layers."""
        return None


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
    return torch.stack(list(kept), dim=1).sum(dim=-1)
