"""A rule that repeats a decision: the kept sets of an earlier run, or sets chosen by other means."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ltp_core.rules.base import Rule
from ltp_core.trace import Trace


@dataclass(frozen=True)
class Frozen(Rule):
    """Keep the given tokens, whatever their importance.

    Pruning jumps where a token's importance crosses its threshold. With the kept sets frozen, the
    pruned model is a smooth function of its embeddings, which gradients and their integrals need.

    Attributes:
        kept: bool ``[B, L, n]``: whether a token is left after each layer; ``[1, L, n]`` for all rows.
    """

    kept: Tensor

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep what the set of this layer holds."""
        return alive & self.kept[:, layer - 1], carry

    def needs_importance(self, layer: int) -> bool:
        """Never: the decision is made."""
        return False

    def check(self, layers: int) -> None:
        """Ask for one set a layer."""
        if self.kept.shape[1] != layers:
            raise ValueError(f"this model has {layers} layers, so it needs {layers} kept sets a text")

    def rows(self, start: int, end: int) -> "Frozen":
        """For some rows of a batch."""
        return self if len(self.kept) == 1 else Frozen(self.kept[start:end])


def kept_sets(trace: Trace, device: torch.device | None = None) -> Tensor:
    """What a trace kept, for `Frozen`: bool ``[1, L, n]``."""
    return torch.tensor([[layer.kept for layer in trace.layers]], dtype=torch.bool, device=device)
