"""Agreement between attribution and survival, worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ltp_core.why.agreement import agreement, bootstrap, concordance

#          [CLS]   w1    w2    w3    w4   [SEP]
SCORES = [9.0, -0.8, 0.1, 0.4, -0.2, 5.0]
WORDS = [False, True, True, True, True, False]
KEPT = [
    [True, True, True, True, True, False],  # nobody of the text is gone
    [True, True, False, True, True, False],  # w2, the smallest, is gone
    [True, True, True, False, False, False],  # not a real run: 0.8 and 0.1 against 0.4 and 0.2
    [True, False, False, False, False, False],  # everybody is gone
]


def test_by_hand():
    found = agreement(SCORES, KEPT, WORDS)
    assert found.tokens == 4
    assert found.auc == (None, 1.0, 0.5, None)  # 0.8 beats both, 0.1 beats none: 2 of 4 pairs
    assert found.k == (4, 3, 2, 0)
    assert found.overlap == (1.0, 1.0, 0.5, None)  # the two largest are 0.8, kept, and 0.4, gone
    assert found.chance == (1.0, 0.75, 0.5, 0.0)


def test_overall_counts_pairs_of_which_one_survives_longer():
    # Survival 3, 2, 2, 1 and sizes .8 .1 .4 .2: five pairs differ, (.8 .1) (.8 .4) (.8 .2) (.4 .2) agree.
    assert concordance(np.array([3, 2, 2, 1]), np.array([0.8, 0.1, 0.4, 0.2])) == pytest.approx(4 / 5)
    assert concordance(np.array([2, 2]), np.array([0.1, 0.2])) is None
    assert concordance(np.array([2, 1]), np.array([0.3, 0.3])) == 0.5


def test_with_one_layer_overall_is_the_area_under_the_roc_curve():
    generator = np.random.default_rng(0)
    size, left = generator.random(40).round(1), generator.random(40) < 0.4  # with ties
    found = agreement(size, [left], [True] * 40)
    assert found.overall == pytest.approx(roc_auc_score(left, size))
    assert found.auc[0] == pytest.approx(found.overall)


def test_without_words_there_is_nothing_to_compare():
    with pytest.raises(ValueError, match="no token"):
        agreement([1.0, 2.0], [[True, True]], [False, False])


def test_the_interval_is_that_of_a_bootstrap_done_the_long_way():
    """Each sample is drawn and counted word by word, by the same seeded draws."""
    generator = np.random.default_rng(3)
    survival, size = generator.integers(0, 4, 12), generator.random(12).round(1)
    drawn = np.random.default_rng(0).multinomial(12, [1 / 12] * 12, 1000)
    values = []
    for counts in drawn:
        words = np.repeat(np.arange(12), counts)
        value = concordance(survival[words], size[words])
        values += [] if value is None else [value]
    assert bootstrap(survival, size) == pytest.approx(tuple(np.quantile(values, (0.025, 0.975))))


def test_an_interval_shrinks_with_words_and_holds_the_value():
    generator = np.random.default_rng(1)
    size = generator.random(200)
    survival = (6 * (size + generator.normal(0, 0.5, 200))).clip(0, 6).astype(int)
    few, many = (agreement(size[:n], survival[:n] >= np.arange(1, 7)[:, None], [True] * n) for n in (15, 200))
    for found in (few, many):
        low, high = found.interval
        assert low <= found.overall <= high
    assert few.interval[1] - few.interval[0] > 2 * (many.interval[1] - many.interval[0])
    assert bootstrap(np.array([2, 2]), np.array([0.1, 0.2])) is None
