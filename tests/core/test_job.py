"""What a run is told: nonsense is refused, and a job survives the JSON that it is stored in."""

import json
import math
from dataclasses import asdict, replace

import pytest

from ltp_core.training.job import Job, Pruning, Recipe, differences


@pytest.mark.parametrize(
    "bad", [{"epochs": 0}, {"epochs": -1}, {"batch_size": 0}, {"learning_rate": 0}, {"learning_rate": -1e-5}]
)
def test_bad_recipes(bad):
    with pytest.raises(ValueError, match=r"must be above 0|must be at least 1"):
        Recipe(**bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"target_flops": 0.5},
        {"target_flops": math.nan},
        {"penalty": -0.1},
        {"distill": 1.5},
        {"distill": -0.1},
        {"temperature": 0},
        {"temperature": math.inf},
        {"last_temperature": -1},
        {"last_temperature": 0},
        {"threshold_rate": 0},
        {"threshold_rate": math.nan},
        {"distill_hidden": -1},
        {"thresholds": (0.1, -0.1)},
    ],
)
def test_bad_pruning(bad):
    with pytest.raises(ValueError, match=r"at least 1|must not be negative"):
        Pruning(**bad)


def test_bad_stages():
    with pytest.raises(
        ValueError, match="no stage 'magic'; there is: straight-through, soft, soft-output, hard, held"
    ):
        Pruning(stages=("magic",))
    with pytest.raises(ValueError, match="each once"):
        Pruning(stages=("hard", "hard"))


def test_spared_layers_start_at_zero_and_one_is_left():
    spared = Pruning(spared_layers=2, first_threshold=0.1, last_threshold=0.4)
    assert spared.first_thresholds(4) == pytest.approx((0, 0, 0.3, 0.4))
    with pytest.raises(ValueError, match="of 2 layers, 2 spared"):
        spared.first_thresholds(2)


def test_another_unit():
    """Of 20 tokens the even share is 5 %; with N = 10 a threshold of 5 % acts as 2.5 % there."""
    found = Pruning(temperature=0.1, last_threshold=0.5).in_unit(20.0)
    assert (found.temperature, found.last_threshold) == pytest.approx((0.005, 0.025))
    found = Pruning(temperature=0.1, last_threshold=0.5, reference_length=10).in_unit(20.0)
    assert (found.temperature, found.last_threshold) == pytest.approx((0.005, 0.05))
    assert Pruning(last_threshold=0.5, reference_length=30).in_unit(20.0).last_threshold == 0.025


def test_a_job_goes_through_json():
    pruning = Pruning(target_flops=None, penalty=0.1, stages=("soft", "hard"), thresholds=(0.1, 0.2))
    job = Job("sst2", None, "base", None, "ltp", Recipe(epochs=2), Recipe(batch_size=8), pruning, 5, 6, 7)
    assert Job.of(json.loads(json.dumps(asdict(job)))) == job


def test_what_an_earlier_version_wrote():
    """It had a length exponent, of which only 0 has an equal here, and averaged over all queries."""
    job = Job("sst2", None, "base", None, "ltp", Recipe(), Recipe(), Pruning(importance_queries=None))
    told = json.loads(json.dumps(asdict(job)))
    for name in ("reference_length", "importance_queries"):
        del told["pruning"][name]
    told["pruning"]["length_exponent"] = 0.0
    assert Job.of(told) == job
    for alpha in (1.0, 0.5):
        told["pruning"]["length_exponent"] = alpha
        with pytest.raises(ValueError, match=f"trained with length_exponent {alpha:g}, .* train again"):
            Job.of(told)


@pytest.mark.parametrize("bad", [{"reference_length": 0}, {"importance_queries": 0}])
def test_a_reading_that_is_none(bad):
    with pytest.raises(ValueError, match=f"{'reference.length' if 'reference_length' in bad else 'queries'}"):
        Pruning(**bad)


def test_rows_keep_room_for_text():
    with pytest.raises(ValueError, match="at 8 tokens at least, not at 7"):
        Recipe(max_tokens=7)
    assert Recipe(max_tokens=8).max_tokens == 8


USUAL = asdict(Job("sst2", None, "base", None, "ltp", Recipe(), Recipe(), Pruning()))


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"seed": 0}, "'dense' is missing"),
        ([], "not the settings of a training run"),
        ({**USUAL, "pruned": None}, "not the settings of a training run"),
        ({**USUAL, "pruned": {"magic": 1}}, "unexpected keyword argument 'magic'"),
        ({**USUAL, "pruned": {"epochs": "three"}}, "not the settings of a training run"),
        ({**USUAL, "tuning": "all"}, "not the settings of a training run"),
        ({name: value for name, value in USUAL.items() if name != "task"}, "'task'"),
    ],
)
def test_what_is_no_job_is_refused_in_one_line(described, reason):
    with pytest.raises(ValueError, match=reason) as found:
        Job.of(described)
    assert "\n" not in str(found.value)


def test_differences_are_those_of_the_terms_alone():
    recipe, pruning = Recipe(epochs=2), Pruning(distill=1.0, unlabelled="/data/imdb")
    ltp = Job("sst2", None, "base", None, "ltp", recipe, recipe, pruning)
    as_stored = replace(ltp, pruning=replace(pruning, unlabelled="imdb"))
    other_seed = replace(as_stored, method="lat", pruned=replace(recipe, seed=3, save_steps=7))
    assert differences(asdict(other_seed), asdict(ltp)) == {}
    lat = replace(
        other_seed, tuning=20, pruned=Recipe(epochs=1), pruning=replace(pruning, distill=0.5, target_flops=3)
    )
    assert differences(asdict(lat), asdict(ltp)) == {
        "tuning": (20, 500),
        "epochs": (1, 2),
        "distill": (0.5, 1.0),
    }
