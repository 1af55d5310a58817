"""Where a rising function reaches a target: the one search behind factors, shares, lengths and scales."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Bracket:
    """What is known of the place where a function reaches a target.

    Attributes:
        target: what is to be reached.
        tried: x -> value.
        low: no smaller x is looked at; it need not have been tried.
        high: no larger x is looked at, and there the target is taken to be reached; None for no limit.
    """

    target: float
    tried: Mapping[float, float]
    low: float = 0.0
    high: float | None = None

    @property
    def above(self) -> float | None:
        """The smallest x that reaches the target; `high` if none did."""
        return min((x for x, value in self.tried.items() if value >= self.target), default=self.high)

    @property
    def below(self) -> float:
        """The largest x under `above` that does not reach it; `low` if there is none."""
        above = math.inf if self.above is None else self.above
        return max((x for x, y in self.tried.items() if x < above and not y >= self.target), default=self.low)

    @property
    def nearest(self) -> float:
        """The x whose value is nearest to the target; of equal ones the first that was tried."""
        return min(self.tried, key=self.gap)

    def gap(self, x: float) -> float:
        """How far the value at a tried x is from the target, relative to it."""
        gap = abs(self.tried[x] / self.target - 1)
        return math.inf if math.isnan(gap) else gap


def halfway(bracket: Bracket) -> float:
    """Bisection: the middle between the two that are known."""
    return (bracket.below + (bracket.above or 0.0)) / 2


def doubled(low: float) -> float:
    """Where to look while the target was never reached: twice as far; 1 at first."""
    return 2 * low or 1.0


def crossing(
    value_of: Callable[[float], float],
    target: float,
    *,
    tried: Mapping[float, float] | None = None,
    low: float = 0.0,
    high: float | None = None,
    tolerance: float | None = 0.0,
    width: float = 0.0,
    most: int = 60,
    between: Callable[[Bracket], float] = halfway,
    beyond: Callable[[float], float] = doubled,
    limit: float = math.inf,
) -> Bracket:
    """Look for the place where a function that never falls reaches a target.

    Nothing is raised where it is not reached, or jumped over: the bracket says how near the search came.

    Args:
        value_of: x -> value; it may cost much, and no x is asked for twice.
        target: above 0.
        tried: what is known already.
        low: where to begin.
        high: where the target is reached for certain; None to look further and further, see `beyond`.
        tolerance: a value as near as this, relative to the target, ends the search; None where none does.
        width: so does a bracket as narrow as this, relative to its upper end.
        most: values that are asked for at most.
        between: which x to try inside of a bracket.
        beyond: which x to try above all that did not reach the target.
        limit: no x above it is tried.
    """
    found = dict(tried or {})
    for _ in range(most):
        bracket = Bracket(target, found, low, high)
        if found and tolerance is not None and bracket.gap(bracket.nearest) <= tolerance:
            break
        below, above = bracket.below, bracket.above
        if above is not None and above - below <= width * above:
            break
        x = beyond(below) if above is None else between(bracket)
        if x in found or x > limit:
            break
        found[x] = value_of(x)
    return Bracket(target, found, low, high)
