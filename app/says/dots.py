"""What `ltp compare` measured, as one dot for each rule and FLOPs target."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.says.rules import order
from ltp_core.rules.table import DENSE

ResultRow = dict[str, Any]


@dataclass(frozen=True)
class Dot:
    """One rule at one FLOPs target, over its seeds.

    Attributes:
        rule: name of the rule in the results.
        target: the FLOPs reduction that it was fitted to.
        reduction: what was measured, the mean over seeds.
        lost: points lost to the dense baseline, the mean over seeds.
        low: the least of points lost less their standard error, over all seeds.
        high: the most of points lost and their standard error, over all seeds.
        rows: one a seed.
    """

    rule: str
    target: float
    reduction: float
    lost: float
    low: float
    high: float
    rows: tuple[ResultRow, ...]

    @property
    def name(self) -> str:
        """How an address and a list call it."""
        return f"{self.rule}@{self.target:g}"


def dots(rows: Iterable[ResultRow]) -> list[Dot]:
    """Rows of `ltp compare` -> one dot for each rule and target, by rule, then by FLOPs; no dense ones."""
    groups: dict[tuple[str, float], list[ResultRow]] = {}
    for row in rows:
        if row["rule"] != DENSE.name:
            groups.setdefault((row["rule"], row["target_flops"]), []).append(row)
    return sorted(
        (_dot(rule, target, tuple(same)) for (rule, target), same in groups.items()),
        key=lambda dot: (order(dot.rule), dot.reduction),
    )


def _dot(rule: str, target: float, rows: tuple[ResultRow, ...]) -> Dot:
    lost = [row["points_lost"] for row in rows]
    errors = [row.get("points_lost_error") or 0.0 for row in rows]
    return Dot(
        rule=rule,
        target=target,
        reduction=sum(row["flops_reduction"] for row in rows) / len(rows),
        lost=sum(lost) / len(rows),
        low=min(points - error for points, error in zip(lost, errors, strict=True)),
        high=max(points + error for points, error in zip(lost, errors, strict=True)),
        rows=rows,
    )


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
