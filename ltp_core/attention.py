"""Attention over packed tokens: many sequences behind one another, none of which sees another.

Short sequences of equal length share one matrix product; others run one by one, in as few operations
as it takes. Nothing here knows about rules or layers before and after.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from ltp_core.architectures import LayerView, score_bias
from ltp_core.importance import attention_received

TOGETHER = 2**20  # scores that equal sequences may have in one product; more no longer fit into the cache


def attention_probabilities(
    layer: LayerView, query: Tensor, key: Tensor, positions: Tensor, lengths: Sequence[int]
) -> tuple[list[Tensor], Tensor]:
    """Each sequence's attention over its own tokens, and what each token receives of it.

    Args:
        layer: for its scale, bias and window.
        query: packed ``[T, H, d]``.
        key: packed ``[T, H, d]``.
        positions: original positions ``[T]``.
        lengths: tokens of each of the B sequences; they sum to T.

    Returns:
        ``(probabilities, importance)``: B times ``[H, n, n]``, and ``[T]``.
    """
    query = query * layer.scale
    if _together(lengths, query.shape[1]):
        q, k = (x.unflatten(0, (len(lengths), -1)).transpose(1, 2) for x in (query, key))  # [B, H, n, d]
        at = positions.unflatten(0, (len(lengths), -1))  # [B, n]
        probabilities = _probabilities(layer, q, k, at)  # [B, H, n, n]
        return list(probabilities.unbind()), attention_received(probabilities).flatten()
    q, k = query.transpose(0, 1), key.transpose(0, 1)  # [H, T, d]
    parts = zip(q.split(lengths, 1), k.split(lengths, 1), positions.split(lengths), strict=True)
    each = [_probabilities(layer, *part) for part in parts]  # B times [H, n, n]
    return each, torch.cat([attention_received(p) for p in each])


def weighted_values(
    probabilities: Sequence[Tensor],
    value: Tensor,
    rows: Tensor,
    lengths: Sequence[int],
    staying: Sequence[int],
) -> Tensor:
    """Context of some of the tokens: their rows of ``P V``.

    Args:
        probabilities: B times ``[H, n, n]``.
        value: packed ``[T, H, d]``.
        rows: which tokens, as indices ``[T']`` into the packed ones, in order.
        lengths: tokens of each sequence.
        staying: how many of them are among `rows`.

    Returns:
        ``[T', H, d]``.
    """
    values = value.transpose(0, 1).split(lengths, 1)  # B times [H, n, d]
    if len(rows) == len(value):
        return torch.cat([(p @ v).transpose(0, 1) for p, v in zip(probabilities, values, strict=True)])
    contexts, start = [], 0
    for p, v, n, own in zip(probabilities, values, lengths, rows.split(staying), strict=True):
        contexts.append((p.index_select(1, own - start if start else own) @ v).transpose(0, 1))  # [n', H, d]
        start += n
    return torch.cat(contexts)


def fused_attention(
    layer: LayerView,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    positions: tuple[Tensor, Tensor],
    lengths: Sequence[int],
    staying: Sequence[int],
) -> Tensor:
    """Context of some of the tokens, with probabilities that never leave the kernel.

    Args:
        layer: for its scale, bias and window.
        query: ``[T', H, d]``, of these tokens only.
        key: ``[T, H, d]``.
        value: ``[T, H, d]``.
        positions: original positions of the queries ``[T']`` and of the keys ``[T]``.
        lengths: tokens of each sequence.
        staying: queries of each sequence.

    Returns:
        ``[T', H, d]``.
    """
    if len(set(lengths)) == len(set(staying)) == 1:
        size = len(lengths)
        q, k, v = (x.unflatten(0, (size, -1)).transpose(1, 2) for x in (query, key, value))  # [B, H, n, d]
        asking, asked = (x.unflatten(0, (size, -1)) for x in positions)  # [B, n'], [B, n]
        return _fused(layer, q, k, v, asking, asked).transpose(1, 2).flatten(0, 1)
    queries = (query.transpose(0, 1).split(staying, 1), positions[0].split(staying))
    keys = (x.transpose(0, 1).split(lengths, 1) for x in (key, value))  # B times [H, n, d]
    contexts = [
        _fused(layer, q[None], k[None], v[None], asking, asked)[0].transpose(0, 1)
        for q, asking, k, v, asked in zip(*queries, *keys, positions[1].split(lengths), strict=True)
    ]
    return torch.cat(contexts)


def _together(lengths: Sequence[int], heads: int) -> bool:
    """Whether sequences are equal and short enough to share a product."""
    return len(set(lengths)) == 1 and heads * len(lengths) * lengths[0] ** 2 <= TOGETHER


def _probabilities(layer: LayerView, query: Tensor, key: Tensor, positions: Tensor) -> Tensor:
    """``[..., H, n, d]`` twice, scaled, and ``[..., n]`` -> ``[..., H, n, n]``."""
    scores = query @ key.transpose(-1, -2)
    bias = score_bias(layer, positions, positions)
    return _softmax(scores if bias is None else scores + bias.to(scores.dtype))


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over keys, in the same memory where no gradient needs the scores: nothing is larger."""
    if scores.requires_grad or scores.device.type != "cpu":
        return scores.softmax(dim=-1)
    return torch.softmax(scores, dim=-1, out=scores)


def _fused(
    layer: LayerView, query: Tensor, key: Tensor, value: Tensor, asking: Tensor, asked: Tensor
) -> Tensor:
    """``[B, H, n', d]`` and ``[B, H, n, d]`` twice -> ``[B, H, n', d]``."""
    bias = score_bias(layer, asking, asked)
    bias = None if bias is None else bias.to(query.dtype)
    return scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=layer.scale)
