"""Pruning for real: tokens that leave are no longer computed. A batch is packed, without padding.

The tokens of a batch lie behind one another in one ``[T, D]`` tensor. Linear layers run over it as it
is; attention runs sequence by sequence. What cannot change the logits is not computed:

- a layer whose importance nobody reads runs fused attention;
- context, output projection and FFN are computed only for the tokens that stay;
- where the head reads ``[CLS]`` alone, the last layer puts out ``[CLS]`` alone (in dense runs too). A rule
  that looks into the last layer still gets its scores, which tell how many tokens are left.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from ltp_core.architectures import EncoderView, LayerView, score_bias
from ltp_core.importance import attention_received
from ltp_core.rules import Rule, first_tokens, original_positions
from ltp_core.run import Inputs, Run


def removed_forward(
    view: EncoderView, inputs: Inputs, rule: Rule, record: bool = False, attention_layer: int | None = None
) -> Run:
    """Run an encoder over the tokens that are alive, layer by layer.

    Args:
        view: the encoder, in evaluation mode.
        inputs: a padded batch.
        rule: who stays.
        record: compute the importance in every layer, also where the rule does not need it.
        attention_layer: keep the attention probabilities of this layer (1 is the first).

    Returns:
        A `Run` with bool masks. T below is the number of tokens alive in the whole batch.
    """
    alive = inputs.attention_mask.bool()  # [B, n]
    first = first_tokens(inputs.attention_mask)  # [B, n]
    grid_positions = original_positions(inputs.attention_mask)  # [B, n]
    embedded = view.embed(inputs, grid_positions)
    hidden, positions = view.start(embedded[alive]), grid_positions[alive]  # [T, D], [T]
    carry: Any = None
    attention: tuple[Tensor, ...] | None = None
    masks: list[Tensor] = []
    importances: list[Tensor | None] = []

    layers = view.layers
    for number, layer in enumerate(layers, start=1):
        lengths = _lengths(alive)
        observed = record or number == attention_layer or rule.needs_importance(number)
        importance = torch.zeros(alive.shape, device=alive.device)  # [B, n]
        if observed:
            query, key, value = layer.qkv(hidden, positions)  # [T, H, d] each
            probabilities = attention_probabilities(layer, query, key, positions, lengths)
            importance[alive] = torch.cat([attention_received(p) for p in probabilities]).to(importance.dtype)

        kept, carry = rule.keep(importance, alive, number, carry)  # [B, n]
        kept = (kept & alive) | first
        only_first = view.reads_first_token and number == len(layers)
        output = (first if only_first else kept)[alive]  # [T], the tokens that this layer puts out

        if observed:
            context = weighted_values(probabilities, value, output, lengths)  # [T', H, d]
        else:
            context = fused_attention(layer, hidden, positions, output, lengths)  # [T', H, d]
        hidden = layer.feed_forward(layer.attend_output(context, hidden[output]))  # [T', D]
        positions = positions[output]  # [T']
        alive = kept
        masks.append(kept)
        importances.append(importance if observed else None)
        if number == attention_layer:
            attention = tuple(probabilities)

    last = first if view.reads_first_token else alive  # [B, n], where the rows of `hidden` belong
    grid = hidden.new_zeros(*last.shape, hidden.shape[-1])  # [B, n, D]
    grid[last] = view.finish(hidden)
    return Run(view.head(grid, last), tuple(masks), tuple(importances), attention)


def attention_probabilities(
    layer: LayerView, query: Tensor, key: Tensor, positions: Tensor, lengths: Sequence[int]
) -> list[Tensor]:
    """Packed ``[T, H, d]`` twice -> for each sequence, probabilities ``[H, n, n]`` over its own tokens."""
    probabilities = []
    for q, k, at in zip(*(x.split(lengths) for x in (query, key, positions)), strict=True):
        scores = q.transpose(0, 1) @ k.permute(1, 2, 0) * layer.scale  # [H, n, n]
        bias = score_bias(layer, at, at)
        probabilities.append((scores if bias is None else scores + bias).softmax(dim=-1))
    return probabilities


def weighted_values(
    probabilities: Sequence[Tensor], value: Tensor, output: Tensor, lengths: Sequence[int]
) -> Tensor:
    """Context of the tokens that stay: rows of ``P V`` where `output` ``[T]`` is true -> ``[T', H, d]``."""
    parts = zip(probabilities, value.split(lengths), output.split(lengths), strict=True)
    return torch.cat([(p[:, rows] @ v.transpose(0, 1)).transpose(0, 1) for p, v, rows in parts])


def fused_attention(
    layer: LayerView, hidden: Tensor, positions: Tensor, output: Tensor, lengths: Sequence[int]
) -> Tensor:
    """Context of the tokens that stay, without materialised probabilities -> ``[T', H, d]``."""
    query, key, value = layer.qkv(hidden, positions, output)  # [T', H, d], [T, H, d] twice
    rows = [int(part.sum()) for part in output.split(lengths)]
    queries = zip(query.split(rows), positions[output].split(rows), strict=True)
    others = zip(*(x.split(lengths) for x in (key, value, positions)), strict=True)
    contexts = []
    for (q, at), (k, v, keys_at) in zip(queries, others, strict=True):
        bias = score_bias(layer, at, keys_at)
        q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))  # [1, H, n, d]
        bias = None if bias is None else bias.to(q.dtype)
        context = scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=layer.scale)
        contexts.append(context[0].transpose(0, 1))  # [n', H, d]
    return torch.cat(contexts)


def _lengths(alive: Tensor) -> list[int]:
    """Tokens alive in each sequence, ``[B, n]`` -> B counts."""
    counts: list[int] = alive.sum(dim=-1).tolist()
    return counts
