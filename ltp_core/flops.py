"""FLOPs from token counts alone: 1 MAC = 2 FLOPs, matrix products only, real lengths without padding.

*Paper FLOPs* follow the paper's accounting: layer l's attention over the n_pre tokens that enter it, its
FFN over the n_post that stay. *Executed FLOPs* are what `ltp_core.engine` runs, classifier included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Dimensions:
    """The sizes that FLOPs depend on.

    Attributes:
        layers: number of encoder layers, L.
        hidden: hidden size, d.
        feed_forward: intermediate size of the FFN, d_ff.
        classes: outputs of the head.
        pooler: whether the head has a d x d pooler before the classifier.
        reads_first_token: whether the last layer needs to put out `[CLS]` only.
    """

    layers: int
    hidden: int
    feed_forward: int
    classes: int
    pooler: bool = True
    reads_first_token: bool = True

    @classmethod
    def of(cls, config: Any) -> "Dimensions":
        """Read them off a Hugging Face BERT config."""
        return cls(config.num_hidden_layers, config.hidden_size, config.intermediate_size, config.num_labels)


Count = TypeVar("Count", int, "Tensor")  # one number of tokens, or a tensor of them


def layer_flops(size: Dimensions, entering: Count, staying: Count) -> Count:
    """Paper FLOPs of one layer: ``2 (4 n_pre d^2 + 2 n_pre^2 d + 2 n_post d d_ff)``.

    Args:
        size: the model.
        entering: n_pre, tokens that its attention runs over; a number, or a tensor of any shape.
        staying: n_post, tokens that its FFN runs over; likewise.
    """
    return attention_flops(size, entering) + feed_forward_flops(size, staying)


def attention_flops(size: Dimensions, entering: Count) -> Count:
    """Paper FLOPs of one layer's attention: ``2 (4 n_pre d^2 + 2 n_pre^2 d)``, its projections included.

    Args:
        size: the model.
        entering: n_pre, a number, or a tensor of any shape.
    """
    d = size.hidden
    return 2 * (4 * entering * d * d + 2 * entering * entering * d)


def feed_forward_flops(size: Dimensions, staying: Count) -> Count:
    """Paper FLOPs of one layer's FFN: ``4 n_post d d_ff``.

    Args:
        size: the model.
        staying: n_post, a number, or a tensor of any shape.
    """
    return 4 * staying * size.hidden * size.feed_forward


def paper_flops(size: Dimensions, tokens: int, alive: Sequence[int]) -> int:
    """Paper FLOPs of the encoder for one input.

    Args:
        size: the model.
        tokens: length of the input, special tokens included.
        alive: tokens left after each of the L layers. A dense run has `tokens` everywhere.
    """
    entering = [tokens, *alive[:-1]]
    return int(sum(layer_flops(size, n, m) for n, m in zip(entering, alive, strict=True)))


def executed_flops(size: Dimensions, tokens: int, alive: Sequence[int], observed: Sequence[bool]) -> int:
    """FLOPs that the engine runs for one input, classifier included.

    Args:
        size: the model.
        tokens: length of the input, special tokens included.
        alive: tokens left after each of the L layers.
        observed: for each layer, whether its importance is computed, which takes the scores of all
            queries; otherwise queries are computed only for the tokens that the layer puts out.
    """
    d = size.hidden
    total = 0
    entering = [tokens, *alive[:-1]]
    for number, (n, kept, scored) in enumerate(zip(entering, alive, observed, strict=True), start=1):
        out = 1 if size.reads_first_token and number == size.layers else kept
        queries = n if scored else out
        projections = (queries + 2 * n + out) * d * d  # query, key and value, output
        attention = (queries + out) * n * d  # scores, context
        total += 2 * (projections + attention + 2 * out * d * size.feed_forward)
    return total + 2 * (size.pooler * d * d + d * size.classes)
