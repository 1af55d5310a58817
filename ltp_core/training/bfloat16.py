"""Where matrix products in bfloat16 pay: on a processor that has instructions for them."""

import torch


def multiplies_bfloat16(device: torch.device | str) -> bool:
    """Whether a device multiplies in bfloat16 itself, instead of imitating it.

    A CPU without such instructions imitates them, at best no faster than float32, and before AVX-512 in
    loops that no library has tuned: on two cores of a Zen 3 EPYC, 25 steps of a twelve-layer encoder took
    more than four minutes in bfloat16 and 48 seconds in float32. Other devices are taken at their word.
    """
    if torch.device(device).type != "cpu":
        return True
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
