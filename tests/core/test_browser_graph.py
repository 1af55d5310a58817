"""The graphs that ship for the browser, with weights in half precision, against the engine."""

import json
import math
import random
import shutil

import numpy as np
import pytest
import torch

from ltp_core import PrunedModel, Thresholds
from ltp_core.checkpoints import shipped_models
from ltp_core.data.sentences import own_sentences
from ltp_core.onnx.browser import GRAPHS, WEIGHTS, embed, graph_of, graphs, weights_of
from ltp_core.onnx.model import session

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")

CLOSE = 1e-4  # of a share of attention: what half precision may move
MOVED = 0.01  # of a probability, where the same tokens stay


@pytest.fixture(scope="module", params=sorted(shipped_models()))
def shipped(request):
    return PrunedModel.from_pretrained(request.param)


@pytest.fixture(scope="module")
def in_browser(shipped, tmp_path_factory):
    """What the worker does: halves become singles, the graph reads them, a text goes in embedded."""
    graph = graph_of(shipped)
    folder = tmp_path_factory.mktemp("graph")
    shutil.copy(graph.file, folder)
    weights_of(shipped, graph).astype(np.float32).tofile(folder / WEIGHTS)
    runner = session(folder / graph.file.name, threads=1)

    def run(text, thresholds):
        embedded = embed(shipped, text)
        reference = getattr(shipped.settings, "reference_length", None)
        scale = min(1, (reference or len(embedded)) / len(embedded))
        acting = np.array(thresholds, dtype=np.float32) * np.float32(scale)
        logits, left, kept, _ = runner.run(None, {"embedded": embedded[None], "thresholds": acting})
        return logits[0], [part.tolist() for part in np.split(kept, np.cumsum(left)[:-1])]

    return run


def texts_for(model, count):
    """Our own sentences, alone and joined to texts of up to some 150 tokens, or paired."""
    ours, chance = own_sentences(), random.Random(0)
    joined = [" ".join(chance.sample(ours, 1 + number % 6)) for number in range(count)]
    pairs = model.settings.task in ("mrpc", "rte", "stsb")
    return list(zip(joined, reversed(joined), strict=True)) if pairs else joined


def chance_thresholds(model, chance):
    """About the learned ones, or far from them, or none at all."""
    return [
        min(1.0, chance.choice([theta * chance.uniform(0, 2), 10 ** chance.uniform(-3, -1), 0.0]))
        for theta in model.thresholds
    ]


def first_difference(kept, trace, scale):
    """Distances to the threshold of the tokens that differ in the first layer where any does."""
    for positions, layer in zip(kept, trace.layers, strict=True):
        differ = set(positions) ^ {at for at, stays in enumerate(layer.kept) if stays}
        if differ:
            return [abs(layer.importance[at] - layer.threshold) for at in differ]
    return []


def test_a_hundred_texts_under_chance_thresholds(shipped, in_browser):
    chance, exact, pruned = random.Random(1), 0, 0
    texts = texts_for(shipped, 100 if shipped.name == "sst2" else 30)
    for text in texts:
        thresholds = chance_thresholds(shipped, chance)
        rule = Thresholds(
            thresholds, *([shipped.reference_length] if hasattr(shipped, "reference_length") else [])
        )
        expected = shipped.predict(text, rule)
        logits, kept = in_browser(text, thresholds)
        near = first_difference(kept, expected.trace, 1)
        assert all(distance < CLOSE for distance in near), (text, thresholds, near)
        if near:
            continue  # a token on the edge of its threshold: what follows may rightly differ
        exact += 1
        pruned += len(kept[-1]) < len(expected.trace.tokens)
        if expected.value is not None:
            assert float(logits[0]) == pytest.approx(expected.value, abs=0.02)
            continue
        found = torch.tensor(logits).double().softmax(dim=-1).tolist()
        assert found == pytest.approx(list(expected.probabilities.values()), abs=MOVED)
        names = list(expected.probabilities)
        if abs(found[0] - 0.5) > MOVED:
            assert names[int(np.argmax(logits))] == expected.label
    assert exact >= 0.95 * len(texts) and pruned > len(texts) / 2


def test_a_graph_has_no_weights_inside_and_names_all_that_it_wants():
    onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    for graph in graphs():
        proto = onnx.load(graph.file, load_external_data=False)
        offset = 0
        outside = [entry for entry in proto.graph.initializer if entry.data_location]
        assert len(outside) == len(graph.weights)
        for entry, (name, shape) in zip(outside, graph.weights, strict=True):
            facts = {pair.key: pair.value for pair in entry.external_data}
            assert entry.name.endswith(name) and tuple(entry.dims) == shape
            assert facts == {"location": WEIGHTS, "offset": str(offset), "length": str(4 * math.prod(shape))}
            offset += 4 * math.prod(shape)
        inside = sum(math.prod(entry.dims) for entry in proto.graph.initializer if not entry.data_location)
        assert inside < 100 and graph.file.stat().st_size < 100_000
        assert b"/work" not in graph.file.read_bytes() and b"site-packages" not in graph.file.read_bytes()


def test_every_graph_serves_a_shipped_model():
    models = [PrunedModel.from_pretrained(name) for name in shipped_models()]
    used = {graph_of(model).file for model in models}
    assert used == set(GRAPHS.glob("*.onnx"))


def test_a_model_of_another_shape_or_kind_has_no_graph(model):
    assert graph_of(model) is None  # three layers
    sst2 = PrunedModel.from_pretrained("sst2")
    assert graph_of(sst2) is not None
    sst2.hf_model.config.hidden_act = "relu"
    assert graph_of(sst2) is None


def test_the_facts_beside_a_graph_are_plain():
    for file in GRAPHS.glob("*.json"):
        assert set(json.loads(file.read_text(encoding="utf-8"))) == {"config", "weights"}
