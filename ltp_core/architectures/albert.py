"""ALBERT.

Different from BERT: layers share their weights, all of them or in groups; embeddings are narrower than the
layers, and are then projected; other names in a layer, and in the pooler.
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from ltp_core.architectures.base import Heads, LayerView, first_alive, project_heads
from ltp_core.architectures.bert import BertView
from ltp_core.architectures.families import reads
from ltp_core.flops import Dimensions


class AlbertLayerView(LayerView):
    """One `AlbertLayer`, which may be several layers of the encoder."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.attention = layer.attention
        self.scale: float = self.attention.scaling
        self.dropout_p: float = self.attention.attention_dropout.p if self.attention.training else 0.0

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """See `LayerView.qkv`."""
        attention, size = self.attention, self.attention.attention_head_size
        return project_heads(size, hidden, rows, attention.query, attention.key, attention.value)

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`."""
        attention = self.attention
        return attention.LayerNorm(residual + attention.output_dropout(attention.dense(context.flatten(-2))))

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`."""
        return self.layer.full_layer_layer_norm(self.layer.ff_chunk(hidden) + hidden)


@reads("albert")
class AlbertView(BertView):
    """An `AlbertForSequenceClassification`."""

    @staticmethod
    def dimensions(config: Any) -> Dimensions:
        """See `EncoderView.dimensions`."""
        layers = config.num_hidden_layers * config.inner_group_num
        return replace(BertView.dimensions(config), layers=layers, projected_embedding=config.embedding_size)

    @property
    def layers(self) -> list[AlbertLayerView]:  # type: ignore[override]
        """See `EncoderView.layers`. Each group of layers runs several times before the next one does."""
        config, groups = self.encoder.config, self.encoder.encoder.albert_layer_groups
        times = config.num_hidden_layers / config.num_hidden_groups
        order = [groups[int(number / times)] for number in range(config.num_hidden_layers)]
        return [AlbertLayerView(layer) for group in order for layer in group.albert_layers]

    def start(self, embedded: Tensor) -> Tensor:
        """Project to the width of the layers, ``[..., E]`` -> ``[..., D]``."""
        return self.encoder.encoder.embedding_hidden_mapping_in(embedded)

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Pool ``[CLS]`` and classify it."""
        first = first_alive(last, alive).squeeze(1)  # [B, D]
        pooled = self.encoder.pooler_activation(self.encoder.pooler(first))
        return self.model.classifier(self.model.dropout(pooled))
