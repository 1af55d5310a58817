"""oneDNN's prepacked matrix products, which PyTorch has under private names only; nobody else knows them.

Where a PyTorch lacks one of them, `available` says no and everything runs on the model's own modules, with
the same results and more slowly.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry, register_flop_formula

NAMES = ("_reorder_linear_weight", "_linear_pointwise")


def missing() -> list[str]:
    """Those of the private operators that this PyTorch does not have."""
    return [name for name in NAMES if not hasattr(torch.ops.mkldnn, name)]


def available() -> bool:
    """Whether matrices can be packed here."""
    return torch.backends.mkldnn.is_available() and not missing()


def packed(weight: Tensor) -> Tensor:
    """``[D_out, D_in]`` as oneDNN reads it."""
    return torch.ops.mkldnn._reorder_linear_weight(weight.detach())


def product(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``[..., D_in]`` times a packed ``[D_out, D_in]``, with its bias -> ``[..., D_out]``."""
    return torch.ops.mkldnn._linear_pointwise.default(rows, weight, bias, "none", [], "")


def count_flops() -> None:
    """Tell PyTorch's own counter what a packed product costs; it sees nothing inside of one by itself."""
    operator = torch.ops.mkldnn._linear_pointwise
    if operator in flop_registry:
        return

    @register_flop_formula(operator)
    def _linear_flops(rows: Any, weight: Any, *others: Any, **options: Any) -> int:
        """Two for each multiplication, as for `addmm`."""
        return 2 * int(torch.Size(rows).numel()) * int(weight[0])


if available():
    count_flops()
