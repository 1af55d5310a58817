"""Disentangled attention (He et al. 2021): what the distance of two tokens adds to their score.

A model has one table with a row for each distance; far ones share rows. Each layer makes keys and queries of
the rows. Content to position: a query meets the key of its distance to the other token. Position to content:
a key meets the query of that distance. Distances are those of the whole text, also after tokens have left.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ltp_core.architectures.packed_weights import of_weights


@dataclass(frozen=True)
class Distances:
    """How a model reads distances; from its config.

    Attributes:
        furthest: M; beyond, all distances are the same.
        buckets: how many rows there are to each side, where far distances share some; 0 for M.
        query_rows: rows whose keys a query meets, R; 0 where the model does not ask.
        key_rows: rows whose queries a key meets, likewise.
        parts: how many scores a token's score is the sum of, which sets the scale.
    """

    furthest: int
    buckets: int
    query_rows: int
    key_rows: int
    parts: int

    @classmethod
    def of(cls, config: Any) -> "Distances":
        """Read a `DebertaV2Config`."""
        furthest = getattr(config, "max_relative_positions", -1)
        furthest = furthest if furthest > 0 else config.max_position_embeddings
        buckets = max(getattr(config, "position_buckets", -1), 0)
        kinds = config.pos_att_type or ()
        rows = 2 * (buckets or furthest) if config.relative_attention else 0
        queries, keys = (int(kind in kinds) for kind in ("c2p", "p2c"))
        return cls(furthest, buckets, queries * rows, keys * rows, parts=1 + queries + keys)

    @property
    def rows(self) -> int:
        """Rows of the table, R."""
        return 2 * (self.buckets or self.furthest)

    def row_of(self, device: torch.device) -> Tensor:
        """The row of each distance, query minus key, from -M to M: long ``[2M + 1]``."""
        from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position  # slow

        rows = torch.arange(-self.furthest, self.furthest + 1, device=device)
        if self.buckets:
            rows = make_log_bucket_position(rows, self.buckets, self.furthest).long()
        return (rows + self.rows // 2).clamp(0, self.rows - 1)


class DistanceScores:
    """What distances add to the scores of one layer.

    Args:
        attention: Hugging Face's `DisentangledSelfAttention`.
        encoder: the encoder, which has the table.
        distances: how distances are read.
        row_of: see `Distances.row_of`, ``[2M + 1]``.
    """

    def __init__(self, attention: Any, encoder: Any, distances: Distances, row_of: Tensor) -> None:
        self.attention, self.encoder, self.distances, self.row_of = attention, encoder, distances, row_of

    @cached_property
    def keys(self) -> Tensor:
        """The key of each row, which queries meet: ``[H, R, d]``. A layer may use its own key projection."""
        return self._made("key_proj")

    @cached_property
    def queries(self) -> Tensor:
        """The query of each row, which keys meet: ``[H, R, d]``."""
        return self._made("query_proj")

    def _made(self, name: str) -> Tensor:
        attention = self.attention
        linear = getattr(attention, name if attention.share_att_key else f"pos_{name}")
        made = of_weights(linear, self._table)  # [R, H d]
        return made.unflatten(-1, (-1, attention.attention_head_size)).transpose(0, 1)

    def _table(self) -> Tensor:
        """The table, ``[R, D]``."""
        table: Tensor = self.attention.pos_dropout(self.encoder.get_rel_embedding()[: self.distances.rows])
        return table

    def __call__(self, query: Tensor, key: Tensor, asking: Tensor, asked: Tensor) -> Tensor | None:
        """What is added to scores that are not yet scaled; arguments as for `LayerView.bias`."""
        furthest = self.distances.furthest
        distance = asking.unsqueeze(-1) - asked.unsqueeze(-2)  # [..., n_q, n_k]
        rows = self.row_of[distance.clamp(-furthest, furthest) + furthest].unsqueeze(-3)  # [..., 1, n_q, n_k]
        parts: list[Tensor] = []
        if self.distances.query_rows:
            parts.append(_met(query, self.keys, rows))
        if self.distances.key_rows:
            parts.append(_met(key, self.queries, rows.transpose(-1, -2)).transpose(-1, -2))
        return torch.stack(parts).sum(dim=0) if parts else None


def _met(heads: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """Products of ``[..., H, n, d]`` with rows ``[..., 1, n, m]`` of ``[H, R, d]`` -> ``[..., H, n, m]``."""
    products = heads @ table.transpose(-1, -2)  # [..., H, n, R]
    return products.gather(-1, rows.expand(*products.shape[:-1], rows.shape[-1]))
