"""A measurement beside what the FLOPs promise."""

from dataclasses import dataclass

from ltp_core.speed.latency import TextTimes


@dataclass(frozen=True)
class Timed:
    """One measurement and what it is held against.

    Attributes:
        name: what was run, for people.
        times: the three runs.
        flops_reduction: dense over pruned paper FLOPs of the same input.
        executed_reduction: dense over pruned FLOPs of our engine.
    """

    name: str
    times: TextTimes
    flops_reduction: float
    executed_reduction: float

    @property
    def promised_ms(self) -> float:
        """What the pruned run would take if time fell as the FLOPs that our engine runs."""
        return self.times.packed_dense.median_ms / self.executed_reduction

    @property
    def realised_pruning(self) -> float:
        """Pruning's own speedup over the reduction of what is run: 1 means that all of it is realised."""
        return self.times.packed_dense.median_ms / self.times.pruned.median_ms / self.executed_reduction
