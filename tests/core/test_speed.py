"""The benchmark's arithmetic with calls whose times are known, and its calls against each other."""

import sys
from types import SimpleNamespace

import pytest
import torch

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.flops import paper_flops
from ltp_core.speed import latency
from ltp_core.speed import rounds as speed
from ltp_core.speed.latency import Timing
from ltp_core.speed.peers import compile_now, peers, pruned_graph
from ltp_core.speed.selection import selection_cost, top_k
from tests.some import some

THETA = [0.08, 0.12, 0.16]
TEXTS = ["the film was very good", "bad plot", "a good film and a good plot"]


@pytest.fixture
def pruned(tiny_bert, tokenizer):
    return PrunedModel(tiny_bert(), tokenizer, THETA)


@pytest.fixture
def known_times(monkeypatch):
    """Every call takes a time of our choosing, and runs once on each batch."""
    milliseconds = {
        **{"sdpa": 12.0, "onnxruntime": 9.0, "packed_dense": 8.0, "pruned": 4.0},
        **{"onnxruntime/packed_dense": 6.0, "onnxruntime/pruned": 3.0},
    }
    seen = []

    def run(calls, device, runs, seconds, on_round, rest):
        for _ in range(runs):
            seen.append({name: call() for name, call in calls.items()})
            on_round()
        return {name: Timing(milliseconds[name], 1, 2, runs) for name in calls}

    monkeypatch.setattr(speed, "interleaved", run)
    return seen


def batches(model):
    return [model.encode([text])[0] for text in TEXTS]


def test_rows_hold_ratios_of_what_was_timed(pruned, known_times):
    call = lambda batch: batch["input_ids"].shape[1]  # noqa: E731
    graphs = {"onnxruntime": {"packed_dense": call, "pruned": call}}
    dense = {"sdpa": call, "onnxruntime": call}
    rows = speed.time_rounds(pruned, pruned.learned_rule, batches(pruned), dense, graphs, runs=1, seconds=0)
    assert [(row["engine"], row["against"]) for row in rows] == [
        ("ltp", "sdpa"),
        ("ltp", "onnxruntime"),
        ("onnxruntime", "sdpa"),
        ("onnxruntime", "onnxruntime"),
    ]
    assert [row["speedup"] for row in rows] == [3, 9 / 4, 4, 3]
    assert [row["packed_dense_ms"] for row in rows] == [8, 8, 6, 6]
    alive = [pruned(**batch).alive[0].tolist() for batch in batches(pruned)]
    lengths = [7, 4, 9]
    full = sum(paper_flops(pruned.dimensions, n, [n] * 3) for n in lengths)
    reduction = full / sum(
        paper_flops(pruned.dimensions, n, left) for n, left in zip(lengths, alive, strict=True)
    )
    for row in rows:
        assert row["flops_reduction"] == pytest.approx(reduction) and reduction > 1
        assert row["realised"] == pytest.approx(row["speedup"] / reduction)
        ratio = row["packed_dense_ms"] / row["pruned_ms"]
        assert row["realised_pruning"] == pytest.approx(ratio / row["executed_flops_reduction"])
        assert row["sentences_per_second"] == pytest.approx(1000 / row["pruned_ms"])
        assert row["tokens"] == pytest.approx(20 / 3)
    assert [found["sdpa"] for found in known_times] == lengths  # each round has the next batch,
    assert all(
        found["sdpa"] == found["onnxruntime/pruned"] for found in some(known_times)
    )  # the same for all


def test_all_peers_compute_the_same_logits(pruned):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    batch, _ = pruned.encode(TEXTS)
    with torch.inference_mode():
        expected = pruned.hf_model(**batch).logits
        found = peers(pruned, ["sdpa", "eager", "onnxruntime"])
        assert list(found) == ["sdpa", "eager", "onnxruntime"]
        for name, call in found.items():
            out = call(batch)
            logits = torch.from_numpy(out[0]) if name == "onnxruntime" else out.logits
            torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


def test_the_graph_runs_the_rows_of_a_padded_batch(pruned, monkeypatch):
    fed = []

    def run(rows, rule, record):
        fed.extend((ids.shape, segments.shape, rule, record) for ids, segments in rows)
        return [SimpleNamespace(logits=None) for _ in rows]

    exported = SimpleNamespace(answer_all=run, checked=lambda rule: rule)
    calls = pruned_graph(exported, Thresholds(THETA))
    batch, _ = pruned.encode(TEXTS)
    calls["packed_dense"](batch)
    calls["pruned"](batch)
    assert [ids for ids, *_ in fed] == [segments for _, segments, *_ in fed] == [(1, 7), (1, 4), (1, 9)] * 2
    assert [rule for *_, rule, _ in fed] == [Dense()] * 3 + [Thresholds(THETA)] * 3
    assert not any(record for *_, record in fed)


def test_unknown_and_missing_peers_are_one_line(pruned, monkeypatch):
    with pytest.raises(ValueError, match="unknown peer 'magic'; known: sdpa, eager, compile, onnxruntime"):
        peers(pruned, ["sdpa", "magic"])
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match="the package onnx is missing"):
        peers(pruned, ["onnxruntime"])


def test_what_cannot_be_compiled_is_one_line(pruned):
    def call(batch):
        assert len(batch["input_ids"]) == 1
        raise RuntimeError("No working C++ compiler found\n\nSet TORCHDYNAMO_VERBOSE=1 for more")

    with pytest.raises(ValueError, match=r"'compile' cannot run here: No working C\+\+ compiler found$"):
        compile_now(pruned, call)
    assert 0 <= compile_now(pruned, lambda batch: None) < 1


@pytest.mark.slow  # it compiles for half a minute and more
@pytest.mark.timeout(900)
def test_the_compiled_peer_computes_the_same_logits(pruned):
    call = peers(pruned, ["compile"])["compile"]
    assert compile_now(pruned, call) > 0
    with torch.inference_mode():
        for batch in batches(pruned):
            torch.testing.assert_close(
                call(batch).logits, pruned.hf_model(**batch).logits, atol=1e-4, rtol=1e-4
            )


def test_top_k_on_paper():
    share = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.5, 0.1, 0.9, 0.0]])
    alive = torch.tensor([[True, True, True, True], [True, True, False, False]])
    assert top_k(share, alive, 2).tolist() == [[False, True, False, True], [True, True, False, False]]


def test_the_selection_is_timed_on_what_the_model_gave(pruned):
    found = selection_cost(pruned, pruned.learned_rule, batches(pruned)[:1])
    assert set(found) == {"threshold_us", "top_k_us"} and min(found.values()) > 0


def test_waiting_for_a_device_is_part_of_what_is_timed(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    clock.perf_counter = lambda: clock.now

    def wait(device):
        assert device.type == "cuda"
        clock.now += 0.007

    monkeypatch.setattr(latency, "time", clock)
    monkeypatch.setattr(torch.cuda, "synchronize", wait)
    found = latency.interleaved({"a": lambda: None}, torch.device("cuda"), runs=3, seconds=0)
    assert found["a"].median_ms == pytest.approx(7)
