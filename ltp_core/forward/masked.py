"""Pruning by masks: the padded, differentiable reference for the engine, and the forward of training.

One loop serves hard and soft masks; they differ in the *gate* that turns importance into the next mask.
As the temperature of a soft gate falls to 0, its forward becomes the hard one exactly.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from ltp_core.architectures import EncoderView, LayerView, score_bias
from ltp_core.importance import attention_received, query_weights
from ltp_core.rules import Rule, first_tokens, length_scale, original_positions
from ltp_core.run import Inputs, Run

# (importance [B, n], mask [B, n], layer, carry) -> (next mask [B, n], carry). Masks are floats in [0, 1].
MaskGate = Callable[[Tensor, Tensor, int, Any], tuple[Tensor, Any]]


def hard_gate(rule: Rule) -> MaskGate:
    """0 or 1, as the rule says. No gradient reaches the rule."""

    def gate(importance: Tensor, mask: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        kept, carry = rule.keep(importance, mask > 0, layer, carry)
        return mask * kept, carry

    return gate


def soft_gate(thresholds: Tensor, temperature: float, reference_length: float | None = None) -> MaskGate:
    """``sigmoid((s - theta min(1, N / n)) / T)``, the paper's soft mask (section 3.3).

    Args:
        thresholds: ``[L]``, may require gradients.
        temperature: T, in the unit of the importance.
        reference_length: N, see `Thresholds`; the first layer's masks say how many tokens an input has.
    """

    def gate(importance: Tensor, mask: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        margin, carry = _margin(importance, mask, thresholds[layer - 1], reference_length, carry)
        return mask * torch.sigmoid(margin / temperature), carry

    return gate


def straight_through_gate(
    thresholds: Tensor, temperature: float, reference_length: float | None = None
) -> MaskGate:
    """Hard in the forward pass, with the soft gate's gradient (straight-through estimator).

    The paper trains thresholds with soft gates, which stay fractional: the saving they report is not
    the one that hard pruning then gives. Here each step sees the real, hard saving.
    Arguments as for `soft_gate`.
    """

    def gate(importance: Tensor, mask: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        margin, carry = _margin(importance, mask, thresholds[layer - 1], reference_length, carry)
        soft = torch.sigmoid(margin / temperature)
        return mask * ((margin >= 0).to(soft.dtype) + (soft - soft.detach())), carry

    return gate


def _margin(
    importance: Tensor, mask: Tensor, theta: Tensor, reference_length: float | None, carry: Any
) -> tuple[Tensor, Any]:
    """How far each importance is above its threshold, ``[B, n]``; carried: the thresholds' scale."""
    scale = length_scale(mask.sum(dim=-1, keepdim=True), reference_length) if carry is None else carry
    return importance - theta * scale, scale


def sparing_gate(gate: MaskGate, layers: int) -> MaskGate:
    """A gate that takes nothing from the first so many layers."""

    def spare(importance: Tensor, mask: Tensor, layer: int, carry: Any) -> tuple[Tensor, Any]:
        return (mask, carry) if layer <= layers else gate(importance, mask, layer, carry)

    return spare


def padded_forward(view: EncoderView, inputs: Inputs, gate: MaskGate, queries: int | None = None) -> Run:
    """Run an encoder over all tokens, hiding the pruned ones from attention.

    Args:
        view: the encoder, in training or evaluation mode (which decides on dropout).
        inputs: a padded batch.
        gate: see `hard_gate`, `soft_gate`, `straight_through_gate`.
        queries: how many the importance is averaged over, see `ltp_core.importance`; None for all.

    Returns:
        A `Run` with float masks.
    """
    first = first_tokens(inputs.attention_mask)  # [B, n]
    positions = original_positions(inputs.attention_mask)  # [B, n]
    embedded = view.embed(inputs, positions)
    hidden = view.start(embedded)  # [B, n, D]
    mask = inputs.attention_mask.to(torch.float32)  # [B, n]
    carry: Any = None
    masks, importances, states = [], [], []
    for number, layer in enumerate(view.layers, start=1):
        attention, value = padded_attention(layer, hidden, positions, mask)  # [B, H, n, n], [B, H, n, d]
        importance = attention_received(attention, query_weights(mask, queries))  # [B, n]
        gated, carry = gate(importance, mask, number, carry)
        mask = torch.where(first, torch.ones_like(gated), gated)  # [CLS] never leaves
        context = dropout(attention, layer.dropout_p).to(value.dtype) @ value  # [B, H, n, d]
        hidden = layer.feed_forward(layer.attend_output(context.transpose(1, 2), hidden))  # [B, n, D]
        masks.append(mask)
        importances.append(importance)
        states.append(hidden)
    logits = view.head(view.finish(hidden), mask)
    return Run(logits, tuple(masks), tuple(importances), hidden=tuple(states))


def padded_attention(
    layer: LayerView, hidden: Tensor, positions: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """A layer's attention over a padded batch.

    Args:
        layer: the layer.
        hidden: ``[B, n, D]``.
        positions: of the tokens in their texts, long ``[B, n]``.
        mask: ``[B, n]``, the weight of each key.

    Returns:
        ``(attention, value)``: ``[B, H, n, n]``, see `weighted_softmax`, and ``[B, H, n, d]``.
    """
    query, key, value = (x.transpose(1, 2) for x in layer.qkv(hidden, positions))  # [B, H, n, d]
    scores = (query * layer.scale) @ key.transpose(-1, -2)  # [B, H, n, n]
    bias = score_bias(layer, query, key, positions, positions)  # [B, 1 or H, n, n]
    return weighted_softmax(scores if bias is None else scores + bias, mask), value


def weighted_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over keys, each weighted by its mask: ``m_j exp(x_j) / sum_k m_k exp(x_k)``.

    With masks of 0 and 1 this is the usual masked softmax; unlike adding log m to the scores it also
    has a gradient to a mask that is 0, so a dropped token can be called back: not the derivative, which has
    no bound, but the difference that calling it back makes (see `_WeightedSoftmax`).

    Args:
        scores: ``[B, H, n, n]``; -inf where a query never sees a key.
        mask: ``[B, n]`` over keys.

    Returns:
        ``[B, H, n, n]``. A query that sees nothing (dropped itself, with all in its window) gets zeros.
    """
    weighted: Tensor = _WeightedSoftmax.apply(scores.float(), mask[:, None, None, :])
    return weighted


class _WeightedSoftmax(torch.autograd.Function):
    """`weighted_softmax` with its gradient written out: a third of the passes over ``[B, H, n, n]``.

    With ``w_j = exp(x_j) / sum_k m_k exp(x_k)`` and ``p_j = m_j w_j``, a loss with the gradient g to p has
    the gradient ``w_j (g_j - sum_k g_k p_k)`` to ``m_j``, to be summed over heads and queries, and ``m_j``
    times that to ``x_j``.

    Where ``m_j`` is 0 that derivative has no bound: w_j of a hidden key is e to the lead that its score has
    over the visible ones, and heads often rest on one token. So there ``w_j / (1 + w_j)`` takes the place of
    w_j, which gives the difference that ``m_j = 1`` would make to a loss linear in p, exactly.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, keys: Tensor) -> Tensor:
        """``[B, H, n, n]`` in float32 and ``[B, 1, 1, n]`` -> ``[B, H, n, n]``."""
        highest = scores.masked_fill(keys == 0, -torch.inf).amax(dim=-1, keepdim=True)  # [B, H, n, 1]
        highest.masked_fill_(highest == -torch.inf, 0)
        # A hidden key may score far higher than all visible ones; its exponential must not overflow.
        weights = (scores - highest).clamp_(max=20).exp_()
        probabilities = weights * keys
        total = probabilities.sum(dim=-1, keepdim=True)  # [B, H, n, 1]
        total.masked_fill_(total == 0, 1)
        # total + weights where the key is hidden: so w / (1 + w) there, and w elsewhere
        ctx.save_for_backward(weights.div_((keys == 0).to(weights.dtype).mul(weights).add_(total)), keys)
        return probabilities.div_(total)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients to scores and keys."""
        weights, keys = ctx.saved_tensors
        (gradient,) = gradients
        scaled = gradient * weights
        mean = (scaled * keys).sum(dim=-1, keepdim=True)  # [B, H, n, 1]
        to_mask = scaled.addcmul_(weights, mean, value=-1)  # [B, H, n, n], of each query and head
        to_keys = to_mask.sum(dim=(1, 2), keepdim=True)  # [B, 1, 1, n]
        return to_mask.mul_(keys), to_keys
