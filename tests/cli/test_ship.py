"""`ship`: a model is stored whole or not at all, and with its log."""

import json
from dataclasses import asdict, replace

import pytest
from transformers import BertTokenizer

from ltp_core import PrunedModel, checkpoints
from ltp_core.bases import MINILM, CheckpointError
from ltp_core.checkpoints import Settings
from ltp_core.commands import ship as command
from ltp_core.data.evaluation import run_rows
from ltp_core.measuring.source import rows_for
from ltp_core.training import shipping
from ltp_core.training.job import Job, Pruning, Recipe


@pytest.fixture
def earlier(tmp_path, monkeypatch):
    """The configuration of a model that was shipped before, as "mine"."""
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path / "models")
    file = tmp_path / "models" / "mine" / "config.json"
    file.parent.mkdir(parents=True)
    file.write_text("earlier")
    return file


def test_what_fails_leaves_the_earlier_model_as_it_was(earlier, made, tmp_path, monkeypatch):
    run = made(JOB, JOB)

    def pack(run, folder, bits):
        folder.mkdir()
        (folder / "config.json").write_text("half-made")

    def rows(about, *arguments):  # those of the run, which says where they lie; the shipped model does not
        assert about.folder == run and arguments == (None, "tuning")
        return []

    def settle_again(*arguments):
        raise ValueError("cannot be settled")

    monkeypatch.setattr(command, "pack", pack)
    monkeypatch.setattr(command, "settle_again", settle_again)
    monkeypatch.setattr(command, "rows_for", rows)
    with pytest.raises(ValueError, match="cannot be settled"):
        command.ship(run, "mine", target_flops=2.0)
    assert earlier.read_text() == "earlier"
    assert [path.name for path in (tmp_path / "models").rglob("*")] == ["mine", "config.json"]


def test_what_cannot_be_loaded_replaces_nothing(earlier, made, tmp_path, monkeypatch):
    def pack(run, folder, bits):
        folder.mkdir()
        for name in ("config.json", "ltp.safetensors", "ltp.delta.safetensors", "baseline.delta.safetensors"):
            (folder / name).write_text("broken")

    monkeypatch.setattr(command, "pack", pack)
    with pytest.raises(CheckpointError, match="that is no model"):
        command.ship(made(JOB, JOB), "mine", target_flops=None)
    assert earlier.read_text() == "earlier"


@pytest.fixture
def made(tmp_path, monkeypatch, tiny_bert, tokenizer):
    """Makes a run whose dense stage started from a base, and then prunes; the base has the tiny tokenizer."""
    tokenizer.save_pretrained(tmp_path / "base")
    monkeypatch.setattr(shipping, "base_folder", lambda base: tmp_path / "base")
    monkeypatch.setattr(checkpoints, "save_difference", lambda *arguments: None)

    def make(pruned, dense):
        for folder, job, thresholds in (("run/baseline", dense, None), ("run", pruned, [0.1, 0.1, 0.1])):
            model = PrunedModel(tiny_bert(), tokenizer, thresholds)
            model.settings = Settings(task="sst2", training=asdict(job))
            model.save_pretrained(tmp_path / folder)
        return tmp_path / "run"

    return make


JOB = Job("sst2", "data", MINILM.hub_id, None, "ltp", Recipe(), Recipe(), Pruning())


def test_a_model_of_another_base_is_not_shipped(made, tmp_path):
    with pytest.raises(CheckpointError, match="started from other/encoder: only models of all-MiniLM-L6-v2"):
        shipping.pack(made(JOB, replace(JOB, base="other/encoder")), tmp_path / "shipped", 4)
    assert not (tmp_path / "shipped").exists()


def test_a_model_with_another_vocabulary_is_not_shipped(made, tmp_path):
    run = made(JOB, JOB)
    shipping.pack(run, tmp_path / "shipped", 4)
    words = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]", "other"]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    tokenizer.save_pretrained(tmp_path / "base")
    with pytest.raises(CheckpointError, match="another vocabulary"):
        shipping.pack(run, tmp_path / "other", 4)
    assert not (tmp_path / "other").exists()


def test_thresholds_are_settled_on_the_rows_of_the_run(tmp_path, monkeypatch, tiny_bert, tokenizer):
    """A shipped model names no file of this machine, so the run says where its rows lie."""
    texts = [f"{a} {b} film" for a in "abcde" for b in "fghij"]
    rows = [{"text": text, "label": number % 2} for number, text in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    job = Job("sst2", str(tmp_path / "rows.jsonl"), "base", None, "ltp", Recipe(), Recipe(), Pruning(), 8, 0)
    model = PrunedModel(tiny_bert(), tokenizer, [0.1, 0.2, 0.3])
    for name, data in (("run", job.data), ("shipped", None)):
        model.settings = Settings(task="sst2", training=asdict(replace(job, data=data)))
        model.save_pretrained(tmp_path / name)
    tuning = rows_for(PrunedModel.from_pretrained(tmp_path / "run"), None, "tuning")
    shipping.settle_again(tmp_path / "shipped", tuning, 1.3, "why")
    settled = PrunedModel.from_pretrained(tmp_path / "shipped")
    assert run_rows(settled, tuning).flops_reduction == pytest.approx(1.3, rel=0.1)
    assert settled.settings.training["settled"]["note"] == "why"


def test_the_log_keeps_what_a_notebook_plots(tmp_path):
    log = tmp_path / "run" / "pruned" / "straight-through" / "metrics.jsonl"
    log.parent.mkdir(parents=True)
    lines = [
        {"step": 25, "loss": 0.5, "thresholds": [0.01], "flops_reduction": 1.5, "grad_norm": 3.0},
        {"step": 30, "train_runtime": 12.0},
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shipping.copy_log(tmp_path / "run", tmp_path / "results" / "training-mine.jsonl")
    kept = json.loads((tmp_path / "results" / "training-mine.jsonl").read_text())
    assert kept == {"step": 25, "loss": 0.5, "thresholds": [0.01], "flops_reduction": 1.5}


def test_a_baseline_of_another_run_keeps_its_own_dense_stage(made, tmp_path):
    first = replace(JOB, method="dense", dense=Recipe(epochs=5))
    second = replace(JOB, baseline="somewhere")
    shipping.pack(made(second, first), tmp_path / "shipped", 4)
    stored = Job.of(Settings.read(tmp_path / "shipped").training)
    assert stored == replace(second, data=None, baseline=None, dense=first.dense)
