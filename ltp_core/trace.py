"""A trace: plain numbers that say what happened to every token of one input. The only food of figures."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ltp_core.importance import sampled_ranks


@dataclass(frozen=True)
class LayerTrace:
    """One layer of a trace. The lists run over all tokens of the input.

    Attributes:
        layer: number of the layer, 1 is the first.
        threshold: the share of attention that decided on this input; None if the rule has none.
        importance: share of attention received; None for a token that had left before.
        kept: whether the token is left after this layer.
        queries: how many of the tokens that entered the importance is averaged over; None for all.
    """

    layer: int
    threshold: float | None
    importance: tuple[float | None, ...]
    kept: tuple[bool, ...]
    queries: int | None = None


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """The attention of one asked-for layer.

    Attributes:
        layer: number of the layer, 1 is the first.
        tokens: index in the input of each token that was alive in this layer, n of them.
        heads: probabilities, float32 ``[H, n, n]`` (head, query, key), read-only. Lists will do, too.
        queries: how many of the n the importance is averaged over, see `importance.sampled_ranks`; None for
            all.
    """

    layer: int
    tokens: tuple[int, ...]
    heads: np.ndarray
    queries: int | None = None

    def __post_init__(self) -> None:
        """Hold the numbers as one array: as Python floats they take 0.2 s to make at 512 tokens."""
        heads = np.array(self.heads, dtype=np.float32)
        heads.flags.writeable = False
        object.__setattr__(self, "heads", heads)

    def weights(self, head: int | None = None) -> np.ndarray:
        """One head's probabilities (1 is the first), or the mean over all: ``[n, n]``, each row sums to 1."""
        return self.heads.mean(axis=0) if head is None else self.heads[head - 1]

    def __eq__(self, other: object) -> bool:
        """Equal layers, tokens and numbers, to the last bit."""
        if not isinstance(other, AttentionTrace):
            return NotImplemented
        same = (self.layer, self.tokens, self.queries) == (other.layer, other.tokens, other.queries)
        return same and np.array_equal(self.heads, other.heads)

    def __hash__(self) -> int:
        """Fits `__eq__`."""
        return hash((self.layer, self.tokens))

    @property
    def received(self) -> np.ndarray:
        """Share of each head's attention that each token receives -> ``[H, n]``, over the averaged queries.

        The mean over heads is the token's importance (paper equation 3).
        """
        rows = sampled_ranks(len(self.tokens), self.queries).numpy()
        return self.heads[:, rows].mean(axis=1)  # over queries: [H, k, n] -> [H, n]


@dataclass(frozen=True)
class Trace:
    """What happened to one input.

    Attributes:
        tokens: of the text, special ones included.
        segments: 0 or 1 for each token (1: second text of a pair).
        truncated_tokens: how many tokens did not fit into the model and were cut.
        layers: one `LayerTrace` a layer.
        attention: of one layer, if it was asked for.
    """

    tokens: tuple[str, ...]
    segments: tuple[int, ...]
    truncated_tokens: int
    layers: tuple[LayerTrace, ...]
    attention: AttentionTrace | None = None

    @property
    def alive(self) -> tuple[int, ...]:
        """Tokens left after each layer."""
        return tuple(sum(layer.kept) for layer in self.layers)

    @property
    def survived(self) -> tuple[int, ...]:
        """For each token, the number of layers that it survived."""
        return tuple(sum(layer.kept[token] for layer in self.layers) for token in range(len(self.tokens)))

    def to_json(self) -> str:
        """One JSON document; floats are not rounded."""
        data = asdict(replace(self, attention=None))
        if self.attention is not None:
            shown = self.attention
            data["attention"] = {
                "layer": shown.layer,
                "tokens": shown.tokens,
                "heads": shown.heads.tolist(),
                "queries": shown.queries,
            }
        return json.dumps(data, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Trace":
        """Read what `to_json` wrote.

        Raises:
            ValueError: if the text is not a trace.
        """
        try:
            return _trace(json.loads(text))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"not a trace: {error}") from None


def _trace(data: dict[str, Any]) -> Trace:
    layers = tuple(
        LayerTrace(x["layer"], x["threshold"], tuple(x["importance"]), tuple(x["kept"]), x.get("queries"))
        for x in data["layers"]
    )
    attention = data.get("attention")
    if attention is not None:
        attention = AttentionTrace(
            attention["layer"], tuple(attention["tokens"]), attention["heads"], attention.get("queries")
        )
    return Trace(tuple(data["tokens"]), tuple(data["segments"]), data["truncated_tokens"], layers, attention)
