"""Attention -> importance: the share of attention that each token receives (paper section 3.2, eq. 3)."""

from torch import Tensor


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
