"""Metrics against numbers worked out by hand."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from ltp_core.data import resampling
from ltp_core.data.metrics import constant_score, metric_of, scores
from ltp_core.data.resampling import difference_error

# Predicted 1 1 1 0 0 0, true 1 1 0 0 0 1: two right positives, one false, one missed, two right negatives.
LOGITS = np.array([[0, 2], [-1, 1], [0.1, 0.2], [3, 1], [1, 0], [0, -1]], dtype=np.float32)
LABELS = [1, 1, 0, 0, 0, 1]


def test_accuracy():
    assert scores("accuracy", LOGITS, LABELS) == {"accuracy": pytest.approx(4 / 6)}


def test_f1():
    # Precision 2/3, recall 2/3.
    found = scores("f1", LOGITS, LABELS)
    assert found == {"f1": pytest.approx(2 / 3), "accuracy": pytest.approx(4 / 6)}
    assert next(iter(found)) == "f1"


def test_matthews():
    # (2*2 - 1*1) / sqrt(3 * 3 * 3 * 3) = 3/9
    assert scores("matthews", LOGITS, LABELS)["matthews"] == pytest.approx(1 / 3)


def test_spearman():
    # Ranks 1 2 3 4 against 1 3 2 4: 1 - 6 * 2 / (4 * 15) = 0.8. Pearson of 0 1 2 9 and 0 2 1 9:
    # means 3; deviations -3 -2 -1 6 and -3 -1 -2 6; sum of products 9+2+2+36 = 49, of squares 50 and 50.
    found = scores("spearman", np.array([[0.0], [1.0], [2.0], [9.0]]), [0.0, 2.0, 1.0, 9.0])
    assert found == {"spearman": pytest.approx(0.8), "pearson": pytest.approx(0.98)}


def test_more_than_two_classes():
    logits = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    assert scores("accuracy", logits, [0, 2, 2]) == {"accuracy": pytest.approx(2 / 3)}


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        ("sst2", "accuracy"),
        ("mrpc", "f1"),
        ("qqp", "f1"),
        ("cola", "matthews"),
        ("stsb", "spearman"),
        ("my-file.csv", "accuracy"),
        (None, "accuracy"),
    ],
)
def test_the_metric_of_a_task(task, metric):
    assert metric_of(task) == metric


def test_an_unknown_metric():
    with pytest.raises(ValueError, match="unknown metric 'bleu'"):
        scores("bleu", LOGITS, LABELS)


def test_a_file_with_one_output_is_a_regression():
    assert metric_of("my-file.csv", classes=1) == "spearman"
    assert metric_of("my-file.csv", classes=3) == "accuracy"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("values", "labels"), [([1, 2, 3], [2, 2, 2]), ([2, 2, 2], [1, 2, 3])])
def test_a_correlation_with_what_never_changes_is_one_line(values, labels):
    """SciPy would warn first."""
    with pytest.raises(ValueError, match="where all outputs or all labels are equal"):
        scores("spearman", np.array(values, dtype=np.float32)[:, None], labels)


def test_the_best_constant_answer():
    # Always 1: precision 3/6, recall 1, so 2/3. Always 0: no positive is found, 0.
    assert constant_score("f1", 2, LABELS) == pytest.approx(2 / 3)
    assert constant_score("accuracy", 2, [0, 0, 0, 1]) == pytest.approx(3 / 4)
    assert constant_score("matthews", 2, LABELS) == 0
    assert constant_score("spearman", 1, [0.5, 2.0]) is None


def test_the_error_of_a_difference_is_that_of_paired_rows():
    # Of 400 rows, one model alone is right on 40, the other alone on 20, so the mean of the differences is
    # 20/400 and their variance 60/400 - (20/400)^2; the standard error of the mean is its root over 400.
    labels = np.ones(400, dtype=int)
    one, other = np.tile([0.0, 1.0], (400, 1)), np.tile([0.0, 1.0], (400, 1))
    one[:20], other[20:60] = [1.0, 0.0], [1.0, 0.0]
    expected = ((60 / 400 - (20 / 400) ** 2) / 400) ** 0.5
    assert difference_error("accuracy", one, other, labels) == pytest.approx(expected, rel=0.1)
    assert difference_error("accuracy", one, one, labels) == 0


def test_a_handful_of_rows_has_no_error():
    values = np.array([[0.0], [1.0]])
    assert difference_error("spearman", values, values, [0.0, 1.0]) is None
    assert difference_error("accuracy", LOGITS[:1], LOGITS[:1], [1]) is None


@pytest.mark.parametrize(
    ("metric", "classes"),
    [("accuracy", 2), ("accuracy", 3), ("f1", 2), ("matthews", 2), ("matthews", 4), ("spearman", 1)],
)
def test_all_resamples_at_once_score_as_one_by_one(metric, classes, monkeypatch):
    """Against SciPy's bootstrap of scikit-learn's scores, resample by resample."""
    rng, count = np.random.default_rng(5), 17
    one, other = rng.normal(size=(2, count, classes)).round(1)  # rounded: some ranks are shared
    labels = rng.integers(0, max(classes, 5 if classes == 1 else 0), count)

    def difference(rows):
        ours, theirs = (scores(metric, outputs[rows], labels[rows])[metric] for outputs in (one, other))
        return ours - theirs

    drawn = bootstrap(
        (np.arange(count),), difference, n_resamples=60, vectorized=False, method="percentile", rng=0
    )
    found = difference_error(metric, one, other, labels, resamples=60)
    assert found == pytest.approx(float(drawn.standard_error), rel=1e-9) and found > 0
    monkeypatch.setattr(resampling, "AT_ONCE", 5 * count)  # in parts of five: the same draws
    assert difference_error(metric, one, other, labels, resamples=60) == pytest.approx(found, rel=1e-9)


def test_the_error_of_an_unknown_metric():
    with pytest.raises(ValueError, match="unknown metric 'magic'"):
        difference_error("magic", LOGITS, LOGITS, LABELS)
