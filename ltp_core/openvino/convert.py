"""From a model to OpenVINO's file of its graph, in float32 or 8 bits: any length, to be cut into blocks."""

import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ltp_core.architectures import view_of
from ltp_core.data.rows import has_text
from ltp_core.onnx.export import plain, require
from ltp_core.onnx.int8 import has_vnni
from ltp_core.openvino.graph import PRECISION, QUERIES, MaskedGraph, names
from ltp_core.openvino.packed import PackedGraph, packed_names, seating
from ltp_core.openvino.sample import sample
from ltp_core.prediction import Text, TorchClassifier
from ltp_core.rules import Rule
from ltp_core.run import Inputs

INPUTS = ("input_ids", "token_type_ids", "positions", "alive", "thresholds")
PACKED_INPUTS = ("hidden", "positions", "alive", "cutoffs", "seats", "seated")
CALIBRATION = 128  # texts that the ranges of 8-bit activations are read from
PRODUCTS = ("MatMul", "ScaledDotProductAttention")
INSTALL = '".[fast]"'
TOLERANCE = 1e-3  # of what a graph computes at another length than the one that was traced
EXAMPLE = 12  # tokens of the example that is traced; the graph takes any number


def write_graph(model: TorchClassifier, file: Path, calibration: Sequence[Text] | None = None) -> None:
    """Write the graph of one text, with all layers and an open length, and beside it that of several.

    Args:
        model: what to convert.
        file: ends in ``.xml``; the weights get ``.bin``. See `packed_beside` for the other.
        calibration: texts like those that will be read, off which NNCF reads the ranges of 8-bit numbers;
            None for float32.

    Raises:
        ValueError: if a package is missing, or the model cannot be converted.
    """
    require("openvino", install=INSTALL)
    hf_model, queries = plain(model.hf_model), model.queries()
    module = MaskedGraph(hf_model, queries).eval()
    examples = [_example(model, tokens) for tokens in (EXAMPLE, min(EXAMPLE + 7, model.max_tokens))]
    shapes = [[1, -1], [1, -1], [-1], [-1], [model.layers]]
    graph = _converted(module, examples, shapes, INPUTS, names(model.layers, queries is not None))
    _save(graph, file, calibration, _feed(model), queries)
    if not view_of(hf_model).reads_first_token:
        return  # a mean over tokens is not taken of several texts at once
    examples = [_packed_example(model, 2, EXAMPLE // 2), _packed_example(model, 3, EXAMPLE)]
    shapes = [[-1, *part.shape[1:]] for part in examples[0][:-1]] + [[-1, -1]]
    graph = _converted(
        PackedGraph(hf_model).eval(), examples, shapes, PACKED_INPUTS, packed_names(model.layers)
    )
    _save(graph, packed_beside(file), calibration, _packed_feed(model), None)


def packed_beside(file: Path) -> Path:
    """Where the graph of several texts lies, beside that of one; there is none for some families."""
    return file.with_name(f"{file.stem}-packed{file.suffix}")


def _save(
    graph: Any,
    file: Path,
    calibration: Sequence[Text] | None,
    feed: Callable[[Text], dict[str, np.ndarray]],
    queries: int | None,
) -> None:
    import openvino

    if calibration is not None:
        graph = quantized(graph, calibration, feed)
    graph.set_rt_info("float32" if calibration is None else "int8", PRECISION)
    graph.set_rt_info(str(queries or 0), QUERIES)
    openvino.save_model(graph, file, compress_to_fp16=False)


def calibration_texts(model: TorchClassifier, texts: Sequence[Text] | None = None) -> list[Text]:
    """The texts that 8 bits are calibrated on: those given, at most `CALIBRATION`, or sentences of ours.

    Raises:
        ValueError: without a tokenizer to read them with, or if none has a token.
    """
    if model.tokenizer is None:
        raise ValueError("8 bits are calibrated on texts, and this model has no tokenizer to read them")
    found = [text for text in texts or sample(model, CALIBRATION) if has_text(text)][:CALIBRATION]
    if not found:
        raise ValueError("there is no text to calibrate 8 bits on")
    return found


def _example(model: TorchClassifier, tokens: int) -> tuple[torch.Tensor, ...]:
    """Inputs of `MaskedGraph`, of a text of so many tokens."""
    ids = torch.arange(tokens).add(tokens).remainder(model.config.vocab_size).unsqueeze(0)  # [1, n]
    return ids, torch.zeros_like(ids), torch.arange(tokens), torch.ones(tokens), torch.zeros(model.layers)


def _packed_example(model: TorchClassifier, texts: int, tokens: int) -> tuple[torch.Tensor, ...]:
    """Inputs of `PackedGraph`, of so many texts of so many tokens."""
    places = texts * tokens
    owners, positions = np.divmod(np.arange(places), tokens)
    seats, seated = seating(owners)
    hidden = torch.randn(places, model.dimensions.hidden, generator=torch.Generator().manual_seed(places))
    return (
        hidden,
        torch.from_numpy(positions),
        torch.ones(places),
        torch.zeros(places, model.layers),
        torch.from_numpy(seats[:places]),
        torch.from_numpy(seated),
    )


def _converted(
    module: nn.Module,
    examples: Sequence[tuple[torch.Tensor, ...]],
    shapes: Sequence[Sequence[int]],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> Any:
    """Trace a graph at one length, check it at another, and give its inputs and outputs their names.

    Args:
        module: what is traced.
        examples: inputs of the module, at both lengths.
        shapes: of the inputs, with -1 for what is open.
        inputs: names of the inputs.
        outputs: names of the outputs.

    Raises:
        ValueError: if it cannot be converted, or the graph holds for one length only.
    """
    import openvino

    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter(
                "ignore"
            )  # what is traced holds for one length, it says; tests hold it for all
            graph = openvino.convert_model(
                module,
                example_input=examples[0],
                input=[openvino.PartialShape(list(shape)) for shape in shapes],
            )
    except Exception as error:  # the converter raises many kinds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"this model cannot be converted to OpenVINO: {reason[0]}") from error
    for tensor in graph.inputs:
        tensor.get_tensor().set_names(tensor.names & set(inputs))
    _check_lengths(module, graph, dict(zip(inputs, examples[1], strict=True)))
    for tensor, name in zip(graph.outputs, outputs, strict=True):
        tensor.get_tensor().set_names({name})
    return graph


def _check_lengths(module: nn.Module, graph: Any, inputs: dict[str, torch.Tensor]) -> None:
    """Compare the graph with what was traced at another length: a family may hold the example's as a number.

    Raises:
        ValueError: if the two differ.
    """
    import openvino

    with torch.no_grad():
        expected = module(*inputs.values())
    try:
        compiled = openvino.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        known = {name for tensor in graph.inputs for name in tensor.names}
        found = compiled({name: part.numpy() for name, part in inputs.items() if name in known})
        same = all(
            found[at].shape == tuple(part.shape) and np.abs(found[at] - part.numpy()).max() < TOLERANCE
            for at, part in enumerate(expected)
        )
    except RuntimeError:
        same = False
    if not same:
        raise ValueError("this model cannot run in OpenVINO: its graph holds for texts of one length only")


def quantized(graph: Any, texts: Sequence[Text], feed: Callable[[Text], dict[str, np.ndarray]]) -> Any:
    """Linear layers in 8 bits, weights by channel, activations in ranges that NNCF reads off texts.

    A range goes from the least to the greatest number in all texts. NNCF's own choice is the mean of what
    each text reaches, which cuts off half of the texts where one row counts, as [CLS] does in the end.
    OpenVINO's fused attention computes in floats, and so do we with the importance: to round what goes into
    them would cost time and accuracy. Without VNNI weights take 7 bits, as sums of two 8-bit products would
    overflow there.

    Args:
        graph: in float32.
        texts: what to read them off.
        feed: a text -> the graph's inputs.
    """
    require("nncf", install=INSTALL)
    import nncf
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    nncf.set_log_level(logging.ERROR)  # it tells of each step
    return nncf.quantize(
        graph,
        nncf.Dataset(texts, feed),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(texts),
        ignored_scope=nncf.IgnoredScope(names=_attention(graph)),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix.DISABLE if has_vnni() else nncf.OverflowFix.ENABLE,
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        ),
    )


def _attention(graph: Any) -> list[str]:
    """The products of a graph that have no weights: fused attention, and the scores of the importance."""

    def has_weights(node: Any) -> bool:
        sources = [node.input_value(at).get_node() for at in range(node.get_input_size())]
        return any(source.get_type_name() == "Constant" for source in sources)

    products = [node for node in graph.get_ops() if node.get_type_name() in PRODUCTS]
    return [node.get_friendly_name() for node in products if not has_weights(node)]


def _feed(model: TorchClassifier) -> Callable[[Text], dict[str, np.ndarray]]:
    """Turns a text into the graph's inputs, without padding, pruned as the model learned to."""

    def feed(text: Text) -> dict[str, np.ndarray]:
        batch, _ = model.encode([text])
        ids, segments = batch["input_ids"].cpu().numpy(), batch.get("token_type_ids")
        length = ids.shape[1]
        return {
            "input_ids": ids,
            "token_type_ids": np.zeros_like(ids) if segments is None else segments.cpu().numpy(),
            "positions": np.arange(length),
            "alive": np.ones(length, dtype=np.float32),
            "thresholds": acting(model.learned_rule, model.layers, length),
        }

    return feed


def _packed_feed(model: TorchClassifier) -> Callable[[Text], dict[str, np.ndarray]]:
    """The same for the graph of several texts: one of them, embedded by the model itself."""
    alone, view = _feed(model), view_of(plain(model.hf_model))

    def feed(text: Text) -> dict[str, np.ndarray]:
        inputs = alone(text)
        ids, segments = (torch.from_numpy(inputs[name]) for name in ("input_ids", "token_type_ids"))
        length, positions = ids.shape[1], inputs["positions"]
        with torch.inference_mode():
            tokens = Inputs(ids, torch.ones_like(ids), segments)
            hidden = view.start(view.embed(tokens, torch.from_numpy(positions).unsqueeze(0)))
        return {
            "hidden": hidden.squeeze(0).numpy(),
            "positions": positions,
            "alive": inputs["alive"],
            "cutoffs": np.tile(inputs["thresholds"], (length, 1)),
            "seats": positions,
            "seated": positions[np.newaxis],
        }

    return feed


def acting(rule: Rule, layers: int, tokens: int) -> np.ndarray:
    """A rule's thresholds as they act on a text of so many tokens, float32 ``[layers]``; 0 keeps all."""
    return np.array([rule.cutoff(layer, tokens) or 0.0 for layer in range(1, layers + 1)], dtype=np.float32)


def latency(threads: int) -> dict[str, Any]:
    """OpenVINO's options for one text as fast as can be."""
    return {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads}
