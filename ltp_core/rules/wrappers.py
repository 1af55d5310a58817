"""Rules around another rule: chance in its place, and exceptions from it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from ltp_core.rules.base import Rule, first_tokens, original_positions
from ltp_core.rules.counts import keep_top


@dataclass(frozen=True)
class Around(Rule):
    """A rule around another: it asks that one everything but what it answers itself.

    Attributes:
        rule: the one inside.
    """

    rule: Rule

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """What the rule inside keeps."""
        return self.rule.keep(importance, alive, layer, carry)

    def needs_importance(self, layer: int) -> bool:
        """What the rule inside needs."""
        return self.rule.needs_importance(layer)

    def rows(self, start: int, end: int) -> Self:
        """Around the rule inside for these rows; who holds more for each row cuts that, too."""
        return replace(self, rule=self.rule.rows(start, end))

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """What decided in the rule inside."""
        return self.rule.cutoff(layer, tokens)

    def check(self, layers: int) -> None:
        """Ask the rule inside."""
        self.rule.check(layers)


@dataclass(frozen=True)
class RandomKeep(Around):
    """Keep as many tokens as another rule would, but chosen at random: the control for *which* tokens.

    In each layer the rule inside is asked about the tokens that are here, and its number is kept. A rule that
    counts (`TopK`, `LengthConfig`) thus gives exactly its own numbers; a threshold sees other tokens than
    in a run of its own, so its numbers may drift from those. For the numbers of one trace, give a
    `LengthConfig` of its kept shares.

    Chance depends on seed, layer and position in the text only: not on the batch, the padding or the device.

    Attributes:
        rule: says how many.
        seed: of the choice.
    """

    seed: int = 0

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep the number of the rule inside; `carry` holds positions and that rule's own."""
        positions, inner = (original_positions(alive), None) if carry is None else carry  # [B, n]
        like, inner = self.rule.keep(importance, alive, layer, inner)
        count = ((like & alive) | first_tokens(alive)).sum(dim=-1, keepdim=True)  # [B, 1]
        return keep_top(_chance(self.seed, layer, positions), alive, count), (positions, inner)

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """There is none: chance decides."""
        return None


@dataclass(frozen=True)
class Pinned(Around):
    """Follow another rule except for some positions: what if this token had stayed, or gone?

    Attributes:
        rule: decides about all other tokens.
        stay: positions in the text (0 is ``[CLS]``) that stay in every layer.
        go: positions that leave after the first layer's attention. ``[CLS]`` cannot.

    Raises:
        ValueError: if a position is negative, among both, or ``[CLS]`` is to go.
    """

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


@dataclass(frozen=True)
class PinnedRows(Around):
    """`Pinned` with other tokens in each row of a batch: many changes of one text in one run.

    Attributes:
        rule: decides about all other tokens.
        stay: bool ``[B, n]`` on the grid of the input, the tokens that stay in every layer.
        go: bool ``[B, n]``, those that leave after the first layer's attention.
    """

    stay: Tensor
    go: Tensor

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Ask the rule, then make the exceptions; `carry` is the rule's own."""
        kept, carry = self.rule.keep(importance, alive, layer, carry)
        return (kept | self.stay) & ~self.go & alive, carry

    def rows(self, start: int, end: int) -> Self:
        """The exceptions of these rows, around the rule for them."""
        cut = super().rows(start, end)
        return replace(cut, stay=self.stay[start:end], go=self.go[start:end])


@dataclass(frozen=True)
class ScaledRows(Around):
    """Thresholds times another factor in each row of a batch: many scales of one text in one run.

    ``s >= f theta`` is asked as ``s / f >= theta``, so the rule inside needs no factor of its own.

    Attributes:
        rule: the thresholds at factor 1.
        factors: ``[B, 1]``, above 0.
    """

    factors: Tensor

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Ask the rule about shares that are divided by the factors."""
        return self.rule.keep(importance / self.factors, alive, layer, carry)

    def rows(self, start: int, end: int) -> Self:
        """The factors of these rows, around the rule for them."""
        return replace(super().rows(start, end), factors=self.factors[start:end])

    def cutoff(self, layer: int, tokens: int) -> float | None:
        """There is none: another one in each row."""
        return None


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
