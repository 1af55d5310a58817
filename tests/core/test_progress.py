"""The one line about a training stage, and the rows that runs leave."""

import json

from ltp_core.results import add_row
from ltp_core.training.progress import describe


def test_the_figures_that_people_want_to_see():
    logs = {
        "loss": 0.31234,
        "grad_norm": 3.0,
        "kept_per_layer": [1.0, 0.5, 0.3],
        "flops_reduction": 2.049,
        "thresholds": [0.0, 0.0123],
    }
    assert describe(logs) == "loss 0.312  kept 60%  2.05× fewer FLOPs  θ 0 0.0123"
    assert describe({"train_loss": 1.5}) == "loss 1.500"


def test_a_run_replaces_its_own_row_and_no_other(tmp_path):
    file = tmp_path / "train-sst2.json"
    row = {"task": "sst2", "rule": "ltp", "seed": 0, "split": "tuning", "target_flops": 2.0, "penalty": 0.0}
    for changes in (
        {"pruned_score": 0.80, "flops_reduction": 2.0},
        {"pruned_score": 0.81, "flops_reduction": 1.9, "seed": 1},
        {"pruned_score": 0.82, "flops_reduction": 2.0, "rule": "ltp/soft-only"},
        {"pruned_score": 0.83, "flops_reduction": 2.0},
    ):
        add_row(file, row | changes)
    found = json.loads(file.read_text())["rows"]
    assert [(r["rule"], r["seed"], r["pruned_score"]) for r in found] == [
        ("ltp", 1, 0.81),
        ("ltp", 0, 0.83),
        ("ltp/soft-only", 0, 0.82),
    ]
