"""Attention followed back to the input: rollout (Abnar & Zuidema, ACL 2020, section 3) through pruned layers.

A layer's output at a token is half of what the token was and half of what it looked at. Multiplied over
layers, these matrices say how much of each input token has reached another one. A token that has left gives
nothing any more. It is a picture of where attention leads, not of what the model made of it.
"""

from collections.abc import Sequence

import numpy as np

from ltp_core.trace import AttentionTrace


def rollout(attention: Sequence[AttentionTrace], tokens: int, at: int = 0) -> np.ndarray:
    """What has reached one token after each layer.

    Args:
        attention: of layer 1, 2, …, in order.
        tokens: of the input.
        at: the token that is looked at; 0 is the one that a classifier reads.

    Returns:
        float64 ``[L, tokens]``: row l sums to 1 over the input tokens, and says from which of them the
        token has drawn after layer l + 1.

    Raises:
        ValueError: if the layers do not follow each other, or the token has left before the last of them.
    """
    if [layer.layer for layer in attention] != list(range(1, len(attention) + 1)):
        raise ValueError("rollout needs the attention of all layers from the first on")
    reached = np.eye(tokens)  # [n, n]: row i, what token i has drawn from each input token
    rows = []
    for layer in attention:
        if at not in layer.tokens:
            raise ValueError(f"token {at + 1} has left before layer {layer.layer}")
        alive = list(layer.tokens)
        weights = layer.weights().astype(np.float64)  # [m, m] over the tokens alive
        reached[alive] = 0.5 * reached[alive] + 0.5 * weights @ reached[alive]
        rows.append(reached[at].copy())
    return np.stack(rows)
