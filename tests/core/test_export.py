"""Exported models against the masked reference, and against Hugging Face's own forward."""

import copy
import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from ltp_core import CheckpointError, Dense, PrunedModel, Thresholds
from ltp_core.architectures.families import FAMILIES
from ltp_core.checkpoints import Settings
from ltp_core.onnx import export
from ltp_core.onnx.export import export_onnx, export_transformers, real_texts, to_onnx
from ltp_core.onnx.model import OnnxModel, session
from ltp_core.rules import TopK
from tests.core.families import MODELS, wrapped
from tests.some import some

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")

THETA = [0.05, 0.08, 0.1]
TEXTS = ["good", "a film", "the film was very good and the plot so so", "bad " * 40]


@pytest.fixture(scope="module")
def pruned(tiny_bert, make_tokenizer):
    return PrunedModel(tiny_bert(), make_tokenizer(), THETA, name="tiny")


@pytest.fixture(scope="module")
def folder(pruned, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "out"
    pruned.done = export_onnx(pruned, folder)
    return folder


@pytest.fixture(scope="module")
def onnx(folder):
    return PrunedModel.from_pretrained(folder, backend="onnxruntime")


def feed(batch, thresholds):
    arrays = {name: values.numpy() for name, values in batch.items()}
    return {**arrays, "thresholds": torch.tensor(thresholds).numpy()}


def operations(file):
    """How often a graph has each operation; opened here, as the module may be absent."""
    import onnx

    return Counter(node.op_type for node in onnx.load(file).graph.node)


def test_the_export_reports_its_difference_to_the_engine(pruned, folder):
    assert pruned.done.output == folder / "model.onnx"
    assert pruned.done.inputs == 100 and pruned.done.different_counts == 0
    assert 0 <= pruned.done.max_abs_difference < 1e-4


def test_the_graph_has_the_inputs_of_the_contract(folder):
    inputs = {entry.name: entry for entry in session(folder / "model.onnx").get_inputs()}
    assert list(inputs) == ["input_ids", "attention_mask", "token_type_ids", "thresholds"]
    assert inputs["thresholds"].type == "tensor(float)" and inputs["thresholds"].shape == [3]
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        assert inputs[name].type == "tensor(int64)"
        assert inputs[name].shape[0] == 1 and isinstance(inputs[name].shape[1], str)


@pytest.mark.parametrize("thresholds", [[0.0, 0.0, 0.0], THETA, [0.2, 0.0, 0.3], [9.0, 9.0, 9.0]])
@pytest.mark.parametrize("text", TEXTS)
def test_the_graph_is_the_masked_reference(pruned, folder, text, thresholds):
    batch, _ = pruned.encode([text])
    logits, left, kept, importance = session(folder / "model.onnx").run(None, feed(batch, thresholds))
    with torch.inference_mode():
        expected = pruned(**batch, rule=Thresholds(thresholds), execution="masked", record=True)
    torch.testing.assert_close(torch.tensor(logits), expected.logits, atol=1e-4, rtol=1e-4)
    assert left.tolist() == expected.alive[0].tolist()
    positions = [mask[0].nonzero().flatten() for mask in expected.run.masks]
    assert kept.tolist() == torch.cat(positions).tolist()
    assert len(importance) == batch["input_ids"].shape[1] + sum(left[:-1])


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_graph_ignores_padding(pruned, folder, side):
    ids = pruned.encode([TEXTS[2]])[0]["input_ids"]
    padding, real = torch.zeros(1, 5, dtype=torch.long), torch.ones_like(ids)
    order = (lambda a, b: [b, a]) if side == "left" else (lambda a, b: [a, b])
    padded, mask = torch.cat(order(ids, padding + 7), 1), torch.cat(order(real, padding), 1)
    run = session(folder / "model.onnx").run
    plain, wide = (
        run(None, feed({"input_ids": i, "attention_mask": m, "token_type_ids": torch.zeros_like(i)}, THETA))
        for i, m in ((ids, real), (padded, mask))
    )
    for a, b in zip(plain, wide, strict=True):
        torch.testing.assert_close(torch.tensor(a), torch.tensor(b), atol=1e-5, rtol=1e-5)


def test_tokens_are_really_removed_inside_the_graph(pruned, folder, tmp_path):
    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
    runner = onnxruntime.InferenceSession(folder / "model.onnx", options)
    batch, _ = pruned.encode([TEXTS[2]])
    _, left, *_ = runner.run(None, feed(batch, THETA))
    with open(runner.end_profiling(), encoding="utf-8") as file:
        events = [event for event in json.load(file) if event.get("args", {}).get("op_name") == "Gelu"]
    rows = Counter(next(iter(event["args"]["output_type_shape"][0].values()))[0] for event in events)
    assert left[0] < batch["input_ids"].shape[1] and left[1] < left[0]
    assert rows == Counter([int(left[0]), int(left[1]), 1])  # the FFN of the last layer sees [CLS] alone


@pytest.mark.parametrize("settings", [Settings(6), Settings(None, 5), Settings(8.5, 2), Settings(6, 64)])
def test_reference_length_and_sampled_queries_are_in_the_graph(tiny_bert, make_tokenizer, settings):
    model = PrunedModel(tiny_bert(), make_tokenizer(), [0.06, 0.09, 0.12], settings)
    exported = to_onnx(model)
    seen = set()
    for text in TEXTS:
        batch, _ = model.encode([text])
        with torch.inference_mode():
            expected = model(**batch, execution="masked")
        found = exported(**batch)
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
        assert torch.equal(found.alive, expected.alive)
        seen |= {tuple(expected.alive[0].tolist())}
    assert any(max(left) > 1 and min(left) < left[0] for left in seen)
    with pytest.raises(ValueError, match=r"exported with reference length (None|6|8.5); the rule has 7"):
        exported(**batch, rule=Thresholds([0.1, 0.1, 0.1], 7))


def test_query_key_and_value_become_one_product(pruned, tmp_path):
    file, feeds = tmp_path / "model.onnx", [feed(pruned.encode([text])[0], THETA) for text in TEXTS]
    export.write_graph(pruned, file)
    apart, before = operations(file), [session(file).run(None, each) for each in feeds]
    export.join_products(file)
    together, after = operations(file), [session(file).run(None, each) for each in feeds]
    assert apart["Gemm"] - together["Gemm"] == 2 * pruned.layers
    assert together["Split"] - apart["Split"] == pruned.layers
    for one, other in some(zip(before, after, strict=True)):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(b, a, atol=1e-5)


def test_layers_that_share_weights_share_the_joined_ones(tmp_path):
    import onnx

    model, file = wrapped("albert"), tmp_path / "model.onnx"
    export.write_graph(model, file)
    export.join_products(file)
    nodes = onnx.load(file).graph.node
    read = {output: node for node in nodes for output in node.output}
    products = [read[node.input[0]] for node in nodes if node.op_type == "Split" and node.input[0] in read]
    joined = [node for node in products if node.op_type == "Gemm"]
    assert len(joined) == model.layers
    assert len({node.input[1] for node in joined}) == 1


@pytest.mark.parametrize("rule", [None, Thresholds([0.1, 0.0, 0.2]), Dense()])
@pytest.mark.parametrize("text", [*TEXTS, ("a film", "the plot was bad")])
def test_predictions_are_those_of_the_engine(pruned, onnx, text, rule):
    found, expected = onnx.predict(text, rule), pruned.predict(text, rule)
    assert found.label == expected.label
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-4)
    assert (found.flops, found.dense_flops) == (expected.flops, expected.dense_flops)
    assert (found.trace.tokens, found.trace.segments) == (expected.trace.tokens, expected.trace.segments)
    for mine, theirs in zip(found.trace.layers, expected.trace.layers, strict=True):
        assert (mine.threshold, mine.kept) == (theirs.threshold, theirs.kept)
        for a, b in some(zip(mine.importance, theirs.importance, strict=True)):
            assert a == (b if b is None else pytest.approx(b, abs=1e-5))


def test_a_batch_gives_what_its_texts_give_alone(onnx):
    together = onnx.predict(TEXTS)
    assert [one.probabilities for one in together] == [onnx.predict(text).probabilities for text in TEXTS]


def test_the_exported_model_has_what_callers_look_at(pruned, onnx):
    assert isinstance(onnx, OnnxModel)
    assert onnx.thresholds == pruned.thresholds == tuple(THETA)
    assert (onnx.max_tokens, onnx.dimensions, onnx.layers) == (32, pruned.dimensions, 3)
    assert onnx.tokenizer(TEXTS[2])["input_ids"] == pruned.tokenizer(TEXTS[2])["input_ids"]


def test_what_the_graph_cannot_do_is_said(onnx):
    batch, _ = onnx.encode(["a film"])
    with pytest.raises(ValueError, match="knows Thresholds and Dense, not TopK"):
        onnx(**batch, rule=TopK([0.5, 0.5, 0.5]))
    with pytest.raises(ValueError, match="needs 3 thresholds"):
        onnx(**batch, rule=Thresholds([0.1]))
    with pytest.raises(ValueError, match="returns no attention"):
        onnx.predict("a film", attention_layer=1)


def test_a_file_alone(pruned, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "write_graph", lambda _, file: shutil.copy(folder / "model.onnx", file))
    done = export_onnx(pruned, tmp_path / "deep" / "model.onnx")
    assert done.output.is_file() and [done.output] == list(done.output.parent.iterdir())
    with pytest.raises(CheckpointError, match="no config and tokenizer beside it"):
        PrunedModel.from_pretrained(done.output, backend="onnxruntime")


@pytest.mark.parametrize("writer", [export_onnx, export_transformers])
def test_an_export_that_computes_something_else_is_told(pruned, folder, tmp_path, monkeypatch, writer):
    """What is exported has a bias half a logit above that of what was written."""
    other = PrunedModel(copy.deepcopy(pruned.hf_model), pruned.tokenizer, pruned.thresholds)
    with torch.no_grad():
        other.hf_model.classifier.bias += 0.5
    monkeypatch.setattr(export, "write_graph", lambda _, file: shutil.copy(folder / "model.onnx", file))
    monkeypatch.setattr(export, "plain", lambda _: pruned.hf_model)
    done = writer(other, tmp_path / "out")
    assert done.max_abs_difference == pytest.approx(0.5, abs=1e-4) and done.different_counts == 0


@pytest.mark.parametrize("package", ["onnxruntime", "onnx", "onnxscript"])
def test_a_missing_package_is_one_line(pruned, folder, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=f"the package {package} is missing: pip install"):
        export_onnx(pruned, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    if package == "onnxruntime":
        with pytest.raises(CheckpointError, match="onnxruntime is missing"):
            PrunedModel.from_pretrained(folder, backend="onnxruntime")


def test_an_unknown_backend_and_a_broken_file(folder, tmp_path):
    with pytest.raises(ValueError, match="must be 'torch' or 'onnxruntime'"):
        PrunedModel.from_pretrained(folder, backend="magic")
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text((folder / name).read_text())
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(CheckpointError, match="onnxruntime cannot read"):
        PrunedModel.from_pretrained(tmp_path, backend="onnxruntime")


def test_a_plain_folder_has_equal_logits(pruned, tmp_path):
    done = export_transformers(pruned, tmp_path / "plain")
    loaded = AutoModelForSequenceClassification.from_pretrained(done.output).eval()
    batch, _ = pruned.encode(TEXTS)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(**batch).logits, pruned.hf_model(**batch).logits)
    assert done.max_abs_difference < 1e-5
    assert not (done.output / "ltp.safetensors").exists()


@pytest.mark.parametrize("writer", [export_onnx, export_transformers])
def test_what_is_there_stays(pruned, tmp_path, writer):
    kept = tmp_path / "full" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("years of work")
    with pytest.raises(ValueError, match="is a folder that is not empty"):
        writer(pruned, kept.parent)
    with pytest.raises(ValueError, match="exists already"):
        writer(pruned, kept)
    with pytest.raises(ValueError, match="cannot write"):
        writer(pruned, kept / "below")
    assert kept.read_text() == "years of work" and list(kept.parent.iterdir()) == [kept]


def test_the_texts_that_are_compared_are_all_different():
    texts = [text for text, _ in zip(real_texts(), range(100), strict=False)]
    assert len(set(texts)) == 100


OTHERS = (
    *("roberta", "xlm-roberta", "camembert", "electra", "distilbert", "mpnet", "modernbert-mean"),
    *("deberta-v3", "deberta-v2", "deberta-own-keys", "albert-groups"),
)


def test_the_page_names_every_family_and_each_is_exported_here():
    page = (Path(__file__).resolve().parents[2] / "docs" / "onnx.md").read_text(encoding="utf-8")
    named = page.partition("All families that the engine knows can be exported")[2].partition("\n\n")[0]
    assert {MODELS[name][0] for name in OTHERS} | {"bert"} == set(FAMILIES)
    assert set(FAMILIES) <= set(re.findall(r"[\w-]+", named))


@pytest.mark.parametrize("name", OTHERS)
def test_other_families_can_be_exported(name):
    model = wrapped(name)
    exported = to_onnx(model)
    assert exported.thresholds is None and exported.max_tokens == 40
    seen = set()
    for length in (3, 17, 40):
        ids = torch.randint(5, 70, (1, length), generator=torch.Generator().manual_seed(length))
        for rule in (Dense(), Thresholds([0.045, 0.06, 0.1])):
            with torch.inference_mode():
                expected = model(ids, rule=rule, execution="masked")
            found = exported(ids, rule=rule)
            torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
            assert torch.equal(found.alive, expected.alive)
            seen.add(int(found.alive[0, -1]) < length)
    assert seen == {True, False}
