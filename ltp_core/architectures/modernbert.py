"""ModernBERT.

Different from BERT: norms come before attention and FFN, and once more at the end; positions rotate queries
and keys (RoPE) and are not embedded; query, key and value are one projection; the FFN is gated; some layers
see a local window only; the head reads ``[CLS]`` or the mean; no segments.
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from ltp_core.architectures.base import EncoderView, Heads, LayerView, first_alive, mean_alive
from ltp_core.architectures.families import reads
from ltp_core.flops import Dimensions
from ltp_core.run import Inputs

LOCAL = "sliding_attention"  # how the config names a layer with a window


class ModernBertLayerView(LayerView):
    """One `ModernBertEncoderLayer`, with the encoder that knows the rotations."""

    def __init__(self, layer: Any, encoder: Any) -> None:
        self.layer = layer
        self.encoder = encoder
        self.scale: float = layer.attn.head_dim**-0.5
        self.dropout_p: float = layer.attn.attention_dropout if layer.training else 0.0
        self.window = layer.config.sliding_window if layer.attention_type == LOCAL else None

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """See `LayerView.qkv`. The projection is one, so `rows` saves nothing."""
        from transformers.models.modernbert.modeling_modernbert import apply_rotary_pos_emb  # slow

        projected = self.layer.attn.Wqkv(self.layer.attn_norm(hidden))  # [..., 3 H d]
        heads = projected.unflatten(-1, (3, -1, self.layer.attn.head_dim))  # [..., 3, H, d]
        query, key, value = heads.unbind(-3)  # [..., H, d]
        cos, sin = self.encoder.rotary_emb(hidden, positions, self.layer.attention_type)  # [..., d]
        query, key = apply_rotary_pos_emb(query, key, cos, sin, unsqueeze_dim=-2)
        return (query if rows is None else query[rows]), key, value

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`."""
        return residual + self.layer.attn.out_drop(self.layer.attn.Wo(context.flatten(-2)))

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`."""
        return hidden + self.layer.mlp(self.layer.mlp_norm(hidden))


@reads("modernbert")
class ModernBertView(EncoderView):
    """A `ModernBertForSequenceClassification`."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.reads_first_token = model.config.classifier_pooling == "cls"

    @staticmethod
    def dimensions(config: Any) -> Dimensions:
        """See `EncoderView.dimensions`."""
        windows = tuple(config.sliding_window if kind == LOCAL else None for kind in config.layer_types)
        size = replace(EncoderView.dimensions(config), gated=True, one_projection=True, windows=windows)
        return replace(size, reads_first_token=config.classifier_pooling == "cls")

    @property
    def layers(self) -> list[ModernBertLayerView]:
        """See `EncoderView.layers`."""
        return [ModernBertLayerView(layer, self.encoder) for layer in self.encoder.layers]

    def embed(self, inputs: Inputs, positions: Tensor) -> Tensor:
        """See `EncoderView.embed`."""
        return self.encoder.embeddings(input_ids=inputs.input_ids, inputs_embeds=inputs.inputs_embeds)

    def finish(self, hidden: Tensor) -> Tensor:
        """See `EncoderView.finish`."""
        return self.encoder.final_norm(hidden)

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Pool ``[CLS]``, or average the tokens that are alive, and classify."""
        pooled = first_alive(last, alive).squeeze(1) if self.reads_first_token else mean_alive(last, alive)
        return self.model.classifier(self.model.drop(self.model.head(pooled)))
