"""A fine-tuned model as its small difference to a base: a few bits a weight, one scale a row.

Matrices are stored as rounded differences to the base, everything else (biases, norms, the classifier
head) as it is. What did not change is not stored.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

_CODES = {4: ".codes4", 8: ".codes8"}
_SCALES, _PLAIN = ".scales", ".plain"


def encode(tuned: Mapping[str, Tensor], base: Mapping[str, Tensor], bits: int) -> dict[str, Tensor]:
    """Return what has to be stored to get `tuned` back from `base`.

    Args:
        tuned: state dict of the fine-tuned model.
        base: state dict of the base; names that it lacks are stored as they are.
        bits: 4 or 8 a weight.

    Raises:
        ValueError: for another number of bits.
    """
    if bits not in _CODES:
        raise ValueError(f"bits must be one of {tuple(_CODES)}, got {bits}")
    stored: dict[str, Tensor] = {}
    for name, weight in tuned.items():
        weight = weight.detach().cpu()
        origin = base.get(name)
        if origin is not None and origin.shape == weight.shape:
            if torch.equal(origin.cpu(), weight):
                continue
            if weight.dim() == 2:
                codes, scales = _quantise(weight - origin.cpu(), bits)
                stored[name + _CODES[bits]] = codes
                stored[name + _SCALES] = scales
                continue
        stored[name + _PLAIN] = weight.contiguous()
    return stored


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
        elif "." + kind in _CODES.values():
            if name not in base or name + _SCALES not in stored:
                raise ValueError(f"the stored difference of {name!r} has no base or no scales")
            origin = base[name]
            bits = next(bits for bits, suffix in _CODES.items() if suffix == "." + kind)
            difference = _dequantise(value, stored[name + _SCALES], bits, origin.shape[1])
            if difference.shape != origin.shape:
                raise ValueError(
                    f"{name!r} has shape {tuple(origin.shape)}, its difference {tuple(difference.shape)}"
                )
            weights[name] = origin + difference
    return weights


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
