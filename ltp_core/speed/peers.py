"""Whom we are compared with: other ways to run the same dense weights, and ours, as calls on one batch."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ltp_core.model import PrunedModel
from ltp_core.onnx.classifier import GraphClassifier
from ltp_core.onnx.export import cached_onnx, dense_inputs, write_dense_graph
from ltp_core.onnx.int8 import quantize
from ltp_core.onnx.model import session
from ltp_core.openvino import cached_openvino
from ltp_core.openvino.dense import dense_openvino
from ltp_core.prediction import Text
from ltp_core.rules import Dense, Rule

PEERS = ("sdpa", "eager", "compile", "onnxruntime", "onnxruntime-int8", "openvino", "openvino-int8")

Encoded = Mapping[str, Any]  # what the tokenizer returns
Call = Callable[[Encoded], object]


def peers(
    model: PrunedModel, names: Sequence[str], calibration: Sequence[Text] | None = None
) -> dict[str, Call]:
    """Make the dense peers: Hugging Face's own forward of the same weights, run in different ways.

    Args:
        model: the one whose weights all peers run.
        names: of `PEERS`. "sdpa" and "eager" are Hugging Face's two implementations of attention,
            "compile" is the first under `torch.compile` with dynamic shapes (for its first call see
            `compile_now`), "onnxruntime" the exported graph with dynamic shapes in ONNX Runtime, "openvino"
            the same in OpenVINO's default precision. With "-int8" both in 8 bits: linear layers by channel in
            ONNX Runtime, what NNCF makes of it in OpenVINO.
        calibration: texts for "openvino-int8"; None for sentences of ours.

    Raises:
        ValueError: for an unknown name, or a package or device that is missing.
    """
    check_names(names)
    made: dict[str, Call] = {}
    for name in names:
        runtime, _, int8 = name.partition("-")
        if runtime == "onnxruntime":
            made[name] = _dense_onnx(model, bool(int8))
        elif runtime == "openvino":
            made[name] = dense_openvino(model, bool(int8), calibration)
        else:
            made[name] = _hugging_face(model, name)
    return made


def check_names(names: Sequence[str]) -> None:
    """Refuse a name that is not in `PEERS`."""
    if unknown := [name for name in names if name not in PEERS]:
        raise ValueError(f"unknown peer {unknown[0]!r}; known: {', '.join(PEERS)}")


def compile_now(model: PrunedModel, call: Call) -> float:
    """Make the first call of the peer "compile", which compiles it -> seconds; half a minute is usual.

    Raises:
        ValueError: in one line, where it cannot be compiled: on a CPU that needs a C++ compiler.
    """
    batch, _ = model.encode(["a text"])
    begin = time.perf_counter()
    try:
        with torch.inference_mode():  # as when it is timed: compiled code is for one mode
            call(batch)
    except RuntimeError as error:  # PyTorch's errors of compilation all are
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(f"the peer 'compile' cannot run here: {reason}") from None
    return time.perf_counter() - begin


def pruned_graphs(
    model: PrunedModel, names: Sequence[str], calibration: Sequence[Text] | None = None
) -> dict[str, GraphClassifier]:
    """The pruned model in the runtimes and precisions that are among the peers' names.

    Args:
        model: what is converted.
        names: of `PEERS`.
        calibration: texts for "openvino-int8"; None for sentences of ours.
    """
    made: dict[str, GraphClassifier] = {}
    for name in names:
        runtime, _, int8 = name.partition("-")
        if runtime == "onnxruntime":
            made[name] = cached_onnx(model, int8 or "float32")
        elif runtime == "openvino":
            made[name] = cached_openvino(model, int8 or "float32", calibration)
    return made


def pruned_graph(exported: GraphClassifier, rule: Rule) -> dict[str, Call]:
    """A pruned graph, dense and pruned: it takes the texts of a batch one by one."""

    def call(rule: Rule) -> Call:
        rule = exported.checked(rule)

        def run(batch: Encoded) -> object:
            mask = batch["attention_mask"].bool()
            segments = batch.get("token_type_ids", torch.zeros_like(batch["input_ids"]))
            rows = zip(batch["input_ids"], segments, mask, strict=True)
            texts = [(ids[real][None], kinds[real][None]) for ids, kinds, real in rows]
            return [answer.logits for answer in exported.answer_all(texts, rule, record=False)]

        return run

    return {"packed_dense": call(Dense()), "pruned": call(rule)}


def _hugging_face(model: PrunedModel, name: str) -> Call:
    source = model.hf_model
    peer = type(source)(type(source.config)(**source.config.to_dict()))
    peer.load_state_dict(source.state_dict())
    peer.set_attn_implementation("sdpa" if name == "compile" else name)
    peer.to(model.device).eval()
    run = torch.compile(peer, dynamic=True) if name == "compile" else peer
    return lambda batch: run(**batch)


def _dense_onnx(model: PrunedModel, int8: bool = False) -> Call:
    names = dense_inputs(model)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "dense.onnx"
        write_dense_graph(model, graph)
        if int8:
            quantize(graph)
        runner = session(graph, device=model.device.type)
    return lambda batch: runner.run(None, {name: batch[name].cpu().numpy() for name in names})
