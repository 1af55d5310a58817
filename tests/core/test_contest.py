"""Rules at equal FLOPs: what was matched is run and counted again here."""

import pytest

from ltp_core import Dense, LengthConfig, PrunedModel, Thresholds, TopK, rising_thresholds
from ltp_core.why.contest import contest, even_shares, nearest, random_draws
from tests.some import some

TEXT = "the plot was very bad and the film was so good but it was a good film of good bad plot"
RULE = Thresholds([0.03, 0.05, 0.07])


@pytest.fixture
def model(tiny_bert, tokenizer):
    return PrunedModel(tiny_bert(num_labels=2), tokenizer, RULE.values)


@pytest.fixture
def found(model):
    return {contender.name: contender for contender in contest(model, TEXT, RULE)}


def test_all_rules_run(found):
    assert list(found) == ["ltp", "manual", "topk", "lat", "random", "dense"]


def test_ltp_is_the_target_and_dense_prunes_nothing(model, found):
    ours = model.predict(TEXT, rule=RULE)
    assert found["ltp"].prediction == ours and found["ltp"].gap == 0
    assert found["dense"].prediction.flops == ours.dense_flops == model.predict(TEXT, rule=Dense()).flops


def test_settings_reproduce_the_runs(model, found):
    rules = {
        "topk": TopK(even_shares(found["topk"].setting, 3)),
        "lat": LengthConfig(even_shares(found["lat"].setting, 3)),
    }
    last = rising_thresholds(found["manual"].setting, 3)
    assert found["manual"].rule.values == pytest.approx(last.values)
    for name, rule in some(rules.items()):
        assert found[name].rule == rule
    for name in ("manual", *rules):
        assert model.predict(TEXT, rule=found[name].rule) == found[name].prediction
        assert found[name].gap == found[name].prediction.flops / found["ltp"].prediction.flops - 1


def test_no_other_share_comes_nearer(model, found):
    target = found["ltp"].prediction.flops
    best = min(
        abs(model.predict(TEXT, rule=LengthConfig(even_shares(step / 40, 3))).flops - target)
        for step in range(1, 41)
    )
    assert abs(found["lat"].prediction.flops - target) <= best


def test_random_keeps_the_same_numbers(found):
    assert found["random"].prediction.trace.alive == found["ltp"].prediction.trace.alive
    assert found["random"].gap == 0


def test_draws_differ(model, found):
    draws = random_draws(model, TEXT, found["ltp"].prediction, 4)
    assert {draw.flops for draw in draws} == {found["ltp"].prediction.flops}
    assert len({draw.trace.layers[1].kept for draw in draws}) > 1


def test_kept_are_the_tokens_that_reach_the_last_layer(found):
    kept = found["ltp"].prediction.trace.layers[1].kept
    assert found["ltp"].kept == {index for index, stays in enumerate(kept) if stays}


def test_nearest_of_a_step_function():
    assert nearest(lambda x: 100 if x < 0.3 else 40 if x < 0.8 else 10, 42) == pytest.approx(0.3, abs=0.5)
    assert nearest(lambda x: 100, 42) == 0.0


def test_even_shares():
    assert even_shares(0.5, 3) == [0.5, 0.25, 0.125]
