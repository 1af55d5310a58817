"""Pruning as a graph that can be exported: one text, tokens really removed, thresholds as an input.

This is the engine's loop once more in the few operations that ONNX has for tokens that leave: a comparison,
`NonZero`, `Gather`. It has no branches, so that one graph serves every length and every threshold. The
importance of all layers is computed always; with a threshold of 0 nothing leaves.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ltp_core.architectures import EncoderView, score_bias, view_of
from ltp_core.importance import attention_received
from ltp_core.run import Inputs

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "thresholds")
OUTPUTS = ("logits", "tokens_left", "kept", "importance")


class PrunedGraph(nn.Module):
    """What `export --format onnx` writes: a model whose thresholds are an argument of the forward pass.

    Args:
        hf_model: a supported Hugging Face model, in evaluation mode.
        length_exponent: alpha in ``n^alpha s >= theta``; a constant of the graph.
    """

    def __init__(self, hf_model: Any, length_exponent: float = 0.0) -> None:
        super().__init__()
        self.hf_model = hf_model
        self.length_exponent = length_exponent

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

        left, kept, importance = [], [], []
        layers = view.layers
        for number, (layer, theta) in enumerate(zip(layers, thresholds.split(1), strict=True), start=1):
            query, key, value = (part.transpose(0, 1) for part in layer.qkv(hidden, positions))  # [H, n, d]
            scores = query @ key.transpose(1, 2) * layer.scale  # [H, n, n]
            bias = score_bias(layer, query, key, positions, positions)
            attention = (scores if bias is None else scores + bias).softmax(dim=-1)
            share = attention_received(attention)  # [n]
            stays = torch.cat([first, share[1:] >= self._cutoff(theta, share)])  # [n]
            rows = stays.nonzero().squeeze(-1)  # [m]
            positions = positions.index_select(0, rows)
            left.append(stays.sum())
            kept.append(positions)
            importance.append(share)
            if view.reads_first_token and number == len(layers):
                rows = rows[:1]  # a classifier of [CLS] reads nothing else
            context = attention.index_select(1, rows) @ value  # [H, m, d]
            residual = hidden.index_select(0, rows)  # [m, D]
            hidden = layer.feed_forward(layer.attend_output(context.transpose(0, 1), residual))

        last = view.finish(hidden).unsqueeze(0)  # [1, m, D]
        logits = view.head(last, torch.ones_like(last[..., 0], dtype=torch.long))
        return logits, torch.stack(left), torch.cat(kept), torch.cat(importance)

    def _cutoff(self, theta: Tensor, share: Tensor) -> Tensor:
        """The share that decides, ``theta n^-alpha``, ``[1]``."""
        if self.length_exponent == 0:
            return theta
        tokens = torch.ones_like(share).sum()
        return theta * tokens**-self.length_exponent
