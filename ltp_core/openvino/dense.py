"""The dense Hugging Face model in OpenVINO, as people run it: the peer of the pruned one."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ltp_core.onnx.export import dense_inputs, plain, require
from ltp_core.openvino.convert import INSTALL, calibration_texts, latency, quantized
from ltp_core.prediction import Text, TorchClassifier


def dense_openvino(
    model: TorchClassifier, int8: bool = False, calibration: Sequence[Text] | None = None
) -> Callable[[Mapping[str, Any]], Any]:
    """Convert Hugging Face's own forward, fused attention and all, with shapes that are open.

    Args:
        model: the weights are of this one.
        int8: quantize it by NNCF; else OpenVINO's default, bfloat16 where the processor has it.
        calibration: texts for that; None for sentences of ours.

    Returns:
        What runs a padded batch.

    Raises:
        ValueError: if a package is missing, or the model cannot be converted.
    """
    require(*(("openvino", "nncf") if int8 else ("openvino",)), install=INSTALL)
    import openvino

    names = dense_inputs(model)
    ids = torch.arange(16).remainder(model.config.vocab_size).view(2, 8)  # [2, 8]
    example = {name: torch.ones_like(ids) for name in names} | {"input_ids": ids}
    if "token_type_ids" in names:
        example["token_type_ids"] = torch.zeros_like(ids)
    source = copy.deepcopy(plain(model.hf_model))
    source.set_attn_implementation("sdpa")
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            graph = openvino.convert_model(source.eval(), example_input=example)
    except Exception as error:  # the converter raises many kinds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"this model cannot be converted to OpenVINO: {reason[0]}") from error
    if int8:

        def feed(text: Text) -> dict[str, Any]:
            batch, _ = model.encode([text])
            return {name: batch[name].cpu().numpy() for name in names}

        graph = quantized(graph, calibration_texts(model, calibration), feed)
    options = latency(torch.get_num_threads())
    request = openvino.Core().compile_model(graph, "CPU", options).create_infer_request()
    return lambda batch: request.infer({name: batch[name].cpu().numpy() for name in names})
