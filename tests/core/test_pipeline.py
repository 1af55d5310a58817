"""From a data file to a model in a folder, and that a second call takes up the first."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import datasets
import pytest
import torch

from ltp_core import LengthConfig, PrunedModel, TopK
from ltp_core.data.evaluation import run_rows
from ltp_core.data.reader import Table
from ltp_core.data.rows import DataError, Split, labelled
from ltp_core.files import whole
from ltp_core.training import pipeline
from ltp_core.training.claim import claim
from ltp_core.training.job import Job, Pruning, Recipe
from ltp_core.training.pipeline import (
    classes_to_learn,
    held_out_rows,
    rule_at,
    run,
    split_of,
)
from ltp_core.training.start import fresh_model
from tests.some import some

RECIPE = Recipe(epochs=1, learning_rate=1e-3, batch_size=16, max_tokens=32, bfloat16=False)
PRUNING = Pruning(target_flops=1.5, temperature=0.2, first_threshold=0.3, last_threshold=0.8)


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
    rows = "42 training rows, 10 tuning, 8 untouched; 2 classes: 0, 1"
    assert said == [rows, "dense fine-tuning", "learned token pruning"]
    assert len(model.thresholds) == 3
    assert model.settings.training["pruning"]["target_flops"] == 1.5
    evaluation = run_rows(model, split_of(job).tuning)
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
    assert all(torch.equal(w, model.state_dict()[n]) for n, w in some(again.state_dict().items()))


@pytest.mark.parametrize(
    "named", ["dense", "dense/baseline"]
)  # the run, as docs/results.md does, or its model
def test_dense_alone_and_then_pruned_from_it(job, tmp_path, monkeypatch, named):
    dense = run(replace(job, method="dense"), tmp_path / "dense", print)
    assert dense.thresholds is None
    monkeypatch.setattr(pipeline, "train_dense", lambda *_: pytest.fail("trained a baseline again"))
    pruned = run(replace(job, baseline=str(tmp_path / named)), tmp_path / "out", print)
    assert pruned.thresholds is not None
    beside = PrunedModel.from_pretrained(tmp_path / "out", weights="baseline")
    assert all(torch.equal(w, dense.state_dict()[n]) for n, w in some(beside.state_dict().items()))
    # A pruned model stands for its own baseline, not for its pruned weights.
    copy = run(replace(job, method="dense", baseline=str(tmp_path / "out")), tmp_path / "copy", print)
    assert copy.thresholds is None
    assert all(torch.equal(w, dense.state_dict()[n]) for n, w in some(copy.state_dict().items()))


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
    evaluation = run_rows(model, split_of(rival).tuning, rule)
    assert evaluation.flops_reduction == pytest.approx(1.5, rel=0.05)
    monkeypatch.setattr(pipeline, "train_rival", lambda *_: pytest.fail("trained again"))
    again = run(rival, tmp_path / "out", said.append)
    assert all(torch.equal(w, model.state_dict()[n]) for n, w in some(again.state_dict().items()))


def test_unlabelled_texts_that_are_not_there_are_noticed_before_anything_is_trained(job, tmp_path):
    lost = replace(job, pruning=replace(job.pruning, unlabelled=str(tmp_path / "reviews.csv")))
    with pytest.raises(DataError, match=r"there is no file .*reviews\.csv"):
        run(lost, tmp_path / "out", print)
    (tmp_path / "reviews.jsonl").write_text(json.dumps({"sentence1": "a", "sentence2": "b"}))
    pairs = replace(job, pruning=replace(job.pruning, unlabelled=str(tmp_path / "reviews.jsonl")))
    with pytest.raises(DataError, match="the rows are pairs and the unlabelled texts are not"):
        run(pairs, tmp_path / "out", print)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["ltp", "topk"])
def test_held_out_rows_are_not_drawn_from_unlabelled_texts_either(job, tmp_path, monkeypatch, method):
    """The texts are the job's own here, as those of `--task imdb --unlabelled imdb` are."""
    drawn = []

    def train(*arguments):
        drawn.extend(arguments[-1])
        return arguments[0]

    monkeypatch.setattr(pipeline, "train_pruned", train)
    monkeypatch.setattr(pipeline, "train_rival", train)
    own = replace(job.pruning, unlabelled=job.task)
    run(replace(job, method=method, pruning=own), tmp_path / "out", print)
    assert drawn == split_of(job).train.texts


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
    model.save_pretrained(tmp_path / "m")
    PrunedModel(tiny_bert(seed=2), tokenizer, [0.1, 0.2, 0.3]).save_pretrained(tmp_path / "m")
    assert PrunedModel.from_pretrained(tmp_path / "m").thresholds == (0.1, 0.2, 0.3)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_model_is_published_into_the_present_folder(model, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    model.save_pretrained(Path("."))
    assert PrunedModel.from_pretrained(Path(".")).layers == 3
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_model_that_was_not_published_to_the_end_is_not_there(model, tmp_path, monkeypatch):
    """config.json comes last, so a run that died while publishing does it again."""
    moved, replace_file = [], whole.os.replace

    def dying(source, target):
        if target.parent.name == "m":
            if len(moved) == 2:
                raise KeyboardInterrupt
            moved.append(target)
        replace_file(source, target)

    monkeypatch.setattr(whole.os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        model.save_pretrained(tmp_path / "m")
    assert len(list((tmp_path / "m").iterdir())) == 2
    assert not (tmp_path / "m" / "config.json").exists()


def split(*labels):
    texts = [f"text {number}" for number in range(len(labels))]
    rows = labelled(Table("rows.csv", texts, labels))
    return Split(rows, rows.take([0, 1]), rows.take([]))


def test_the_classes_of_a_file():
    assert classes_to_learn(split(2, 0, 1)) == ("0", "1", "2")
    assert classes_to_learn(split(6, 1, 6)) == ("1", "6")
    assert classes_to_learn(split(6, 6, 1)) == ("1", "6")  # classes are scored where all are equal, too
    assert classes_to_learn(split(0.5, 2)) == ()
    with pytest.raises(DataError, match="all labels are 1: there is nothing to learn"):
        classes_to_learn(split(1, 1))
    with pytest.raises(DataError, match=r"labels of all 2 tuning rows are 0\.5, .* with --tuning"):
        classes_to_learn(split(0.5, 0.5, 2))


@pytest.mark.parametrize(("regression", "classes"), [(False, ("1", "4", "5")), (True, ())])
def test_a_regression_of_whole_numbers_is_asked_for(job, tmp_path, regression, classes):
    lines = [f"text {number} of many,{label}" for number, label in enumerate([1, 4, 5] * 20)]
    (tmp_path / "stars.csv").write_text("\n".join(["text,label", *lines]))
    stars = replace(job, task=str(tmp_path / "stars.csv"), regression=regression)
    assert split_of(stars).train.classes == classes


def test_the_head_fits_the_classes(job):
    assert fresh_model(job, ("0", "1", "2")).hf_model.config.num_labels == 3
    assert fresh_model(job, ()).hf_model.config.num_labels == 1
    named = fresh_model(replace(job, task="sst2"), ("negative", "positive"))
    assert named.hf_model.config.id2label == {0: "negative", 1: "positive"}
    assert named.settings.task == "sst2"


@pytest.mark.parametrize("base", ["nowhere/at-all", "{tmp}/rows.csv", "{tmp}"])
def test_a_base_that_cannot_be_loaded(job, tmp_path, base):
    with pytest.raises(DataError, match="cannot start from"):
        fresh_model(replace(job, base=base.format(tmp=tmp_path)), ("a", "b"))


def test_the_head_is_seeded(job):
    first, second = (fresh_model(job, ("a", "b")).hf_model.classifier.weight for _ in range(2))
    assert torch.equal(first, second)
    other = replace(job, dense=replace(RECIPE, seed=1))
    assert not torch.equal(first, fresh_model(other, ("a", "b")).hf_model.classifier.weight)


def test_a_target_out_of_reach_is_refused_before_training(job, tmp_path):
    """With 3 layers of d = 48, d_ff = 80 and 12 tokens, worked out on paper.

    2 (4 n d² + 2 n² d + 2 n d d_ff) a layer: 433152 for n = 12 in FLOPs of a layer with everything kept;
    with [CLS] alone: 264192 for layer 1 (its FFN over one token), 33984 for each later one.
    """
    out = replace(job, pruning=replace(PRUNING, target_flops=9.0))
    with pytest.raises(DataError, match=r"9 cannot be reached: with 3 layers.*ceiling on these rows is 3\.9"):
        run(out, tmp_path / "out", print)
    out = replace(job, pruning=replace(PRUNING, target_flops=2.0, spared_layers=1))
    with pytest.raises(DataError, match=r"attention of layer 2, the ceiling on these rows is 1\.7"):
        run(out, tmp_path / "out", print)
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="3 layers; got 2 initial thresholds"):
        run(replace(job, pruning=replace(PRUNING, thresholds=(0.1, 0.2))), tmp_path / "out", print)


def test_what_lat_cannot_promise_is_refused_before_training(job, tmp_path):
    """Its search starts from 5 % of the tokens after the last layer: of 12 there are 5, 2 and 1 left.

    By the formula above 325632 + 127680 + 52992 FLOPs of 3 times 433152. Thresholds reach more.
    """
    three = replace(job, method="lat", pruning=replace(PRUNING, target_flops=3.0))
    with pytest.raises(DataError, match=r"3 cannot be .* 5% of the tokens left .* on these rows is 2\.57"):
        run(three, tmp_path / "out", print)
    assert not (tmp_path / "out").exists()


def test_a_job_of_an_older_version_is_taken_up(job, tmp_path):
    """Its file lacks what has come since, which is as usual there."""
    claim(job, tmp_path / "out")
    file = tmp_path / "out" / "job.json"
    stored = json.loads(file.read_text())
    del stored["ablation"], stored["pruning"]["stages"]
    file.write_text(json.dumps(stored))
    claim(job, tmp_path / "out")
    with pytest.raises(DataError, match="holds another run"):
        claim(replace(job, ablation="x"), tmp_path / "out")


def test_a_claim_that_was_killed_half_way_claims_nothing(job, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "job.json.part").write_text('{"task": ')
    claim(job, tmp_path / "out")
    assert Job.of(json.loads((tmp_path / "out" / "job.json").read_text())) == job


def test_held_out_rows(job):
    split = split_of(job)
    assert held_out_rows(job, "tuning") == split.tuning
    assert held_out_rows(job, "untouched") == split.untouched


def test_training_rows_with_an_empty_text_are_left_out(job, tmp_path):
    """QQP has some; they would stop the dense model's answers half-way."""
    file = tmp_path / "rows.jsonl"
    texts = ["", *(f"number {row}" for row in range(60)), "  "]
    lines = [json.dumps({"text": text, "label": row % 2}) for row, text in enumerate(texts)]
    file.write_text("\n".join(lines))
    split = split_of(replace(job, task=str(file), data=None))
    assert len(split.train) + len(split.tuning) + len(split.untouched) == 60


def test_limit_takes_the_first_rows(job):
    split = split_of(replace(job, limit=40))
    assert len(split.train) + 18 == 40
    assert json.dumps(split.tuning.texts) == json.dumps(split_of(replace(job, limit=40)).tuning.texts)
    with pytest.raises(DataError, match="at most half"):
        split_of(replace(job, limit=20))
