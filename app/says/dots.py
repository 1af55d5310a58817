"""One benchmark as plain numbers."""

from dataclasses import dataclass
from typing import Any

ResultRow = dict[str, Any]


@dataclass(frozen=True)
class Speed:
    """One benchmark: a dense run of someone against our pruned one.

    Attributes:
        against: name of the peer that runs dense.
        length: tokens of a text.
        batch: texts at once.
        dense_ms: median time of the peer's dense run.
        pruned_ms: median time of our pruned run.
        reduction: dense over pruned paper FLOPs.
        pruning: what pruning alone gives: our dense over our pruned run.
        where: processor and threads.
    """

    against: str
    length: int
    batch: int
    dense_ms: float
    pruned_ms: float
    reduction: float
    pruning: float
    where: str

    @classmethod
    def of(cls, row: ResultRow, where: str) -> "Speed":
        """Read a row of `ltp benchmark`."""
        return cls(
            row["against"],
            row["length"],
            row["batch_size"],
            row["dense_ms"],
            row["pruned_ms"],
            row["flops_reduction"],
            row["packed_dense_ms"] / row["pruned_ms"],
            where,
        )

    @property
    def speedup(self) -> float:
        """That dense run over our pruned one."""
        return self.dense_ms / self.pruned_ms
