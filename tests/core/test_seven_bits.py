"""8 bits where the processor has no instruction for them: weights take 7, and the graph a name of its own."""

import numpy as np
import pytest
import torch
from torch import nn

from ltp_core.onnx import converted, int8
from ltp_core.onnx.export import export_onnx
from ltp_core.openvino import convert

IN_7_BITS = 64  # the largest number of a weight, by size


@pytest.fixture(params=[True, False], ids=["VNNI", "none"])
def vnni(request, monkeypatch):
    for module in (converted, int8, convert):
        monkeypatch.setattr(module, "has_vnni", lambda: request.param)
    return request.param


def test_onnx_weights(vnni, model, tmp_path):
    onnx = pytest.importorskip("onnx")
    export_onnx(model, tmp_path / "out.onnx")
    int8.quantize(tmp_path / "out.onnx")  # alone: with 8 bits, what it answers may be refused here
    weights = [onnx.numpy_helper.to_array(w) for w in onnx.load(tmp_path / "out.onnx").graph.initializer]
    largest = max(int(np.abs(w.astype(int)).max()) for w in weights if w.dtype == np.int8 and w.size > 1)
    assert (largest <= IN_7_BITS) is not vnni


def test_openvino_weights(vnni):
    pytest.importorskip("nncf", reason="the extra `fast` is not installed")
    import openvino

    torch.manual_seed(0)
    graph = openvino.convert_model(nn.Linear(8, 8), example_input=torch.zeros(1, 8))
    feed = {text: np.random.default_rng(place).normal(size=(1, 8)) for place, text in enumerate("abcd")}
    found = convert.quantized(graph, list(feed), lambda text: feed[text].astype(np.float32))
    constants = [node.data for node in found.get_ops() if node.get_type_name() == "Constant"]
    weights = [data for data in constants if data.dtype == np.int8]
    assert len(weights) == 1 and (int(np.abs(weights[0].astype(int)).max()) <= IN_7_BITS) is not vnni


def test_the_graph_has_a_name_of_its_own(vnni, model, tmp_path, monkeypatch):
    monkeypatch.setattr(converted, "cache_folder", lambda: tmp_path)
    places = [
        converted.converted(model, "openvino", bits, (), lambda draft: (draft / "graph").write_text("x"))
        for bits in ("float32", "int8")
    ]
    assert [place.name.endswith("-7bit") for place in places] == [False, not vnni]
