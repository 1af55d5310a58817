"""Surveys against single predictions of the same texts, and against counts made here."""

import pytest

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.data.survey import flops_by_length, survey
from ltp_core.flops import paper_flops

TEXTS = [
    "good film",
    "the plot was very bad and the film was so good",
    "a film of a film",
    "it was bad",
    "the the the the",
]
RULE = Thresholds([0.05, 0.08, 0.1])


@pytest.fixture
def model(tiny_bert, tokenizer):
    return PrunedModel(tiny_bert(num_labels=2), tokenizer)


def test_rows_are_single_predictions(model):
    found = survey(model, TEXTS, None, RULE, factors=(), batch_size=2)
    for text, row in zip(TEXTS, found.rows, strict=True):
        dense, pruned = model.predict(text, rule=Dense()), model.predict(text, rule=RULE)
        assert row.text == text and row.gold is None
        assert (row.dense.label, row.pruned.label) == (dense.label, pruned.label)
        assert row.pruned.probability == pytest.approx(pruned.probabilities[pruned.label], abs=1e-5)
        assert (row.alive, row.tokens) == (pruned.trace.alive, len(pruned.trace.tokens))
        assert (row.flops, row.dense_flops) == (pruned.flops, dense.flops)
        assert row.flipped == (dense.label != pruned.label) == bool(row.moved)
    assert [row.text for row in found.flipped] == [
        row.text for row in sorted(found.rows, key=lambda r: -r.dense.probability) if row.flipped
    ]


def test_summaries_over_rows(model):
    found = survey(model, TEXTS, None, RULE, factors=())
    assert found.flops_reduction == sum(r.dense_flops for r in found.rows) / sum(r.flops for r in found.rows)
    tokens = sum(row.tokens for row in found.rows)
    assert found.kept_per_layer == [
        sum(row.alive[layer] for row in found.rows) / tokens for layer in range(3)
    ]
    assert found.truncated == 0


def test_the_curve_has_dense_at_its_start_and_scores_against_labels(model):
    labels = [int(model.predict(text, rule=Dense()).label[-1]) for text in TEXTS]
    labels[0] = 1 - labels[0]
    found = survey(model, TEXTS, labels, RULE, factors=(0.5, 1.0, 100))
    assert [point.factor for point in found.curve] == [0.0, 0.5, 1.0, 100]
    dense = found.curve[0]
    assert (dense.flops_reduction, dense.agreement, dense.score) == (1.0, 1.0, 0.8)
    assert found.curve[2].flops_reduction == found.flops_reduction
    assert found.curve[2].agreement == 1 - len(found.flipped) / 5
    assert found.curve[0].flops_reduction < found.curve[2].flops_reduction < found.curve[3].flops_reduction


def test_fates_count_every_occurrence(model):
    found = survey(model, TEXTS, None, RULE, factors=())
    fates = {fate.token: fate for fate in found.fates}
    traces = [model.predict(text, rule=RULE).trace for text in TEXTS]
    survived = [
        layers
        for trace in traces
        for token, layers in zip(trace.tokens, trace.survived, strict=True)
        if token == "the"
    ]
    assert fates["the"].count == len(survived) == 6
    assert fates["the"].layers == sum(survived) / 6
    assert fates["the"].first == sum(layers < 1.5 for layers in survived) / 6
    assert "[CLS]" not in fates and "[SEP]" not in fates


def test_a_regression_has_no_labels_to_flip(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(num_labels=1), tokenizer)
    found = survey(model, TEXTS, None, RULE, factors=())
    assert not found.flipped and found.curve[1].agreement is None
    row = found.rows[1]
    assert row.moved == pytest.approx(abs(row.dense.value - row.pruned.value))


def test_a_regression_of_ones_own_is_scored_as_one(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(num_labels=1), tokenizer)
    assert survey(model, TEXTS, [1.0, 2.0, 3.0, 4.0, 5.0], RULE, factors=()).metric == "spearman"


def test_progress_may_stop_a_survey(model):
    class Stop(Exception):
        pass

    seen = []

    def progress(done, total):
        seen.append((done, total))
        if done >= 4:
            raise Stop

    with pytest.raises(Stop):
        survey(model, TEXTS, None, RULE, factors=(), batch_size=2, progress=progress)
    assert seen == [(2, 10), (4, 10)]


def test_nothing_to_survey(model):
    with pytest.raises(ValueError, match="no texts"):
        survey(model, [], None, RULE)
    with pytest.raises(ValueError, match="5 texts have 1 labels"):
        survey(model, TEXTS, [1], RULE)


def test_work_at_exact_lengths(model):
    points = flops_by_length(model, RULE, [8, 20])
    assert [point.length for point in points] == [8, 20]
    assert [point.dense for point in points] == [
        paper_flops(model.dimensions, n, [n] * model.layers) for n in (8, 20)
    ]
    for point in points:
        texts = inputs_of_length(model.tokenizer, own_sentences(), point.length, 4)
        runs = [model.predict(text, RULE) for text in texts]
        assert point.pruned == pytest.approx(sum(run.flops for run in runs) / 4)
        alive = zip(*(run.trace.alive for run in runs), strict=True)
        assert point.left == pytest.approx([sum(left) / 4 for left in alive])
