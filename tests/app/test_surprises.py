"""Every claim of every surprise, on the shipped weights. One trained anew may need other sentences."""

from dataclasses import replace
from functools import cache

import pytest

from app import surprises
from app.surprises import SURPRISES
from ltp_core import Dense, PrunedModel, RandomKeep
from ltp_core.checkpoints import shipped_models
from ltp_core.why.counterfactual import pinned
from tests.some import some

pytestmark = pytest.mark.skipif("sst2" not in shipped_models(), reason="no shipped models")


load = cache(PrunedModel.from_pretrained)


def model_of(case):
    return load(case.model)


def thresholds(case, **moved):
    """The learned ones with what the case's link, or a visitor, moves: ``thresholds(case, t2=0.03)``."""
    values = list(model_of(case).thresholds)
    for layer, share in {**case.moved, **{int(name[1:]): share for name, share in moved.items()}}.items():
        values[layer - 1] = share
    return replace(model_of(case).learned_rule, values=tuple(values))


def run(case, rule=None, **moved):
    text = (case.text, case.pair) if case.pair else case.text
    return model_of(case).predict(text, thresholds(case, **moved) if rule is None else rule)


def share(prediction):
    return prediction.probabilities[prediction.label]


def read_by_the_last_layer(prediction):
    trace = prediction.trace
    alive = trace.layers[-1].importance
    return [token for token, value in zip(trace.tokens, alive, strict=True) if value is not None]


def test_there_are_enough_and_their_links_differ():
    assert len(SURPRISES) >= 8
    assert len({tuple(case.query.items()) for case in SURPRISES}) == len(SURPRISES)
    assert {case.model for case in SURPRISES} <= set(shipped_models())


def test_the_lab_opens_on_one_that_a_drag_flips():
    case = surprises.opening("sst2")
    assert case is surprises.FLIP
    before, after = run(case), run(case, t2=0.042)
    assert before.label == "positive" == run(case, Dense()).label and share(before) > 0.95
    assert after.label == "negative" and share(after) > 0.9
    assert "lovely" in read_by_the_last_layer(before) and "lovely" not in read_by_the_last_layer(after)
    assert "mess" in read_by_the_last_layer(after)


def test_the_word_that_decided():
    case = surprises.DECIDED
    pruned = run(case)
    assert run(case, Dense()).label == "positive" and pruned.label == "negative" and share(pruned) > 0.9
    assert "not" in read_by_the_last_layer(pruned) and "bad" not in read_by_the_last_layer(pruned)
    at = pruned.trace.tokens.index("bad")
    assert not pruned.trace.layers[0].kept[at]
    assert pinned(model_of(case), case.text, [at], [], thresholds(case)).label == "positive"


def test_a_double_negation():
    case = surprises.DOUBLE_NEGATION
    for prediction in (run(case), run(case, Dense())):
        assert prediction.label == "negative" and share(prediction) > 0.9
    assert {"impossible", "not"} <= set(read_by_the_last_layer(run(case)))


def test_there_and_back():
    case = surprises.THERE_AND_BACK
    found = [run(case, t1=value) for value in (0.05, 0.055, 0.06)]
    assert [each.label for each in found] == ["positive", "negative", "positive"]
    assert share(found[1]) > 0.9 and share(found[2]) > 0.95
    read = [set(read_by_the_last_layer(each)) for each in found]
    assert {"mess", "loved"} <= read[0] & read[1]
    assert "loved" in read[2] and "mess" not in read[2]
    assert run(case).label == "negative"  # where the link opens


def test_a_text_too_long():
    case = surprises.TOO_LONG
    model, moved = model_of(case), run(case)
    learned, dense = run(case, model.learned_rule), run(case, Dense())
    assert len(moved.trace.tokens) == 131 > model.reference_length
    assert moved.trace.alive[0] == 1 and moved.label != dense.label
    assert moved.trace.layers[0].threshold == pytest.approx(model.thresholds[0], rel=0.01)  # as on a sentence
    assert learned.label == dense.label == "negative" and share(learned) > 0.95
    assert learned.trace.alive[0] > 100


def test_the_same_words_in_another_order():
    case = surprises.ORDER
    tokens = run(case).trace.tokens
    middle = tokens.index("[SEP]")
    assert sorted(tokens[1:middle]) == sorted(tokens[middle + 1 : -1])
    for prediction in (run(case), run(case, Dense())):
        assert prediction.label == "equivalent" and share(prediction) > 0.95


def test_the_difference_is_dropped():
    case = surprises.DIFFERENCE
    pruned = run(case)
    days = [pruned.trace.tokens.index(day) for day in ("monday", "friday")]
    assert {pruned.trace.survived[at] for at in days} == {3}  # both leave in layer 4
    assert pruned.label == "equivalent" and share(pruned) > 0.95


def test_gibberish():
    case = surprises.GIBBERISH
    assert share(run(case)) > 0.98
    assert sum(token.startswith("##") for token in run(case).trace.tokens) >= 5  # no word of it is known


def test_chance_does_as_well():
    case = surprises.CHANCE
    yours = run(case)
    assert max(yours.trace.alive[3:5]) < 0.6 * len(yours.trace.tokens)
    draws = [run(case, RandomKeep(thresholds(case), seed=seed)) for seed in range(20)]
    assert all(draw.label == yours.label and share(draw) > 0.95 for draw in some(draws))


def test_an_answer_to_nothing():
    case = surprises.NOTHING
    pruned = run(case)
    assert set(pruned.trace.alive) == {1}
    assert pruned.label == model_of(case).predict_nothing().label != run(case, Dense()).label
