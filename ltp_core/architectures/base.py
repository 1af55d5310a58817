"""What the forward passes ask of a Hugging Face encoder: a thin view on its own submodules.

Shapes have free leading dimensions: ``[B, n, D]`` padded or ``[T, D]`` packed. Nothing is copied or
patched, so LoRA, hooks, dropout and gradients work as in the model itself.
"""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class LayerView(Protocol):
    """One encoder layer, taken apart at the point where tokens can leave."""

    scale: float  # attention scores are multiplied by it, before softmax
    dropout_p: float  # of the attention probabilities; 0 in evaluation mode

    def qkv(self, hidden: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Project ``[..., D]`` to query, key and value, ``[..., H, d]`` each."""
        ...

    def query(self, hidden: Tensor, positions: Tensor) -> Tensor:
        """Only the query, ``[..., H, d]``."""
        ...

    def key_value(self, hidden: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Only key and value, ``[..., H, d]`` each."""
        ...

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """Output projection, residual and norm: ``[..., H, d]`` and ``[..., D]`` -> ``[..., D]``."""
        ...

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """The FFN with its residual and norm, ``[..., D]`` -> ``[..., D]``."""
        ...


class EncoderView(Protocol):
    """An encoder with a sequence-classification head."""

    reads_first_token: bool  # the head looks at [CLS] alone, not at a mean over tokens

    @property
    def layers(self) -> Sequence[LayerView]:
        """The layers, first to last."""
        ...

    def embed(
        self,
        input_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor,
    ) -> Tensor:
        """Ids ``[B, n]`` (or word embeddings ``[B, n, E]``) -> ``[B, n, D]``."""
        ...

    def finish(self, hidden: Tensor) -> Tensor:
        """What the encoder does after its last layer (a final norm), ``[..., D]`` -> ``[..., D]``."""
        ...

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Last hidden states ``[B, n, D]`` and who is alive ``[B, n]`` -> logits ``[B, C]``."""
        ...
