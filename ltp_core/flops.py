"""FLOPs from token counts alone: 1 MAC = 2 FLOPs, matrix products only, real lengths without padding.

*Paper FLOPs* follow the paper's accounting: layer l's attention over the n_pre tokens that enter it, its
FFN over the n_post that stay. *Executed FLOPs* are what `ltp_core.forward.engine` runs, classifier included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Dimensions:
    """The sizes that FLOPs depend on; `architectures.family_of` reads them off a Hugging Face config.

    Attributes:
        layers: number of encoder layers, L.
        hidden: hidden size, d.
        feed_forward: intermediate size of the FFN, d_ff.
        classes: outputs of the head.
        pooler: whether the head has a d x d pooler before the classifier.
        reads_first_token: whether the last layer needs to put out `[CLS]` only.
        gated: whether the FFN has a third d x d_ff matrix, the gate.
        one_projection: whether query, key and value come from one matrix, so that queries which nobody
            asks for are computed, too.
        projected_embedding: width of embeddings that are projected to d before the first layer; 0 for none.
        distance_rows: how many rows of a table of distances each query meets, and each key (DeBERTa).
        windows: for each layer, how far a token sees (|position difference| <= window); None for all
            tokens. Empty: no layer has a window.
    """

    layers: int
    hidden: int
    feed_forward: int
    classes: int
    pooler: bool = True
    reads_first_token: bool = True
    gated: bool = False
    one_projection: bool = False
    projected_embedding: int = 0
    distance_rows: tuple[int, int] = (0, 0)
    windows: tuple[int | None, ...] = ()

    def __post_init__(self) -> None:
        """Give every layer its window."""
        windows = self.windows or (None,) * self.layers
        if len(windows) != self.layers:
            raise ValueError(f"{self.layers} layers have {len(windows)} windows")
        object.__setattr__(self, "windows", windows)

    @property
    def ffn_weights(self) -> int:
        """Weights of one FFN's matrices: ``2 d d_ff``, gated ``3 d d_ff``."""
        return (3 if self.gated else 2) * self.hidden * self.feed_forward


Count = TypeVar("Count", int, "Tensor")  # one number of tokens, or a tensor of them


def layer_flops(size: Dimensions, entering: Count, staying: Count, layer: int = 1) -> Count:
    """Paper FLOPs of one layer: ``2 (4 n_pre d^2 + 2 n_pre^2 d + 2 n_post d d_ff)``.

    Args:
        size: the model.
        entering: n_pre, tokens that its attention runs over; a number, or a tensor of any shape.
        staying: n_post, tokens that its FFN runs over; likewise.
        layer: which one, 1 is the first; it matters where layers have windows.
    """
    return attention_flops(size, entering, layer) + feed_forward_flops(size, staying)


def attention_flops(size: Dimensions, entering: Count, layer: int = 1) -> Count:
    """Paper FLOPs of one layer's attention: ``2 (4 n_pre d^2 + 2 n_pre^2 d)``, its projections included.

    In a layer with a window the pairs of tokens that see each other take the place of n_pre^2. Scores by
    distance add the products of tokens with the rows of a table; what a layer makes of the table depends on
    weights alone, and is no work on a text.

    Args:
        size: the model.
        entering: n_pre, a number, or a tensor of any shape.
        layer: which one, 1 is the first; it matters where layers have windows.
    """
    d = size.hidden
    pairs = 2 * visible_pairs(entering, size.windows[layer - 1])  # scores, context
    return 2 * (4 * entering * d * d + (pairs + entering * sum(size.distance_rows)) * d)


def visible_pairs(tokens: Count, window: int | None) -> Count:
    """How many (query, key) pairs see each other among so many neighbouring tokens: at most n^2.

    Where tokens between them have left, fewer do: a layer's paper FLOPs are an upper bound then, and the
    saving by pruning is never overstated.

    Args:
        tokens: n, a number, or a tensor of any shape.
        window: how far a token sees; None for all.
    """
    if window is None:
        return tokens * tokens
    # Up to window + 1 neighbours all see each other; each one more sees, and is seen by, `window` before it.
    small = min(tokens, window + 1) if isinstance(tokens, int) else tokens.clamp(max=window + 1)
    return small * small + (tokens - small) * (2 * window + 1)


def feed_forward_flops(size: Dimensions, staying: Count) -> Count:
    """Paper FLOPs of one layer's FFN: ``4 n_post d d_ff``, with a gate ``6 n_post d d_ff``.

    Args:
        size: the model.
        staying: n_post, a number, or a tensor of any shape.
    """
    return 2 * staying * size.ffn_weights


def paper_flops(size: Dimensions, tokens: int, alive: Sequence[int]) -> int:
    """Paper FLOPs of the encoder for one input.

    Args:
        size: the model.
        tokens: length of the input, special tokens included.
        alive: tokens left after each of the L layers. A dense run has `tokens` everywhere.
    """
    counts = zip([tokens, *alive[:-1]], alive, strict=True)
    return int(sum(layer_flops(size, n, m, layer) for layer, (n, m) in enumerate(counts, start=1)))


@dataclass(frozen=True)
class LayerFlops:
    """Paper FLOPs of one layer and its two parts.

    Attributes:
        layer: number of the layer, 1 is the first.
        attention: FLOPs of the attention, projections included.
        feed_forward: FLOPs of the FFN.
    """

    layer: int
    attention: int
    feed_forward: int

    @property
    def total(self) -> int:
        """Both parts."""
        return self.attention + self.feed_forward


def flops_by_layer(size: Dimensions, tokens: int, alive: Sequence[int]) -> list[LayerFlops]:
    """Paper FLOPs layer by layer; they sum to `paper_flops`. Arguments as there."""
    return [
        LayerFlops(number, attention_flops(size, n, number), feed_forward_flops(size, m))
        for number, (n, m) in enumerate(zip([tokens, *alive[:-1]], alive, strict=True), start=1)
    ]


def executed_flops(
    size: Dimensions,
    tokens: int,
    alive: Sequence[int],
    observed: Sequence[bool],
    queries: int | None = None,
) -> int:
    """FLOPs that the engine runs for one input, classifier included.

    In a layer with a window the engine computes all scores and hides those outside, so all are counted.

    Args:
        size: the model.
        tokens: length of the input, special tokens included.
        alive: tokens left after each of the L layers.
        observed: for each layer, whether its importance is computed, which takes the scores of all
            queries; otherwise queries are computed only for the tokens that the layer puts out.
        queries: K, how many the importance is averaged over; None for all. With more tokens than that, K
            rows of scores are computed for the importance, and those of the tokens put out for their context.
    """
    d = size.hidden
    total = 2 * tokens * size.projected_embedding * d
    entering = [tokens, *alive[:-1]]
    for number, (n, kept, scored) in enumerate(zip(entering, alive, observed, strict=True), start=1):
        out = 1 if size.reads_first_token and number == size.layers else kept
        projected = n if scored or size.one_projection else out
        projections = (projected + 2 * n + out) * d * d  # query, key and value, output
        passes = [out]  # queries of each time that scores are computed
        if scored:
            passes = [n] if queries is None or n <= queries else [queries, out]
        attention = (sum(passes) + out) * n * d  # scores, context
        attention += sum(k * size.distance_rows[0] + n * size.distance_rows[1] for k in passes) * d
        total += 2 * (projections + attention + out * size.ffn_weights)
    return total + 2 * (size.pooler * d * d + d * size.classes)
