"""Means with confidence intervals: sentences are drawn again with replacement (percentile bootstrap)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean or a ratio of sums.

    Attributes:
        value: over all sentences.
        low: 2.5th percentile over the resamples.
        high: 97.5th percentile over the resamples.
        examples: sentences that it is over.
    """

    value: float
    low: float
    high: float
    examples: int


def mean(values: Sequence[float | None] | np.ndarray, seed: int = 0) -> Interval | None:
    """The mean over the sentences that have a value; None if none has."""
    there = np.asarray([value for value in values if value is not None], dtype=float)
    return ratio(there, np.ones(len(there)), seed)


def ratio(
    above: Sequence[float] | np.ndarray, below: Sequence[float] | np.ndarray, seed: int = 0
) -> Interval | None:
    """A ratio of sums over sentences, such as tokens left over tokens; None if there is nothing below.

    Args:
        above: one a sentence, ``[N]``.
        below: ``[N]``.
        seed: of the resampling.
    """
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    if not below.sum():
        return None
    times = _resamples(len(above), seed)  # [R, N], how often each sentence is in a resample
    lower = times @ below
    drawn = (times @ above)[lower > 0] / lower[lower > 0]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(above.sum() / below.sum()), float(low), float(high), int((below > 0).sum()))


def difference(one: Sequence[float], other: Sequence[float], seed: int = 0) -> Interval | None:
    """The mean of one group minus that of another, each drawn again on its own; None if a group is empty."""
    if not len(one) or not len(other):
        return None
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    drawn = _resamples(len(a), seed) @ a / len(a) - _resamples(len(b), seed + 1) @ b / len(b)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(a.mean() - b.mean()), float(low), float(high), len(a) + len(b))


def _resamples(examples: int, seed: int) -> np.ndarray:
    draws = np.random.default_rng(seed).multinomial(examples, [1 / examples] * examples, size=RESAMPLES)
    return draws.astype(float)
