"""LoRA (Hu et al. 2021): a large base is fine-tuned by two thin factors a matrix, so that it ships small.

The factors are those of the difference to the base, at every stage: the pruning stages go on with what the
dense stage learned, and all that was learned together is of one rank. Folders hold merged, plain models.
"""

from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from ltp_core.bases import WEIGHTS, Base, CheckpointError, base_folder
from ltp_core.weights.deltas import factors


def with_factors(hf_model: Any, base: Base, rank: int) -> Any:
    """Return a model whose encoder learns factors of its difference to a base, and whose head learns freely.

    Args:
        hf_model: the base with a head, fresh or tuned; every matrix differs from the base by `rank` at most.
        base: what it differs from.
        rank: columns of the factors.

    Returns:
        A peft model around it, with the same logits.

    Raises:
        CheckpointError: if peft is not installed.
    """
    try:
        from peft import LoraConfig, TaskType, get_peft_model
    except ImportError:
        raise CheckpointError("training with --rank needs peft: pip install 'ltp-lab[base]'") from None
    origin = load_file(base_folder(base) / WEIGHTS)
    encoder = getattr(hf_model, hf_model.base_model_prefix)
    tuned = {name: module for name, module in encoder.named_modules() if isinstance(module, nn.Linear)}
    differences = {name: module.weight.data - origin[f"{name}.weight"] for name, module in tuned.items()}
    for name, module in tuned.items():
        module.weight.data.copy_(origin[f"{name}.weight"])
    prefix = hf_model.base_model_prefix
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,  # the head is trained whole
        r=rank,
        lora_alpha=rank,  # the product of the factors is the difference itself
        target_modules=[f"{prefix}.{name}" for name in tuned],
    )
    wrapped = get_peft_model(hf_model, config)
    for name, difference in differences.items():
        if difference.any():
            layer: Any = wrapped.get_base_model().get_submodule(f"{prefix}.{name}")
            left, right = factors(difference, rank)
            with torch.no_grad():
                layer.lora_B["default"].weight.copy_(left)
                layer.lora_A["default"].weight.copy_(right)
    return wrapped
