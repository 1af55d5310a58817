"""One factor on all thresholds for several FLOPs targets, with few runs: what is known is used again."""

from collections.abc import Callable


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
        for _ in range(runs):
            best = min(self.known, key=lambda factor: abs(self.known[factor] - target))
            if abs(self.known[best] / target - 1) <= tolerance:
                return best
            self._measure(self._next(target))
        best = min(self.known, key=lambda factor: abs(self.known[factor] - target))
        if abs(self.known[best] / target - 1) > 5 * tolerance:
            raise ValueError(
                f"no factor gives a FLOPs reduction near {target} on these rows; the nearest: "
                f"{self.known[best]:.2f}"
            )
        return best

    def _next(self, target: float) -> float:
        low = max(factor for factor, reduction in self.known.items() if reduction < target)
        above = [factor for factor, reduction in self.known.items() if reduction >= target]
        if not above:
            return self._beyond(low, target)
        high = min(above)
        share, from_share, to_share = 1 / target, 1 / self.known[low], 1 / self.known[high]
        place = (from_share - share) / (from_share - to_share)
        return low + (high - low) * min(max(place, 0.1), 0.9)  # inside, so that the bracket shrinks

    def _beyond(self, low: float, target: float) -> float:
        if low > 1e4:
            raise ValueError(
                f"a FLOPs reduction of {target} cannot be reached: the ceiling is {self.known[low]:.2f}"
            )
        return (2 if low < 8 else 8) * low or 1.0  # fast where thresholds are far off, so the ceiling is met

    def _measure(self, factor: float) -> None:
        self.known[factor] = self.reduction_of(factor)
