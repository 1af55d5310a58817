"""8-bit numbers on a CPU: what a processor has for them, and ONNX Runtime's way to use them."""

import logging
import warnings
from pathlib import Path

import torch

SLOWER = "this processor has no VNNI, so 8 bits give the same answers, but little or no speed"


def has_vnni() -> bool:
    """Whether this processor multiplies 8-bit numbers in one instruction, as int8 needs to be fast."""
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_vnni", "avx_vnni", "amx_int8", "i8mm"))


def warn_without_vnni() -> None:
    """Say it once where the processor makes int8 no faster."""
    if not has_vnni():
        warnings.warn(SLOWER, stacklevel=3)


def quantize(graph: Path) -> None:
    """Replace an ONNX graph by one whose linear layers compute in 8 bits.

    Weights have a scale a channel (one a tensor costs a point of accuracy), activations one a call, so it
    needs no texts. Without VNNI weights take 7 bits, as sums of two 8-bit products would overflow there.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)  # it asks for a preparation that this graph has had
    try:
        quantize_dynamic(
            graph,
            graph,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=not has_vnni(),
            weight_type=QuantType.QInt8,
        )
        written = onnx.load(graph)
        written.metadata_props.add(key="ltp.precision", value="int8")
        onnx.save(written, graph)
    except Exception as error:  # of many kinds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"this graph cannot be written in 8 bits: {reason[0]}") from error
    finally:
        log.setLevel(level)
