"""Weights laid out as oneDNN's matrix kernels read them, once instead of in each call.

With few rows, and few are left after pruning, a matrix product takes as long as reading its weights does.
oneDNN reads a prepacked matrix about 1.5 times as fast as the general product reads a plain one (measured
in docs/performance.md). Hugging Face's model stays as it is: a shallow copy of its modules shares everything
with it, hooks too, but its plain `nn.Linear` read packed weights. Nothing in a view or family knows.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import flop_registry, register_flop_formula

SMALLEST = 2**10  # elements of a matrix that is worth packing


class PackedWeights:
    """A model's packed copy, made when it is first wanted and again when the model has changed.

    What is noticed: a module or parameter replaced (peft), a parameter written to (an optimiser,
    `load_state_dict`), moved or cast. What PyTorch itself does not notice, writing through `.data`, needs
    `clear`, which `PrunedModel.train` and `eval` call.
    """

    def __init__(self) -> None:
        self._copy: _Copy | None = None

    def of(self, model: Any) -> Any:
        """Return the packed copy of a model where it gives the same result faster, else the model itself.

        It does on a CPU with oneDNN, in float32, in evaluation mode, where no gradients are wanted.
        """
        if torch.is_grad_enabled() or model.training or not torch.backends.mkldnn.is_available():
            return model
        copy = self._copy  # another thread may replace it meanwhile
        if copy is None or not copy.is_current(model):
            self._copy = copy = _Copy(model)
        return copy.model

    def clear(self) -> None:
        """Forget the copy and free its memory."""
        self._copy = None

    def __deepcopy__(self, memo: Any) -> "PackedWeights":
        """A copied model packs its own weights."""
        return PackedWeights()

    def __reduce__(self) -> Any:
        """So does a pickled one."""
        return PackedWeights, ()


class PackedLinear(nn.Linear):
    """An `nn.Linear` that multiplies by `packed`. It shares parameters and hooks with the original."""

    packed: Tensor

    def forward(self, input: Tensor) -> Tensor:
        """``[..., D_in]`` -> ``[..., D_out]``; as ever, if what comes in is not plain float32."""
        if input.dtype != torch.float32:
            return super().forward(input)
        return torch.ops.mkldnn._linear_pointwise.default(input, self.packed, self.bias, "none", [], "")


class _Copy:
    """A shallow copy of a model, and what it was made of."""

    def __init__(self, model: Any) -> None:
        self.source = model
        self.links: list[tuple[Any, str, Any]] = []  # (the original's dictionary, name, what it held)
        self.weights: list[tuple[Tensor, int, int]] = []  # (weight, its version, its address)
        self.modules: list[nn.Module] = []  # the originals
        self._known: dict[int, nn.Module] = {}
        self.model = self._copied(model)

    def is_current(self, model: Any) -> bool:
        """Whether the model still is what was copied."""
        return (
            self.source is model
            and all(held.get(name) is value for held, name, value in self.links)
            and all(
                weight._version == version and weight.data_ptr() == address
                for weight, version, address in self.weights
            )
            and not any(module.training for module in self.modules)
        )

    def _copied(self, module: nn.Module) -> nn.Module:
        if id(module) in self._known:
            return self._known[id(module)]
        packable = _packable(module)
        copy = object.__new__(PackedLinear if packable else type(module))
        copy.__dict__.update(module.__dict__)
        self._known[id(module)] = copy
        self.modules.append(module)
        copy.__dict__["_modules"] = {name: self._child(module, name) for name in module._modules}
        if packable:
            self._pack(module, copy)
        return copy

    def _child(self, module: nn.Module, name: str) -> nn.Module | None:
        child = module._modules[name]
        self.links.append((module._modules, name, child))
        return None if child is None else self._copied(child)

    def _pack(self, linear: Any, copy: Any) -> None:
        weight = linear.weight
        self.links.append((linear._parameters, "weight", weight))
        self.weights.append((weight, weight._version, weight.data_ptr()))
        copy.packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach())


def _packable(module: nn.Module) -> bool:
    """Exactly `nn.Linear`, which excludes what others made of it, on the CPU, in float32, not tiny."""
    if type(module) is not nn.Linear or not isinstance(module._parameters.get("weight"), nn.Parameter):
        return False
    weight = module.weight
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.numel() >= SMALLEST


if torch.ops.mkldnn._linear_pointwise not in flop_registry:  # so that PyTorch's counter sees these products

    @register_flop_formula(torch.ops.mkldnn._linear_pointwise)
    def _linear_flops(rows: Any, weight: Any, *others: Any, **options: Any) -> int:
        """Two for each multiplication, as for `addmm`."""
        return 2 * int(torch.Size(rows).numel()) * int(weight[0])
