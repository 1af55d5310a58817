"""A trace: plain numbers that say what happened to every token of one input. The only food of figures."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class LayerTrace:
    """One layer of a trace. The lists run over all tokens of the input.

    Attributes:
        layer: its number, 1 is the first.
        threshold: the share of attention that decided on this input; None if the rule has none.
        importance: share of attention received; None for a token that had left before.
        kept: whether the token is left after this layer.
    """

    layer: int
    threshold: float | None
    importance: tuple[float | None, ...]
    kept: tuple[bool, ...]


@dataclass(frozen=True)
class AttentionTrace:
    """The attention of one asked-for layer.

    Attributes:
        layer: its number.
        tokens: index in the input of each token that was alive in this layer, n of them.
        heads: probabilities ``[H][n][n]`` (head, query, key).
    """

    layer: int
    tokens: tuple[int, ...]
    heads: tuple[tuple[tuple[float, ...], ...], ...]

    @property
    def received(self) -> np.ndarray:
        """Share of each head's attention that each token receives -> ``[H, n]``.

        The mean over heads is the token's importance (paper equation 3).
        """
        return np.asarray(self.heads).mean(axis=1)  # over queries: [H, n, n] -> [H, n]


@dataclass(frozen=True)
class Trace:
    """What happened to one input.

    Attributes:
        tokens: its tokens, special ones included.
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
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Trace":
        """Read what `to_json` wrote.

        Raises:
            ValueError: if the text is not a trace.
        """
        try:
            return _trace(json.loads(text))
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a trace: {error}") from None


def _trace(data: dict[str, Any]) -> Trace:
    layers = tuple(
        LayerTrace(x["layer"], x["threshold"], tuple(x["importance"]), tuple(x["kept"]))
        for x in data["layers"]
    )
    attention = data.get("attention")
    if attention is not None:
        heads = tuple(tuple(tuple(row) for row in head) for head in attention["heads"])
        attention = AttentionTrace(attention["layer"], tuple(attention["tokens"]), heads)
    return Trace(tuple(data["tokens"]), tuple(data["segments"]), data["truncated_tokens"], layers, attention)
