"""RoBERTa, XLM-RoBERTa and CamemBERT.

Different from BERT: positions count on from ``padding_idx + 1``, so the table of positions is longer than the
longest text; the pooler is part of the classifier; one kind of segment only.
"""

from typing import Any

import torch
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
        """See `EncoderView.embed`."""
        return super().embed(inputs, self._numbered(inputs.input_ids, positions))

    def _numbered(self, ids: Tensor | None, positions: Tensor) -> Tensor:
        """Positions as Hugging Face numbers them: from ``padding_idx + 1``, and without what is ``<pad>``.

        A text that holds the string of the pad token is numbered on without it, padding or not; embeddings
        without ids are all numbered. A text lies in one piece, so its first token is at t - position.
        """
        padding = self.encoder.embeddings.padding_idx
        if ids is None:
            return positions + padding + 1
        told = (ids != padding).long()  # [B, n]
        before = told.cumsum(dim=-1) - told  # in the row, other texts included
        first = torch.arange(ids.shape[-1], device=ids.device) - positions
        return (before - before.gather(-1, first.clamp(min=0)) + 1) * told + padding

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Classify ``<s>``."""
        return self.model.classifier(first_alive(last, alive))
