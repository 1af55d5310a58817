"""DistilBERT.

Different from BERT: other names for everything, no segments, and a ReLU instead of tanh in the pooler.
"""

from typing import Any

from torch import Tensor
from torch.nn.functional import relu

from ltp_core.architectures.base import EncoderView, Heads, LayerView, first_alive, project_heads
from ltp_core.architectures.families import reads
from ltp_core.flops import Dimensions
from ltp_core.run import Inputs


class DistilBertLayerView(LayerView):
    """One `TransformerBlock`."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.attention = layer.attention
        self.scale: float = self.attention.attention_head_size**-0.5
        self.dropout_p: float = self.attention.dropout.p if self.attention.training else 0.0

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """See `LayerView.qkv`."""
        attention, size = self.attention, self.attention.attention_head_size
        return project_heads(size, hidden, rows, attention.q_lin, attention.k_lin, attention.v_lin)

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`."""
        return self.layer.sa_layer_norm(self.attention.out_lin(context.flatten(-2)) + residual)

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`."""
        return self.layer.output_layer_norm(self.layer.ffn.ff_chunk(hidden) + hidden)


@reads("distilbert")
class DistilBertView(EncoderView):
    """A `DistilBertForSequenceClassification`."""

    @staticmethod
    def dimensions(config: Any) -> Dimensions:
        """See `EncoderView.dimensions`."""
        return Dimensions(config.n_layers, config.dim, config.hidden_dim, config.num_labels)

    @property
    def layers(self) -> list[DistilBertLayerView]:
        """See `EncoderView.layers`."""
        return [DistilBertLayerView(layer) for layer in self.encoder.transformer.layer]

    def embed(self, inputs: Inputs, positions: Tensor) -> Tensor:
        """See `EncoderView.embed`."""
        return self.encoder.embeddings(inputs.input_ids, inputs.inputs_embeds, positions)

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Pool ``[CLS]`` and classify it."""
        pooled = relu(self.model.pre_classifier(first_alive(last, alive).squeeze(1)))  # [B, D]
        return self.model.classifier(self.model.dropout(pooled))
