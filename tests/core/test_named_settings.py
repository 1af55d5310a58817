"""The rule behind careful, learned, fast: on rows worked out by hand, for the weights it was applied to."""

import json

import pytest
import torch
from safetensors.torch import save_file

from ltp_core.checkpoints import Settings
from ltp_core.measuring.named_settings import bound, choose, named_factors, write_named

LEARNED = (0.01, 0.02)


def row(factor, reduction, lost, error=0.5, length=64, split="tuning"):
    return {
        **{"task": "sst2", "factor": factor, "flops_reduction": reduction, "points_lost": lost},
        **{"points_lost_error": error, "max_tokens": length, "split": split, "examples": 500},
        **{"metric": "accuracy", "commit": "abc", "versions": {}, "machine": "m", "measured": "now"},
    }


def test_the_bound_is_one_sided():
    """A normal distribution has 80 % of its mass below 0.8416 standard deviations."""
    normal = torch.distributions.Normal(0.0, 1.0)
    assert bound(row(1, 2, 0.2, error=1.0)) == pytest.approx(
        0.2 + normal.icdf(torch.tensor(0.8)).item(), abs=1e-4
    )
    assert bound(row(1, 2, -5.0, error=None)) == float("inf")


def test_the_rule():
    """Bounds: 0.42, 0.92, 1.42, 2.92, 3.42. At 1.6 three points are lost, at 1.8 more."""
    rows = [
        row(0.5, 1.4, 0.0),
        row(0.8, 1.7, 0.5),
        row(1, 2.0, 1.0),
        row(1.6, 2.6, 100 * (0.904 - 0.874)),
        row(1.8, 2.9, 3.1),
    ]
    assert {name: found["factor"] for name, found in choose(rows).items()} == {
        "careful": 0.8,
        "learned": 1,
        "fast": 1.6,
    }


def test_careful_never_prunes_more_than_learned_and_fast_never_less():
    rows = [row(0.5, 1.4, 3.5), row(1, 2.0, 0.0), row(1.3, 2.2, -1.0)]
    assert choose(rows)["careful"]["factor"] == 1
    rows = [row(0.5, 1.4, 0.0), row(1, 2.0, 4.0), row(1.3, 2.2, 4.5)]
    assert set(choose(rows)) == {"careful", "learned"}


def test_where_no_bound_can_be_low_there_is_no_careful_setting():
    assert set(choose([row(0.5, 1.4, -1.0, error=3.0), row(1, 2.0, 1.0, error=3.0)])) == {"learned", "fast"}


@pytest.fixture
def measured(tmp_path):
    """A model's folder, and results with rows of two lengths and two splits; it was trained at 64 tokens."""
    folder = tmp_path / "mine"
    folder.mkdir()
    Settings(training={"pruned": {"max_tokens": 64}}).write(folder)
    save_file({"thresholds": torch.tensor(LEARNED, dtype=torch.float64)}, folder / "ltp.safetensors")
    rows = [
        row(1, 2.0, 0.1),
        row(1.5, 2.6, 2.0),
        row(1, 3.0, 0.0, length=32),
        row(2, 4.0, 0, split="development"),
    ]
    (tmp_path / "mine.json").write_text(json.dumps({"rows": rows}))
    return folder


def test_only_tuning_rows_of_the_training_length_decide(measured, tmp_path):
    write_named("mine", measured, tmp_path)
    found = named_factors("mine", LEARNED, tmp_path)
    assert {name: (one["factor"], one["flops_reduction"]) for name, one in found.items()} == {
        "careful": (1, 2.0),
        "learned": (1, 2.0),
        "fast": (1.5, 2.6),
    }


def test_settings_of_other_weights_are_not_taken(measured, tmp_path):
    write_named("mine", measured, tmp_path)
    assert named_factors("mine", (0.01, 0.021), tmp_path) == {} == named_factors("mine", None, tmp_path)
    assert named_factors("other", LEARNED, tmp_path) == {}


def test_a_second_call_replaces_the_rows_of_its_model_only(measured, tmp_path):
    write_named("mine", measured, tmp_path)
    file = tmp_path / "settings.json"
    rows = json.loads(file.read_text())["rows"]
    file.write_text(json.dumps({"rows": [{**rows[0], "model": "other"}, *rows]}))
    write_named("mine", measured, tmp_path)
    again = json.loads(file.read_text())["rows"]
    assert [one["model"] for one in again] == ["mine"] * 3 + ["other"]
