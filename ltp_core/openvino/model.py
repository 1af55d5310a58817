"""A pruned model that OpenVINO runs: the same calls as `PrunedModel`, block by block."""

import copy
import threading
from collections.abc import Sequence
from functools import cached_property
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
from ltp_core.openvino.convert import (
    INSTALL,
    acting,
    calibration_texts,
    latency,
    packed_beside,
    write_graph,
)
from ltp_core.openvino.embedding import Embedding
from ltp_core.openvino.lanes import Lane, Lanes
from ltp_core.openvino.open_blocks import OpenBlocks
from ltp_core.openvino.packed import seating, shared_rows
from ltp_core.prediction import Text, TorchClassifier
from ltp_core.rules import Rule

GRAPH_FILE = "openvino.xml"


class OpenVinoModel(GraphClassifier):
    """A graph written by `export --format openvino`, with tokenizer and thresholds.

    A text runs as a chain of blocks (`ltp_core.openvino.blocks`), each over the survivors of the one before.
    Any number of threads may call it. One text has all cores; of a batch each core runs some, short ones in
    one row (`ltp_core.openvino.packed`). FLOPs are counted as the engine's: what is padded to a block's
    places, and hidden instead of removed, comes on top.

    Args:
        graph: the file, with its ``.bin`` beside it, and for most families the graph of several texts.
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
        self.precision = self.blocks.precision
        self._embedding = Embedding(graph, self.blocks.options)
        self._lanes: Lanes | None = Lanes(threads, lambda: _lane(graph, self.precision, threads, digest))
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

    @cached_property
    def _packed(self) -> OpenBlocks | None:
        """Blocks of several texts, read when a batch first comes; None for a family that has none."""
        packed = packed_beside(self.blocks.file)
        return OpenBlocks(packed, lambda _: self.blocks.options) if packed.is_file() else None

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
            return self._answer(self._embedding, self.blocks, ids, segments, rule, record)

    def answer_all(
        self, texts: Sequence[tuple[Tensor, Tensor]], rule: Rule, record: bool
    ) -> list[GraphAnswer]:
        """See `GraphClassifier.answer_all`: short texts share a row, of the others each core runs one."""
        if self._lanes is None or len(texts) == 1:
            return super().answer_all(texts, rule, record)
        most = 0 if self._packed is None else self.queries() or self.max_tokens
        together, alone = shared_rows([ids.shape[1] for ids, _ in texts], most)
        found = dict[int, GraphAnswer]()
        for row in together:
            with self._one:
                answers = self._answer_packed([texts[index] for index in row], rule, record)
            found.update(zip(row, answers, strict=True))
        answers = self._lanes.map(
            lambda lane, index: self._answer(lane.embedding, lane.blocks, *texts[index], rule, record), alone
        )
        found.update(zip(alone, answers, strict=True))
        return [found[index] for index in range(len(texts))]

    def _answer(
        self, embedding: Embedding, blocks: Blocks, ids: Tensor, segments: Tensor, rule: Rule, record: bool
    ) -> GraphAnswer:
        length = ids.shape[1]
        positions = np.arange(length)
        inputs = {
            "hidden": embedding(ids.cpu().numpy(), segments.cpu().numpy(), positions),
            "positions": positions,
            "thresholds": acting(rule, self.layers, length),
        }
        logits, kept, importance = self._through(blocks, inputs, self._pace, rule, record)
        return GraphAnswer(logits, kept, importance)

    def _answer_packed(
        self, texts: Sequence[tuple[Tensor, Tensor]], rule: Rule, record: bool
    ) -> list[GraphAnswer]:
        """Several texts in one row: what `_answer` gives for each."""
        assert self._packed is not None
        lengths = [ids.shape[1] for ids, _ in texts]
        begins = np.cumsum([0, *lengths])  # [T + 1]
        owners = np.repeat(np.arange(len(texts)), lengths)
        positions = np.arange(len(owners)) - begins[owners]
        ids, segments = (
            np.concatenate([part.cpu().numpy() for part in parts], axis=1)
            for parts in zip(*texts, strict=True)
        )
        inputs = {
            "hidden": self._embedding(ids, segments, positions),
            "positions": positions,
            "owners": owners,
            "cutoffs": np.repeat([acting(rule, self.layers, length) for length in lengths], lengths, axis=0),
        }
        pace = Cadence(self._pace.together)
        logits, kept, importance = self._through(self._packed, inputs, pace, rule, record)
        cut = [np.searchsorted(rows, begins) for rows in (np.arange(len(owners)), *kept)]
        return [
            GraphAnswer(
                logits[text : text + 1],
                [
                    rows[at[text] : at[text + 1]] - begins[text]
                    for rows, at in zip(kept, cut[1:], strict=True)
                ],
                [
                    share if share is None else share[at[text] : at[text + 1]]
                    for share, at in zip(importance, cut, strict=False)
                ],
            )
            for text in range(len(texts))
        ]

    def _through(
        self, blocks: Blocks, inputs: dict[str, np.ndarray], pace: Cadence, rule: Rule, record: bool
    ) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray | None]]:
        """Run the chain of blocks over a row of n tokens.

        Args:
            blocks: of one text, or of several.
            inputs: see `Blocks.run`.
            pace: where survivors are gathered.
            rule: who stays.
            record: have the importance of every layer.

        Returns:
            The logits; of each layer the places that stay, rising; and the importance of those that entered
            it, or None where nobody asked.
        """
        inputs = dict(inputs)
        count = len(inputs["positions"])
        pruning = tuple(layer for layer in range(1, self.layers + 1) if rule.needs_importance(layer))
        observed = tuple(range(1, self.layers + 1)) if record else pruning
        rows = left = np.arange(count)  # left: of the tokens in `inputs`, by their original places
        kept: list[np.ndarray] = []
        importance: list[np.ndarray | None] = []
        after = 0
        while after < self.layers:
            to = pace.next_stop(after, pruning, self.layers, len(rows))
            within = tuple(layer for layer in observed if after < layer <= to)
            block = Block(after, to, within, static_length(len(rows)))
            if "owners" in inputs:
                inputs["seats"], inputs["seated"] = seating(inputs["owners"][rows])
                block = Block(after, to, within, 0)
            found = blocks.run(block, inputs, rows)
            for name in inputs.keys() & {"positions", "owners", "cutoffs"}:
                inputs[name] = inputs[name][rows]
            left = left[rows]
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
        return np.array(found["logits"]), kept, importance


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


def _lane(graph: Path, precision: str, threads: int, digest: str) -> Lane:
    """What one of as many texts as there are threads runs with, on one of them."""
    options = {**_options(precision, threads, digest), "NUM_STREAMS": threads}
    return Lane(Embedding(graph, options), Blocks(graph, lambda _: options))
