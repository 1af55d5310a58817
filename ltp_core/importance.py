"""Attention -> importance: the share of attention that each token receives (paper section 3.2, eq. 3).

The average runs over all queries that are alive, as in the paper, or over a sample of K of them, evenly
spaced by rank among the alive, the first and the last included. Up to K tokens both are the same; beyond,
K rows of scores are enough and the n x n matrix is never needed, so that attention itself can be fused.
"""

import torch
from torch import Tensor

SAMPLE = 64  # queries, of a model that is trained or wrapped now
ALL = "all"  # what people say for None


def attention_received(attention: Tensor, alive: Tensor | None = None) -> Tensor:
    """Return the share of all attention that each token receives.

    ``s_j = (1 / (H n)) sum_h sum_i attention[h, i, j]``: the mean over heads, then over the queries
    that are still alive. The shares of the alive tokens sum to 1.

    Args:
        attention: attention probabilities after softmax, ``[..., H, n, n]`` (query i, key j).
        alive: how alive each query is, ``[..., n]``: 1 alive, 0 pruned or padding, and anything
            between for soft masks. None means that all are.

    Returns:
        Importance ``[..., n]``, a share between 0 and 1 (no unit).

    Source: Kim et al. 2022, eq. 3. The authors' code divides by the padded length instead of n.
    """
    if alive is None:
        return attention.mean(dim=(-3, -2))  # [..., n]
    over_heads = attention.mean(dim=-3)  # [..., n, n]
    received = (over_heads * alive.unsqueeze(-1)).sum(dim=-2)  # [..., n]
    return received / alive.sum(dim=-1, keepdim=True)


def sampled_ranks(tokens: int, queries: int | None, device: torch.device | None = None) -> Tensor:
    """The queries whose attention is averaged, as ranks among the tokens that are alive.

    Rank i of K is ``floor(i (n - 1) / (K - 1))``: for 7 tokens and 3 queries 0, 3 and 6.

    Args:
        tokens: n, how many are alive.
        queries: K; None for all.
        device: of the result.

    Returns:
        Rising, long ``[min(n, K)]``; 0 alone for K = 1.
    """
    count = tokens if queries is None else min(tokens, queries)
    return torch.arange(count, device=device) * (tokens - 1) // max(count - 1, 1)


def sampled_queries(alive: Tensor, queries: int) -> Tensor:
    """The same queries as a mask, for rows of which each has its own number of tokens.

    Args:
        alive: bool ``[..., n]``.
        queries: K.

    Returns:
        bool ``[..., n]``: True everywhere in a row with at most K tokens alive, else at K of these.
    """
    tokens = alive.sum(dim=-1, keepdim=True)  # [..., 1]
    rank = alive.cumsum(dim=-1) - 1  # [..., n]
    last = (tokens - 1).clamp_min(1)
    step = (rank * (queries - 1) + last - 1) // last  # the first i whose rank is not before this one
    chosen = step * last // max(queries - 1, 1) == rank
    return (alive & chosen) | (tokens <= queries)


def query_weights(mask: Tensor, queries: int | None) -> Tensor:
    """How much each query counts in the average: its mask where it is in the sample, else 0.

    Args:
        mask: how alive each token is, ``[..., n]``; any that is above 0 has a rank.
        queries: K; None for all.
    """
    return mask if queries is None else mask * sampled_queries(mask > 0, queries)


def checked_queries(queries: int | None) -> int | None:
    """A number of queries to average over, or None for all.

    Raises:
        ValueError: for anything else.
    """
    whole = isinstance(queries, int) and not isinstance(queries, bool)
    if queries is not None and not (whole and queries >= 1):
        raise ValueError(f"importance_queries must be a whole number of at least 1, or all; got {queries!r}")
    return queries
