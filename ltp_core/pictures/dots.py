"""What `ltp compare` measured, as one dot for each rule and FLOPs target."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ltp_core.rules.names import order
from ltp_core.rules.table import DENSE


@dataclass(frozen=True)
class Dot:
    """One rule at one FLOPs target, over its seeds.

    Attributes:
        rule: name of the rule in the results.
        target: the FLOPs reduction that it was fitted to.
        reduction: what was measured, the mean over seeds.
        lost: points lost to the dense baseline, the mean over seeds.
        low: the least that they may be: over all seeds, less a standard error.
        high: the most that they may be.
        rows: one a seed.
    """

    rule: str
    target: float
    reduction: float
    lost: float
    low: float
    high: float
    rows: tuple[dict[str, Any], ...]

    @property
    def name(self) -> str:
        """How an address and a list call it."""
        return f"{self.rule}@{self.target:g}"


def dots(rows: Iterable[dict[str, Any]]) -> list[Dot]:
    """Rows of `ltp compare` -> one dot for each rule and target, by rule, then by FLOPs; no dense ones."""
    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for row in rows:
        if row["rule"] != DENSE.name:
            groups.setdefault((row["rule"], row["target_flops"]), []).append(row)
    return sorted(
        (_dot(rule, target, tuple(same)) for (rule, target), same in groups.items()),
        key=lambda dot: (order(dot.rule), dot.reduction),
    )


def _dot(rule: str, target: float, rows: tuple[dict[str, Any], ...]) -> Dot:
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
