"""Write the graphs that ship for the browser: `python -m ltp_core.commands.browser_graphs`.

To be done when the loop in `graph.py` has changed. Takes the packages onnx and onnxscript. One model of each
base and number of classes is enough.
"""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ltp_core.architectures import view_of
from ltp_core.onnx.browser import WEIGHTS, config_of
from ltp_core.onnx.export import exported_program
from ltp_core.onnx.graph import OUTPUTS, PrunedGraph
from ltp_core.prediction import TorchClassifier

INPUTS = ("embedded", "thresholds")
_INSIDE = "hf_model."  # how the graph's names of the model's own weights begin


class AfterEmbeddings(nn.Module):
    """The pruned model from its first layer on.

    Args:
        hf_model: a supported Hugging Face model, in evaluation mode.
        queries: see `PrunedGraph`.
    """

    def __init__(self, hf_model: Any, queries: int | None = None) -> None:
        super().__init__()
        self.pruned = PrunedGraph(hf_model, queries=queries)

    def forward(self, embedded: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run one text: float ``[1, n, D]`` and ``[L]``; returns as `PrunedGraph.forward` does."""
        hidden = embedded[0]
        positions = torch.arange(hidden.shape[0], device=hidden.device)
        return self.pruned.layers(view_of(self.pruned.hf_model), hidden, positions, thresholds)


def write_browser_graph(model: TorchClassifier, file: Path) -> None:
    """Write a model's graph without its weights, and beside it (.json) which weights it wants.

    Args:
        model: any model of the base, on the CPU, in float32.
        file: ends in ``.onnx``.

    Raises:
        ValueError: if the model cannot be exported.
    """
    import onnx

    width = model.config.hidden_size
    length = torch.export.Dim("n", min=2, max=model.max_tokens)
    program = exported_program(
        AfterEmbeddings(model.hf_model, model.queries()).eval(),
        (torch.zeros(1, 8, width), torch.zeros(model.layers)),
        ({1: length}, None),
        INPUTS,
        OUTPUTS,
    )
    with tempfile.TemporaryDirectory() as folder:
        program.save(f"{folder}/whole.onnx", external_data=True)
        proto = onnx.load(f"{folder}/whole.onnx", load_external_data=False)
    _strip(proto)
    weights = _outside(proto)
    onnx.save(proto, file)
    facts = {"config": config_of(model), "queries": model.queries(), "weights": weights}
    file.with_suffix(".json").write_text(json.dumps(facts) + "\n", encoding="utf-8")


def _outside(proto: Any) -> list[tuple[str, list[int]]]:
    """Let the model's own weights be read from one file of float32, in the order of the graph."""
    weights, offset = [], 0
    for entry in proto.graph.initializer:
        _, inside, name = entry.name.partition(_INSIDE)
        if not inside:
            continue
        entry.ClearField("raw_data")
        entry.data_location = 1  # TensorProto.EXTERNAL
        del entry.external_data[:]
        size = 4 * math.prod(entry.dims)
        for key, value in (("location", WEIGHTS), ("offset", offset), ("length", size)):
            entry.external_data.add(key=key, value=str(value))
        weights.append((name, list(entry.dims)))
        offset += size
    return weights


def _strip(proto: Any) -> None:
    """Leave out what the exporter noted for people: where each operation comes from, and all shapes."""
    del proto.metadata_props[:]
    proto.graph.ClearField("value_info")
    del proto.graph.metadata_props[:]
    for part in (*proto.graph.node, *proto.graph.initializer, *proto.graph.input, *proto.graph.output):
        part.ClearField("doc_string")
        del part.metadata_props[:]
    del proto.functions[:]
