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


def observed_attention(
    layer: LayerView,
    query: Tensor,
    key: Tensor,
    positions: Tensor,
    lengths: Sequence[int],
    queries: int | None = None,
) -> tuple[list[Tensor | None], Tensor]:
    """What each token receives of its sequence's attention, and this attention where all of it was needed.

    Of a sequence of more than K tokens, K rows are computed and dropped again.

    Args:
        layer: for its scale, bias and window.
        query: packed ``[T, H, d]``.
        key: packed ``[T, H, d]``.
        positions: original positions ``[T]``.
        lengths: tokens of each of the B sequences; they sum to T.
        queries: K, of each sequence, that the importance is averaged over; None for all.

    Returns:
        ``(matrices, importance)``: B times ``[H, n, n]``, None for a sequence of more than K; and ``[T]``.
    """
    ranks = [
        None if queries is None or n <= queries else sampled_ranks(n, queries, query.device) for n in lengths
    ]
    if _together(lengths, queries, query.shape[1]):
        q, k = (x.unflatten(0, (len(lengths), -1)).transpose(1, 2) for x in (query, key))  # [B, H, n, d]
        asked = positions.unflatten(0, (len(lengths), -1))  # [B, n]
        asking = asked
        if ranks[0] is not None:
            q, asking = q.index_select(2, ranks[0]), asked.index_select(1, ranks[0])
        bias = score_bias(layer, q, k, asking, asked)
        scores = (q * layer.scale) @ k.transpose(-1, -2)  # [B, H, n or K, n]
        probabilities = _softmax(scores if bias is None else scores + bias.to(scores.dtype))
        computed = list(probabilities.unbind())
        importance = attention_received(probabilities).flatten()
    else:
        rows = _split(query.transpose(0, 1), lengths, 1)  # B times [H, n, d]
        keys = _split(key.permute(1, 2, 0), lengths, 2)  # B times [H, d, n]
        parts = zip(rows, keys, _split(positions, lengths), ranks, strict=True)
        found = [_received(layer, *part) for part in parts]
        computed = [p for p, _ in found]
        importance = _mean([sums for _, sums in found], [p.shape[:2].numel() for p in computed], lengths)
    return [p if some is None else None for p, some in zip(computed, ranks, strict=True)], importance


def context_of(
    layer: LayerView,
    matrices: Sequence[Tensor | None],
    heads: tuple[Tensor, Tensor, Tensor],
    positions: tuple[Tensor, Tensor],
    rows: Tensor | None,
    lengths: Sequence[int],
    staying: Sequence[int],
) -> Tensor:
    """Context of some of the tokens: their rows of ``P V``.

    Where a sequence's P is not there, a fused kernel takes queries and keys, and no P ever leaves it.

    Args:
        layer: for its scale, bias and window.
        matrices: B times ``[H, n, n]`` or None, as `observed_attention` gives them.
        heads: query ``[T', H, d]`` of these tokens only, not read where all matrices are there; key and
            value ``[T, H, d]``.
        positions: original positions of the queries ``[T']`` and of the keys ``[T]``.
        rows: which tokens, as indices ``[T']`` into the packed ones, in order; None for all.
        lengths: tokens of each sequence.
        staying: how many of them are among `rows`.

    Returns:
        ``[T', H, d]``.
    """
    size = len(lengths)
    if len(set(lengths)) == len(set(staying)) == 1 and matrices[0] is None:
        q, k, v = (x.unflatten(0, (size, -1)).transpose(1, 2) for x in heads)  # [B, H, n', d], [B, H, n, d]
        asking, asked = (x.unflatten(0, (size, -1)) for x in positions)  # [B, n'], [B, n]
        return _fused(layer, q, k, v, asking, asked).transpose(1, 2).flatten(0, 1)
    query, key, value = (x.transpose(0, 1) for x in heads)  # [H, T', d], [H, T, d] twice
    values = _split(value, lengths, 1)  # B times [H, n, d]
    own: Sequence[Tensor | None] = [None] * size
    if rows is not None:
        mine = _split(_within(rows, lengths, staying), staying)  # B times [n'], each from 0
        own = [None if len(r) == n else r for r, n in zip(mine, lengths, strict=True)]
    if all(p is not None for p in matrices):
        parts = [_context(p, v, r) for p, v, r in zip(matrices, values, own, strict=True) if p is not None]
    else:
        asked = zip(_split(query, staying, 1), _split(key, lengths, 1), values, strict=True)
        places = zip(*(_split(x, n) for x, n in zip(positions, (staying, lengths), strict=True)), strict=True)
        parts = [
            _fused(layer, q[None], k[None], v[None], *at)[0] if p is None else _context(p, v, r)
            for p, (q, k, v), at, r in zip(matrices, asked, places, own, strict=True)
        ]
    return _joined([part.transpose(0, 1) for part in parts])


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """B packed sequences ``[n, ...]`` -> ``[T, ...]``; a single one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _together(lengths: Sequence[int], queries: int | None, heads: int) -> bool:
    """Whether there are several sequences, equal and short enough to share a product."""
    if len(lengths) == 1 or len(set(lengths)) > 1:
        return False
    n = lengths[0]
    return heads * len(lengths) * n * min(n, queries or n) <= TOGETHER


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
    heads = _heads_at_once(count, n**2)
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
    layer: LayerView, query: Tensor, key: Tensor, positions: Tensor, ranks: Tensor | None
) -> tuple[Tensor, Tensor]:
    """One sequence's probabilities ``[H, k, n]``, and their sums over heads and queries ``[n]``.

    Large ones are made a few heads at a time, so that softmax and sum find the scores in the cache.

    Args:
        layer: for its scale, bias and window.
        query: ``[H, n, d]``.
        key: ``[H, d, n]``.
        positions: original positions ``[n]``.
        ranks: the queries to compute ``[k]``; None for all, k = n.
    """
    asking = positions
    if ranks is not None:
        query, asking = query.index_select(1, ranks), positions.index_select(0, ranks)
    bias = score_bias(layer, query, key.transpose(1, 2), asking, positions)
    (count, k, _), n = query.shape, key.shape[-1]
    heads = _heads_at_once(count, k * n)
    learning = query.requires_grad or key.requires_grad
    if heads == count or bias is not None or learning or query.device.type != "cpu":
        probabilities = _softmax(_scores(query, key, bias, layer.scale))
        return probabilities, probabilities.sum(dim=(0, 1))
    probabilities, sums = query.new_empty(count, k, n), query.new_zeros(n)
    parts = (x.split(heads) for x in (query, key, probabilities))
    for q, part, some in zip(*parts, strict=True):
        torch.softmax(torch.baddbmm(some, q, part, beta=0, alpha=layer.scale, out=some), dim=-1, out=some)
        sums += some.sum(dim=(0, 1))
    return probabilities, sums


def _mean(sums: Sequence[Tensor], counts: Sequence[int], lengths: Sequence[int]) -> Tensor:
    """Sums, B times ``[n]``, over so many heads and queries -> the mean, the importance, packed ``[T]``."""
    if len(lengths) == 1:
        return sums[0] / counts[0]
    added = torch.tensor(counts, device=sums[0].device)  # [B]
    return torch.cat(list(sums)) / added.repeat_interleave(torch.tensor(lengths, device=added.device))


def _heads_at_once(count: int, scores: int) -> int:
    """How many heads of so many scores each are handled in one operation."""
    return min(count, max(1, TOGETHER // scores))


def _scores(query: Tensor, key: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """``scale Q K + bias`` in one operation: ``[H, k, d]`` and ``[H, d, n]`` -> ``[H, k, n]``."""
    if bias is None:  # with beta=0 nothing is read of what would be added
        return torch.baddbmm(query.new_empty(1), query, key, beta=0, alpha=scale)
    return torch.baddbmm(bias.to(query.dtype), query, key, alpha=scale)


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over keys, ``[..., k, n]``, in the way that is fastest for its size on a CPU.

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
