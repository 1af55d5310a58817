"""A data set in; scores, FLOPs and kept tokens out."""

import numpy as np
import pytest

from ltp_core import Dense, Thresholds
from ltp_core.checkpoints import Settings
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import DataError, Rows
from ltp_core.flops import paper_flops
from ltp_core.measuring.scoring import cut_said, length_of, row_of, run_unpruned, score_against

TEXTS = ["bad", "the film was very good and so was the plot", "a plot", "good " * 50, "it was so bad"]
RULE = Thresholds([0.1, 0.15, 0.2])


def rows(texts=TEXTS):
    return Rows(texts, [0] * len(texts))


@pytest.fixture
def predictions(model):
    return [model.predict(text, rule=RULE) for text in TEXTS]


@pytest.mark.parametrize("batch_size", [1, 2, 99])
def test_rows_keep_their_order_whatever_the_batch(model, predictions, batch_size):
    found = run_rows(model, rows(), RULE, batch_size)
    probabilities = np.exp(found.logits) / np.exp(found.logits).sum(-1, keepdims=True)
    expected = [list(p.probabilities.values()) for p in predictions]
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_means_over_the_examples(model, predictions):
    found = run_rows(model, rows(), RULE, 2)
    assert found.flops == pytest.approx(np.mean([p.flops for p in predictions]))
    assert found.dense_flops == pytest.approx(np.mean([p.dense_flops for p in predictions]))
    assert found.executed_flops == pytest.approx(np.mean([p.executed_flops for p in predictions]))
    assert found.flops_reduction == pytest.approx(found.dense_flops / found.flops)
    assert found.flops_reduction > 1
    tokens = [3, 12, 4, 32, 6]
    assert found.dense_flops == pytest.approx(
        np.mean([paper_flops(model.dimensions, n, [n] * 3) for n in tokens])
    )
    kept = np.sum([p.trace.alive for p in predictions], axis=0) / sum(tokens)
    assert found.kept_per_layer == pytest.approx(kept.tolist())
    assert found.truncated == 1


def test_longer_inputs_can_be_cut(model):
    found = run_rows(model, rows(["the film was very good"]), RULE, max_tokens=5)
    expected = model.predict("the film was", rule=RULE)
    assert found.flops == expected.flops and found.truncated == 1
    assert run_rows(model, rows(), RULE, max_tokens=999).truncated == 1  # at the model's own 32


def test_measurements_cut_where_training_did_and_say_so(model):
    assert length_of(model) == 32 and length_of(model, 5) == 5 and length_of(model, 999) == 32
    model.settings = Settings(training={"pruned": {"max_tokens": 8}})
    assert length_of(model) == 8 and length_of(model, 12) == 12
    against = run_unpruned(model, None, rows(), max_tokens=length_of(model))
    found = score_against(model, against, rows(), RULE)
    assert cut_said(found) == "2 of 5 rows were longer than 8 tokens, and cut there"  # of 12 and 52
    assert cut_said(row_of(model, "ltp", found)) == cut_said(found)
    assert cut_said({**found, "truncated_examples": 0}) == ""


def test_dense(model):
    found = run_rows(model, rows(), Dense())
    assert found.flops_reduction == 1
    assert found.kept_per_layer == [1, 1, 1]


def test_pairs(model):
    pairs = [("a film", "bad"), ("good", "it was so bad")]
    found = run_rows(model, rows(pairs), RULE)
    for logits, pair in zip(found.logits, pairs, strict=True):
        shares = list(model.predict(pair, rule=RULE).probabilities.values())
        np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), shares, atol=1e-5)


def test_progress_counts_examples(model):
    seen = []
    run_rows(model, rows(), RULE, 2, seen.append)
    assert seen == [2, 4, 5]


def test_bad_input(model):
    with pytest.raises(DataError, match="row 2 of 2 cannot be read: the text is empty"):
        run_rows(model, rows(["good", " "]))
    with pytest.raises(ValueError, match="batch size must be at least 1"):
        run_rows(model, rows(), batch_size=0)
    with pytest.raises(ValueError, match="needs 3 thresholds"):
        run_rows(model, rows(), Thresholds([0.1]))


def test_no_rows(model):
    with pytest.raises(DataError, match="there are no rows to run"):
        run_rows(model, rows([]))
