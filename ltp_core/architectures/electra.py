"""ELECTRA.

Different from BERT: embeddings may be narrower than the layers, and are then projected; the pooler is part of
the classifier.
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from ltp_core.architectures.base import first_alive
from ltp_core.architectures.bert import BertView
from ltp_core.architectures.families import reads
from ltp_core.flops import Dimensions


@reads("electra")
class ElectraView(BertView):
    """An `ElectraForSequenceClassification`."""

    @staticmethod
    def dimensions(config: Any) -> Dimensions:
        """See `EncoderView.dimensions`."""
        narrow = config.embedding_size if config.embedding_size != config.hidden_size else 0
        return replace(BertView.dimensions(config), projected_embedding=narrow)

    def start(self, embedded: Tensor) -> Tensor:
        """Project to the width of the layers, where it is another one: ``[..., E]`` -> ``[..., D]``."""
        project = getattr(self.encoder, "embeddings_project", None)
        return embedded if project is None else project(embedded)

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Classify ``[CLS]``."""
        return self.model.classifier(first_alive(last, alive))
