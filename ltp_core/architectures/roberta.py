"""RoBERTa, XLM-RoBERTa and CamemBERT.

Different from BERT: positions count on from ``padding_idx + 1``, so the table of positions is longer than the
longest text; the pooler is part of the classifier; one kind of segment only.
"""

from typing import Any

from torch import Tensor

from ltp_core.architectures.base import first_alive
from ltp_core.architectures.bert import BertView
from ltp_core.architectures.families import reads
from ltp_core.run import Inputs


@reads("roberta", "xlm-roberta", "camembert")
class RobertaView(BertView):
    """A `RobertaForSequenceClassification`, or one of its two siblings."""

    @staticmethod
    def max_tokens(config: Any) -> int:
        """See `EncoderView.max_tokens`."""
        return int(config.max_position_embeddings - config.pad_token_id - 1)

    def embed(self, inputs: Inputs, positions: Tensor) -> Tensor:
        """See `EncoderView.embed`. Left to itself, Hugging Face would number what differs from ``<pad>``."""
        offset = self.encoder.embeddings.padding_idx + 1
        return super().embed(inputs, positions + offset)

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Classify ``<s>``."""
        return self.model.classifier(first_alive(last, alive))
