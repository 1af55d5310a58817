"""Weights laid out as oneDNN's matrix kernels read them, once instead of in each call.

With few rows, and few are left after pruning, a matrix product takes as long as reading its weights does.
oneDNN reads a prepacked matrix about 1.5 times as fast as the general product reads a plain one (measured
in docs/performance.md). Hugging Face's model stays as it is: a shallow copy of its modules shares everything
with it, hooks too, but its plain `nn.Linear` read packed weights. A view only says which ones share an input.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltp_core.architectures import onednn

SMALLEST = 2**10  # elements of a matrix that is worth packing


class PackedWeights:
    """A model's packed copy, made when it is first wanted and again when the model has changed.

    What is noticed: a module or parameter replaced, a parameter written to (an optimiser,
    `load_state_dict`), moved or cast. What PyTorch itself does not notice, writing through `.data`, needs
    `clear`, which `PrunedModel.train` and `eval` call. peft switches adapters and merges them in ways of that
    kind, so a model that has some is not packed.
    """

    def __init__(self) -> None:
        self._copy: _Copy | None = None

    def of(self, model: Any) -> Any:
        """Return the packed copy of a model where it gives the same result faster, else the model itself.

        It does on a CPU with oneDNN, in float32, in evaluation mode, where no gradients are wanted. Under
        `torch.autocast` products are to be in half precision, which packed weights would not follow.
        """
        if hasattr(model, "peft_config") or not onednn.available() or torch.is_autocast_enabled("cpu"):
            return model
        if torch.is_grad_enabled() or model.training:
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
    """An `nn.Linear` that multiplies by a packed matrix. It shares parameters and hooks with the original."""

    own: tuple[Tensor, Tensor | None] | None  # packed weight and bias, once wanted
    joined: tuple[Sequence[nn.Module], Tensor, Tensor | None] | None  # with whom, packed weights, biases
    constant: Tensor | None  # what it made of rows that are weights of the model, too

    def forward(self, input: Tensor) -> Tensor:
        """``[..., D_in]`` -> ``[..., D_out]``; as ever, if what comes in is not plain float32."""
        if input.dtype != torch.float32:
            return super().forward(input)
        own = self.own  # another thread may set it meanwhile, to the same
        if own is None:
            self.own = own = (onednn.packed(self.weight), self.bias)
        return onednn.product(input, *own)


def side_by_side(hidden: Tensor, *linears: Any) -> Sequence[Tensor]:
    """Linear layers over the same rows, ``[..., D_in]`` -> ``[..., D_out]`` each.

    One product where all are packed: to start one takes as long as some rows do.
    """
    first = linears[0]
    if not isinstance(first, PackedLinear) or hidden.dtype != torch.float32 or not _alike(linears):
        return [linear(hidden) for linear in linears]
    joined = first.joined
    if joined is None or joined[0] != linears:
        weights, biases = [x.weight for x in linears], [x.bias for x in linears]
        bias = None if first.bias is None else torch.cat(biases)
        first.joined = joined = (linears, onednn.packed(torch.cat(weights)), bias)
    return onednn.product(hidden, *joined[1:]).split([linear.out_features for linear in linears], dim=-1)


def of_weights(linear: Any, rows: Callable[[], Tensor]) -> Tensor:
    """What a linear layer makes of rows that are weights of the model, too: ``[R, D_in]`` -> ``[R, D_out]``.

    Where its own are packed it does so once, until the model changes.

    Args:
        linear: the layer.
        rows: gives the rows; always the same for one layer.
    """
    if not isinstance(linear, PackedLinear):
        made: Tensor = linear(rows())
        return made
    constant = linear.constant  # another thread may set it meanwhile, to the same
    if constant is None:
        linear.constant = constant = linear(rows())
    return constant


class _Copy:
    """A shallow copy of a model, and what it was made of."""

    def __init__(self, model: Any) -> None:
        self.source = model
        self.children: list[tuple[Any, Any]] = []  # a module's children, now and when it was copied
        self.slots: list[tuple[Any, str, Any]] = []  # a module's parameters, a name, what it held
        self.states: list[dict[str, Any]] = []  # its attributes
        self._known: dict[int, nn.Module] = {}
        self.model = self._copied(model)
        self.written = self._written()

    def is_current(self, model: Any) -> bool:
        """Whether the model still is what was copied. Each call asks, so this compares whole lists."""
        return (
            self.source is model
            and all(now == then for now, then in self.children)
            and all(held[name] is value for held, name, value in self.slots)
            and self._written() == self.written
            and True not in [state["training"] for state in self.states]
        )

    def _written(self) -> list[int]:
        """How often each parameter has been written to, and where it lies."""
        values = [value for _, _, value in self.slots if value is not None]
        writes = [0 if value.is_inference() else value._version for value in values]
        return writes + [value.data_ptr() for value in values]

    def _copied(self, module: nn.Module) -> nn.Module:
        """The copy of a module; the module itself where nothing in it is packed."""
        if id(module) in self._known:
            return self._known[id(module)]
        packable, children, held = _packable(module), module._modules, module._parameters
        self.slots += [(held, name, value) for name, value in held.items()]  # also of norms: see `of_weights`
        copies = {name: None if child is None else self._copied(child) for name, child in children.items()}
        if not packable and copies == children:
            return self._known.setdefault(id(module), module)
        copy: Any = object.__new__(PackedLinear if packable else type(module))
        copy.__dict__.update(module.__dict__, _modules=copies)
        if packable:
            copy.__dict__.update(own=None, joined=None, constant=None)
        else:
            self.states.append(module.__dict__)
            self.children.append((children, dict(children)))
        return self._known.setdefault(id(module), copy)


def _packable(module: nn.Module) -> bool:
    """Exactly `nn.Linear`, which excludes what others made of it, on the CPU, in float32, not tiny."""
    if type(module) is not nn.Linear or not isinstance(module._parameters.get("weight"), nn.Parameter):
        return False
    weight = module.weight
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.numel() >= SMALLEST


def _alike(linears: Sequence[Any]) -> bool:
    """Whether all are packed, have a bias or none, and no hook that waits for its own call."""
    return all(
        isinstance(x, PackedLinear)
        and not (x._forward_hooks or x._forward_pre_hooks)
        and (x.bias is None) == (linears[0].bias is None)
        for x in linears
    )
