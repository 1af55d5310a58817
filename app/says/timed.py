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
        """What pruning would take if time fell as the FLOPs do."""
        return self.times.dense.median_ms / self.flops_reduction

    @property
    def realised(self) -> float:
        """Speedup over the reduction of FLOPs: 1 means that all of it is realised."""
        return self.times.speedup / self.flops_reduction

    @property
    def realised_pruning(self) -> float:
        """The same with our own dense run and executed FLOPs: what pruning alone does."""
        return self.times.packed_dense.median_ms / self.times.pruned.median_ms / self.executed_reduction
