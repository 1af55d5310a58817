"""Deletion against predictions on texts that lack the words, and sets worked out by hand."""

import math

import pytest
import torch

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.forward import engine
from ltp_core.why.attribution import Batch, attribute
from ltp_core.why.deletion import Effect, _effect, chosen, deletion
from tests.some import some

TEXT = "a very good film and a bad plot"
RULE = Thresholds([0.06, 0.1, 0.12])


def odds(prediction, label):
    return math.log(prediction.probabilities[label] / (1 - prediction.probabilities[label]))


@pytest.fixture(params=["at once", "in parts"])
def made(request, model, monkeypatch):
    if request.param == "in parts":  # as the rows of a long text run
        monkeypatch.setattr(engine, "PAIRS", {"cpu": 1, "elsewhere": 1})
    found = attribute(model, TEXT, method="gradient_x_input", rule=RULE)
    return found, deletion(model, Batch.of(model.encode([TEXT])[0]), found, draws=3)


def test_sets_of_given_sizes_lie_within_each_other():
    order = [2, 0, 1]  # the third token goes first, the second stays longest
    assert chosen([3, 2, 1, 0], order).tolist() == [
        [True, True, True],
        [True, True, False],
        [False, True, False],
        [False, False, False],
    ]


def test_ltps_own_choice_is_the_pruned_run(model, made):
    found, effects = made
    fall = odds(model.predict(TEXT, Dense()), found.label) - odds(model.predict(TEXT, RULE), found.label)
    assert effects.when_pruned["ltp"].drop == pytest.approx(fall, abs=1e-4)
    changed = model.predict(TEXT, Dense()).label != model.predict(TEXT, RULE).label
    assert effects.when_pruned["ltp"].flips == float(changed)


def test_from_the_text_is_a_text_without_the_words(model, made):
    found, effects = made
    whole = odds(model.predict(TEXT, Dense()), found.label)
    assert 0 < sum(found.trace.layers[-1].kept[1:-1]) < 8
    for layer, effect in zip(found.trace.layers, effects.from_text["ltp"], strict=True):
        left = " ".join(word for word, kept in zip(TEXT.split(), layer.kept[1:-1], strict=True) if kept)
        assert effect.drop == pytest.approx(whole - odds(model.predict(left, Dense()), found.label), abs=1e-4)
    sizes = [abs(value) for value in found.dense.values[1:-1]]
    k = sum(found.trace.layers[1].kept[1:-1])
    largest = sorted(sorted(range(8), key=lambda i: -sizes[i])[:k])
    left = " ".join(TEXT.split()[i] for i in largest)
    expected = whole - odds(model.predict(left, Dense()), found.label)
    assert effects.from_text["lowest"][1].drop == pytest.approx(expected, abs=1e-4)


def test_all_choices_agree_where_nothing_is_dropped(model):
    found = attribute(model, TEXT, method="gradient_x_input", rule=Dense())
    effects = deletion(model, Batch.of(model.encode([TEXT])[0]), found, draws=2)
    for effect in some(
        (*effects.when_pruned.values(), *(e for row in effects.from_text.values() for e in row))
    ):
        assert effect.drop == pytest.approx(0, abs=1e-4) and effect.flips == 0


def test_opposite_draws_cancel_in_the_fall_but_not_in_the_move():
    whole, after = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.0, -1.0], [0.0, 3.0]])  # falls: 3, -1
    assert _effect(whole, after, 1) == Effect(drop=1, moved=2, sizes=(3, 1), flips=0.5)
    assert _effect(whole[:, 1:], after[:, 1:], 0) == Effect(drop=2, moved=2, sizes=(3, 1), flips=None)


def test_draws_are_repeatable_and_asked_for(model, made):
    found, effects = made
    batch = Batch.of(model.encode([TEXT])[0])
    assert deletion(model, batch, found, draws=3) == effects
    with pytest.raises(ValueError, match="at least 1, got 0"):
        deletion(model, batch, found, draws=0)


def test_a_regression_moves_and_has_nothing_to_flip(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(num_labels=1), tokenizer, RULE.values)
    found = attribute(model, TEXT, method="gradient_x_input")
    effect = deletion(model, Batch.of(model.encode([TEXT])[0]), found).when_pruned["ltp"]
    moved = abs(model.predict(TEXT, Dense()).value - model.predict(TEXT).value)
    assert effect.drop == pytest.approx(moved, abs=1e-5) and effect.flips is None
