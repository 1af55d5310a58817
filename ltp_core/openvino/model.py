"""A pruned model that OpenVINO runs: the same calls as `PrunedModel`, block by block."""

import copy
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ltp_core.bases import CheckpointError, cache_folder, sha256
from ltp_core.data.rows import Rows
from ltp_core.onnx.classifier import GraphAnswer, GraphClassifier, Known
from ltp_core.onnx.converted import converted
from ltp_core.onnx.export import Exported, compare, new_place, require, write_beside
from ltp_core.openvino.blocks import Block, Blocks, Cadence, measured, static_length
from ltp_core.openvino.convert import INSTALL, acting, calibration_texts, latency, write_graph
from ltp_core.openvino.lanes import Lanes
from ltp_core.prediction import Text, TorchClassifier
from ltp_core.rules import Rule

GRAPH_FILE = "openvino.xml"


class OpenVinoModel(GraphClassifier):
    """A graph written by `export --format openvino`, with tokenizer and thresholds.

    A text runs as a chain of blocks (`ltp_core.openvino.blocks`), each over the survivors of the one before.
    Any number of threads may call it. One text has all cores; of a batch each core runs a text. FLOPs are
    counted as the engine's: what is padded to a block's places, and hidden instead of removed, comes on top.

    Args:
        graph: the file, with its ``.bin`` beside it.
        known: what else lies beside it.
        threads: OpenVINO's threads; None for as many as PyTorch has.
        pace: how many layers a block takes; None as measured.

    Raises:
        CheckpointError: if it cannot be read, or openvino is missing.
    """

    runtime = "OpenVINO"

    def __init__(
        self, graph: Path, known: Known, threads: int | None = None, pace: Cadence | None = None
    ) -> None:
        try:
            require("openvino", install=INSTALL)
        except ValueError as error:
            raise CheckpointError(str(error)) from None
        weights = graph.with_suffix(".bin")
        if not weights.is_file():
            raise CheckpointError(f"{weights} is missing: the graph's weights")
        digest = sha256(graph) + sha256(weights)
        threads = torch.get_num_threads() if threads is None else threads
        self.blocks = Blocks(graph, lambda precision: _options(precision, threads, digest))
        self._lanes: Lanes | None = Lanes(
            threads, lambda: Blocks(graph, lambda precision: _lanes(precision, threads, digest))
        )
        self.precision = self.blocks.precision
        self._pace = measured() if pace is None else pace
        self._one = threading.Lock()
        super().__init__(known, self.blocks.layers, digest)

    @classmethod
    def from_file(cls, graph: Path, name: str, precision: str = "float32") -> "OpenVinoModel":
        """Load a graph from the folder that `export --format openvino` wrote it into.

        Raises:
            CheckpointError: as above; or if it was written in another precision.
        """
        return cls(graph, Known.beside(graph, name)).written_in(precision)

    def at_pace(self, pace: Cadence) -> "OpenVinoModel":
        """The same model, gathering where another pace does."""
        other = copy.copy(self)
        other._pace = pace
        return other

    def through(self, blocks: Blocks) -> "OpenVinoModel":
        """The same model with other blocks of the same graph."""
        other = copy.copy(self)
        other.blocks, other._lanes = blocks, None
        return other

    def answer_one(self, ids: Tensor, segments: Tensor, rule: Rule, record: bool) -> GraphAnswer:
        """See `GraphClassifier.answer_one`."""
        with self._one:
            return self._answer(self.blocks, ids, segments, rule, record)

    def answer_all(
        self, texts: Sequence[tuple[Tensor, Tensor]], rule: Rule, record: bool
    ) -> list[GraphAnswer]:
        """See `GraphClassifier.answer_all`: several at once, each on one thread."""
        if self._lanes is None or len(texts) == 1:
            return super().answer_all(texts, rule, record)
        return self._lanes.map(lambda blocks, text: self._answer(blocks, *text, rule, record), texts)

    def _answer(self, blocks: Blocks, ids: Tensor, segments: Tensor, rule: Rule, record: bool) -> GraphAnswer:
        length = ids.shape[1]
        pruning = tuple(layer for layer in range(1, self.layers + 1) if rule.needs_importance(layer))
        observed = tuple(range(1, self.layers + 1)) if record else pruning
        inputs = {"positions": np.arange(length), "thresholds": acting(rule, self.layers, length)}
        rows = left = np.arange(length)  # left: of the tokens in `inputs`, by their original positions
        kept: list[np.ndarray] = []
        importance: list[np.ndarray | None] = []
        after = 0
        inputs["hidden"] = blocks.embed(ids.cpu().numpy(), segments.cpu().numpy())
        while after < self.layers:
            to = self._pace.next_stop(after, pruning, self.layers, len(rows))
            within = tuple(layer for layer in observed if after < layer <= to)
            block = Block(after, to, within, static_length(len(rows)))
            found = blocks.run(block, inputs, rows)
            inputs["positions"] = left = left[rows]
            rows = np.arange(len(left))
            for layer in range(after + 1, to + 1):
                seen = layer in within
                importance.append(found[f"importance.{layer}"][rows] if seen else None)
                if seen:
                    rows = np.flatnonzero(found[f"alive.{layer}"][: len(left)])
                kept.append(left[rows])
            after = to
            if after < self.layers:
                inputs["hidden"] = found[f"hidden.{to}"]
        return GraphAnswer(np.array(found["logits"]), kept, importance)


def cached_openvino(
    model: TorchClassifier, precision: str = "float32", calibration: Sequence[Text] | None = None
) -> OpenVinoModel:
    """Convert a model and open it, with the graph kept in the project's cache.

    Args:
        model: what to convert.
        precision: "float32", or "int8".
        calibration: texts that ranges of 8-bit numbers are read off; None for sentences of ours.

    Raises:
        ValueError: if a package is missing, or the model cannot be converted.
    """
    packages = ("openvino", "nncf") if precision == "int8" else ("openvino",)
    require(*packages, install=INSTALL)
    texts = calibration_texts(model, calibration) if precision == "int8" else None
    folder = converted(
        model,
        "openvino",
        precision,
        ("torch", "transformers", *packages),
        lambda draft: write_graph(model, draft / GRAPH_FILE, texts),
        texts or (),
    )
    return OpenVinoModel(folder / GRAPH_FILE, Known.of(model))


def export_openvino(
    model: TorchClassifier,
    path: str | Path,
    precision: str = "float32",
    calibration: Sequence[Text] | None = None,
    checked: Rows | None = None,
) -> Exported:
    """Write the pruned model for OpenVINO and compare it with the engine on real inputs.

    Args:
        model: what to export, with its tokenizer.
        path: a folder, new or empty, which ``PrunedModel.from_pretrained(path, backend="openvino")`` reads.
        precision: "float32", or "int8".
        calibration: texts like those that will be read, see `cached_openvino`.
        checked: rows that both are compared on and scored; None for sentences of ours.

    Raises:
        ValueError: if a package is missing, the path is taken, or the model cannot be converted.
    """
    require(*(("openvino", "nncf") if precision == "int8" else ("openvino",)), install=INSTALL)
    target = Path(path)
    with new_place(target, as_file=False) as draft:
        graph = draft / GRAPH_FILE
        write_graph(model, graph, calibration_texts(model, calibration) if precision == "int8" else None)
        write_beside(model, draft)
        found = compare(model, OpenVinoModel(graph, Known.of(model)), precision, checked)
    return Exported(target / GRAPH_FILE, **found)


def graph_at(source: str | Path) -> Path | None:
    """The graph of an exported folder, or the file itself; None where there is no such file."""
    path = Path(source)
    graph = path if path.suffix == ".xml" else path / GRAPH_FILE
    return graph if graph.is_file() else None


def _options(precision: str, threads: int, digest: str) -> dict[str, object]:
    """OpenVINO's options for one text; what it compiled is kept for the next process."""
    options = latency(threads)
    if precision == "float32":  # by default it takes bfloat16 where the processor has it
        options["INFERENCE_PRECISION_HINT"] = "f32"
    return {**options, "CACHE_DIR": str(cache_folder() / "openvino" / digest[:16])}


def _lanes(precision: str, threads: int, digest: str) -> dict[str, object]:
    """For as many texts at once as there are threads, each on one."""
    return {**_options(precision, threads, digest), "NUM_STREAMS": threads}
