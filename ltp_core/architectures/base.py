"""What the forward passes ask of a Hugging Face encoder: a thin view on its own submodules.

Shapes have free leading dimensions: ``[B, n, D]`` padded or ``[T, D]`` packed. Nothing is copied or
patched, so LoRA, hooks, dropout and gradients work as in the model itself. A view inherits from these
classes and says only how its family differs.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ltp_core.architectures.packed_weights import side_by_side
from ltp_core.flops import Dimensions
from ltp_core.run import Inputs

Heads = tuple[Tensor, Tensor, Tensor]  # query, key and value, [..., H, d] each


class LayerView(Protocol):
    """One encoder layer, taken apart at the point where tokens can leave."""

    scale: float  # attention scores are multiplied by it, before softmax
    dropout_p: float  # of the attention probabilities; 0 in evaluation mode
    window: int | None = None  # a token sees the keys with |position difference| <= window; None: all

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """Project ``[..., D]`` to query, key and value, ``[..., H, d]`` each.

        Args:
            hidden: ``[..., D]``; the norm of a pre-norm layer happens inside.
            positions: original positions of the tokens in their text, long ``[...]``.
            rows: an index into the leading dimensions (a bool mask, or numbers): the tokens whose query
                is wanted. None for all. Keys and values are always there for all.
        """
        ...

    def bias(self, query: Tensor, key: Tensor, asking: Tensor, asked: Tensor) -> Tensor | None:
        """What is added to the scaled scores of some queries with some keys; None for nothing.

        Args:
            query: ``[..., H, n_q, d]``, for a family whose bias depends on what a token says.
            key: ``[..., H, n_k, d]``.
            asking: the queries' original positions, long ``[..., n_q]``.
            asked: the keys', long ``[..., n_k]``.

        Returns:
            ``[..., H, n_q, n_k]``.
        """
        return None

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """Output projection, residual and norm: ``[..., H, d]`` and ``[..., D]`` -> ``[..., D]``."""
        ...

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """The FFN with its residual and norm, ``[..., D]`` -> ``[..., D]``."""
        ...


class EncoderView(Protocol):
    """An encoder with a sequence-classification head."""

    model: Any  # the Hugging Face model
    encoder: Any  # the same without its head
    reads_first_token: bool = True  # the head looks at [CLS] alone, not at a mean over tokens

    def __init__(self, model: Any) -> None:
        self.model = model
        self.encoder = model.base_model

    @staticmethod
    def dimensions(config: Any) -> Dimensions:
        """The sizes that FLOPs depend on; here for a family that uses BERT's names in its config."""
        return Dimensions(
            config.num_hidden_layers, config.hidden_size, config.intermediate_size, config.num_labels
        )

    @staticmethod
    def max_tokens(config: Any) -> int:
        """The longest input, in tokens, special ones included."""
        return int(config.max_position_embeddings)

    @property
    def layers(self) -> Sequence[LayerView]:
        """The layers, first to last."""
        ...

    def embed(self, inputs: Inputs, positions: Tensor) -> Tensor:
        """Embed a padded batch, or one row of packed tokens, at the positions given.

        Args:
            inputs: ``[B, n]``; packed, B is 1 and n may be more than `max_tokens`.
            positions: of each token in its own text, from 0, ``[B, n]``.

        Returns:
            ``[B, n, E]``.
        """
        ...

    def start(self, embedded: Tensor) -> Tensor:
        """What the encoder does before its first layer (a projection), ``[..., E]`` -> ``[..., D]``."""
        return embedded

    def finish(self, hidden: Tensor) -> Tensor:
        """What the encoder does after its last layer (a final norm), ``[..., D]`` -> ``[..., D]``."""
        return hidden

    def head(self, last: Tensor, alive: Tensor) -> Tensor:
        """Last hidden states ``[B, n, D]`` and who is alive ``[B, n]`` -> logits ``[B, C]``."""
        ...


def score_bias(layer: LayerView, query: Tensor, key: Tensor, asking: Tensor, asked: Tensor) -> Tensor | None:
    """A layer's bias with its window, as -inf outside of it; None where there is nothing to add.

    Arguments as for `LayerView.bias`; the result broadcasts to ``[..., H, n_q, n_k]``.
    """
    bias = layer.bias(query, key, asking, asked)
    if layer.window is None:
        return bias
    distance = (asking.unsqueeze(-1) - asked.unsqueeze(-2)).abs().unsqueeze(-3)  # [..., 1, n_q, n_k]
    if bias is None:
        bias = torch.zeros(distance.shape, device=distance.device)
    return bias.masked_fill(distance > layer.window, -torch.inf)


def first_alive(last: Tensor, alive: Tensor) -> Tensor:
    """Hidden states of ``[CLS]``, the first alive token wherever the padding is.

    Args:
        last: ``[B, n, D]``.
        alive: ``[B, n]``.

    Returns:
        ``[B, 1, D]``: a sequence of one token, which Hugging Face's heads take their first from.
    """
    rows = torch.arange(last.shape[0], device=last.device)  # of a shape: a tracer takes len for a constant
    return last[rows, alive.long().argmax(dim=-1)].unsqueeze(1)


def mean_alive(last: Tensor, alive: Tensor) -> Tensor:
    """Average the hidden states of the tokens that are alive: ``[B, n, D]`` and ``[B, n]`` -> ``[B, D]``."""
    weights = alive.to(last.dtype).unsqueeze(-1)  # [B, n, 1]; between 0 and 1 in soft runs
    return (last * weights).sum(dim=1) / weights.sum(dim=1)


def project_heads(
    size: int, hidden: Tensor, rows: Tensor | None, query: nn.Module, key: nn.Module, value: nn.Module
) -> Heads:
    """Three linear layers, ``[..., D]`` -> ``[..., H, d]`` each with d = `size`, the query of `rows`."""
    if rows is None:
        projected = side_by_side(hidden, query, key, value)
    else:
        projected = (query(hidden[rows]), *side_by_side(hidden, key, value))
    queries, keys, values = (x.unflatten(-1, (-1, size)) for x in projected)
    return queries, keys, values
