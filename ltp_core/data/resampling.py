"""How far chance moves a difference between two models: their metric over many resamples at once."""

from collections.abc import Callable, Sequence

import numpy as np

AT_ONCE = 2**21  # drawn rows in a part: bounds memory on large data sets


def difference_error(
    metric: str, one: np.ndarray, other: np.ndarray, labels: Sequence[float], resamples: int = 1000
) -> float | None:
    """Standard error of the difference between two models' scores on the same rows: a paired bootstrap.

    Args:
        metric: a name, as `metrics.scores` takes it.
        one: outputs ``[N, C]``.
        other: outputs of the other model, ``[N, C]``.
        labels: N.
        resamples: how many times N rows are drawn, with replacement.

    Returns:
        A fraction; None where a resample of the rows has no score, which happens with a handful of them.

    Raises:
        ValueError: for an unknown metric.
    """
    if metric not in _SCORES:
        raise ValueError(f"unknown metric {metric!r}")
    known, count = np.asarray(labels), len(labels)
    if count < 2:
        return None
    said = [outputs[:, 0] if metric == "spearman" else outputs.argmax(axis=-1) for outputs in (one, other)]
    rng, score = np.random.default_rng(0), _SCORES[metric]
    part = max(1, AT_ONCE // count)
    differences = []
    for start in range(0, resamples, part):
        rows = rng.integers(0, count, (min(part, resamples - start), count))  # [R, N]
        ours, theirs = (score(answers[rows], known[rows]) for answers in said)
        differences.append(ours - theirs)
    error = float(np.concatenate(differences).std(ddof=1))
    return None if np.isnan(error) else error


# Each of these: answers [R, N] and labels [R, N] -> a score for each resample, [R]; NaN where there is none.


def _accuracy(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    return (said == true).mean(axis=-1)


def _f1(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Of class 1; 0 where nobody says it and it is never true."""
    right = ((said == 1) & (true == 1)).sum(axis=-1)
    told = (said == 1).sum(axis=-1) + (true == 1).sum(axis=-1)
    return 2 * right / np.maximum(told, 1)


def _matthews(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """The correlation of the answers' classes with the true ones; 0 where one of them never varies."""
    count, right = said.shape[-1], (said == true).sum(axis=-1)
    classes = np.union1d(said, true)
    told, there = (
        np.stack([(values == one).sum(axis=-1) for one in classes], axis=-1)  # [R, C]
        for values in (said, true)
    )
    above = right * count - (told * there).sum(axis=-1)
    spread = [count**2 - (times**2).sum(axis=-1) for times in (told, there)]
    below = np.sqrt(spread[0].astype(float) * spread[1])  # of many rows, more than an integer holds
    return np.divide(above, below, out=np.zeros(len(said)), where=below > 0)


def _spearman(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Pearson's correlation of the ranks, in which equal values share one."""
    from scipy.stats import rankdata  # takes a second, and most commands score nothing

    ranks = [rankdata(values, axis=-1) for values in (said, true)]
    one, other = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    below = np.sqrt((one**2).sum(axis=-1) * (other**2).sum(axis=-1))
    return np.divide((one * other).sum(axis=-1), below, out=np.full(len(said), np.nan), where=below > 0)


_SCORES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "matthews": _matthews,
    "spearman": _spearman,
}
