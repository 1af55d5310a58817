"""DeBERTa v2 and v3.

Different from BERT: how far apart two tokens are counts in their score, by what they say (disentangled
attention, see `disentangled.py`); embeddings may have no position, and may be projected; the largest models
begin with a convolution (`convolution.py`).
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from ltp_core.architectures.base import Heads, LayerView, first_alive, project_heads
from ltp_core.architectures.bert import BertLayerView, BertView
from ltp_core.architectures.convolution import ConvolvedLayerView, with_convolution
from ltp_core.architectures.disentangled import Distances, DistanceScores
from ltp_core.architectures.families import reads
from ltp_core.flops import Dimensions
from ltp_core.run import Inputs


class DebertaLayerView(BertLayerView):
    """One `DebertaV2Layer`, with what distances add to its scores."""

    def __init__(self, layer: Any, distance_scores: DistanceScores) -> None:
        super().__init__(layer)
        self.distance_scores = distance_scores
        self.scale = (distance_scores.distances.parts * self.attention.attention_head_size) ** -0.5

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """See `LayerView.qkv`."""
        at, size = self.attention, self.attention.attention_head_size
        return project_heads(size, hidden, rows, at.query_proj, at.key_proj, at.value_proj)

    def bias(self, query: Tensor, key: Tensor, asking: Tensor, asked: Tensor) -> Tensor | None:
        """See `LayerView.bias`."""
        added = self.distance_scores(query, key, asking, asked)
        return None if added is None else self.scale * added

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`."""
        return self.layer.output(self.layer.intermediate(hidden), hidden)


@reads("deberta-v2")  # and v3
class DebertaView(BertView):
    """A `DebertaV2ForSequenceClassification`."""

    @staticmethod
    def dimensions(config: Any) -> Dimensions:
        """See `EncoderView.dimensions`. A convolution projects the embeddings of a few neighbours."""
        width, distances = getattr(config, "embedding_size", config.hidden_size), Distances.of(config)
        return replace(
            BertView.dimensions(config),
            projected_embedding=(width if width != config.hidden_size else 0)
            + getattr(config, "conv_kernel_size", 0) * config.hidden_size,
            distance_rows=(distances.query_rows, distances.key_rows),
        )

    @property
    def layers(self) -> list[LayerView]:  # type: ignore[override]
        """See `EncoderView.layers`."""
        encoder, distances = self.encoder.encoder, Distances.of(self.encoder.config)
        row_of = distances.row_of(self.encoder.device)
        scores = [DistanceScores(layer.attention.self, encoder, distances, row_of) for layer in encoder.layer]
        layers: list[LayerView] = [
            DebertaLayerView(*each) for each in zip(encoder.layer, scores, strict=True)
        ]
        return layers if encoder.conv is None else [ConvolvedLayerView(layers[0], encoder.conv), *layers[1:]]

    def embed(self, inputs: Inputs, positions: Tensor) -> Tensor:
        """See `EncoderView.embed`. With a convolution E is 2 D."""
        embedded, convolution = super().embed(inputs, positions), self.encoder.encoder.conv
        if convolution is None:
            return embedded
        return with_convolution(convolution.conv, embedded, positions, inputs.attention_mask)

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Pool ``[CLS]`` and classify it."""
        return self.model.classifier(self.model.dropout(self.model.pooler(first_alive(last, alive))))
