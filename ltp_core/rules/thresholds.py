"""Learned or hand-set thresholds on the importance, and the control that keeps all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


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


def rising_thresholds(last: float, layers: int, length_exponent: float = 0.0) -> Thresholds:
    """Hand-set thresholds that rise with depth: layer l of L has ``last * l / L``.

    The control for learned thresholds that needs no training. They rise because later layers have fewer
    tokens left to share the attention, so an equal share means less there.

    Args:
        last: the last layer's threshold, a share of attention.
        layers: L.
        length_exponent: alpha, see `Thresholds`.
    """
    return Thresholds([last * layer / layers for layer in range(1, layers + 1)], length_exponent)


def flat_thresholds(value: float, layers: int, length_exponent: float = 0.0) -> Thresholds:
    """One hand-set threshold for all layers: the simplest control. Arguments as for `rising_thresholds`."""
    return Thresholds([value] * layers, length_exponent)
