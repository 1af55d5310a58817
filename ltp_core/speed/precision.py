"""The same model in fewer bits: bfloat16, and 8-bit integers by PyTorch's dynamic quantization."""

import copy
import warnings

import torch
from torch import nn

from ltp_core.model import PrunedModel


def bfloat16(model: PrunedModel) -> PrunedModel:
    """A copy with weights and activations in bfloat16."""
    return _with(model, copy.deepcopy(model.hf_model).bfloat16())


def dynamic_int8(model: PrunedModel) -> PrunedModel:
    """A copy whose linear layers hold 8-bit weights and round what comes in to 8 bits, call by call."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", (DeprecationWarning, UserWarning)
        )  # torchao's is not for the CPU alone
        quantized = torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(model.hf_model), {nn.Linear}, dtype=torch.qint8
        )
    return _with(model, quantized)


def _with(model: PrunedModel, network: nn.Module) -> PrunedModel:
    return PrunedModel(network.eval(), model.tokenizer, model.thresholds, model.settings)
