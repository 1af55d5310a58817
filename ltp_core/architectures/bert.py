"""BERT: post-norm layers, absolute positions, a pooler on ``[CLS]``. The others are described against it."""

from typing import Any

import torch
from torch import Tensor

from ltp_core.architectures.base import EncoderView, Heads, LayerView, first_alive, project_heads
from ltp_core.architectures.families import reads
from ltp_core.run import Inputs


class BertLayerView(LayerView):
    """One `BertLayer`."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.attention = layer.attention.self
        self.scale: float = self.attention.attention_head_size**-0.5
        self.dropout_p: float = self.attention.dropout.p if self.attention.training else 0.0

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """See `LayerView.qkv`."""
        attention, size = self.attention, self.attention.attention_head_size
        return project_heads(size, hidden, rows, attention.query, attention.key, attention.value)

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`."""
        return self.layer.attention.output(context.flatten(-2), residual)

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`. `layer.forward` cuts into chunks, which packed tokens do not fit."""
        return self.layer.feed_forward_chunk(hidden)


@reads("bert")
class BertView(EncoderView):
    """A `BertForSequenceClassification`."""

    @property
    def layers(self) -> list[BertLayerView]:
        """See `EncoderView.layers`."""
        return [BertLayerView(layer) for layer in self.encoder.encoder.layer]

    def embed(self, inputs: Inputs, positions: Tensor) -> Tensor:
        """See `EncoderView.embed`."""
        segments = inputs.token_type_ids
        return self.encoder.embeddings(
            input_ids=inputs.input_ids,
            inputs_embeds=inputs.inputs_embeds,
            token_type_ids=torch.zeros_like(positions) if segments is None else segments,
            position_ids=positions,
        )

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Pool ``[CLS]`` and classify it."""
        pooled = self.encoder.pooler(first_alive(last, alive))  # [B, D]
        return self.model.classifier(self.model.dropout(pooled))
