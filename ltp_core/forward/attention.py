"""Attention over packed tokens: many sequences behind one another, none of which sees another.

Short sequences of equal length share one matrix product; others run one by one, in as few operations
as it takes. Nothing here knows about rules or layers before and after.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from ltp_core.architectures import LayerView, score_bias
from ltp_core.importance import attention_received, sampled_ranks

TOGETHER = 2**20  # scores handled in one operation where there is a choice; more fall out of the cache
IN_PLACE = 2**18  # scores from which on fresh memory costs more than PyTorch's slower softmax in place
VECTOR = 16  # float32 numbers in an AVX-512 register


def attention_probabilities(
    layer: LayerView,
    query: Tensor,
    key: Tensor,
    positions: Tensor,
    lengths: Sequence[int],
    queries: int | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Each sequence's attention over its own tokens, and what each token receives of it.

    Args:
        layer: for its scale, bias and window.
        query: packed ``[T, H, d]``.
        key: packed ``[T, H, d]``.
        positions: original positions ``[T]``.
        lengths: tokens of each of the B sequences; they sum to T.
        queries: K, of each sequence, that the importance is averaged over; None for all.

    Returns:
        ``(probabilities, importance)``: B times ``[H, n, n]``, and ``[T]``.
    """
    if _together(lengths, query.shape[1]):
        q, k = (x.unflatten(0, (len(lengths), -1)).transpose(1, 2) for x in (query, key))  # [B, H, n, d]
        bias = score_bias(layer, q, k, *2 * [positions.unflatten(0, (len(lengths), -1))])
        scores = (q * layer.scale) @ k.transpose(-1, -2)  # [B, H, n, n]
        probabilities = _softmax(scores if bias is None else scores + bias.to(scores.dtype))
        averaged = probabilities
        if queries is not None and lengths[0] > queries:
            averaged = probabilities.index_select(2, sampled_ranks(lengths[0], queries, query.device))
        return list(probabilities.unbind()), attention_received(averaged).flatten()
    rows = _split(query.transpose(0, 1), lengths, 1)  # B times [H, n, d]
    keys = _split(key.permute(1, 2, 0), lengths, 2)  # B times [H, d, n]
    each = [
        _received(q, k, score_bias(layer, q, k.transpose(1, 2), at, at), layer.scale, queries)
        for q, k, at in zip(rows, keys, _split(positions, lengths), strict=True)
    ]
    counts = [n if queries is None else min(n, queries) for n in lengths]
    return [p for p, _ in each], _mean([sums for _, sums in each], lengths, counts, query.shape[1])


def weighted_values(
    probabilities: Sequence[Tensor],
    value: Tensor,
    rows: Tensor | None,
    lengths: Sequence[int],
    staying: Sequence[int],
) -> Tensor:
    """Context of some of the tokens: their rows of ``P V``.

    Args:
        probabilities: B times ``[H, n, n]``.
        value: packed ``[T, H, d]``.
        rows: which tokens, as indices ``[T']`` into the packed ones, in order; None for all.
        lengths: tokens of each sequence.
        staying: how many of them are among `rows`.

    Returns:
        ``[T', H, d]``.
    """
    values = _split(value.transpose(0, 1), lengths, 1)  # B times [H, n, d]
    own: Sequence[Tensor | None] = [None] * len(lengths)
    if rows is not None:
        mine = _split(_within(rows, lengths, staying), staying)  # B times [n'], each from 0
        own = [None if len(r) == n else r for r, n in zip(mine, lengths, strict=True)]
    parts = zip(probabilities, values, own, strict=True)
    return _joined([_context(p, v, r).transpose(0, 1) for p, v, r in parts])


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
    queries = (_split(query.transpose(0, 1), staying, 1), positions[0].split(staying))
    keys = (_split(x.transpose(0, 1), lengths, 1) for x in (key, value))  # B times [H, n, d]
    contexts = [
        _fused(layer, q[None], k[None], v[None], asking, asked)[0].transpose(0, 1)
        for q, asking, k, v, asked in zip(*queries, *keys, positions[1].split(lengths), strict=True)
    ]
    return _joined(contexts)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """B packed sequences ``[n, ...]`` -> ``[T, ...]``; a single one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _together(lengths: Sequence[int], heads: int) -> bool:
    """Whether there are several sequences, equal and short enough to share a product."""
    return len(lengths) > 1 and len(set(lengths)) == 1 and heads * len(lengths) * lengths[0] ** 2 <= TOGETHER


def _split(packed: Tensor, lengths: Sequence[int], dim: int = 0) -> Sequence[Tensor]:
    """Each sequence's part of a packed tensor, as a view."""
    return (packed,) if len(lengths) == 1 else packed.split(lengths, dim)


def _context(probabilities: Tensor, value: Tensor, rows: Tensor | None) -> Tensor:
    """Rows ``[n']`` of ``[H, n, n]`` times ``[H, n, d]`` -> ``[H, n', d]``, few heads at a time if large.

    Of large ones, rows are gathered as those of one flat matrix: whole pieces of memory, which one
    dimension further in they would not be for `index_select`.
    """
    if rows is None:
        return probabilities.bmm(value)
    count, _, n = probabilities.shape
    heads = _heads_at_once(count, n)
    if heads == count:
        return probabilities.index_select(1, rows).bmm(value)
    starts = torch.arange(0, heads * n, n, device=rows.device).unsqueeze(1)
    at = (starts + rows).flatten()  # [heads n']
    contexts = [
        p.flatten(0, 1).index_select(0, at[: len(p) * len(rows)]).unflatten(0, (len(p), -1)).bmm(v)
        for p, v in zip(probabilities.split(heads), value.split(heads), strict=True)
    ]
    return _joined(contexts)


def _within(rows: Tensor, lengths: Sequence[int], staying: Sequence[int]) -> Tensor:
    """Indices ``[T']`` into all packed tokens -> indices into the tokens of their own sequence."""
    if len(lengths) == 1:
        return rows
    starts = torch.tensor(list(accumulate(lengths, initial=0))[:-1], device=rows.device)
    return rows - starts.repeat_interleave(torch.tensor(staying, device=rows.device))


def _received(
    query: Tensor, key: Tensor, bias: Tensor | None, scale: float, queries: int | None
) -> tuple[Tensor, Tensor]:
    """One sequence's probabilities ``[H, n, n]``, and their sums over heads and queries ``[n]``.

    Large ones are made a few heads at a time, so that softmax and sum find the scores in the cache.

    Args:
        query: ``[H, n, d]``.
        key: ``[H, d, n]``.
        bias: broadcasts to ``[H, n, n]``; None for none.
        scale: of the scores.
        queries: how many of them are summed over; None for all.
    """
    count, n, _ = query.shape
    ranks = None if queries is None or n <= queries else sampled_ranks(n, queries, query.device)
    heads = _heads_at_once(count, n)
    learning = query.requires_grad or key.requires_grad
    if heads == count or bias is not None or learning or query.device.type != "cpu":
        probabilities = _softmax(_scores(query, key, bias, scale))
        return probabilities, _sampled(probabilities, ranks).sum(dim=(0, 1))
    probabilities, sums = query.new_empty(count, n, n), query.new_zeros(n)
    parts = (x.split(heads) for x in (query, key, probabilities))
    for q, k, some in zip(*parts, strict=True):
        torch.softmax(torch.baddbmm(some, q, k, beta=0, alpha=scale, out=some), dim=-1, out=some)
        sums += _sampled(some, ranks).sum(dim=(0, 1))
    return probabilities, sums


def _sampled(probabilities: Tensor, ranks: Tensor | None) -> Tensor:
    """Some rows ``[k]`` of ``[H, n, n]`` -> ``[H, k, n]``; all for None."""
    return probabilities if ranks is None else probabilities.index_select(1, ranks)


def _mean(sums: Sequence[Tensor], lengths: Sequence[int], averaged: Sequence[int], heads: int) -> Tensor:
    """Sums over heads and `averaged` queries, B times ``[n]`` -> the mean, the importance, packed ``[T]``."""
    if len(lengths) == 1:
        return sums[0] / (heads * averaged[0])
    added = torch.tensor([heads * k for k in averaged], device=sums[0].device)  # [B]
    return torch.cat(list(sums)) / added.repeat_interleave(torch.tensor(lengths, device=added.device))


def _heads_at_once(count: int, n: int) -> int:
    """How many heads' scores are handled in one operation."""
    return min(count, max(1, TOGETHER // n**2))


def _scores(query: Tensor, key: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """``scale Q K + bias`` in one operation: ``[H, n, d]`` and ``[H, d, n]`` -> ``[H, n, n]``."""
    if bias is None:  # with beta=0 nothing is read of what would be added
        return torch.baddbmm(query.new_empty(1), query, key, beta=0, alpha=scale)
    return torch.baddbmm(bias.to(query.dtype), query, key, alpha=scale)


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over keys, ``[..., n, n]``, in the way that is fastest for its size on a CPU.

    With fewer keys than a vector register holds, PyTorch's softmax over the last dimension goes number by
    number; over the first it takes whole vectors. Large scores are replaced by the result, as fresh memory
    costs more than anything else.
    """
    if scores.device.type != "cpu":
        return scores.softmax(dim=-1)
    if scores.shape[-1] < VECTOR:
        return scores.movedim(-1, 0).contiguous().softmax(dim=0).movedim(0, -1)
    if scores.requires_grad or scores.numel() < IN_PLACE:
        return scores.softmax(dim=-1)
    return torch.softmax(scores, dim=-1, out=scores)


def _fused(
    layer: LayerView, query: Tensor, key: Tensor, value: Tensor, asking: Tensor, asked: Tensor
) -> Tensor:
    """``[B, H, n', d]`` and ``[B, H, n, d]`` twice -> ``[B, H, n', d]``."""
    bias = score_bias(layer, query, key, asking, asked)
    bias = None if bias is None else bias.to(query.dtype)
    return scaled_dot_product_attention(
        query, key, value, attn_mask=bias, dropout_p=layer.dropout_p, scale=layer.scale
    )
