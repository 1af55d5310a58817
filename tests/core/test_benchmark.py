"""A whole benchmark from Python: what is timed on what, and the document, row by row. Times are made up."""

import pytest

from ltp_core import PrunedModel, Thresholds
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.speed import rounds, selection
from ltp_core.speed.benchmark import Benchmark, run_benchmark, texts_for
from ltp_core.speed.latency import Timing

THETA = [0.08, 0.12, 0.16]


@pytest.fixture
def model(tiny_bert, tokenizer):
    return PrunedModel(tiny_bert(), tokenizer, THETA)


@pytest.fixture
def run(model, monkeypatch):
    """Runs a plan; every call runs once and takes a millisecond."""

    def once(calls, device, runs, seconds, **options):
        for call in calls.values():
            call()
        return {name: Timing(1.0, 1.0, 1.0, runs) for name in calls}

    monkeypatch.setattr(rounds, "interleaved", once)
    monkeypatch.setattr(selection, "interleaved", once)

    def benchmark(plan, **options):
        return run_benchmark(plan, model, texts_for(model, None, None, None), "tiny", **options)

    return benchmark


def test_every_length_and_batch_size_is_a_row_that_is_kept_at_once(run):
    kept = []
    plan = Benchmark(lengths=(8, 24), batch_sizes=(1, 2), runs=1, seconds=0)
    found = run(plan, keep=lambda document: kept.append(len(document["rows"])))
    assert [(row["length"], row["batch_size"], row["tokens"]) for row in found["rows"]] == [
        *((8, 1, 8), (8, 2, 8), (24, 1, 24), (24, 2, 24))
    ]
    assert kept == [1, 2, 3, 4] and len(found["selection"]) == 4
    assert found["model"] == "tiny" and found["texts"] == "own sentences" and found["scores"] is None


def test_the_factor_of_a_row_is_on_the_learned_thresholds(run, model):
    plain = Benchmark(lengths=(24,), batch_sizes=(2,), factor=0.5, runs=1, seconds=0)
    assert [row["thresholds_factor"] for row in run(plain)["rows"]] == [0.5]
    plan = Benchmark(lengths=(24,), batch_sizes=(2,), factor=0.5, target_flops=1.3, runs=1, seconds=0)
    (row,) = run(plan)["rows"]
    inputs = inputs_of_length(model.tokenizer, own_sentences(), 24, 16)  # eight batches of two
    rule = Thresholds(THETA).times(row["thresholds_factor"])
    again = run_rows(model, Rows(inputs, []), rule).flops_reduction
    assert again == pytest.approx(1.3, rel=0.01) and again == pytest.approx(row["flops_reduction"])


def test_what_a_model_or_its_texts_do_not_allow_is_refused_before_anything_runs(model, run):
    with pytest.raises(ValueError, match="length 999 is more than this model's"):
        run(Benchmark(lengths=(8, 999)))
    with pytest.raises(ValueError, match="needs thresholds to multiply"):
        run(Benchmark(lengths=(8,), rule="topk:0.5", target_flops=2.0))
    few = Rows(["good film"] * 3, [0, 1, 0])
    with pytest.raises(ValueError, match="a batch of 4 needs as many texts; there are 3"):
        run_benchmark(Benchmark(batch_sizes=(1, 4), max_tokens=16), model, few, "tiny")
    with pytest.raises(ValueError, match="unknown peer 'magic'"):
        Benchmark(against=("magic",))
