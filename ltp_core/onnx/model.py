"""A pruned model that ONNX Runtime runs: the same calls as `PrunedModel`, without PyTorch's layers."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltp_core.bases import CheckpointError, sha256
from ltp_core.onnx.classifier import GraphAnswer, GraphClassifier, Known
from ltp_core.rules import Rule, Thresholds

GRAPH_FILE = "model.onnx"

# These fusions make kernels that are slower than the plain operations on the CPU (docs/onnx.md).
_SLOWER = ["SkipLayerNormFusion", "BiasGeluFusion"]


class OnnxModel(GraphClassifier):
    """A graph written by `export --format onnx`, with tokenizer and thresholds.

    Args:
        graph: the ONNX file.
        known: what lies beside it.
        threads: ONNX Runtime's threads; None for as many as PyTorch has.

    Raises:
        CheckpointError: if it cannot be read, or onnxruntime is missing.
    """

    runtime = "ONNX"

    def __init__(self, graph: Path, known: Known, threads: int | None = None) -> None:
        self.session = session(graph, threads)
        facts = self.session.get_modelmeta().custom_metadata_map
        if "ltp.layers" not in facts:
            raise CheckpointError(f"{graph} was not written by `ltp export`: it does not say what it is")
        self.precision = facts.get("ltp.precision", "float32")
        super().__init__(known, int(facts["ltp.layers"]), sha256(graph))

    @classmethod
    def from_file(cls, graph: Path, name: str, precision: str = "float32") -> "OnnxModel":
        """Load a graph from the folder that `export --format onnx` wrote it into.

        Raises:
            CheckpointError: as above; or if it was written in another precision.
        """
        return cls(graph, Known.beside(graph, name)).written_in(precision)

    def observed(self, rule: Rule) -> list[bool]:
        """The graph computes the importance of every layer, whatever the rule."""
        return [True] * self.layers

    def answer_one(self, ids: Tensor, segments: Tensor, rule: Rule, record: bool) -> GraphAnswer:
        """See `GraphClassifier.answer_one`; the importance of every layer is always there."""
        found = self.session.run(None, feeds(ids, segments, self.threshold_input(rule)))
        logits, left, kept, importance = found
        sizes = [ids.shape[1], *left[:-1]]
        return GraphAnswer(
            logits, np.split(kept, left.cumsum()[:-1]), np.split(importance, np.cumsum(sizes)[:-1])
        )

    def threshold_input(self, rule: Rule | None) -> np.ndarray:
        """A rule as the graph's input `thresholds`, float32 ``[L]``.

        Raises:
            ValueError: for a rule that the graph does not know.
        """
        rule = self.checked(rule)
        if not isinstance(rule, Thresholds):
            return np.zeros(self.layers, dtype=np.float32)
        if any(rule.values) and rule.reference_length != self.reference_length:
            raise ValueError(
                f"this graph was exported with reference length {self.reference_length}; "
                f"the rule has {rule.reference_length}"
            )
        return np.array(rule.values, dtype=np.float32)


def graph_at(source: str | Path) -> Path | None:
    """The graph of an exported folder, or the file itself; None where there is no such file."""
    path = Path(source)
    graph = path if path.suffix == ".onnx" else path / GRAPH_FILE
    return graph if graph.is_file() else None


def feeds(input_ids: Tensor, token_type_ids: Tensor, thresholds: np.ndarray) -> dict[str, np.ndarray]:
    """The graph's inputs for one text without padding, ``[1, n]`` each."""
    ids = input_ids.cpu()
    return {
        "input_ids": ids.numpy(),
        "attention_mask": np.ones(ids.shape, dtype=np.int64),
        "token_type_ids": token_type_ids.cpu().numpy(),
        "thresholds": thresholds,
    }


def session(graph: Path, threads: int | None = None, device: str = "cpu") -> Any:
    """Open a graph in ONNX Runtime with all optimisations that pay.

    Args:
        graph: an ONNX file.
        threads: within an operator; None for as many as PyTorch has.
        device: "cpu", or "cuda" where onnxruntime has it.

    Raises:
        CheckpointError: if onnxruntime is missing, lacks the device, or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise CheckpointError("the package onnxruntime is missing: pip install onnxruntime") from None
    provider = f"{device.upper()}ExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise CheckpointError(f"onnxruntime cannot use {device} here; it runs on cpu")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads() if threads is None else threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Its threads wait busily between runs and take the cores from whoever comes next, PyTorch included.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=[provider], disabled_optimizers=_SLOWER)
    except Exception as error:  # onnxruntime's own kinds have no common base
        raise CheckpointError(f"onnxruntime cannot read {graph}: {str(error).splitlines()[0]}") from None
