"""Three ideas on trial, on this branch alone: `LTP_IDEA` says which one every masked forward follows.

- ``package-token``: what leaves in a layer is averaged, weighted by its importance, into one token that goes
  on (Liang et al., ICLR 2022, EViT; there the weights are [CLS]'s attention and do not sum to 1).
- ``value-columns``: importance is attention received, weighted by the norm of the value that it moves.
- ``value-cls``: the same of the row of [CLS] alone.
- ``ranking``: the importance of the first third of the layers is taught the dense model's ranking of tokens
  in its last layer (Li et al., KDD 2023, ToP: its 20 first, [CLS] left out).
"""

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

IDEAS = ("package-token", "value-columns", "value-cls", "ranking")
IDEA = os.environ.get("LTP_IDEA")
if IDEA is not None and IDEA not in IDEAS:
    raise ValueError(f"LTP_IDEA is one of {IDEAS}, got {IDEA!r}")
CHANGES_FORWARD = IDEA not in (None, "ranking")
TOP = 20  # of the teacher's tokens


def value_weighted(attention: Tensor, value: Tensor, weights: Tensor) -> Tensor:
    """Importance as attention received times the norm of what it moves, shares that sum to 1.

    Args:
        attention: ``[B, H, n, n]``.
        value: ``[B, H, n, d]``.
        weights: of the queries ``[B, n]``.

    Returns:
        ``[B, n]``.
    """
    received = (attention * weights[:, None, :, None]).sum(dim=2)  # [B, H, n]
    moved = (received * value.float().norm(dim=-1)).sum(dim=1)  # [B, n]
    return moved / moved.sum(dim=-1, keepdim=True)


def packaged(hidden: Tensor, leaving: Tensor) -> tuple[Tensor, Tensor]:
    """One token out of those that leave.

    Args:
        hidden: ``[B, m, D]``.
        leaving: how much of each goes into the package, ``[B, m]``; none in a row that packs nothing.

    Returns:
        ``(package, there)``: their weighted mean ``[B, 1, D]``, and 1 where there is one, ``[B, 1]``.
    """
    total = leaving.sum(dim=-1, keepdim=True)  # [B, 1]
    there = total > 0
    shares = leaving / torch.where(there, total, torch.ones_like(total))
    package = (shares.unsqueeze(-1) * hidden.float()).sum(dim=1, keepdim=True)
    return package.to(hidden.dtype), there.detach().float()


def ranking_loss(importance: Tensor, teacher: Tensor, alive: Tensor) -> Tensor:
    """How far an importance is from a teacher's ranking: pairs in the wrong order, by how far apart they are.

    LambdaLoss's ARPLoss2 (Wang et al. 2018), as in ToP's code: over the pairs of the teacher's `TOP` tokens
    ``|rank_i - rank_j| log2(1 + exp(-(x_i - x_j)))`` where i ranks before j; here divided by the sum of the
    weights, and x is the importance in parts of the even share.

    Args:
        importance: ``[B, n]``.
        teacher: likewise.
        alive: bool ``[B, n]``; what is not is in no pair.
    """
    order = teacher.masked_fill(~alive, -1).argsort(dim=-1, descending=True)[:, :TOP]  # [B, k]
    real = alive.gather(1, order)
    scores = (importance * alive.sum(dim=-1, keepdim=True)).gather(1, order)  # [B, k]
    rank = torch.arange(order.shape[1], device=order.device, dtype=torch.float32)
    apart = (rank.unsqueeze(0) - rank.unsqueeze(1)).clamp_min(0)  # [k, k]: i before j
    weights = apart * (real.unsqueeze(2) & real.unsqueeze(1))  # [B, k, k]
    wrong = softplus(scores.unsqueeze(1) - scores.unsqueeze(2)) / torch.log(torch.tensor(2.0))
    return (weights * wrong).sum() / weights.sum().clamp_min(1)


def package_forward(
    layers: Any,
    hidden: Tensor,
    positions: Tensor,
    mask: Tensor,
    first: Tensor,
    attend: Callable[..., tuple[Tensor, Tensor]],
    gate: Callable[..., tuple[Tensor, Any]],
    unread_last: bool,
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """The layers over n tokens and, behind them, the package: ``[B, n + 1, D]``.

    Returns:
        ``(hidden, masks, importances)`` as in `padded_forward`; masks have a last column for the package,
        ``[B, n + 1]``, so that its FLOPs are counted.
    """
    n = mask.shape[1]
    hidden = torch.cat([hidden, torch.zeros_like(hidden[:, :1])], dim=1)
    positions = torch.cat([positions, positions[:, :1]], dim=1)  # BERT's layers do not read them
    there = mask.new_zeros(len(mask), 1)
    carry: Any = None
    masks, importances = [], []
    for number, layer in enumerate(layers, start=1):
        context, everything = attend(layer, hidden, positions, torch.cat([mask, there], dim=1))
        importance = everything[:, :n]
        gated, carry = gate(importance, mask, number, carry)
        staying = torch.where(first, torch.ones_like(gated), gated)
        attended = layer.attend_output(context, hidden)  # [B, n + 1, D]
        leaving = torch.cat([(mask - staying) * importance, there * everything[:, n:]], dim=1)
        package, there = packaged(attended, leaving)
        if unread_last and number == len(layers):
            there = torch.zeros_like(there)  # only [CLS] is read: nobody builds one
        hidden = layer.feed_forward(torch.cat([attended[:, :n], package], dim=1))
        mask = staying
        masks.append(torch.cat([mask, there], dim=1))
        importances.append(importance)
    return hidden, masks, importances
