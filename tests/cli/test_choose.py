"""`choose`: the rule of docs/method.md, section 6, on a tiny run, against its steps taken by hand."""

import copy
import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
import torch

from ltp_core import PrunedModel, Thresholds
from ltp_core.checkpoints import CheckpointError, Settings
from ltp_core.commands.choose import choose
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.measuring import choosing
from ltp_core.measuring.choosing import choose_target
from ltp_core.rules import Dense
from ltp_core.training.job import Job, Pruning, Recipe

LETTERS = "abcdefghij"
TEXTS = [f"{a} {b} film was {c}" for a in LETTERS for b in LETTERS for c in ("good", "bad")]


@pytest.fixture
def model(tiny_bert, tokenizer):
    return PrunedModel(tiny_bert(num_labels=2), tokenizer, [0.05, 0.1, 0.15], Settings(task="sst2"))


@pytest.fixture
def rows(model):
    """All that the dense model says is right, so what pruning changes is lost."""
    return Rows(TEXTS, run_rows(model, Rows(TEXTS, []), Dense()).logits.argmax(axis=1).tolist())


def test_the_largest_reduction_within_the_bound_is_taken(model, rows, monkeypatch):
    monkeypatch.setattr(choosing, "TARGETS", (1.6, 1.3, 1.001))
    found = choose_target(model, model, rows)
    assert [row["taken"] for row in found] == [False] * (len(found) - 1) + [True] and len(found) > 1
    for row in found:
        pruned = run_rows(model, rows, Thresholds([0.05, 0.1, 0.15]).times(row["factor"]))
        wrong = pruned.logits.argmax(axis=1) != np.array(rows.labels)
        assert row["flops_reduction"] == pytest.approx(pruned.flops_reduction)
        assert row["flops_reduction"] == pytest.approx(row["target"], rel=0.05)
        assert row["points_lost"] == pytest.approx(100 * wrong.mean())
        error = 100 * wrong.std() / len(rows) ** 0.5  # what the bootstrap estimates
        assert row["bound"] == pytest.approx(100 * wrong.mean() + 0.84 * error, abs=0.1 + 0.1 * error)
        assert row["taken"] == (row["bound"] < 1)


def test_none_is_taken_where_all_lose(model, rows, monkeypatch):
    monkeypatch.setattr(choosing, "TARGETS", (50.0, 1.6, 1.4))  # the first is above the ceiling
    told = []
    wrong = Rows(rows.texts, [1 - label for label in rows.labels])
    other = PrunedModel(model.hf_model, model.tokenizer, model.thresholds, Settings(task="sst2"))
    head = other.hf_model.classifier
    flipped = PrunedModel(_flipped(other.hf_model, head), model.tokenizer, None, Settings(task="sst2"))
    found = choose_target(model, flipped, wrong, told.append)
    assert [row["target"] for row in found] == [1.6, 1.4] and found == told
    assert not any(row["taken"] for row in found)


def _flipped(hf_model, head):
    """The same classifier with its two answers exchanged."""
    other = copy.deepcopy(hf_model)
    with torch.no_grad():
        other.classifier.weight.copy_(head.weight.flip(0))
        other.classifier.bias.copy_(head.bias.flip(0))
    return other


@pytest.fixture
def run(tmp_path, model):
    """A finished run: a pruned model, its dense one, and the file that its rows were held out of."""
    (tmp_path / "rows.jsonl").write_text(
        "\n".join(json.dumps({"text": text, "label": place % 2}) for place, text in enumerate(TEXTS))
    )
    job = Job("sst2", str(tmp_path / "rows.jsonl"), "base", None, "ltp", Recipe(), Recipe(), Pruning(), 40, 0)
    model.settings = Settings(task="sst2", training=asdict(job))
    model.save_pretrained(tmp_path / "run")
    dense = PrunedModel(model.hf_model, model.tokenizer, None, model.settings)
    dense.save_pretrained(tmp_path / "run" / "baseline")
    return tmp_path / "run"


def test_the_command_reads_the_rows_that_the_run_held_out(run, monkeypatch, capsys):
    monkeypatch.setattr(choosing, "TARGETS", (1.3, 1.2))
    choose(run, json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["tuning_rows"] == 40 and found["rows"][0]["target"] == 1.3
    choose(run)
    said = " ".join(capsys.readouterr().out.split())
    taken = found["rows"][-1]
    end = f"--target-flops {taken['target']:g}" if taken["taken"] else "no reduction meets the rule"
    assert end in said


def test_a_run_without_its_dense_model_is_refused(run, monkeypatch):
    shutil.rmtree(run / "baseline")
    with pytest.raises(CheckpointError, match="no dense model beside it"):
        choose(run)
