"""`calibrate`: thresholds for a model that is already fine-tuned, without training."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ltp_core.calibration import calibrate as search
from ltp_core.calibration.folder import document_of, drawn, save_calibrated
from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
    Device,
    Json,
    check_max_tokens,
    choose_device,
    emit,
    load,
    messages,
    quiet,
    reading,
)
from ltp_core.data.rows import DataError
from ltp_core.data.sources import load_table
from ltp_core.data.tasks import TASKS
from ltp_core.files.whole import check_output


def calibrate(
    model: Annotated[str, typer.Option(help="A fine-tuned model: a folder, an id on the Hub, a name.")],
    output: Annotated[Path, typer.Option(help="A new folder for the model with its thresholds.")],
    data: Annotated[
        str | None, typer.Option(help="Typical texts: a file, folder or Hub id; labels are not read.")
    ] = None,
    split: Annotated[str, typer.Option(help="A split of the data.")] = "train",
    target_flops: Annotated[float, typer.Option(help="Dense over pruned FLOPs to reach.")] = 2.0,
    texts: Annotated[int, typer.Option(help="How many texts to search on, drawn at random.")] = 300,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    step: Annotated[float, typer.Option(help="Share of the tokens that a step drops in a layer.")] = 0.1,
    batch_size: Annotated[int, typer.Option(help="Texts in a packed batch.")] = 32,
    max_tokens: Annotated[int | None, typer.Option(help="Cut longer texts.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Search thresholds that reach a FLOPs target with outputs near the dense model's own.

    It takes minutes, needs no labels and changes no weight. Thresholds learned by `train` lose less.

    Example: ltp calibrate --model my-model/ --data reviews.csv --target-flops 2 --output my-pruned-model/
    """
    if min(texts, batch_size) < 1:
        raise ValueError("--texts and --batch-size must be at least 1")
    check_max_tokens(max_tokens)
    where = choose_device(device)
    with quiet():
        about = describe(model)  # all that can be refused is, before weights are loaded
        check_output(output, about.folder, about.bytes)
        task = TASKS.get(about.settings.task or "")
        source = data or (task.hub_id if task else None)
        if source is None:
            raise DataError("name typical texts, with --data")
        with reading() as read:
            found = load_table(source, split, task.config if task else None, progress=read).filled().texts
        sample = drawn(found, texts, seed)
        dense = load(model, where)
        with messages.status(f"{len(sample)} texts through the dense model") as status:

            def tell(reached: float) -> None:
                status.update(f"{reached:.2f}× of {target_flops:g}×")

            calibration = search(dense, sample, target_flops, step, batch_size, max_tokens, tell)
        document = document_of(calibration, len(sample), seed) | {"output": str(output)}
        save_calibrated(dense, calibration, output, document, model)

    def table(console: Console) -> None:
        grid = Table("FLOPs", "divergence", "thresholds in % of all attention")
        best = calibration.found
        for point in (*calibration.curve[:-1], best):
            thresholds = " ".join(f"{100 * theta:.2f}" for theta in point.thresholds)
            grid.add_row(f"{point.flops_reduction:.2f}×", f"{point.divergence:.4g}", thresholds)
        console.print(grid)
        console.print(f"{output}: the last row, {best.flops_reduction:.2f}× fewer FLOPs")

    emit(document, json, table)
