"""Pruning as a graph of a fixed length: who leaves is hidden from all others, and nothing is removed.

OpenVINO compiles for shapes, and a graph whose shapes change from text to text is prepared anew for each. So
this graph keeps its length, and puts out what it takes to go on without the tokens that left: hidden states,
and who is alive. `ltp_core.openvino.blocks` cuts it there, and between two blocks the survivors are gathered.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ltp_core.architectures import LayerView, score_bias, view_of
from ltp_core.run import Inputs

PRECISION = ["ltp", "precision"]  # where a written graph says what its numbers are
QUERIES = ["ltp", "queries"]  # and how many the importance is averaged over; 0 for all
UNSEEN = -1e4  # is added to the scores of a token that left: exp of it is 0, in 16 bits, too


class MaskedGraph(nn.Module):
    """One text of n tokens in L places; those behind it are padding.

    Args:
        hf_model: a supported Hugging Face model, in evaluation mode.
        queries: K, how many the importance is averaged over; None for all.
    """

    def __init__(self, hf_model: Any, queries: int | None = None) -> None:
        super().__init__()
        self.hf_model = hf_model
        self.queries = queries

    def forward(
        self, input_ids: Tensor, token_type_ids: Tensor, positions: Tensor, alive: Tensor, thresholds: Tensor
    ) -> tuple[Tensor, ...]:
        """Run all layers.

        Args:
            input_ids: long ``[1, L]``.
            token_type_ids: long ``[1, L]``; families without segments ignore it.
            positions: long ``[L]``, of each token in its text.
            alive: float ``[L]``, 1 for a token and 0 for padding; the first is a token.
            thresholds: float, one a layer, as they act on this text.

        Returns:
            As `names` has it: logits ``[1, C]``; what enters the first layer ``[L, D]``; and for each layer
            the hidden states after its attention ``[L, D]``, who is alive then ``[L]``, the importance
            ``[L]``, 0 of those that had left, and where there is a sample which places it asks, long ``[k]``,
            and what each weighs, ``[k]``.
        """
        view = view_of(self.hf_model)
        layers = view.layers
        tokens = Inputs(input_ids, alive.unsqueeze(0).long(), token_type_ids)
        hidden = view.start(view.embed(tokens, positions.unsqueeze(0)).squeeze(0))  # [L, D]
        found = [hidden]
        first = torch.arange(alive.shape[0], device=alive.device) == 0  # [CLS] always stays
        for number, (layer, theta) in enumerate(zip(layers, thresholds.split(1), strict=True), start=1):
            heads = [part.transpose(0, 1) for part in layer.qkv(hidden, positions)]  # [H, L, d] each
            sample = () if self.queries is None else _sample(alive, self.queries)
            share = _importance(layer, heads, positions, alive, sample)  # [L]
            if view.reads_first_token and number == len(layers):  # the head reads nothing else
                heads[0], hidden = heads[0][:, :1], hidden[:1]
            context = _context(layer, heads, positions, alive)  # [H, L or 1, d]
            alive = alive * ((share >= theta) | first).to(alive.dtype)
            hidden = layer.attend_output(context.transpose(0, 1), hidden)
            found += [hidden, alive, share, *sample]
            hidden = layer.feed_forward(hidden)
        last = view.finish(hidden).unsqueeze(0)  # [1, L or 1, D]
        return (view.head(last, alive[: last.shape[1]].unsqueeze(0)), *found)


def names(layers: int, sampled: bool) -> list[str]:
    """What `MaskedGraph` puts out, in order: logits, hidden.0, hidden.1, alive.1, importance.1, and on.

    Args:
        layers: L.
        sampled: whether the importance is of a sample, whose ``asked`` and ``weights`` follow it.
    """
    each = ("hidden", "alive", "importance", *(("asked", "weights") if sampled else ()))
    return ["logits", "hidden.0", *(f"{what}.{layer}" for layer in range(1, layers + 1) for what in each)]


def _sample(alive: Tensor, queries: int) -> tuple[Tensor, Tensor]:
    """The places of the sampled queries ``[k]``, and the weight of each in the average ``[k]``."""
    # The token of rank r is the one that as many as r come before.
    asked = torch.arange(alive.shape[0], device=alive.device)[:queries].to(alive.dtype)  # [k], k <= L
    count = alive.sum().clamp(max=queries)
    ranks = torch.floor(asked * (alive.sum() - 1) / (count - 1).clamp(min=1))
    rows = (alive.cumsum(0) <= ranks.unsqueeze(1)).long().sum(dim=1).clamp(max=alive.shape[0] - 1)
    return rows, (asked < count).to(alive.dtype) / count


def _importance(
    layer: LayerView, heads: Sequence[Tensor], positions: Tensor, alive: Tensor, sample: Sequence[Tensor]
) -> Tensor:
    """The share of attention of each token ``[L]``, from the rows of `_sample`, or of all for none."""
    query, key, _ = heads
    asking, weights = positions, alive / alive.sum()  # [L]
    if sample:
        rows, weights = sample
        query, asking = query.index_select(1, rows), positions.index_select(0, rows)
    scores = query @ key.transpose(1, 2)  # [H, k, L]
    unseen = _unseen(layer, query, key, asking, positions, alive)
    # In two dimensions: OpenVINO would lay three out in blocks of 16 channels, and back.
    unseen = unseen.view(1, -1) if unseen.shape[:2] == (1, 1) else unseen.expand_as(scores).flatten(0, 1)
    attention = (scores.flatten(0, 1) * layer.scale + unseen).softmax(dim=-1).view_as(scores)
    return (attention.mean(dim=0) * weights.unsqueeze(1)).sum(dim=0)


def _context(layer: LayerView, heads: Sequence[Tensor], positions: Tensor, alive: Tensor) -> Tensor:
    """Fused attention of the first q tokens, ``[H, q, d]`` and ``[H, L, d]`` twice -> ``[H, q, d]``."""
    query, key, value = heads
    mask = _unseen(layer, query, key, positions[: query.shape[1]], positions, alive)
    attention = scaled_dot_product_attention(
        query.unsqueeze(0),
        key.unsqueeze(0),
        value.unsqueeze(0),
        attn_mask=mask.unsqueeze(0),
        scale=layer.scale,
    )
    return attention.squeeze(0)


def _unseen(
    layer: LayerView, query: Tensor, key: Tensor, asking: Tensor, asked: Tensor, alive: Tensor
) -> Tensor:
    """Added to the scores: the family's bias, and `UNSEEN` for who has left; ``[H or 1, q or 1, L]``."""
    gone = ((1 - alive) * UNSEEN).view(1, 1, -1)
    bias = score_bias(layer, query, key, asking, asked)
    return gone if bias is None else gone + bias
