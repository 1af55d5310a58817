"""The graph cut into blocks, each compiled for the lengths that texts have there, so that pruning pays.

A block is the FFN of one layer with all that follows up to the attention of a later one; between two blocks
the survivors are gathered. Tokens that leave within a block are hidden by its mask. A block is cut and
compiled when it is first needed, and OpenVINO keeps what it compiled in a folder for the next process.
"""

import copy
import json
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltp_core.bases import CheckpointError
from ltp_core.files.places import ROOT
from ltp_core.openvino.graph import PRECISION, QUERIES, names
from ltp_core.openvino.packed import packed_names

# Tokens that a block can hold: steps are small, as padding is computed, and few, as each is compiled.
LENGTHS = (8, 16, 24, 32, 48, 64, 80, 96, 112, 128)
STEP = 32  # beyond these
TABLE = ROOT / "assets" / "results" / "performance-blocks.json"


def static_length(tokens: int) -> int:
    """The places of the block that holds so many tokens."""
    if tokens > LENGTHS[-1]:
        return -(-tokens // STEP) * STEP
    return LENGTHS[bisect_left(LENGTHS, tokens)]


@dataclass(frozen=True)
class Block:
    """A piece of the graph.

    Attributes:
        after: the layer whose attention it begins behind; 0 begins with the embedded tokens.
        to: the layer behind whose attention it ends; the last goes on to the logits.
        observed: the layers in between whose importance is computed; nothing leaves in others.
        length: how many places it has; 0 leaves that open.
    """

    after: int
    to: int
    observed: tuple[int, ...]
    length: int

    def outputs(self, layers: int) -> list[str]:
        """What it puts out, of a graph of so many layers; as `graph.names` calls it."""
        end = "logits" if self.to == layers else f"hidden.{self.to}"
        return [end, *(f"{name}.{layer}" for layer in self.observed for name in ("alive", "importance"))]


@dataclass(frozen=True)
class Ready:
    """A block that was compiled.

    Attributes:
        request: OpenVINO's, which runs it.
        inputs: the memory that it reads, by name; its lengths are fixed, so the memory stays where it is.
        outputs: the memory that it writes.
    """

    request: Any
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]


@dataclass(frozen=True)
class Cadence:
    """How many layers one block takes, by the tokens that enter it: a call costs as much as some tokens do.

    Attributes:
        together: up to so many tokens all that is left is one block.
        pairs: up to so many, two layers are.
    """

    together: int = 0
    pairs: int = 0

    def next_stop(self, after: int, pruning: tuple[int, ...], layers: int, tokens: int) -> int:
        """Where a block ends that begins behind layer `after`.

        Args:
            after: as in `Block`.
            pruning: the layers behind whose attention tokens may leave.
            layers: L.
            tokens: how many enter.

        Returns:
            The layer where survivors are gathered next; L where nothing is before the last, whose FFN sees
            [CLS] alone.
        """
        step = layers if tokens <= self.together else 2 if tokens <= self.pairs else 1
        return next((layer for layer in pruning if after + step <= layer < layers), layers)


class Blocks:
    """All blocks of one graph, made as they are needed.

    Args:
        file: a graph that `convert.write_graph` wrote, of one text or of several.
        options: the graph's precision -> OpenVINO's options, for all blocks.

    Raises:
        CheckpointError: if the file cannot be read, or is no such graph.
        ValueError: for a family that cannot run in blocks, see `cut`.
    """

    def __init__(self, file: Path, options: Callable[[str], dict[str, Any]]) -> None:
        import openvino

        self._core, self.file = openvino.Core(), file
        self._models: dict[Block, Any] = {}
        self._ready: dict[Block, Ready] = {}
        self._compiling = threading.Lock()
        graph = self._read()
        found = [output.any_name for output in graph.outputs if output.names]
        self.layers = sum(name.startswith("alive.") for name in found)
        written = graph.has_rt_info(PRECISION) and graph.has_rt_info(QUERIES)
        if found not in _written(self.layers) or not written:
            raise CheckpointError(f"{file} was not written by `ltp export --format openvino`")
        self.precision: str = graph.get_rt_info(PRECISION).astype(str)
        self.options = options(self.precision)
        if self.layers > 1:  # says at once if this family's layers look back
            cut(self._read(), Block(1, self.layers, (), LENGTHS[0]))

    def lane(self) -> "Blocks":
        """The same compiled blocks with memory of their own, for another thread."""
        other = copy.copy(self)
        other._ready = {}
        return other

    def run(self, block: Block, inputs: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
        """Run a block over some rows of its inputs, which are gathered into its memory.

        Args:
            block: which.
            inputs: ``hidden`` ``[n, D]`` and ``positions`` ``[n]``, whose rows are taken, and ``thresholds``.
            rows: long ``[m]``, at most the block's places.

        Returns:
            By name what it puts out, valid until it runs again; places behind the m are of no meaning.
        """
        ready, count = self.ready(block), len(rows)
        for name, memory in ready.inputs.items():
            if name == "thresholds":
                memory[:] = inputs[name]
            elif name == "alive":
                memory[:count], memory[count:] = 1, 0
            else:
                np.take(inputs[name], rows, axis=0, out=memory[:count], mode="clip")
                memory[count:] = 0
        ready.request.infer(share_outputs=True)
        return ready.outputs

    def ready(self, block: Block) -> "Ready":
        """A block with its memory, compiled if it is new."""
        if block not in self._ready:
            with self._compiling:
                if block not in self._models:
                    self._models[block] = self._compiled(block)
            request = self._models[block].create_infer_request()
            used = names_of(request.model_inputs) & {"hidden", "positions", "alive", "thresholds"}
            views = (
                {name: request.get_tensor(name).data for name in group}
                for group in (used, block.outputs(self.layers))
            )
            self._ready[block] = Ready(request, *views)
        return self._ready[block]

    def _compiled(self, block: Block) -> Any:
        piece = cut(self._read(), block)
        if block.length:
            piece.reshape({tensor: _shape(tensor, block.length) for tensor in piece.inputs})
        return self._core.compile_model(piece, "CPU", self.options)

    def _read(self) -> Any:
        return read_graph(self._core, self.file)


def read_graph(core: Any, file: Path) -> Any:
    """A graph that OpenVINO's core reads from a file.

    Raises:
        CheckpointError: if it cannot.
    """
    try:
        return core.read_model(file)
    except RuntimeError as error:
        raise CheckpointError(f"OpenVINO cannot read {file}: {_last_line(error)}") from None


def cut(graph: Any, block: Block) -> Any:
    """The piece of a graph that is a block; its length stays open, and the graph is used up.

    Raises:
        ValueError: if the family's layers look back at what is before the block.
    """
    import openvino

    results, inputs = _named(graph)
    before = inputs["alive"].output(0)
    if (begin := f"hidden.{block.after}") in results:  # was computed there, and comes in from outside
        hidden, earlier = results[begin].input_value(0), inputs.get("hidden")
        inputs["hidden"] = openvino.op.Parameter(hidden.get_element_type(), hidden.get_partial_shape())
        inputs["hidden"].output(0).get_tensor().set_names({"hidden"})
        _replace(hidden, inputs["hidden"].output(0))
        if earlier is not None:  # of several texts; later layers still take its shape, which is theirs
            _replace(earlier.output(0), inputs["hidden"].output(0))
    if block.after:
        _replace(results[f"alive.{block.after}"].input_value(0), before)
    ask_all = 0 < block.length <= int(graph.get_rt_info(QUERIES).astype(str))
    layers = sum(name.startswith("alive.") for name in results)
    for layer in range(block.after + 1, block.to + 1):
        if layer not in block.observed:  # who is alive stays who was, and the importance is not computed
            _replace(results[f"alive.{layer}"].input_value(0), before)
        elif ask_all:
            _ask_all(results[f"asked.{layer}"], results[f"weights.{layer}"], before)
        before = results[f"alive.{layer}"].input_value(0)
    piece = _piece([results[name] for name in block.outputs(layers)], inputs)
    if looked_at := names_of(piece.inputs) & {"input_ids", "token_type_ids"}:
        raise ValueError(f"this family cannot run in blocks: its layers look back at {looked_at.pop()}")
    return piece


def _ask_all(asked: Any, weights: Any, alive: Any) -> None:
    """Average over all places that are alive, in place of a sample that would hold them all."""
    from openvino import opset13 as ops

    for target in asked.input_value(0).get_target_inputs():
        if target.get_node().get_type_name() == "Gather":
            _replace(target.get_node().output(0), target.get_node().input_value(0))
    count = ops.reduce_sum(alive, ops.constant([0], dtype="int64"), keep_dims=True)
    _replace(weights.input_value(0), ops.divide(alive, count).output(0))


def piece_of(graph: Any, ends: list[str]) -> Any:
    """What some of a graph's outputs depend on."""
    results, inputs = _named(graph)
    return _piece([results[name] for name in ends], inputs)


def names_of(tensors: Iterable[Any]) -> set[str]:
    """All names of some tensors; OpenVINO gives one those of what it left out behind it, too."""
    return {name for tensor in tensors for name in tensor.names}


def _written(layers: int) -> list[list[str]]:
    """What a graph of ours calls its outputs: of one text, with a sample or without, and of several."""
    return [names(layers, sampled=True), names(layers, sampled=False), packed_names(layers)]


def _named(graph: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A graph's results and parameters by their names."""
    outputs = zip(graph.outputs, graph.get_results(), strict=True)
    parameters = {parameter.output(0).any_name: parameter for parameter in graph.get_parameters()}
    return {output.any_name: result for output, result in outputs}, parameters


def _piece(ends: list[Any], inputs: dict[str, Any]) -> Any:
    """What some results depend on, as a graph with those of the inputs that it needs."""
    import openvino

    used = _reached(ends)
    return openvino.Model(ends, [parameter for parameter in inputs.values() if parameter.get_name() in used])


def _replace(old: Any, new: Any) -> None:
    """Whoever reads one tensor reads another from now on."""
    for target in old.get_target_inputs():
        target.replace_source_output(new)


def _reached(ends: list[Any]) -> set[str]:
    """The unique names of all nodes that some results depend on."""
    seen: set[str] = set()
    waiting = list(ends)
    while waiting:
        node = waiting.pop()
        if node.get_name() not in seen:
            seen.add(node.get_name())
            waiting += [node.input_value(at).get_node() for at in range(node.get_input_size())]
    return seen


def _shape(tensor: Any, length: int) -> list[int]:
    """A tensor's shape with its open dimension filled in."""
    return [length if side.is_dynamic else side.get_length() for side in tensor.get_partial_shape()]


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def measured() -> Cadence:
    """The pace that `ltp blocks` measured; where nobody did, every layer that prunes ends a block."""
    try:
        table = json.loads(TABLE.read_text(encoding="utf-8"))
        return Cadence(int(table["together"]), int(table["pairs"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Cadence()
