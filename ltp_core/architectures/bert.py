"""BERT: post-norm layers, absolute positions, a pooler on ``[CLS]``. The others are described against it."""

from typing import Any

import torch
from torch import Tensor

from ltp_core.architectures.base import EncoderView, LayerView, first_alive


class BertLayerView(LayerView):
    """One `BertLayer`."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.attention = layer.attention.self
        self.scale: float = self.attention.attention_head_size**-0.5
        self.dropout_p: float = self.attention.dropout.p if self.attention.training else 0.0

    def _heads(self, projected: Tensor) -> Tensor:
        return projected.unflatten(-1, (-1, self.attention.attention_head_size))  # [..., H, d]

    def qkv(
        self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `LayerView.qkv`."""
        asking = hidden if rows is None else hidden[rows]
        query, key, value = self.attention.query, self.attention.key, self.attention.value
        return self._heads(query(asking)), self._heads(key(hidden)), self._heads(value(hidden))

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`."""
        return self.layer.attention.output(context.flatten(-2), residual)

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`. `layer.forward` cuts into chunks, which packed tokens do not fit."""
        return self.layer.feed_forward_chunk(hidden)


class BertView(EncoderView):
    """A `BertForSequenceClassification`."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.encoder = model.base_model

    @property
    def layers(self) -> list[BertLayerView]:
        """See `EncoderView.layers`."""
        return [BertLayerView(layer) for layer in self.encoder.encoder.layer]

    def embed(
        self,
        input_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor,
    ) -> Tensor:
        """See `EncoderView.embed`."""
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(position_ids)
        return self.encoder.embeddings(
            input_ids=input_ids,
            inputs_embeds=inputs_embeds,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
        )

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Pool ``[CLS]`` and classify it."""
        pooled = self.encoder.pooler(first_alive(last, alive))  # [B, D]
        return self.model.classifier(self.model.dropout(pooled))
