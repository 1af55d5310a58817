"""Whom we are compared with: other ways to run the same dense weights, and ours, as calls on one batch."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ltp_core.model import PrunedModel
from ltp_core.onnx.export import dense_inputs, write_dense_graph
from ltp_core.onnx.model import OnnxModel, feeds, session
from ltp_core.rules import Dense, Rule

PEERS = ("sdpa", "eager", "compile", "onnxruntime")

Encoded = Mapping[str, Any]  # what the tokenizer returns
Call = Callable[[Encoded], object]


def peers(model: PrunedModel, names: Sequence[str]) -> dict[str, Call]:
    """Make the dense peers: Hugging Face's own forward of the same weights, run in different ways.

    Args:
        model: the one whose weights all peers run.
        names: of `PEERS`. "sdpa" and "eager" are Hugging Face's two implementations of attention,
            "compile" is the first under `torch.compile` with dynamic shapes (for its first call see
            `compile_now`), "onnxruntime" the exported graph with dynamic shapes in ONNX Runtime.

    Raises:
        ValueError: for an unknown name, or a package or device that is missing.
    """
    check_names(names)
    return {
        name: _dense_onnx(model) if name == "onnxruntime" else _hugging_face(model, name) for name in names
    }


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


def pruned_graph(exported: OnnxModel, rule: Rule) -> dict[str, Call]:
    """The pruned ONNX graph, dense and pruned: it takes the texts of a batch one after the other."""

    def call(rule: Rule) -> Call:
        thresholds = exported.threshold_input(rule)

        def run(batch: Encoded) -> object:
            mask = batch["attention_mask"].bool()
            segments = batch.get("token_type_ids", torch.zeros_like(batch["input_ids"]))
            rows = zip(batch["input_ids"], segments, mask, strict=True)
            return [
                exported.session.run(["logits"], feeds(ids[real][None], kinds[real][None], thresholds))[0]
                for ids, kinds, real in rows
            ]

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


def _dense_onnx(model: PrunedModel) -> Call:
    names = dense_inputs(model)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "dense.onnx"
        write_dense_graph(model, graph)
        runner = session(graph, device=model.device.type)
    return lambda batch: runner.run(None, {name: batch[name].cpu().numpy() for name in names})
