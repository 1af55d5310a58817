"""A fine-tuned model as its small difference to a base.

Matrices are stored as differences, rounded to a few bits a weight or as two thin factors; everything else
(biases, norms, the classifier head) as it is. What did not change is not stored.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

_CODES = {4: ".codes4", 8: ".codes8"}
_SCALES, _PLAIN = ".scales", ".plain"
_LEFT, _RIGHT = ".left", ".right"
EXACT = 2e-3  # relative: what rounding factors to half precision may cost; more says that the rank is higher

Packing = Callable[[Tensor], dict[str, Tensor]]  # a difference [R, C] -> what is stored of it, by suffix


def encode(tuned: Mapping[str, Tensor], base: Mapping[str, Tensor], store: Packing) -> dict[str, Tensor]:
    """Return what has to be stored to get `tuned` back from `base`.

    Args:
        tuned: state dict of the fine-tuned model.
        base: state dict of the base; names that it lacks are stored as they are.
        store: `rounded` or `low_rank`.

    Raises:
        ValueError: if `store` cannot hold a difference.
    """
    stored: dict[str, Tensor] = {}
    for name, weight in tuned.items():
        weight = weight.detach().cpu()
        origin = base.get(name)
        if origin is not None and origin.shape == weight.shape:
            if torch.equal(origin.cpu(), weight):
                continue
            if weight.dim() == 2:
                stored |= {name + suffix: part for suffix, part in store(weight - origin.cpu()).items()}
                continue
        stored[name + _PLAIN] = weight.contiguous()
    return stored


def rounded(bits: int) -> Packing:
    """Differences at 4 or 8 bits a weight, with one scale a row.

    Raises:
        ValueError: for another number of bits.
    """
    if bits not in _CODES:
        raise ValueError(f"bits must be one of {tuple(_CODES)}, got {bits}")

    def store(difference: Tensor) -> dict[str, Tensor]:
        codes, scales = _quantise(difference, bits)
        return {_CODES[bits]: codes, _SCALES: scales}

    return store


def low_rank(rank: int) -> Packing:
    """Differences of at most this rank, as LoRA leaves them: two factors in half precision.

    The stored function raises ValueError for a difference of a higher rank.
    """

    def store(difference: Tensor) -> dict[str, Tensor]:
        left, right = (factor.half() for factor in factors(difference, rank))
        lost = (left.float() @ right.float() - difference).norm() / difference.norm()
        if lost > EXACT:
            raise ValueError(f"a difference is not of rank {rank}: {lost:.1%} of it would be lost")
        return {_LEFT: left.contiguous(), _RIGHT: right.contiguous()}

    return store


def factors(difference: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The nearest product of two factors: ``[R, C]`` -> ``[R, r]`` and ``[r, C]``, equally large."""
    left, values, right = torch.linalg.svd(difference.float(), full_matrices=False)
    root = values[:rank].sqrt()
    return left[:, :rank] * root, root.unsqueeze(1) * right[:rank]


def decode(stored: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state dict that `encode` was given, up to rounding.

    Raises:
        ValueError: if `stored` does not fit `base`.
    """
    weights = dict(base)
    for key, value in stored.items():
        name, _, kind = key.rpartition(".")
        if "." + kind == _PLAIN:
            weights[name] = value
        elif "." + kind in (_LEFT, *_CODES.values()):
            partner = _RIGHT if "." + kind == _LEFT else _SCALES
            if name not in base or name + partner not in stored:
                missing = "right factor" if partner == _RIGHT else "scales"
                raise ValueError(f"the stored difference of {name!r} has no base or no {missing}")
            origin = base[name]
            if partner == _RIGHT:
                difference = _product(value, stored[name + _RIGHT])
            else:
                bits = next(bits for bits, suffix in _CODES.items() if suffix == "." + kind)
                difference = _dequantise(value, stored[name + _SCALES], bits, origin.shape[1])
            if difference.shape != origin.shape:
                raise ValueError(
                    f"{name!r} has shape {tuple(origin.shape)}, its difference {tuple(difference.shape)}"
                )
            weights[name] = origin + difference
    return weights


def _product(left: Tensor, right: Tensor) -> Tensor:
    """``[R, r]`` and ``[r, C]`` in half precision -> ``[R, C]`` float32."""
    if left.shape[1:] != right.shape[:1]:
        raise ValueError(f"factors of {tuple(left.shape)} and {tuple(right.shape)} have no product")
    return left.float() @ right.float()


def _quantise(matrix: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """``[R, C]`` -> codes uint8 ``[R, C]`` (8 bits) or ``[R, ceil(C/2)]`` (two a byte), scales ``[R, 1]``."""
    top = 2 ** (bits - 1) - 1  # codes run from -top to top
    largest = matrix.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)  # [R, 1]
    # Clipping the few largest differences of a row leaves finer steps to all others: take the best of a few.
    best = torch.full_like(largest, torch.inf)
    scales = largest / top
    for share in torch.linspace(0.4, 1.0, 13).tolist():
        scale = (largest * share / top).half().float()
        error = ((matrix / scale).round().clamp(-top, top) * scale - matrix).square().sum(dim=1, keepdim=True)
        scales = torch.where(error < best, scale, scales)
        best = torch.minimum(error, best)
    codes = ((matrix / scales).round().clamp(-top, top) + top).to(torch.uint8)  # [R, C], 0 ... 2 top
    if bits == 4:
        if codes.shape[1] % 2:
            codes = torch.cat([codes, codes.new_zeros(len(codes), 1)], dim=1)
        codes = codes[:, 0::2] | (codes[:, 1::2] << 4)
    return codes.contiguous(), scales.half()


def _dequantise(codes: Tensor, scales: Tensor, bits: int, columns: int) -> Tensor:
    """Undo `_quantise`: -> ``[R, columns]`` float32."""
    if bits == 4:
        codes = torch.stack([codes & 15, codes >> 4], dim=-1).flatten(1)[:, :columns]  # [R, columns]
    top = 2 ** (bits - 1) - 1
    return (codes.float() - top) * scales.float()
