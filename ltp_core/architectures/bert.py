"""BERT: post-norm layers, absolute positions, a pooler on ``[CLS]``. The others are described against it."""

from typing import Any

import torch
from torch import Tensor


class BertLayerView:
    """One `BertLayer`."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.attention = layer.attention.self
        self.scale: float = self.attention.attention_head_size**-0.5
        self.dropout_p: float = self.attention.dropout.p if self.attention.training else 0.0

    def _heads(self, projected: Tensor) -> Tensor:
        return projected.unflatten(-1, (-1, self.attention.attention_head_size))  # [..., H, d]

    def qkv(self, hidden: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `LayerView.qkv`."""
        return self.query(hidden, positions), *self.key_value(hidden, positions)

    def query(self, hidden: Tensor, positions: Tensor) -> Tensor:
        """See `LayerView.query`."""
        return self._heads(self.attention.query(hidden))

    def key_value(self, hidden: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """See `LayerView.key_value`."""
        return self._heads(self.attention.key(hidden)), self._heads(self.attention.value(hidden))

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`."""
        return self.layer.attention.output(context.flatten(-2), residual)

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`."""
        return self.layer.feed_forward_chunk(hidden)


class BertView:
    """A `BertForSequenceClassification`."""

    reads_first_token = True

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

    def finish(self, hidden: Tensor) -> Tensor:
        """Nothing: each layer ends with its own norm."""
        return hidden

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Pool ``[CLS]``, the first alive token wherever the padding is, and classify it."""
        first = last[torch.arange(len(last), device=last.device), alive.long().argmax(dim=-1)]  # [B, D]
        pooled = self.encoder.pooler(first.unsqueeze(1))
        return self.model.classifier(self.model.dropout(pooled))
