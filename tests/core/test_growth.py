"""Growth: what is measured is what was asked for, and memory is seen."""

import json
import shutil
import sys

import pytest
import torch

from ltp_core import PrunedModel
from ltp_core.commands.growth import growth
from ltp_core.speed import resident
from ltp_core.speed.growth import measure_growth
from ltp_core.speed.memory import RESET, peak_megabytes
from ltp_core.speed.resident import process_megabytes
from tests.some import some

TEXTS = ["a good film and a very bad plot", "the plot was so so", "it was very good"]


@pytest.mark.skipif(not RESET.exists(), reason="only Linux tells the highest resident size")
def test_peak_memory_is_what_a_call_holds_at_once():
    def hold(megabytes):
        torch.ones(megabytes * 10**6 // 4)

    def is_near(megabytes, call):
        """In one of a few tries: a busy system takes pages from this process, or gives it some, meanwhile."""
        return any(peak_megabytes(call) == pytest.approx(megabytes, abs=8) for _ in range(6))

    assert is_near(80, lambda: hold(80))
    assert is_near(40, lambda: [hold(40), hold(40)])  # one after the other
    assert is_near(0, lambda: None)


def test_rows_hold_three_runs_of_each_case(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(), tokenizer, thresholds=[0.02, 0.04, 0.06])
    seen = []
    rows = measure_growth(model, TEXTS, [(8, 1), (24, 2)], target_flops=1.3, runs=2, on_row=seen.append)
    assert [(row["length"], row["batch_size"]) for row in rows] == [(8, 1), (24, 2)]
    assert [(row.length, row.batch_size) for row in seen] == [(8, 1), (24, 2)]
    for row in rows:
        assert set(row["milliseconds"]) == set(row["megabytes"]) == {"hugging_face", "packed_dense", "pruned"}
        assert row["flops_reduction"] == pytest.approx(1.3, rel=0.15)
        for name, median in row["milliseconds"].items():
            low, high = row["quartiles"][name]
            assert 0 < low <= median <= high


def test_a_model_without_thresholds(model):
    with pytest.raises(ValueError, match="this model has none"):
        measure_growth(model, TEXTS, [(8, 1)], target_flops=1.3)


@pytest.mark.skipif(not RESET.exists(), reason="only Linux tells the highest resident size")
def test_a_process_counts_all_it_holds(tiny_bert, tokenizer, tmp_path, monkeypatch):
    PrunedModel(tiny_bert(), tokenizer, thresholds=[0.02, 0.04, 0.06]).save_pretrained(tmp_path)
    found = process_megabytes(str(tmp_path), "pruned", TEXTS, 24, [0.02, 0.04, 0.06])
    assert 100 < found < 3000  # Python and PyTorch are in it
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(OSError, match="the process for pruned failed"):
        process_megabytes(str(tmp_path), "pruned", TEXTS, 24, [0.02, 0.04, 0.06])


def test_resident_runs_one_batch_three_ways(tiny_bert, tokenizer, monkeypatch):
    model, calls = PrunedModel(tiny_bert(), tokenizer, thresholds=[0.02, 0.04, 0.06]), []

    def process(source, run, texts, length, thresholds):
        calls.append((source, run, texts, length, thresholds))
        return 100.0 + len(calls)

    monkeypatch.setattr(resident, "process_megabytes", process)
    found = resident.measure_resident("here", model, 12, 5, 1.3)
    assert found["megabytes"] == {"hugging_face": 101.0, "packed_dense": 102.0, "pruned": 103.0}
    assert (found["length"], found["batch_size"]) == (12, 5)
    assert found["flops_reduction"] == pytest.approx(1.3, rel=0.15)
    (source, _, texts, length, thresholds), *others = calls
    assert source == "here" and len(texts) == 5 and length == 12
    assert [len(tokenizer(text)["input_ids"]) for text in texts] == [12] * 5
    factors = [theta / learned for theta, learned in zip(thresholds, model.thresholds, strict=True)]
    assert factors == pytest.approx([factors[0]] * 3) and factors[0] != 1
    assert all(other[2:] == calls[0][2:] for other in some(others))


def test_a_run_in_pieces_keeps_its_rows(tiny_bert, tokenizer, tmp_path):
    model, file = tmp_path / "model", tmp_path / "growth.json"
    PrunedModel(tiny_bert(), tokenizer, thresholds=[0.02, 0.04, 0.06]).save_pretrained(model)
    given = {
        "model": str(model),
        "length": 8,
        "target_flops": 1.3,
        "runs": 1,
        "output": file,
        "device": "cpu",
    }
    growth(**given, lengths="8", batch_sizes="2", largest="")
    growth(**given, lengths="24,8", batch_sizes="", largest="")
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert [(row["length"], row["batch_size"]) for row in rows] == [(8, 1), (8, 2), (24, 1)]
    assert all(row["commit"] and row["milliseconds"]["pruned"] > 0 for row in some(rows))
