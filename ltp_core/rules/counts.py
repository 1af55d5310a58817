"""Rules that keep a given number of tokens: the two rivals of learned thresholds.

Both cut at a rank instead of a threshold, so an input loses the same share of its tokens whether it is
dull or dense. Numbers of tokens count ``[CLS]``, which always ranks first; ties go to the earlier token.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ltp_core.rules.base import Rule, first_tokens


@dataclass(frozen=True)
class _Shares(Rule):
    """What both rules are made of: a share a layer, checked and frozen."""

    shares: Sequence[float]

    def __post_init__(self) -> None:
        """Check the shares and freeze them."""
        object.__setattr__(self, "shares", _checked(self.shares))

    def check(self, layers: int) -> None:
        """Ask for one share a layer."""
        if len(self.shares) != layers:
            raise ValueError(
                f"this model has {layers} layers, so it needs {layers} shares; got {len(self.shares)}"
            )


@dataclass(frozen=True)
class TopK(_Shares):
    """Keep the tokens with the most attention so far: cascaded token pruning of SpAtten.

    The attention that a token received is summed over heads, queries and *all layers up to this one*.
    With importance s as a share, a layer adds ``n s``, the sum over its n queries of the mean over heads:
    the paper's sum divided by the number of heads, which changes no rank.

    Source: Wang, Zhang & Han, "SpAtten", HPCA 2021, section on cascade token pruning. Differences: ``[CLS]``
    never leaves; heads are not pruned and nothing is quantised; the schedule of the shares is the caller's
    (`falling_shares` has one factor for all layers).

    Attributes:
        shares: one a layer, never rising: tokens left after it over the tokens of the input.

    Raises:
        ValueError: if a share is not in (0, 1] or the shares rise.
    """

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep the top of the accumulated attention; `carry` holds it with the input's length."""
        tokens = alive.sum(dim=-1, keepdim=True)  # [B, 1]
        total, length = (torch.zeros_like(importance), tokens) if carry is None else carry
        if not self.needs_importance(layer):
            return alive, (total, length)
        total = total + importance * tokens  # [B, n]
        return keep_top(total, alive, share_of(length, self.shares[layer - 1])), (total, length)

    def needs_importance(self, layer: int) -> bool:
        """Whether anything is still to be dropped, here or later: until then, attention accumulates."""
        return self.shares[-1] < _before(self.shares, layer)


@dataclass(frozen=True)
class LengthConfig(_Shares):
    """Keep the top L_l(n) tokens of each layer: a length configuration of the Length-Adaptive Transformer.

    A token's rank is by the attention received in this layer alone, over heads and queries.

    Source: Kim & Cho, "Length-Adaptive Transformer", ACL 2021, which ranks as PoWER-BERT (Goyal et al.
    2020) does. Differences: lengths are shares of the input, ``L_l(n) = ceil(share_l n)``, where the paper
    has numbers of tokens at the padded length; a dropped token is gone for good (the paper can hand its
    last state to a task that reads all tokens, which classification does not).

    Attributes:
        shares: one a layer, never rising: tokens left after it over the tokens of the input.

    Raises:
        ValueError: if a share is not in (0, 1] or the shares rise.
    """

    def keep(self, importance: Tensor, alive: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        """Keep the top of this layer's importance; `carry` holds the input's length."""
        length = alive.sum(dim=-1, keepdim=True) if carry is None else carry  # [B, 1]
        if not self.needs_importance(layer):
            return alive, length
        return keep_top(importance, alive, share_of(length, self.shares[layer - 1])), length

    def needs_importance(self, layer: int) -> bool:
        """Only where the share falls."""
        return self.shares[layer - 1] < _before(self.shares, layer)


def falling_shares(last: float, layers: int, spared: int = 0) -> list[float]:
    """Shares that fall by the same factor in each layer but the spared ones, to `last` after the last.

    Shares that fall in equal steps instead could save little more than half of the FLOPs.

    Args:
        last: share of the input's tokens left after the last layer, in (0, 1].
        layers: how many layers there are.
        spared: the first so many keep all. SpAtten's schedule, as the code of Kim et al. has it, spares 15 %
            of the layers, at least three.

    Raises:
        ValueError: for any other share.
    """
    if not 0 < last <= 1:
        raise ValueError(f"a share of tokens must be above 0 and at most 1, got {last}")
    return [float(last ** (max(0, layer - spared) / (layers - spared))) for layer in range(1, layers + 1)]


def share_of(length: Tensor, share: float) -> Tensor:
    """``ceil(share n)``, at least 1: long ``[B, 1]``. What is whole up to rounding is whole."""
    return (length.float() * share - 1e-3).ceil().long().clamp_min(1)


def keep_top(score: Tensor, alive: Tensor, count: Tensor) -> Tensor:
    """Keep the so many alive tokens with the highest scores, ``[CLS]`` always among them.

    Args:
        score: ``[B, n]``; read where alive.
        alive: bool ``[B, n]``.
        count: long ``[B, 1]``.

    Returns:
        bool ``[B, n]``. Of equal scores the earlier token stays.
    """
    ranked = score.masked_fill(~alive, -torch.inf).masked_fill(first_tokens(alive), torch.inf)
    order = ranked.argsort(dim=-1, descending=True, stable=True)  # [B, n]: columns, best first
    rank = order.argsort(dim=-1)  # [B, n]: place of each column
    return alive & (rank < count)


def _checked(shares: Sequence[float]) -> tuple[float, ...]:
    try:
        if isinstance(shares, str):
            raise TypeError
        values = tuple(float(share) for share in shares)
    except (TypeError, ValueError):
        raise ValueError(f"shares must be numbers, got {shares!r}") from None
    if not values or not all(math.isfinite(share) and 0 < share <= 1 for share in values):
        raise ValueError(f"shares of tokens must be above 0 and at most 1, got {list(values)}")
    if any(later > earlier for earlier, later in pairwise(values)):
        raise ValueError(f"shares must not rise from layer to layer, got {list(values)}")
    return values


def _before(shares: Sequence[float], layer: int) -> float:
    """The share of the input's tokens that enters a layer."""
    return 1.0 if layer == 1 else shares[layer - 2]
