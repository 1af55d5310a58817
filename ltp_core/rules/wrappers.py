"""Rules around another rule: chance in its place, and exceptions from it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ltp_core.rules.base import Rule, first_tokens, original_positions, rows_of
from ltp_core.rules.counts import keep_top


@dataclass(frozen=True)
class RandomKeep:
    """Keep as many tokens as another rule would, but chosen at random: the control for *which* tokens.

    In each layer the reference is asked about the tokens that are here, and its number is kept. A rule that
    counts (`TopK`, `LengthConfig`) thus gives exactly its own numbers; a threshold sees other tokens than
    in a run of its own, so its numbers may drift from those. For the numbers of one trace, refer to a
    `LengthConfig` of its kept shares.

    Chance depends on seed, layer and position in the text only: not on the batch, the padding or the device.

    Attributes:
        reference: the rule that says how many.
        seed: of the choice.
    """

    reference: Rule
    seed: int = 0

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep the reference's number; `carry` holds positions and the reference's own."""
        positions, inner = (original_positions(alive), None) if carry is None else carry  # [B, n]
        like, inner = self.reference.keep(importance, alive, layer, inner)
        count = ((like & alive) | first_tokens(alive)).sum(dim=-1, keepdim=True)  # [B, 1]
        return keep_top(_chance(self.seed, layer, positions), alive, count), (positions, inner)

    def needs_importance(self, layer: int) -> bool:
        """What the reference needs."""
        return self.reference.needs_importance(layer)

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """There is none: chance decides."""
        return None

    def check(self, layers: int) -> None:
        """Ask the reference."""
        self.reference.check(layers)

    def rows(self, start: int, end: int) -> "RandomKeep":
        """For some rows of a batch."""
        return replace(self, reference=rows_of(self.reference, start, end))


@dataclass(frozen=True)
class Pinned:
    """Follow another rule except for some positions: what if this token had stayed, or gone?

    Attributes:
        rule: decides about all other tokens.
        stay: positions in the text (0 is ``[CLS]``) that stay in every layer.
        go: positions that leave after the first layer's attention. ``[CLS]`` cannot.

    Raises:
        ValueError: if a position is negative, among both, or ``[CLS]`` is to go.
    """

    rule: Rule
    stay: Iterable[int] = ()
    go: Iterable[int] = ()

    def __post_init__(self) -> None:
        """Check the positions and freeze them."""
        stay, go = tuple(sorted(set(self.stay))), tuple(sorted(set(self.go)))
        if not all(isinstance(position, int) and position >= 0 for position in (*stay, *go)):
            raise ValueError(f"positions must be whole numbers from 0 on, got {[*stay, *go]}")
        if both := set(stay) & set(go):
            raise ValueError(f"positions {sorted(both)} cannot both stay and go")
        if 0 in go:
            raise ValueError("position 0 is [CLS], which the classifier reads: it cannot go")
        object.__setattr__(self, "stay", stay)
        object.__setattr__(self, "go", go)

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Ask the rule, then make the exceptions; `carry` holds positions and the rule's own."""
        positions, inner = (original_positions(alive), None) if carry is None else carry  # [B, n]
        kept, inner = self.rule.keep(importance, alive, layer, inner)
        stay, go = (_among(positions, pinned) for pinned in (self.stay, self.go))
        return (kept | stay) & ~go & alive, (positions, inner)

    def needs_importance(self, layer: int) -> bool:
        """What the rule needs."""
        return self.rule.needs_importance(layer)

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """What decided about all other tokens."""
        return self.rule.cutoff(layer, tokens)

    def check(self, layers: int) -> None:
        """Ask the rule."""
        self.rule.check(layers)

    def rows(self, start: int, end: int) -> "Pinned":
        """For some rows of a batch."""
        return replace(self, rule=rows_of(self.rule, start, end))


def _among(positions: Tensor, pinned: Iterable[int]) -> Tensor:
    return torch.isin(positions, torch.tensor(list(pinned), dtype=positions.dtype, device=positions.device))


def _chance(seed: int, layer: int, positions: Tensor) -> Tensor:
    """A number for each position, ``[B, n]``: a hash, so it is the same on every device."""
    mixed = _hash(_hash(_hash(torch.full_like(positions, seed)) + layer) + positions)
    return (mixed >> 8).float()  # float32 holds 24 bits exactly


def _hash(x: Tensor) -> Tensor:
    """Mix 32 bits, held in int64 (Chris Wellons' `lowbias32`)."""
    bits = 0xFFFFFFFF
    x = x & bits
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & bits
    x = ((x ^ (x >> 15)) * 0x846CA68B) & bits
    return x ^ (x >> 16)
