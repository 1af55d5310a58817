"""Pruning as a graph that can be exported: one text, tokens really removed, thresholds as an input.

This is the engine's loop once more in the few operations that ONNX has for tokens that leave: a comparison,
`NonZero`, `Gather`. It has no branches, so that one graph serves every length and every threshold. The
importance of all layers is computed always; with a threshold of 0 nothing leaves.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ltp_core.architectures import EncoderView, LayerView, score_bias, view_of
from ltp_core.importance import attention_received
from ltp_core.rules import length_scale
from ltp_core.run import Inputs

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "thresholds")
OUTPUTS = ("logits", "tokens_left", "kept", "importance")


class PrunedGraph(nn.Module):
    """What `export --format onnx` writes: a model whose thresholds are an argument of the forward pass.

    Args:
        hf_model: a supported Hugging Face model, in evaluation mode.
        reference_length: N, see `Thresholds`; a constant of the graph.
        queries: K, how many the importance is averaged over, None for all; likewise.
    """

    def __init__(
        self, hf_model: Any, reference_length: float | None = None, queries: int | None = None
    ) -> None:
        super().__init__()
        self.hf_model = hf_model
        self.reference_length = reference_length
        self.queries = queries

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, thresholds: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run one text.

        Args:
            input_ids: long ``[1, n]``.
            attention_mask: long ``[1, n]``, 1 for real tokens; padding leaves before the first layer.
            token_type_ids: long ``[1, n]``; families without segments ignore it.
            thresholds: float ``[L]``.

        Returns:
            ``logits`` ``[1, C]``; ``tokens_left`` long ``[L]``, tokens alive after each layer; ``kept``,
            long, the positions of these tokens, one layer after the other; ``importance``, float, the
            shares of attention of the tokens that entered each layer, likewise.
        """
        view = view_of(self.hf_model)
        real = attention_mask[0].nonzero().squeeze(-1)  # [n]
        positions = torch.arange(real.shape[0], device=real.device)  # [n], the original ones
        ids, mask, segments = (
            part.index_select(1, real) for part in (input_ids, attention_mask, token_type_ids)
        )
        embedded = view.embed(Inputs(ids, mask, segments), positions.unsqueeze(0))  # [1, n, E]
        return self.layers(view, view.start(embedded[0]), positions, thresholds)

    def layers(
        self, view: EncoderView, hidden: Tensor, positions: Tensor, thresholds: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What follows the embeddings ``[n, D]`` at their positions ``[n]``; returns as `forward` does."""
        first = torch.ones(1, dtype=torch.bool, device=hidden.device)  # [CLS] always stays
        scale = length_scale(torch.ones_like(positions).sum(), self.reference_length)  # of the thresholds

        left, kept, importance = [], [], []
        layers = view.layers
        for number, (layer, theta) in enumerate(zip(layers, thresholds.split(1), strict=True), start=1):
            query, key, value = (part.transpose(0, 1) for part in layer.qkv(hidden, positions))  # [H, n, d]
            asking = self._sample(positions)  # [k]
            attention = _attention(layer, query, key, positions, asking)  # [H, k, n]
            share = attention_received(attention)  # [n]
            stays = torch.cat([first, share[1:] >= theta * scale])  # [n]
            staying = stays.nonzero().squeeze(-1)  # [m]
            left.append(stays.sum())
            kept.append(positions.index_select(0, staying))
            importance.append(share)
            # A classifier of [CLS] reads nothing else of the last layer.
            rows = staying[:1] if view.reads_first_token and number == len(layers) else staying  # [m]
            if asking is None:
                attention = attention.index_select(1, rows)  # [H, m, n]
            else:
                attention = _attention(layer, query, key, positions, rows)
            context = attention @ value  # [H, m, d]
            positions = positions.index_select(0, rows)
            residual = hidden.index_select(0, rows)  # [m, D]
            hidden = layer.feed_forward(layer.attend_output(context.transpose(0, 1), residual))

        last = view.finish(hidden).unsqueeze(0)  # [1, m, D]
        logits = view.head(last, torch.ones_like(last[..., 0], dtype=torch.long))
        return logits, torch.stack(left), torch.cat(kept), torch.cat(importance)

    def _sample(self, positions: Tensor) -> Tensor | None:
        """The queries that are averaged, as indices ``[k]`` into the tokens alive ``[n]``; None for all.

        `sampled_ranks` once more, for a number of tokens that the text decides. ONNX has no division of whole
        numbers that rounds down, and what stands for it takes eight operations; in 64 bits the quotient of
        two is exact where it is whole, so that cut off it is right.
        """
        if self.queries is None:
            return None
        tokens = positions.shape[0]
        count = torch.sym_min(tokens, self.queries)
        spread = torch.arange(count, dtype=torch.float64, device=positions.device) * (tokens - 1)
        return (spread / torch.sym_max(count - 1, 1)).long()


def _attention(
    layer: LayerView, query: Tensor, key: Tensor, positions: Tensor, rows: Tensor | None
) -> Tensor:
    """Attention of some queries ``[k]``, None for all, ``[H, n, d]`` twice -> ``[H, k, n]``."""
    asking = positions if rows is None else positions.index_select(0, rows)
    asked = query if rows is None else query.index_select(1, rows)
    scores = asked @ key.transpose(1, 2) * layer.scale  # [H, k, n]
    bias = score_bias(layer, asked, key, asking, positions)
    return (scores if bias is None else scores + bias).softmax(dim=-1)
