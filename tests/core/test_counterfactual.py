"""Counterfactuals against single predictions with `Pinned` and scaled thresholds, and brute force."""

from itertools import combinations

import pytest
import torch

from ltp_core import Dense, Pinned, PrunedModel, Thresholds
from ltp_core.forward import engine
from ltp_core.why import counterfactual
from ltp_core.why.counterfactual import pinned, smallest_drop, smallest_scale, what_keeping_changes

TEXT = "a very good film and a bad plot"
RULE = Thresholds([0.04, 0.06, 0.09])


@pytest.fixture(params=[1, 3, 4, "in parts"])
def learned(request, tiny_bert, tokenizer, monkeypatch):
    """Three models; one also with its rows run one by one, as those of a long text run in parts."""
    if request.param == "in parts":
        monkeypatch.setattr(engine, "PAIRS", {"cpu": 1, "elsewhere": 1})
        request.param = 4
    return PrunedModel(tiny_bert(seed=request.param, num_labels=2), tokenizer, RULE.values)


def brute_force(model, rule, largest):
    """The size of the smallest set of words that flips the label, one prediction each."""
    label = model.predict(TEXT, rule).label
    words = range(1, 9)
    for size in range(1, largest + 1):
        for go in combinations(words, size):
            if model.predict(TEXT, Pinned(rule, go=go)).label != label:
                return size
    return None


@pytest.mark.parametrize("rule", [RULE, Dense()])
def test_the_smallest_drop_is_the_one_that_brute_force_finds(learned, rule):
    found = smallest_drop(learned, TEXT, rule, budget=1000)
    size = brute_force(learned, rule, 8)
    assert found.passes <= 1000 and found.before == learned.predict(TEXT, rule).label
    if size is None:
        assert found.positions is None and found.exhausted == 8
        return
    assert found.proven and len(found.positions) == size
    after = learned.predict(TEXT, Pinned(rule, go=found.positions))
    assert after.label == found.after != found.before
    assert found.tokens == tuple(after.trace.tokens[p] for p in found.positions)
    assert found.log_odds[0] > 0 > found.log_odds[1]


def test_the_budget_is_kept_and_what_is_not_proven_is_said(learned):
    for budget in (1, 3, 9, 20):
        found = smallest_drop(learned, TEXT, budget=budget)
        assert found.passes <= budget == found.budget
        if found.positions is None or len(found.positions) > 1:
            assert found.exhausted <= (budget >= 8)
    with pytest.raises(ValueError, match="at least 1 forward pass, got 0"):
        smallest_drop(learned, TEXT, budget=0)


def test_at_the_smallest_scale_the_label_flips_and_just_below_it_does_not(learned):
    found = smallest_scale(learned, TEXT)
    dense = learned.predict(TEXT, Dense()).label
    assert found.before == dense
    if found.factor is None:
        for factor in (0.1, 0.5, 1, 2, 5, 10, found.highest):
            assert learned.predict(TEXT, RULE.times(factor)).label == dense
        return
    assert learned.predict(TEXT, RULE.times(found.factor)).label == found.after != dense
    for factor in (0.999, 0.9):
        assert learned.predict(TEXT, RULE.times(found.factor * factor)).label == dense


def test_some_of_these_models_flip(tiny_bert, tokenizer):
    models = [PrunedModel(tiny_bert(seed=seed, num_labels=2), tokenizer, RULE.values) for seed in (1, 3, 4)]
    assert any(smallest_scale(model, TEXT).factor is not None for model in models)
    assert any(smallest_drop(model, TEXT).positions is not None for model in models)


def test_keeping_a_dropped_token_is_pinning_it(learned):
    pruned = learned.predict(TEXT)
    found = what_keeping_changes(learned, TEXT)
    survived = pruned.trace.survived
    assert [token.position for token in found] == [p for p in range(1, 9) if survived[p] < 3]
    for token in found:
        alone = learned.predict(TEXT, Pinned(RULE, stay=[token.position]))
        assert token.label == alone.label and token.leaves == survived[token.position] + 1
        share, before = alone.probabilities[pruned.label], pruned.probabilities[pruned.label]
        assert (share > before) is (token.change > 0)


def test_where_nothing_is_dropped_there_is_nothing_to_keep(learned):
    assert what_keeping_changes(learned, TEXT, Dense()) == ()


def test_pins_are_obeyed_and_checked(learned):
    said = pinned(learned, TEXT, stay=[2], go=[3, 9])
    assert said.trace.survived[2] == 3 and said.trace.survived[3] == said.trace.survived[9] == 0
    with pytest.raises(ValueError, match="position 10 is outside the text: its tokens are 0 to 9"):
        pinned(learned, TEXT, go=[10])
    with pytest.raises(ValueError, match="cannot both stay and go"):
        pinned(learned, TEXT, stay=[2], go=[2])
    with pytest.raises(ValueError, match="it cannot go"):
        pinned(learned, TEXT, go=[0])
    with pytest.raises(ValueError, match="the text is empty"):
        pinned(learned, " ")


def test_what_has_no_label_or_no_threshold_is_said(tiny_bert, tokenizer):
    number = PrunedModel(tiny_bert(num_labels=1), tokenizer, RULE.values)
    with pytest.raises(ValueError, match="no label that could flip"):
        smallest_drop(number, TEXT)
    assert {token.label for token in what_keeping_changes(number, TEXT)} <= {None}
    with pytest.raises(ValueError, match="nothing to scale"):
        smallest_scale(PrunedModel(tiny_bert(), tokenizer), TEXT)


@pytest.fixture
def worked_out(tiny_bert, tokenizer, monkeypatch):
    """Three classes and three words; the logits of every set of dropped words are given, not computed."""
    model = PrunedModel(tiny_bert(num_labels=3), tokenizer, RULE.values)

    def answers(logits):
        def run(model, batch, rule, stay, go):
            return torch.tensor([logits[tuple(row.nonzero().flatten().tolist())] for row in go])

        monkeypatch.setattr(counterfactual, "_run", run)
        return model

    return answers


def test_of_three_classes_the_word_that_hurts_most_need_not_be_the_one_that_flips(worked_out):
    """Without "the" both others come near, together above, neither alone; without "was" one passes."""
    logits = {(): (2.0, 0, 0), (1,): (1.0, 0.9, 0.9), (2,): (1.0, 1.1, -5), (3,): (2.0, 0, 0)}
    model = worked_out(logits)
    found = smallest_drop(model, "the was so")
    assert (found.positions, found.tokens, found.after) == ((2,), ("was",), "LABEL_1")
    assert found.proven and found.exhausted == 1
    assert found.passes == 4  # the text as it is, and one for each word
    assert found.log_odds[0] == pytest.approx(2 - torch.tensor(2.0).log().item())
    assert found.log_odds[1] == pytest.approx(1.0 - torch.tensor([1.1, -5]).logsumexp(0).item())


def test_a_pair_that_flips_is_proven_only_when_no_word_does_alone(worked_out):
    """No word flips alone; of the pairs "the so" does, which greedy, beginning with "was", does not try."""
    logits = {(): (3.0, 0, 0), (1,): (2.0, 0, 0), (2,): (1.5, 0, 0), (3,): (2.5, 0, 0)}
    logits |= {(2, 1): (1.0, 0.5, 0.5), (2, 3): (1.2, 0.5, 0.5), (2, 1, 3): (0.5, 0.0, 1.0)}
    logits |= {(1, 2): (1.0, 0.5, 0.5), (1, 3): (0.5, 0.7, 0.0), (1, 2, 3): (0.5, 0.0, 1.0)}
    model = worked_out({tuple(sorted(drop)): said for drop, said in logits.items()})
    found = smallest_drop(model, "the was so")
    assert (found.positions, found.after, found.proven) == ((1, 3), "LABEL_1", True)
    # 1 as it is, 3 words, 2 pairs with "was", all three, 3 pairs to take one back from all, 3 pairs in order
    assert found.passes <= 13
    less = smallest_drop(model, "the was so", budget=7)
    assert (less.positions, less.after, less.proven) == ((1, 2, 3), "LABEL_2", False)


def test_the_pass_that_says_what_the_label_is_counts(worked_out):
    model = worked_out({drop: (2.0, 0, 0) for drop in [(), (1,), (2,), (3,)]})
    found = smallest_drop(model, "the was so", budget=4)
    assert (found.passes, found.exhausted, found.positions) == (4, 1, None)
    found = smallest_drop(model, "the was so", budget=3)
    assert (found.passes, found.exhausted, found.positions) == (3, 0, None)
