"""The graphs that ship for the browser, with weights in half precision, against the engine."""

import json
import math
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from ltp_core import PrunedModel, Thresholds
from ltp_core.checkpoints import usable_models
from ltp_core.data.sentences import own_sentences
from ltp_core.importance import SAMPLE
from ltp_core.onnx.browser import GRAPHS, WEIGHTS, embed, graph_of, graphs, too_large, weights_of
from ltp_core.onnx.model import session
from tests.some import some

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")

CLOSE = 1e-4  # of a share of attention: what half precision may move
MOVED = 0.01  # of a probability, where the same tokens stay


@pytest.fixture(scope="module", params=sorted(usable_models()))
def shipped(request):
    model = PrunedModel.from_pretrained(request.param)
    if too_large(model):
        pytest.skip("too large for a browser")
    return model


@pytest.fixture(scope="module")
def in_browser(shipped, tmp_path_factory):
    return browser_of(shipped, tmp_path_factory.mktemp("graph"))


def browser_of(model, folder):
    """What the worker does: halves become singles, the graph reads them, a text goes in embedded."""
    graph = graph_of(model)
    shutil.copy(graph.file, folder)
    weights_of(model, graph).astype(np.float32).tofile(folder / WEIGHTS)
    runner = session(folder / graph.file.name, threads=1)

    def run(text, thresholds):
        embedded = embed(model, text)
        scale = min(1, (model.reference_length or len(embedded)) / len(embedded))
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


def first_difference(kept, trace):
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
        rule = Thresholds(thresholds, shipped.reference_length)
        expected = shipped.predict(text, rule)
        logits, kept = in_browser(text, thresholds)
        near = first_difference(kept, expected.trace)
        assert max(near, default=0.0) < CLOSE, (text, thresholds, near)
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
    assert graphs()
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


def test_every_model_that_is_small_enough_has_a_graph_with_and_without_a_sample():
    for name in usable_models():
        model = PrunedModel.from_pretrained(name)
        for queries in (None, SAMPLE):
            model.settings = replace(model.settings, importance_queries=queries)
            graph = graph_of(model)
            assert (graph is None) == too_large(model)
            assert graph is None or graph.queries == queries
    assert not too_large(PrunedModel.from_pretrained("sst2"))


@pytest.mark.parametrize("queries", [None, SAMPLE])
def test_a_sample_of_queries_and_a_reference_length_are_those_of_the_engine(queries, tmp_path):
    model = PrunedModel.from_pretrained("imdb")
    model.settings = replace(model.settings, importance_queries=queries, reference_length=40)
    run = browser_of(model, tmp_path)
    chance, long = random.Random(5), 0
    for number in range(8):
        text = " ".join(chance.sample(own_sentences(), 3 + number))  # some 60 to 200 tokens
        thresholds = [theta * chance.uniform(0.5, 4) for theta in model.thresholds]
        expected = model.predict(text, Thresholds(thresholds, 40))
        logits, kept = run(text, thresholds)
        long += expected.trace.alive[1] > SAMPLE
        near = first_difference(kept, expected.trace)
        assert max(near, default=0.0) < CLOSE
        if not near:
            found = torch.tensor(logits).double().softmax(dim=-1).tolist()
            assert found == pytest.approx(list(expected.probabilities.values()), abs=MOVED)
    assert long >= 3


def test_a_model_of_another_shape_or_kind_has_no_graph(model):
    assert graph_of(model) is None  # three layers
    sst2 = PrunedModel.from_pretrained("sst2")
    assert graph_of(sst2) is not None
    sst2.hf_model.config.hidden_act = "relu"
    assert graph_of(sst2) is None


def test_the_facts_beside_a_graph_are_plain():
    files = list(GRAPHS.glob("*.json"))
    assert len(files) == len(list(GRAPHS.glob("*.onnx"))) > 0
    for file in some(files):
        assert set(json.loads(file.read_text(encoding="utf-8"))) == {"config", "queries", "weights"}


def test_a_set_of_labels_is_not_answered_in_a_browser():
    model = PrunedModel.from_pretrained("sst2")
    model.hf_model.config.problem_type = "multi_label_classification"
    assert graph_of(model) is None
