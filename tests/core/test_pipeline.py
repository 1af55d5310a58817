"""From a data file to a model in a folder, and that a second call takes up the first."""

import csv
import json
from dataclasses import replace

import datasets
import pytest
import torch

from ltp_core import LengthConfig, PrunedModel, TopK
from ltp_core.training import pipeline
from ltp_core.training.data import DataError, Rows
from ltp_core.training.job import Job, Pruning, Recipe
from ltp_core.training.pipeline import (
    claim,
    fresh_model,
    held_out_rows,
    publish,
    rule_at,
    run,
    score,
    split_of,
)

RECIPE = Recipe(epochs=1, learning_rate=1e-3, batch_size=16, max_tokens=32, bfloat16=False)
PRUNING = Pruning(target_flops=1.5, temperature=0.02, first_threshold=0.03, last_threshold=0.08)


@pytest.fixture
def job(tiny_bert, tokenizer, tmp_path, monkeypatch):
    """A job on a CSV file of 60 texts, from a tiny base in a folder."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    tiny_bert().bert.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        letters = "abcdefghij"
        for number in range(60):
            words = f"{letters[number // 10]} {letters[number % 10]} the film it was very of so"
            writer.writerow([f"{words} {('bad', 'good')[number % 2]}", number % 2])
    return Job(
        task=str(tmp_path / "rows.csv"),
        data=None,
        base=str(tmp_path / "base"),
        baseline=None,
        method="ltp",
        dense=RECIPE,
        pruned=RECIPE,
        pruning=PRUNING,
        tuning=10,
        untouched=8,
    )


def test_a_whole_run_and_a_second_call(job, tmp_path, monkeypatch):
    said = []
    model = run(job, tmp_path / "out", said.append)
    assert said == ["42 training rows, 10 tuning, 8 untouched", "dense fine-tuning", "learned token pruning"]
    assert len(model.thresholds) == 3
    assert model.settings.training["pruning"]["target_flops"] == 1.5
    found, evaluation = score(model, split_of(job).tuning, job.task)
    assert list(found) == ["accuracy"] and 0 <= found["accuracy"] <= 1
    assert evaluation.flops_reduction == pytest.approx(1.5, rel=0.05)
    baseline = PrunedModel.from_pretrained(tmp_path / "out", weights="baseline")
    assert baseline.thresholds is None
    assert Job.of(PrunedModel.from_pretrained(tmp_path / "out").settings.training) == job

    def fail(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(pipeline, "train_dense", fail)
    monkeypatch.setattr(pipeline, "train_pruned", fail)
    again = run(job, tmp_path / "out", said.append)
    assert again.thresholds == model.thresholds
    assert all(torch.equal(w, model.state_dict()[n]) for n, w in again.state_dict().items())


def test_dense_alone_and_then_pruned_from_it(job, tmp_path, monkeypatch):
    dense = run(replace(job, method="dense"), tmp_path / "dense", print)
    assert dense.thresholds is None
    monkeypatch.setattr(pipeline, "train_dense", lambda *_: pytest.fail("trained a baseline again"))
    pruned = run(replace(job, baseline=str(tmp_path / "dense" / "baseline")), tmp_path / "out", print)
    assert pruned.thresholds is not None
    beside = PrunedModel.from_pretrained(tmp_path / "out", weights="baseline")
    assert all(torch.equal(w, dense.state_dict()[n]) for n, w in beside.state_dict().items())


@pytest.mark.parametrize("method", ["topk", "lat"])
def test_a_rival_starts_from_the_same_baseline(job, tmp_path, monkeypatch, method):
    run(replace(job, method="dense"), tmp_path / "dense", print)
    rival = replace(job, method=method, baseline=str(tmp_path / "dense" / "baseline"))
    said = []
    model = run(rival, tmp_path / "out", said.append)
    assert said[1:2] == ["SpAtten's top-k" if method == "topk" else "LAT's LengthDrop"]
    assert model.thresholds is None
    assert (tmp_path / "out" / "lat.json").is_file() is (method == "lat")
    rule = rule_at(rival, model, tmp_path / "out", split_of(rival).tuning)
    assert isinstance(rule, TopK if method == "topk" else LengthConfig)
    _, evaluation = score(model, split_of(rival).tuning, rival.task, rule=rule)
    assert evaluation.flops_reduction == pytest.approx(1.5, rel=0.05)
    monkeypatch.setattr(pipeline, "train_rival", lambda *_: pytest.fail("trained again"))
    again = run(rival, tmp_path / "out", said.append)
    assert all(torch.equal(w, model.state_dict()[n]) for n, w in again.state_dict().items())


def test_an_interrupted_pruning_stage_keeps_the_baseline(job, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "train_pruned", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(job, tmp_path / "out", print)
    said = []
    run(job, tmp_path / "out", said.append)
    assert said[1:] == ["learned token pruning"]


def test_a_folder_belongs_to_one_job(job, tmp_path):
    claim(job, tmp_path / "out")
    claim(job, tmp_path / "out")
    with pytest.raises(DataError, match="holds another run"):
        claim(replace(job, tuning=11), tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(DataError, match="not empty"):
        claim(job, tmp_path / "full")
    assert (tmp_path / "full" / "thesis.tex").exists()


def test_a_published_model_replaces_an_older_one(model, tiny_bert, tokenizer, tmp_path):
    publish(model, tmp_path / "m")
    publish(PrunedModel(tiny_bert(seed=2), tokenizer, [0.1, 0.2, 0.3]), tmp_path / "m")
    assert PrunedModel.from_pretrained(tmp_path / "m").thresholds == (0.1, 0.2, 0.3)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_model_that_was_not_published_to_the_end_is_not_there(model, tmp_path, monkeypatch):
    """config.json comes last, so a run that died while publishing does it again."""
    moved, replace_file = [], pipeline.os.replace

    def dying(source, target):
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(target)
        replace_file(source, target)

    monkeypatch.setattr(pipeline.os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        publish(model, tmp_path / "m")
    assert len(list((tmp_path / "m").iterdir())) == 2
    assert not (tmp_path / "m" / "config.json").exists()


def test_the_head_fits_the_labels(job):
    assert fresh_model(job, Rows(["a"], [2])).hf_model.config.num_labels == 3
    assert fresh_model(job, Rows(["a"], [0.5])).hf_model.config.num_labels == 1
    named = fresh_model(replace(job, task="sst2"), Rows(["a", "b"], [0, 1]))
    assert named.hf_model.config.id2label == {0: "negative", 1: "positive"}
    assert named.settings.task == "sst2"
    with pytest.raises(DataError, match="outside of 0 … 1"):
        fresh_model(replace(job, task="sst2"), Rows(["a"], [-1]))


def test_the_head_is_seeded(job):
    first, second = (fresh_model(job, Rows(["a"], [1])).hf_model.classifier.weight for _ in range(2))
    assert torch.equal(first, second)
    other = replace(job, dense=replace(RECIPE, seed=1))
    assert not torch.equal(first, fresh_model(other, Rows(["a"], [1])).hf_model.classifier.weight)


def test_held_out_rows(job):
    split = split_of(job)
    assert held_out_rows(job, "tuning") == split.tuning
    assert held_out_rows(job, "untouched") == split.untouched


def test_limit_takes_the_first_rows(job):
    split = split_of(replace(job, limit=40))
    assert len(split.train) + 18 == 40
    assert json.dumps(split.tuning.texts) == json.dumps(split_of(replace(job, limit=40)).tuning.texts)
    with pytest.raises(DataError, match="at most half"):
        split_of(replace(job, limit=20))
