"""`export`: a model for elsewhere, compared with the engine before it is handed out."""

from collections.abc import Sequence
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
from ltp_core.data.rows import Rows, apart
from ltp_core.files.whole import check_output
from ltp_core.measuring.source import rows_for
from ltp_core.model import PRECISIONS, PrunedModel
from ltp_core.onnx.export import Exported, export_onnx, export_transformers
from ltp_core.onnx.int8 import SLOWER, has_vnni
from ltp_core.prediction import Text

TOLERANCE = 1e-4


class Format(StrEnum):
    """What can be written."""

    onnx = "onnx"
    openvino = "openvino"
    transformers = "transformers"


PRECISION_OF = {  # what each format can be written in
    Format.onnx: PRECISIONS["onnxruntime"],
    Format.openvino: PRECISIONS["openvino"],
    Format.transformers: ("float32",),
}
CANDIDATES = 1000  # training rows that calibration texts are taken of


def export(
    output: Annotated[
        Path, typer.Option(help="A new or empty folder; with --format onnx also a new file ending in .onnx.")
    ],
    model: Model = USUAL_MODEL,
    format: Annotated[
        Format,
        typer.Option(help="onnx, openvino: the pruned model as a graph. transformers: the dense model."),
    ] = Format.onnx,
    precision: Annotated[
        str, typer.Option(help="float32; int8 for onnx and openvino: linear layers in 8 bits.")
    ] = "float32",
    data: Annotated[
        str | None,
        typer.Option(help="The task's data: calibrate on training rows, score on those held out for tuning."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Score so many of these rows; all by default.")] = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Write a model for ONNX Runtime or OpenVINO (pruned) or plain Transformers (dense), and compare it.

    The ONNX graph takes input_ids, attention_mask, token_type_ids (int64, 1 x length) and thresholds
    (float32, one a layer), and removes tokens inside. OpenVINO's is for `from_pretrained` of this package,
    which runs it block by block. The comparison runs 100 real inputs, or the tuning rows of --data; what
    changes too many labels in 8 bits is not written.

    Example: ltp export --model sst2 --format openvino --precision int8 --output sst2-int8
    """
    if precision not in PRECISION_OF[format]:
        has = "; ".join(f"{name.value}: {', '.join(known)}" for name, known in PRECISION_OF.items())
        raise ValueError(f"the format {format.value} has no precision {precision!r}; there is {has}")
    if data is not None and format is Format.transformers:
        raise ValueError("--data is for what is scored or calibrated: --format onnx or openvino")
    if limit is not None and limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    if precision == "int8" and not has_vnni():
        messages.print(f"note: {SLOWER}", markup=False)
    where = choose_device(device)
    with quiet(), torch.inference_mode(False):
        about = describe(model)
        check_output(output, about.folder, about.bytes)
        checked, calibration = None, None
        if data is not None:
            checked = rows_for(about, data, "tuning").first(limit)
            calibration = _apart(rows_for(about, data, "train").fair(CANDIDATES), checked)
        done = _written(load(model, where), output, format, precision, calibration, checked)
    if done.max_abs_difference > TOLERANCE and precision == "float32":
        messages.print(f"warning: logits differ by {done.max_abs_difference:.2g}, more than {TOLERANCE:g}")
    document = {
        "output": str(done.output),
        "max_abs_difference": done.max_abs_difference,
        "inputs": done.inputs,
        "different_counts": done.different_counts,
        "label_agreement": done.label_agreement,
        "scores": done.scores,
        "format": format.value,
        "precision": precision,
    }

    def table(console: Console) -> None:
        console.print(str(done.output), markup=False)
        console.print(f"logits differ by at most {done.max_abs_difference:.2g} over {done.inputs} inputs")
        if done.label_agreement is not None:
            console.print(f"{done.label_agreement:.1%} of the labels are the engine's")
        if done.scores:
            name, engine, exported = done.scores.values()
            console.print(f"{name} {engine:.4f} in the engine, {exported:.4f} as written", markup=False)

    emit(document, json, table)


def _written(
    model: PrunedModel,
    output: Path,
    format: Format,
    precision: str,
    calibration: Sequence[Text] | None,
    checked: Rows | None,
) -> Exported:
    if format is Format.transformers:
        return export_transformers(model, output)
    if format is Format.onnx:
        return export_onnx(model, output, precision, checked)
    from ltp_core.openvino import export_openvino

    return export_openvino(model, output, precision, calibration, checked)


def _apart(rows: Rows, held: Rows) -> Sequence[Text]:
    """The texts of rows that are no part of a row that was held out."""
    return rows.take(apart(rows.texts, held.texts)).texts
