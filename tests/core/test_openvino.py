"""The pruned model in OpenVINO, block by block, against the engine, the masked reference and ONNX Runtime."""

import sys

import numpy as np
import pytest
import torch

from ltp_core import CheckpointError, Dense, PrunedModel, Thresholds
from ltp_core.checkpoints import Settings
from ltp_core.onnx import converted, export, int8
from ltp_core.onnx.classifier import Known
from ltp_core.onnx.export import real_texts as own_texts
from ltp_core.onnx.export import to_onnx
from ltp_core.onnx.int8 import has_vnni
from ltp_core.rules import TopK
from tests.core.families import wrapped

pytest.importorskip("openvino", reason="the extra `fast` is not installed")

from ltp_core.openvino import OpenVinoModel, cached_openvino, export_openvino
from ltp_core.openvino.blocks import Block, Cadence, static_length
from ltp_core.openvino.convert import CALIBRATION, calibration_texts
from ltp_core.openvino.graph import MaskedGraph
from ltp_core.speed import pace as speed_pace
from ltp_core.speed.counters import counters
from ltp_core.speed.peers import peers
from tests.core.openvino_setup import RULES, cache  # noqa: F401
from tests.some import some

THETA = [0.05, 0.08, 0.1]
TEXTS = ["good", "a film", "the film was very good and the plot so so", "bad " * 40]
LONG = "the film was very good and the plot so so " * 3  # 32 tokens
SENTENCES = [  # in none of the files that 8 bits are calibrated on
    "a warm and witty comedy that knows exactly when to stop",
    "the only thing that scared me was the length",
    "it is hard to think of a more charming way to spend two hours",
    "flat , noisy and oddly joyless",
    "Rarely has so much talent been put to so little use.",
    "The ending redeems everything that came before it.",
    "you will forget it before you have left the car park",
    "an honest , generous and surprisingly funny look at growing up",
    "The script was clearly written in a hurry.",
    "Her quiet performance holds the whole film together.",
    "a mess , but an entertaining one",
    "no amount of style can hide that there is nothing underneath",
    "one of the year 's best films",
    "I admired it more than I enjoyed it, and I did not admire it much.",
    "The director has an eye for faces and an ear for the way people really talk.",
    "tedious beyond belief",
]


@pytest.fixture(scope="module")
def pruned(tiny_bert, make_tokenizer):
    """Its importance is averaged over 5 queries, so the sample matters beyond five tokens."""
    return PrunedModel(tiny_bert(), make_tokenizer(), THETA, Settings(None, 5), name="tiny")


@pytest.fixture(scope="module")
def chain(pruned):
    """Gathers after every layer that prunes."""
    return cached_openvino(pruned)


@pytest.fixture(scope="module")
def onnx(pruned):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    return to_onnx(pruned)


@pytest.fixture(scope="module")
def folder(pruned, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "out"
    pruned.done = export_openvino(pruned, folder)
    return folder


def test_places_of_a_block():
    assert [static_length(n) for n in (1, 8, 9, 25, 65, 129, 511, 512, 513)] == [
        *(8, 8, 16, 32, 80, 160, 512, 512, 544)
    ]


def test_a_block_ends_where_tokens_may_leave():
    assert Cadence().next_stop(0, (2, 3, 6), layers=6, tokens=40) == 2
    assert Cadence().next_stop(2, (2, 3, 6), layers=6, tokens=40) == 3
    assert Cadence().next_stop(3, (2, 3, 6), layers=6, tokens=40) == 6
    assert Cadence().next_stop(0, (), layers=6, tokens=40) == 6
    assert Cadence(together=24).next_stop(2, (2, 3, 6), layers=6, tokens=24) == 6
    two = Cadence(together=24, pairs=40)
    assert [two.next_stop(0, (1, 2, 3, 5), 6, tokens) for tokens in (24, 40, 41)] == [6, 2, 1]
    assert two.next_stop(2, (1, 2, 3, 5), layers=6, tokens=40) == 5


@pytest.mark.parametrize("pace", [Cadence(), Cadence(16), Cadence(8, 512), Cadence(512)])
@pytest.mark.parametrize("rule", RULES)
def test_it_is_the_masked_reference_however_it_is_cut(pruned, chain, rule, pace):
    chain, seen = chain.at_pace(pace), set()
    for text in TEXTS:
        batch, _ = pruned.encode([text])
        with torch.inference_mode():
            expected = pruned(**batch, rule=rule, execution="masked", record=True)
        for record in (True, False):
            found = chain(**batch, rule=rule, record=record)
            torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
            assert torch.equal(found.alive, expected.alive)
            for mine, theirs in zip(found.run.masks, expected.run.masks, strict=True):
                assert torch.equal(mine, theirs)
        seen |= {tuple(expected.alive[0].tolist())}
    assert len(seen) == 1 if rule is RULES[-1] else len(seen) > 2  # 9 leaves [CLS] alone


@pytest.mark.parametrize("text", [*TEXTS, ("a film", "the plot was bad")])
def test_traces_are_those_of_the_engine_and_of_onnx_runtime(pruned, chain, onnx, text):
    expected = pruned.predict(text)
    for other in (chain, onnx):
        found = other.predict(text)
        assert found.label == expected.label
        assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-4)
        assert (found.flops, found.trace.tokens) == (expected.flops, expected.trace.tokens)
        for mine, theirs in zip(found.trace.layers, expected.trace.layers, strict=True):
            assert (mine.threshold, mine.kept) == (theirs.threshold, theirs.kept)
            for a, b in zip(mine.importance, theirs.importance, strict=True):
                assert a == (b if b is None else pytest.approx(b, abs=1e-5))


def test_what_leaves_is_no_longer_computed(pruned, chain, monkeypatch):
    ran = []
    run = chain.blocks.run
    monkeypatch.setattr(chain.blocks, "run", lambda block, *rest: ran.append(block) or run(block, *rest))
    batch, _ = pruned.encode([LONG])
    left = chain(**batch, rule=Thresholds([0.032, 0.0, 0.1]), record=False).alive[0].tolist()
    assert left[0] > 1 and static_length(left[0]) < 32
    # Layer 2 drops nothing: no block ends there, and nobody observes it.
    assert ran == [Block(0, 1, (1,), 32), Block(1, 3, (3,), static_length(left[0]))]


def test_a_reference_length(tiny_bert, make_tokenizer):
    model = PrunedModel(tiny_bert(), make_tokenizer(), [0.06, 0.09, 0.12], Settings(6, 64), name="reference")
    chain = cached_openvino(model)
    for text in TEXTS:
        batch, _ = model.encode([text])
        with torch.inference_mode():
            expected = model(**batch, execution="masked")
        found = chain(**batch)
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
        assert torch.equal(found.alive, expected.alive)


def test_a_padded_batch_gives_what_its_texts_give_alone(chain):
    together = chain.predict(TEXTS)
    for one, text in zip(together, TEXTS, strict=True):
        assert one.probabilities == pytest.approx(chain.predict(text).probabilities, abs=1e-6)


def test_texts_of_a_batch_run_at_once(pruned, chain):
    other = OpenVinoModel(chain.blocks.file, Known.of(pruned), threads=2)
    batch, _ = pruned.encode(TEXTS * 8)
    expected = chain(**batch, record=True)
    for _ in range(2):
        found = other(**batch, record=True)
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-5, rtol=1e-5)
        assert torch.equal(found.alive, expected.alive)
    with pytest.raises(AttributeError):
        other.answer_all([(None, None)] * 3, Dense(), record=False)  # what a thread meets is told
    assert torch.equal(other(**batch).alive, expected.alive)  # and its lane is free again


@pytest.mark.parametrize("name", ["roberta", "modernbert-mean", "mpnet", "albert-groups"])
def test_other_families(name):
    model = wrapped(name)
    model.name = name
    chain = cached_openvino(model)
    seen = set()
    for length in (3, 40):
        ids = torch.randint(5, 70, (1, length), generator=torch.Generator().manual_seed(length))
        for rule in (Dense(), Thresholds([0.045, 0.06, 0.1])):
            with torch.inference_mode():
                expected = model(ids, rule=rule, execution="masked")
            found = chain(ids, rule=rule)
            torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
            assert torch.equal(found.alive, expected.alive)
            seen.add(int(found.alive[0, -1]) < length)
    assert seen == {True, False}


def test_a_family_whose_layers_look_back_is_refused():
    with pytest.raises(ValueError, match="cannot run in"):
        cached_openvino(wrapped("deberta-v3"))


def test_a_graph_that_holds_for_one_length_only_is_refused(tiny_bert, monkeypatch):
    """As a family would make whose code takes a length as a plain number."""
    model = PrunedModel(tiny_bert())
    forward = MaskedGraph.forward

    def fixed(self, input_ids, token_type_ids, positions, alive, thresholds):
        counted = torch.ones(int(alive.sum()))  # a tracer takes this number for a constant
        return forward(self, input_ids, token_type_ids, positions, alive * counted, thresholds)

    monkeypatch.setattr(MaskedGraph, "forward", fixed)
    with pytest.raises(ValueError, match="holds for texts of one length only"):
        cached_openvino(model)


def test_eight_bits_keep_labels_and_traces(pruned):
    """A random model is unsure of most texts, so that those count of which it is not."""
    pytest.importorskip("nncf", reason="the extra `fast` is not installed")
    quantized = cached_openvino(pruned, "int8")
    assert quantized.precision == "int8"
    texts = [text for text, _ in zip(own_texts(), range(40), strict=False)]
    exact, rough = pruned.predict(texts), quantized.predict(texts)
    moved = [
        max(abs(a.probabilities[label] - b.probabilities[label]) for label in a.probabilities)
        for a, b in zip(exact, rough, strict=True)
    ]
    assert 0 < sum(moved) / len(moved) < 0.15  # 8 bits are at work, and near
    sure = [(a, b) for a, b in zip(exact, rough, strict=True) if (a.confidence or 0) > 0.6]
    assert len(sure) > 4 and sum(a.label == b.label for a, b in sure) >= 0.9 * len(sure)
    for a, b in zip(exact, rough, strict=True):
        assert a.trace.tokens == b.trace.tokens and b.trace.layers[0].kept[0]


def test_an_export_in_eight_bits_is_checked_before_it_is_there(pruned, tmp_path, monkeypatch):
    pytest.importorskip("nncf", reason="the extra `fast` is not installed")
    monkeypatch.setattr(export, "LEAST_AGREEMENT", 1.1)
    with pytest.raises(ValueError, match="labels stay the same: not written"):
        export_openvino(pruned, tmp_path / "out", "int8", ["a good film"])
    assert list(tmp_path.iterdir()) == []


def test_an_exported_folder_needs_nothing_else(pruned, folder):
    assert pruned.done.output == folder / "openvino.xml" and pruned.done.inputs == 100
    assert pruned.done.max_abs_difference < 1e-4 and pruned.done.label_agreement == 1.0
    loaded = PrunedModel.from_pretrained(folder, backend="openvino")
    assert isinstance(loaded, OpenVinoModel) and loaded.thresholds == tuple(THETA)
    assert loaded.predict(TEXTS[2]).probabilities == pytest.approx(
        pruned.predict(TEXTS[2]).probabilities, abs=1e-4
    )
    with pytest.raises(CheckpointError, match=r"was written in float32: ask for that, not int8"):
        PrunedModel.from_pretrained(folder, backend="openvino", precision="int8")


def test_a_file_that_is_broken_or_not_ours_is_one_line(folder, tmp_path):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    graph = tmp_path / "openvino.xml"
    graph.write_text("<net")
    with pytest.raises(CheckpointError, match=r"openvino.bin is missing"):
        PrunedModel.from_pretrained(tmp_path, backend="openvino")
    graph.with_suffix(".bin").write_bytes(b"\0")
    with pytest.raises(CheckpointError, match=r"OpenVINO cannot read .*openvino\.xml"):
        PrunedModel.from_pretrained(tmp_path, backend="openvino")


def test_the_cache_is_used_and_a_stale_or_broken_one_is_made_again(pruned, cache, monkeypatch):  # noqa: F811
    made = []
    write = lambda folder: (made.append(folder), (folder / "graph").write_text("whole"))  # noqa: E731
    ask = lambda texts=(): converted.converted(pruned, "toy", "int8", ["torch"], write, texts)  # noqa: E731
    place = ask()
    name = "tiny-toy-int8" if has_vnni() else "tiny-toy-int8-7bit"
    assert ask() == place == cache / "converted" / name and len(made) == 1
    (place / "graph").write_text("hole")  # broken: not what was written
    assert (ask() / "graph").read_text() == "whole" and len(made) == 2
    (place / converted.FACTS).write_text("{")
    assert ask() == place and len(made) == 3
    ask(["other texts to calibrate on"])
    assert len(made) == 4
    monkeypatch.setattr(pruned, "thresholds", (0.1, 0.1, 0.1))
    ask(["other texts to calibrate on"])
    assert len(made) == 5 and [entry.name for entry in place.parent.glob("*toy*")] == [name]


def test_what_cannot_be_is_said(pruned, chain, monkeypatch):
    with pytest.raises(ValueError, match="knows Thresholds and Dense, not TopK"):
        chain(**pruned.encode(["a film"])[0], rule=TopK([0.5, 0.5, 0.5]))
    with pytest.raises(ValueError, match="returns no attention"):
        chain.predict("a film", attention_layer=1)
    with pytest.raises(ValueError, match="has no tokenizer to read them"):
        cached_openvino(PrunedModel(pruned.hf_model), "int8")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ValueError, match=r'the package openvino is missing: pip install "\.\[fast\]"'):
        cached_openvino(pruned)


def test_without_vnni_it_says_that_it_is_slower(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    with pytest.warns(UserWarning, match="no VNNI"):
        int8.warn_without_vnni()


def test_onnx_runtime_in_eight_bits(pruned):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    quantized = to_onnx(pruned, precision="int8")
    assert quantized.precision == "int8"
    batch, _ = pruned.encode([TEXTS[2]])
    with torch.inference_mode():
        exact, rough = pruned(**batch).logits.numpy(), quantized(**batch).logits.numpy()
    assert 0 < np.abs(exact - rough).max() < 0.3 * np.abs(exact).max()


def test_counters_say_what_ran(pruned, chain):
    batch, _ = pruned.encode([LONG])
    rule = Thresholds([0.032, 0.0, 0.1])
    left = pruned(**batch, rule=rule).alive[0].tolist()
    found = counters(chain, rule, [batch])
    assert found["blocks"] == 2 and found["places"] == [static_length(left[0])] * 2 + [1]
    assert sum(found["microseconds"].values()) > 0


def test_dense_peers_answer_as_hugging_face_does(pruned):
    pytest.importorskip("nncf", reason="the extra `fast` is not installed")
    batch, _ = pruned.encode(TEXTS)
    with torch.inference_mode():
        expected = pruned.hf_model(**batch).logits.numpy()
        for name, call in peers(pruned, ["openvino", "openvino-int8", "onnxruntime-int8"]).items():
            found = next(iter(call(batch))) if "onnx" in name else call(batch)[0]
            assert 0 < np.abs(found - expected).max() < 0.3 * np.abs(expected).max(), name


def test_a_pace_goes_as_far_as_it_is_faster(monkeypatch):
    def milliseconds(model, length, pace, runs):
        one, pairs = float(length), 4.0 + length / 2
        return {"one_block_ms": one, "pairs_ms": pairs, "gathered_ms": 20.0 - 0.01 * length, "dense_ms": 1.0}

    monkeypatch.setattr(speed_pace, "_milliseconds", milliseconds)
    found = speed_pace.measure_pace(None, (4, 6, 16, 24, 48, 64))
    assert (found["together"], found["pairs"], len(found["rows"])) == (6, 24, 6)
    assert speed_pace.measure_pace(None, (48, 64))["pairs"] == 0
    found["rows"][0]["one_block_ms"] = 1.1 * found["rows"][0]["pairs_ms"]  # a neighbour was at work
    assert speed_pace.fastest(found["rows"]) == Cadence(6, 24)


def test_where_nothing_is_given_pairs_calibrate_a_model_of_pairs(tiny_bert, make_tokenizer):
    of = lambda task: calibration_texts(PrunedModel(tiny_bert(), make_tokenizer(), None, Settings(task=task)))  # noqa: E731
    assert all(isinstance(text, str) for text in some(of("sst2")))
    assert all(len(pair) == 2 and pair[0] != pair[1] for pair in some(of("mrpc")))


@pytest.mark.parametrize("usual", [25, 200])
def test_where_nothing_is_given_texts_are_as_long_as_the_models(tiny_bert, usual):
    tokenizer = PrunedModel.from_pretrained("sst2").tokenizer  # a tiny one cuts words into letters
    model = PrunedModel(tiny_bert(), tokenizer, THETA, Settings(float(usual), 64))
    lengths = [len(model.tokenizer.tokenize(text)) for text in calibration_texts(model)]
    assert 50 < len(lengths) <= CALIBRATION
    assert 0.8 * usual < sum(lengths) / len(lengths) < 1.6 * usual and max(lengths) < 3 * usual


def log_odds(prediction):
    positive, negative = (prediction.probabilities[label] for label in ("positive", "negative"))
    return np.log(positive / negative)


def test_eight_bits_without_data_keep_the_labels_of_a_shipped_model():
    """Ranges read off texts that are ten times as long as sst2's moved its logits by 0.6 in the mean."""
    pytest.importorskip("nncf", reason="the extra `fast` is not installed")
    model = PrunedModel.from_pretrained("sst2")
    exact = model.predict(SENTENCES)
    rough = cached_openvino(model, "int8").predict(SENTENCES)
    assert sum(a.label == b.label for a, b in zip(exact, rough, strict=True)) >= len(SENTENCES) - 1
    moved = [abs(log_odds(a) - log_odds(b)) for a, b in zip(exact, rough, strict=True)]
    assert 0 < sum(moved) / len(moved) < 0.3


def test_attention_stays_in_floats(pruned):
    """8 bits are for the linear layers: what the importance and the fused attention read is not rounded."""
    pytest.importorskip("nncf", reason="the extra `fast` is not installed")
    import openvino

    graph = openvino.Core().read_model(cached_openvino(pruned, "int8").blocks.file)
    rounded = {"weights": 0, "none": 0}
    for node in graph.get_ops():
        if node.get_type_name() in ("MatMul", "ScaledDotProductAttention"):
            sources = [node.input_value(at).get_node() for at in range(node.get_input_size())]
            kinds = [source.get_type_name() for source in sources]
            linear = {"Multiply", "Constant"} & set(kinds)  # how NNCF writes 8-bit weights
            rounded["weights" if linear else "none"] += "FakeQuantize" in kinds
    assert rounded == {"weights": 6 * pruned.layers + 2, "none": 0}
