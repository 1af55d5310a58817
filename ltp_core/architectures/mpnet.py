"""MPNet.

Different from BERT: the distance of two tokens adds a learned bias to their score, from one table for all
layers; no segments. Positions and classifier are RoBERTa's.
"""

from typing import Any

from torch import Tensor

from ltp_core.architectures.base import Heads, LayerView, project_heads
from ltp_core.architectures.families import reads
from ltp_core.architectures.roberta import RobertaView


class MPNetLayerView(LayerView):
    """One `MPNetLayer`, with the encoder that holds the table of biases."""

    def __init__(self, layer: Any, encoder: Any) -> None:
        self.layer = layer
        self.encoder = encoder
        self.attention = layer.attention.attn
        self.scale: float = self.attention.attention_head_size**-0.5
        self.dropout_p: float = self.attention.dropout.p if self.attention.training else 0.0

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """See `LayerView.qkv`."""
        attention, size = self.attention, self.attention.attention_head_size
        return project_heads(size, hidden, rows, attention.q, attention.k, attention.v)

    def bias(self, query: Tensor, key: Tensor, asking: Tensor, asked: Tensor) -> Tensor:
        """See `LayerView.bias`. `MPNetEncoder.compute_position_bias` does not take batched positions."""
        distance = asked.unsqueeze(-2) - asking.unsqueeze(-1)  # [..., n_q, n_k]
        bucket = self.encoder.relative_position_bucket(distance)  # [..., n_q, n_k]
        return self.encoder.relative_attention_bias(bucket).movedim(-1, -3)  # [..., H, n_q, n_k]

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`."""
        attention = self.layer.attention
        return attention.LayerNorm(attention.dropout(self.attention.o(context.flatten(-2))) + residual)

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`."""
        return self.layer.output(self.layer.intermediate(hidden), hidden)


@reads("mpnet")
class MPNetView(RobertaView):
    """An `MPNetForSequenceClassification`."""

    @property
    def layers(self) -> list[MPNetLayerView]:  # type: ignore[override]
        """See `EncoderView.layers`."""
        return [MPNetLayerView(layer, self.encoder.encoder) for layer in self.encoder.encoder.layer]

    @staticmethod
    def max_tokens(config: Any) -> int:
        """See `EncoderView.max_tokens`. The padding index is 1, whatever the config says."""
        return int(config.max_position_embeddings - 2)
