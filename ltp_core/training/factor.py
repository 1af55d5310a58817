"""One factor on all thresholds for several FLOPs targets, with few runs: what is known is used again."""

from collections.abc import Callable

from ltp_core.crossing import Bracket, crossing


class FactorCurve:
    """FLOPs reduction against the factor on the thresholds, measured where it is asked for.

    `budget.settle` meets one target by bisection, in about eight runs over the rows. Here each target
    starts from what the ones before it measured, and goes by the straight line between two neighbours.

    Args:
        reduction_of: factor -> dense over pruned FLOPs, never falling; a run over some rows.
    """

    def __init__(self, reduction_of: Callable[[float], float]) -> None:
        self.reduction_of = reduction_of
        self.known = {0.0: 1.0}  # factor -> reduction; without thresholds nothing is dropped

    def at(self, target: float, tolerance: float = 0.01, runs: int = 12) -> float:
        """The factor that meets a target.

        Args:
            target: dense over pruned FLOPs.
            tolerance: relative. Few rows may allow no more than five times that.
            runs: at most so many.

        Raises:
            ValueError: if the target cannot be met, with the ceiling or the nearest.
        """
        found = crossing(
            self.reduction_of,
            target,
            tried=self.known,
            tolerance=tolerance,
            most=runs,
            between=_between,
            beyond=_beyond,
            limit=1e5,
        )
        self.known = dict(found.tried)
        if found.above is None and found.gap(found.nearest) > tolerance:
            ceiling = max(self.known.values())
            raise ValueError(f"a FLOPs reduction of {target} cannot be reached: the ceiling is {ceiling:.2f}")
        if found.gap(found.nearest) > 5 * tolerance:
            raise ValueError(
                f"no factor gives a FLOPs reduction near {target} on these rows; the nearest: "
                f"{self.known[found.nearest]:.2f}"
            )
        return found.nearest


def _between(bracket: Bracket) -> float:
    """Where the straight line meets the target: shares of the FLOPs fall nearly evenly with the factor."""
    low, high = bracket.below, bracket.above
    assert high is not None  # else nothing would be between
    share, from_share, to_share = (1 / x for x in (bracket.target, bracket.tried[low], bracket.tried[high]))
    place = (from_share - share) / (from_share - to_share)
    return low + (high - low) * min(max(place, 0.1), 0.9)  # inside, so that the bracket shrinks


def _beyond(low: float) -> float:
    """Fast where thresholds are far off, so that the ceiling is met."""
    return (2 if low < 8 else 8) * low or 1.0
