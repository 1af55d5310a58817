"""Agreement between attribution and survival, worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ltp_core.why.agreement import agreement, concordance

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
