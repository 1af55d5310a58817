"""`export`: a model for elsewhere, compared with the engine before it is handed out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
    USUAL_MODEL,
    Device,
    Json,
    Model,
    choose_device,
    emit,
    load,
    messages,
    quiet,
)
from ltp_core.files.whole import check_output
from ltp_core.onnx.export import export_onnx, export_transformers

TOLERANCE = 1e-4


class Format(StrEnum):
    """What can be written."""

    onnx = "onnx"
    transformers = "transformers"


def export(
    output: Annotated[
        Path, typer.Option(help="A new or empty folder; with --format onnx also a new file ending in .onnx.")
    ],
    model: Model = USUAL_MODEL,
    format: Annotated[
        Format, typer.Option(help="onnx: the pruned model as a graph. transformers: the dense model.")
    ] = Format.onnx,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Write a model for ONNX Runtime (pruned) or plain Transformers (dense), and compare it.

    The ONNX graph takes input_ids, attention_mask, token_type_ids (int64, 1 x length) and thresholds
    (float32, one a layer), and removes tokens inside. The comparison runs 100 real inputs.

    Example: ltp export --model sst2 --format onnx --output sst2-onnx
    """
    where = choose_device(device)
    with quiet(), torch.inference_mode(False):
        about = describe(model)
        check_output(output, about.folder, about.bytes)
        pruner = load(model, where)
        writer = export_onnx if format is Format.onnx else export_transformers
        done = writer(pruner, output)
    if done.max_abs_difference > TOLERANCE:
        messages.print(f"warning: logits differ by {done.max_abs_difference:.2g}, more than {TOLERANCE:g}")
    document = {
        "output": str(done.output),
        "max_abs_difference": done.max_abs_difference,
        "inputs": done.inputs,
        "different_counts": done.different_counts,
        "format": format.value,
    }

    def table(console: Console) -> None:
        console.print(str(done.output), markup=False)
        console.print(f"logits differ by at most {done.max_abs_difference:.2g} over {done.inputs} inputs")

    emit(document, json, table)
