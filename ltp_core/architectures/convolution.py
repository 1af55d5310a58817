"""A convolution of the embeddings that the first layer adds to its output, as the largest DeBERTa v2 do.

It reads all tokens' embeddings, also of those that leave in that layer. So it is done before the layer, and
its result lies behind the hidden states that enter it, ``[..., 2 D]``, where it stays with its token.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from ltp_core.architectures.base import Heads, LayerView


class ConvolvedLayerView(LayerView):
    """A layer that adds a convolution of its input to its output.

    Args:
        layer: the layer without it.
        convolution: Hugging Face's `ConvLayer`, for its norm and activation.
    """

    def __init__(self, layer: LayerView, convolution: Any) -> None:
        self.layer, self.convolution = layer, convolution
        self.scale, self.dropout_p, self.window = layer.scale, layer.dropout_p, layer.window
        self.bias = layer.bias  # type: ignore[method-assign]

    def qkv(self, hidden: Tensor, positions: Tensor, rows: Tensor | None = None) -> Heads:
        """See `LayerView.qkv`."""
        return self.layer.qkv(hidden.chunk(2, dim=-1)[0], positions, rows)

    def attend_output(self, context: Tensor, residual: Tensor) -> Tensor:
        """See `LayerView.attend_output`; here ``[..., 2 D]`` -> ``[..., 2 D]``."""
        residual, beside = residual.chunk(2, dim=-1)
        return torch.cat([self.layer.attend_output(context, residual), beside], dim=-1)

    def feed_forward(self, hidden: Tensor) -> Tensor:
        """See `LayerView.feed_forward`; here ``[..., 2 D]`` -> ``[..., D]``."""
        from transformers.activations import ACT2FN

        hidden, beside = hidden.chunk(2, dim=-1)
        added = ACT2FN[self.convolution.conv_act](self.convolution.dropout(beside))
        return self.convolution.LayerNorm(self.layer.feed_forward(hidden) + added)


def with_convolution(convolution: nn.Module, embedded: Tensor, positions: Tensor, real: Tensor) -> Tensor:
    """Embeddings, and behind them their convolution with their neighbours in the text.

    The module itself would mix texts that lie behind one another, so its weights are applied to
    each token's window of k.

    Args:
        convolution: a plain `nn.Conv1d`, along the text.
        embedded: ``[B, n, D]``, padded, or one row of packed tokens.
        positions: of each token in its own text, ``[B, n]``.
        real: 1 for real tokens, ``[B, n]``.

    Returns:
        ``[B, n, 2 D]``.

    Raises:
        ValueError: for a convolution of another kind.
    """
    if type(convolution) is not nn.Conv1d or convolution.groups != 1 or convolution.kernel_size[0] % 2 == 0:
        raise ValueError(f"cannot read this convolution: {convolution}")
    half, length = convolution.kernel_size[0] // 2, embedded.shape[1]
    place = torch.where(real.bool(), positions, -half - 1)  # padding is nobody's neighbour
    places = pad(place, (half, half), value=-half - 1)
    around = pad(embedded, (0, 0, half, half))
    window = []
    for step in range(2 * half + 1):
        beside = places[:, step : step + length] == positions + step - half  # [B, n]
        window.append(torch.where(beside.unsqueeze(-1), around[:, step : step + length], 0.0))
    weight = convolution.weight.transpose(1, 2).flatten(1)  # [D, k D]
    return torch.cat([embedded, linear(torch.cat(window, dim=-1), weight, convolution.bias)], dim=-1)
