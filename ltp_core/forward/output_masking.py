"""The paper's own soft masks, for comparison: outputs are scaled, attention is left alone."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from ltp_core.architectures import EncoderView
from ltp_core.forward.masked import MaskGate, padded_attention
from ltp_core.importance import attention_received, query_weights
from ltp_core.rules import first_tokens, original_positions
from ltp_core.run import Inputs, Run


def output_masked_forward(
    view: EncoderView, inputs: Inputs, gate: MaskGate, queries: int | None = None
) -> Run:
    """Run an encoder whose layers' outputs are multiplied by the gate (paper section 3.3).

    A token that is masked out still takes part in the attention of later layers, so its limit at low
    temperature is not hard pruning: `masked.padded_forward` with a `soft_gate` is what has that limit.
    The importance is averaged over real tokens, whatever their masks, for the same reason.

    Args:
        view: the encoder.
        inputs: a padded batch.
        gate: a `soft_gate`.
        queries: how many of the real tokens the importance is averaged over; None for all.

    Returns:
        A `Run`; its masks are products of the gates so far, from which FLOPs are counted.
    """
    first = first_tokens(inputs.attention_mask)  # [B, n]
    positions = original_positions(inputs.attention_mask)  # [B, n]
    hidden = view.start(view.embed(inputs, positions))  # [B, n, D]
    real = inputs.attention_mask.to(torch.float32)  # [B, n]
    weights = query_weights(real, queries)  # [B, n]
    mask: Tensor = real
    carry: Any = None
    masks, importances, states = [], [], []
    for number, layer in enumerate(view.layers, start=1):
        attention, value = padded_attention(layer, hidden, positions, real)  # [B, H, n, n], [B, H, n, d]
        importance = attention_received(attention, weights)  # [B, n]
        gated, carry = gate(importance, real, number, carry)
        scale = torch.where(first, torch.ones_like(gated), gated)  # [B, n]
        context = dropout(attention, layer.dropout_p).to(value.dtype) @ value  # [B, H, n, d]
        hidden = layer.feed_forward(layer.attend_output(context.transpose(1, 2), hidden))
        hidden = hidden * scale.unsqueeze(-1).to(hidden.dtype)  # [B, n, D]
        mask = mask * scale
        masks.append(mask)
        importances.append(importance)
        states.append(hidden)
    logits = view.head(view.finish(hidden), mask)
    return Run(logits, tuple(masks), tuple(importances), hidden=tuple(states))
