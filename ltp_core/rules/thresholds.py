"""Learned or hand-set thresholds on the importance, and the control that keeps all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ltp_core.rules.base import Rule


def length_scale(tokens: Tensor, reference_length: float | None) -> Tensor | float:
    """``min(1, N / n)``, what a threshold is multiplied by for an input of n tokens; 1 without an N.

    Up to N tokens a threshold is a share of attention, as in the paper. Beyond, it is a fixed part of the
    average share 1/n, so that a text twice as long keeps twice as many tokens.

    Args:
        tokens: n, all tokens of the input, special ones included, whatever has left since; any shape.
        reference_length: N.
    """
    return 1.0 if reference_length is None else (reference_length / tokens).clamp(max=1)


def checked_reference_length(length: float | None) -> float | None:
    """A reference length, or None for none.

    Raises:
        ValueError: if it is not a number of tokens above 0.
    """
    number = isinstance(length, int | float) and not isinstance(length, bool)
    if length is not None and not (number and 0 < length < math.inf):
        raise ValueError(f"the reference length must be a number of tokens above 0, got {length!r}")
    return length


@dataclass(frozen=True)
class Dense(Rule):
    """Keep every token: the control."""

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep all that are alive."""
        return alive, carry

    def needs_importance(self, layer: int) -> bool:
        """Never: nothing is compared."""
        return False


@dataclass(frozen=True)
class Thresholds(Rule):
    """Keep a token when its importance reaches the layer's threshold (paper section 3.2).

    Attributes:
        values: one threshold a layer, as a share of attention (0.01 = 1 % of all attention).
        reference_length: N. On an input of n tokens a threshold acts as ``theta min(1, N / n)``, in all
            layers; None for the paper's, which acts as it is. N = 1 makes every threshold a part of the
            average importance 1/n, as the authors' code has it.

    Raises:
        ValueError: if a threshold is not a number, negative or infinite, or N not a number above 0.
    """

    values: Sequence[float]
    reference_length: float | None = None

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
        checked_reference_length(self.reference_length)
        object.__setattr__(self, "values", values)

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep where ``s >= theta min(1, N / n)``; `carry` holds that factor, the same in all layers."""
        scale = self.scale(alive) if carry is None else carry  # 1 or [B, 1]
        return alive & (importance >= self.values[layer - 1] * scale), scale

    def scale(self, alive: Tensor) -> Tensor | float:
        """What the thresholds are multiplied by, ``[B, 1]``, from the tokens of the inputs, ``[B, n]``."""
        return length_scale(alive.sum(dim=-1, keepdim=True), self.reference_length)

    def times(self, factor: float) -> "Thresholds":
        """All thresholds multiplied by one factor: the way along the accuracy against FLOPs curve."""
        return Thresholds([theta * factor for theta in self.values], self.reference_length)

    def needs_importance(self, layer: int) -> bool:
        """A threshold of 0 drops nothing, since a share of attention is never negative."""
        return self.values[layer - 1] > 0

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """``theta min(1, N / n)``: what the share is compared with."""
        return float(self.values[layer - 1] * min(1.0, (self.reference_length or tokens) / tokens))

    def check(self, layers: int) -> None:
        """Ask for one threshold a layer."""
        if len(self.values) != layers:
            raise ValueError(
                f"this model has {layers} layers, so it needs {layers} thresholds; got {len(self.values)}"
            )


def rising_thresholds(last: float, layers: int, reference_length: float | None = None) -> Thresholds:
    """Hand-set thresholds that rise with depth: layer l of L has ``last * l / L``.

    The control for learned thresholds that needs no training. They rise because later layers have fewer
    tokens left to share the attention, so an equal share means less there.

    Args:
        last: the last layer's threshold, a share of attention.
        layers: L.
        reference_length: N, see `Thresholds`.
    """
    return Thresholds([last * layer / layers for layer in range(1, layers + 1)], reference_length)


def flat_thresholds(value: float, layers: int, reference_length: float | None = None) -> Thresholds:
    """One hand-set threshold for all layers: the simplest control. Arguments as for `rising_thresholds`."""
    return Thresholds([value] * layers, reference_length)
