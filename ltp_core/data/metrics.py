"""Scores as GLUE has them, from scikit-learn and SciPy. All are fractions; higher is better."""

import math
import warnings
from collections.abc import Sequence

import numpy as np

from ltp_core.data.tasks import TASKS


def metric_of(task: str | None, classes: int = 2) -> str:
    """The name of the metric that is a task's `score`; a file's depends on how many classes it has.

    Args:
        task: a name in the table of tasks, or a file.
        classes: outputs of the model; 1 for a regression.
    """
    known = TASKS.get(task or "")
    if known is not None and (classes > 1 or not known.classes):
        return known.metric
    return "spearman" if classes == 1 else "accuracy"


def scores(metric: str, outputs: np.ndarray, labels: Sequence[float]) -> dict[str, float]:
    """Score logits against labels.

    Args:
        metric: "accuracy", "f1", "matthews" or "spearman".
        outputs: logits ``[N, C]``, or ``[N, 1]`` for a regression.
        labels: N classes, or numbers.

    Returns:
        metric name -> value; the first is the one asked for.

    Raises:
        ValueError: for an unknown metric.
    """
    # Imported here: the two take seconds, and most commands score nothing.
    from scipy.stats import pearsonr, spearmanr
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

    if metric == "spearman":
        if len(labels) < 2:
            raise ValueError("a correlation needs at least two rows")
        values = outputs[:, 0]
        if min(np.ptp(values), np.ptp(labels)) == 0:
            raise ValueError("a correlation is not defined where all outputs or all labels are equal")
        return {
            "spearman": float(spearmanr(values, labels).statistic),
            "pearson": float(pearsonr(values, labels).statistic),
        }
    predicted = outputs.argmax(axis=-1)
    accuracy = float(accuracy_score(labels, predicted))
    if metric == "accuracy":
        return {"accuracy": accuracy}
    if metric == "f1":
        return {"f1": float(f1_score(labels, predicted, zero_division=0.0)), "accuracy": accuracy}
    if metric == "matthews":
        return {"matthews": float(matthews_corrcoef(labels, predicted)), "accuracy": accuracy}
    raise ValueError(f"unknown metric {metric!r}")


def constant_score(metric: str, classes: int, labels: Sequence[float]) -> float | None:
    """What the best constant answer scores, the floor below all models; None for a regression."""
    if classes == 1:
        return None
    answers = np.eye(classes)[:, None].repeat(len(labels), axis=1)  # [C, N, C], always the one class
    return max(scores(metric, always, labels)[metric] for always in answers)


def difference_error(
    metric: str, one: np.ndarray, other: np.ndarray, labels: Sequence[float], resamples: int = 1000
) -> float | None:
    """Standard error of the difference between two models' scores on the same rows: a paired bootstrap.

    Args:
        metric: a name, as `scores` takes it.
        one: outputs ``[N, C]``.
        other: outputs of the other model, ``[N, C]``.
        labels: N.
        resamples: how many times N rows are drawn, with replacement.

    Returns:
        A fraction; None where a sample of the rows has no score, which happens with a handful of them.
    """
    from scipy.stats import DegenerateDataWarning, bootstrap

    known = np.asarray(labels)

    def difference(rows: np.ndarray) -> float:
        try:
            ours, theirs = (scores(metric, outputs[rows], known[rows])[metric] for outputs in (one, other))
        except ValueError:
            return math.nan
        return ours - theirs

    if len(known) < 2:
        return None
    rows = (np.arange(len(known)),)
    with warnings.catch_warnings(category=DegenerateDataWarning, action="ignore"):  # equal outputs: 0
        drawn = bootstrap(
            rows, difference, n_resamples=resamples, vectorized=False, method="percentile", rng=0
        )
    error = float(drawn.standard_error)
    return None if math.isnan(error) else error
