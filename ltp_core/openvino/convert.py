"""From a model to OpenVINO's file of its graph, in float32 or 8 bits: any length, to be cut into blocks."""

import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltp_core.data.rows import has_text
from ltp_core.onnx.export import plain, require
from ltp_core.openvino.graph import PRECISION, QUERIES, MaskedGraph, names
from ltp_core.openvino.sample import sample
from ltp_core.prediction import Text, TorchClassifier
from ltp_core.rules import Rule

INPUTS = ("input_ids", "token_type_ids", "positions", "alive", "thresholds")
CALIBRATION = 128  # texts that the ranges of 8-bit activations are read from
PRODUCTS = ("MatMul", "ScaledDotProductAttention")
INSTALL = '".[fast]"'
TOLERANCE = 1e-3  # of what a graph computes at another length than the one that was traced
EXAMPLE = 12  # tokens of the example that is traced; the graph takes any number


def write_graph(model: TorchClassifier, file: Path, calibration: Sequence[Text] | None = None) -> None:
    """Write the graph, all of its layers, with a length that is open.

    Args:
        model: what to convert.
        file: ends in ``.xml``; the weights get ``.bin``.
        calibration: texts like those that will be read, off which NNCF reads the ranges of 8-bit numbers;
            None for float32.

    Raises:
        ValueError: if a package is missing, or the model cannot be converted.
    """
    require("openvino", install=INSTALL)
    import openvino

    graph = _converted(model)
    if calibration is not None:
        graph = quantized(graph, calibration, _feed(model))
    graph.set_rt_info("float32" if calibration is None else "int8", PRECISION)
    graph.set_rt_info(str(model.queries() or 0), QUERIES)
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


def _converted(model: TorchClassifier) -> Any:
    """Trace the graph at one length, and give its outputs their names."""
    import openvino

    module = MaskedGraph(plain(model.hf_model), model.queries()).eval()
    ids = torch.arange(EXAMPLE).remainder(model.config.vocab_size).unsqueeze(0)  # [1, n]
    example = (ids, torch.zeros_like(ids), ids[0], torch.ones(EXAMPLE), torch.zeros(model.layers))
    shapes = [[1, -1], [1, -1], [-1], [-1], [model.layers]]
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter(
                "ignore"
            )  # what is traced holds for one length, it says; tests hold it for all
            graph = openvino.convert_model(
                module, example_input=example, input=[openvino.PartialShape(shape) for shape in shapes]
            )
    except Exception as error:  # the converter raises many kinds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"this model cannot be converted to OpenVINO: {reason[0]}") from error
    for tensor in graph.inputs:
        tensor.get_tensor().set_names(tensor.names & set(INPUTS))
    _check_lengths(module, graph, model)
    for tensor, name in zip(graph.outputs, names(model.layers, model.queries() is not None), strict=True):
        tensor.get_tensor().set_names({name})
    return graph


def _check_lengths(module: MaskedGraph, graph: Any, model: TorchClassifier) -> None:
    """Compare the graph with what was traced at another length: a family may hold the example's as a number.

    Raises:
        ValueError: if the two differ.
    """
    import openvino

    length = min(EXAMPLE + 7, model.max_tokens)
    ids = torch.arange(length).add(5).remainder(model.config.vocab_size).unsqueeze(0)  # [1, n]
    inputs = (ids, torch.zeros_like(ids), torch.arange(length), torch.ones(length), torch.zeros(model.layers))
    with torch.no_grad():
        expected = module(*inputs)
    try:
        compiled = openvino.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        known = {name for tensor in graph.inputs for name in tensor.names}
        given = zip(INPUTS, inputs, strict=True)
        found = compiled({name: part.numpy() for name, part in given if name in known})
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
    them would cost time and accuracy.

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
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
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


def acting(rule: Rule, layers: int, tokens: int) -> np.ndarray:
    """A rule's thresholds as they act on a text of so many tokens, float32 ``[layers]``; 0 keeps all."""
    return np.array([rule.cutoff(layer, tokens) or 0.0 for layer in range(1, layers + 1)], dtype=np.float32)


def latency(threads: int) -> dict[str, Any]:
    """OpenVINO's options for one text as fast as can be."""
    return {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads}
