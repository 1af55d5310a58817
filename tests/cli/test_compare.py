"""`compare` on a family of tiny models that `train` makes here: targets met, weights its own, rows kept."""

import csv
import json
import re
import shutil
import sys
from dataclasses import replace

import datasets
import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from ltp_core import PrunedModel, Thresholds
from ltp_core.cli import main
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import DataError, Rows, load_rows
from ltp_core.measuring.equal_flops import merged
from ltp_core.measuring.source import rows_for
from ltp_core.rules.table import RULES
from ltp_core.training.job import Job, Pruning, Recipe
from ltp_core.training.pipeline import run
from tests.some import some


@pytest.fixture(scope="module")
def family(tiny_bert, make_tokenizer, tmp_path_factory):
    """Folders of a dense, an LTP, a top-k and a LAT run on one CSV file."""
    place = tmp_path_factory.mktemp("family")
    tiny_bert().bert.save_pretrained(place / "base")
    make_tokenizer().save_pretrained(place / "base")
    data = place / "rows.csv"
    with data.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(64):
            a, b = "abcdefgh"[number // 8], "ijklmnop"[number % 8]
            extra = ["the", "film", "it", "was", "so", "a", "plot"][: number % 7]
            writer.writerow([" ".join([a, b, *extra, ("bad", "good")[number % 2]]), number % 2])
    recipe = Recipe(epochs=1, learning_rate=1e-3, batch_size=16, max_tokens=24, bfloat16=False)
    pruning = Pruning(target_flops=1.4, temperature=0.2, first_threshold=0.3, last_threshold=0.8)
    job = Job(str(data), None, str(place / "base"), None, "dense", recipe, recipe, pruning, 16, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", place / "cache")
        run(job, place / "dense", print)
        for method in ("ltp", "topk", "lat"):
            rival = replace(job, method=method, baseline=str(place / "dense" / "baseline"))
            run(rival, place / method, print)
    return place


@pytest.fixture
def call(monkeypatch, capsys, family, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    def compare(*arguments, data=True):
        options = ["--task", family / "rows.csv", "--output", tmp_path / "rows.json", "--ltp", family / "ltp"]
        options += ["--data", family / "rows.csv"] if data else []
        monkeypatch.setattr(sys, "argv", ["ltp", "compare", *map(str, options), *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            main()
        return exit.value.code, capsys.readouterr()

    return compare


def test_every_rule_at_every_target(call, family, tmp_path):
    rivals = ("--topk", family / "topk", "--lat", family / "lat")
    code, said = call(*rivals, "--targets", "1.3,1.6", "--json")
    assert code == 0
    found = json.loads(said.out)["rows"]
    assert found == json.loads((tmp_path / "rows.json").read_text())["rows"]
    by_rule = {name: [row for row in found if row["rule"] == name] for name in RULES}
    assert sum(map(len, by_rule.values())) == len(found) == 1 + 2 * (len(RULES) - 1)
    for row in some(found):
        assert row["seed"] == 0 and row["split"] == "development" and row["examples"] == 64
        assert row["max_tokens"] == 24  # cut as in training; the model reads more
        assert row["points_lost"] == pytest.approx(100 * (row["baseline_score"] - row["pruned_score"]))
        assert row["flops_reduction"] == pytest.approx(row["dense_flops"] / row["pruned_flops"])
        # fitted on 16 tuning rows, measured on 64 others
        assert row["flops_reduction"] == pytest.approx(row["target_flops"], rel=0.15)
        assert {"commit", "versions", "kept_per_layer", "metric"} <= set(row)
    dense = by_rule["dense"][0]
    assert dense["pruned_score"] == dense["baseline_score"] == dense["dense_score"]
    for name in ("manual", "manual/flat", "manual/calibrated", "random"):
        assert all(row["dense_score"] == dense["dense_score"] for row in some(by_rule[name]))
    for name in ("manual", "manual/calibrated"):
        assert all(row["thresholds"] == sorted(row["thresholds"]) for row in some(by_rule[name]))
    for name in ("topk", "lat", "random"):
        assert all(row["shares"] == sorted(row["shares"], reverse=True) for row in some(by_rule[name]))

    rows = load_rows(str(family / "rows.csv"))  # one point again, by other means
    model, row = PrunedModel.from_pretrained(family / "ltp"), by_rule["ltp"][1]
    again = run_rows(model, rows, Thresholds(row["thresholds"]))
    assert again.flops_reduction == row["flops_reduction"]
    right = [said == label for said, label in zip(again.logits.argmax(-1), rows.labels, strict=True)]
    assert row["pruned_score"] == sum(right) / 64
    ratios = {theta / own for theta, own in zip(row["thresholds"], model.thresholds, strict=True) if own}
    assert max(ratios) == pytest.approx(min(ratios))  # one factor on all


def test_without_trained_rivals_the_rule_says_so(call, tmp_path):
    code, said = call("--targets", "1.3", "--rules", "topk,lat")
    assert code == 0 and "topk/untrained" in said.out and "lat/untrained" in said.out
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [row["rule"] for row in rows] == ["topk/untrained", "lat/untrained"]


def test_a_rival_trained_on_other_terms_is_said_to_be(call, family, tmp_path):
    arguments = ("--topk", family / "topk", "--lat", tmp_path / "lat", "--targets", "1.3")
    shutil.copytree(family / "lat", tmp_path / "lat")
    file = tmp_path / "lat" / "ltp_config.json"
    settings = json.loads(file.read_text())
    settings["training"]["pruned"]["epochs"] = 4.0
    file.write_text(json.dumps(settings))
    code, said = call(*arguments, "--rules", "ltp,topk,lat", "--json")
    warning = " ".join(said.err.split())
    assert code == 0 and re.search(r"lat was trained with epochs 4\.0, \S+ltp with 1", warning)
    assert "topk was" not in warning
    terms = {row["rule"]: row.get("other_terms") for row in json.loads(said.out)["rows"]}
    assert terms == {"ltp": None, "topk": {}, "lat": {"epochs": [4.0, 1]}}


def test_a_rivals_folder_may_be_named_as_a_shipped_model(call, family, tmp_path, monkeypatch):
    shutil.copytree(family / "topk", tmp_path / "sst2")
    monkeypatch.chdir(tmp_path)
    code, said = call("--topk", "sst2", "--targets", "1.3", "--rules", "topk", "--json")
    assert code == 0 and [row["rule"] for row in json.loads(said.out)["rows"]] == ["topk"]


def test_the_baseline_of_another_model(call, family, tmp_path):
    own = json.loads(call("--targets", "1.3", "--rules", "ltp", "--json")[1].out)["rows"][0]
    other = shutil.copytree(family / "ltp", tmp_path / "other")
    weights = load_file(other / "baseline" / "model.safetensors")
    flipped = {name: -value if name.startswith("classifier") else value for name, value in weights.items()}
    save_file(flipped, other / "baseline" / "model.safetensors", {"format": "pt"})
    found = json.loads(call("--baseline", other, "--targets", "1.3", "--rules", "ltp", "--json")[1].out)[
        "rows"
    ][0]
    assert found["pruned_score"] == own["pruned_score"]
    assert found["baseline_score"] == 1 - own["baseline_score"]  # two classes: each answer is the other one
    assert found["points_lost"] == pytest.approx(100 * (found["baseline_score"] - own["pruned_score"]))


def test_tuning_rows_are_never_cut_from_the_file_that_is_measured(family, tmp_path):
    """Here that file holds the tuning rows' texts and others, with all labels wrong."""
    model = PrunedModel.from_pretrained(family / "ltp")
    own = rows_for(model, None, "tuning")
    assert len(own) == 16
    rows = load_rows(str(family / "rows.csv"))
    measured = tmp_path / "development.csv"
    lines = [f"{text},{1 - label}" for text, label in zip(rows.texts, rows.labels, strict=True)]
    measured.write_text("\n".join(["text,label", *lines]))
    assert rows_for(model, str(measured), "tuning") == own
    (tmp_path / "moved").mkdir()
    shutil.copy(measured, tmp_path / "moved" / "train.csv")
    assert rows_for(model, str(tmp_path / "moved"), "tuning").labels == [1 - label for label in own.labels]


def test_a_training_file_that_is_gone(family, tmp_path):
    model = PrunedModel.from_pretrained(family / "ltp")
    settings = model.settings
    model.settings = replace(settings, training={**settings.training, "task": str(tmp_path / "rows.csv")})
    with pytest.raises(DataError, match=r"tuning rows were held out of .*rows\.csv, which is gone"):
        rows_for(model, str(family / "rows.csv"), "tuning")


def test_a_target_out_of_reach_is_said_and_the_rest_measured(call):
    code, said = call("--targets", "1.3,50", "--rules", "manual,manual/calibrated,topk", "--json")
    assert code == 0
    assert [(row["rule"], row["target_flops"]) for row in json.loads(said.out)["rows"]] == [
        ("manual", 1.3),
        ("manual/calibrated", 1.3),
        ("topk/untrained", 1.3),
    ]
    assert said.err.count("left out") == 3 and "the ceiling is" in said.err


def test_rows_of_other_rules_and_seeds_stay():
    old = [{"rule": r, "seed": s, "score": 0} for r in ("ltp", "topk") for s in (0, 1)]
    new = [{"rule": "ltp", "seed": 0, "score": 1}, {"rule": "ltp", "seed": 0, "score": 2}]
    assert merged(old, new) == [*old[1:], *new]


def test_kept_by_length_on_paper(model):
    # examples of 4, 4 and 8 tokens, of which 2, 2, 8 are left after one layer and 1, 2, 2 after the other
    found = run_rows(model, Rows(["a b", "c d", "a b c d e f"], []))
    counted = replace(found, alive=np.array([[2, 1], [2, 2], [8, 2]]))
    groups = counted.kept_by_length(2)
    assert [(g["examples"], g["shortest"], g["longest"]) for g in groups] == [(2, 4, 4), (1, 8, 8)]
    assert [g["kept_per_layer"] for g in groups] == [[0.5, 0.375], [1.0, 0.25]]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--rules", "magic"), "unknown rule 'magic'; known: ltp, dense"),
        (("--targets", "0.5"), "at least 1"),
        (("--targets", "x"), "not a list of numbers"),
        (("--limit", "0"), "at least 1"),
        (("--task", "sst2"), "not on 'sst2'"),
        (("--baseline", "sst2"), "sst2 was trained on 'sst2', not on"),
        (("--ltp", "{family}/dense/baseline"), "no learned thresholds"),
        (("--lat", "{family}/topk"), "no readable lat.json"),
    ],
)
def test_bad_input(call, family, arguments, line):
    code, said = call(*(argument.format(family=family) for argument in arguments))
    assert code == 2 and line in said.err and said.err.strip().count("\n") == 0 and said.out == ""
