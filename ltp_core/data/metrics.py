"""Scores as GLUE has them, from scikit-learn and SciPy. All are fractions; higher is better."""

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
