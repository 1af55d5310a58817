"""`train`: from a task's name to a pruned model in a folder."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core.checkpoints import BASELINE_FOLDER
from ltp_core.commands.shared import Device, Json, choose_device, emit, messages, quiet
from ltp_core.training.job import Job, Method, Pruning, Recipe


def train(
    task: Annotated[str, typer.Option(help="A task's name (sst2, mrpc, …), or a data file.")],
    output: Annotated[Path, typer.Option(help="Folder for the model. The same command resumes there.")],
    data: Annotated[str | None, typer.Option(help="A data file, a local folder, or a Hub id.")] = None,
    base: Annotated[str, typer.Option(help="The encoder to start from.")] = "all-MiniLM-L6-v2",
    baseline: Annotated[Path | None, typer.Option(help="A dense model of `train` to prune, instead.")] = None,
    method: Annotated[
        Method, typer.Option(help="ltp; dense for the baseline alone; or a rival: topk, lat.")
    ] = "ltp",
    target_flops: Annotated[float | None, typer.Option(help="Dense over pruned FLOPs to reach.")] = None,
    penalty: Annotated[float | None, typer.Option(help="The paper's lambda, instead of a target.")] = None,
    length_exponent: Annotated[float, typer.Option(help="alpha in n^alpha s >= theta.")] = 0.0,
    distill: Annotated[float, typer.Option(help="Share of the loss taken from the dense model.")] = 0.5,
    shortest: Annotated[int, typer.Option(help="Leave shorter rows (tokens) out of the pruning stage.")] = 0,
    augment: Annotated[float, typer.Option(help="Made-up rows for each real one, to distill on.")] = 0.0,
    epochs: Annotated[float, typer.Option(help="Passes of the dense stage.")] = 3.0,
    pruning_epochs: Annotated[float, typer.Option(help="Passes of the pruning stage.")] = 3.0,
    learning_rate: Annotated[float, typer.Option(help="Of the dense stage.")] = 5e-5,
    pruning_learning_rate: Annotated[float, typer.Option(help="Of the pruning stage's weights.")] = 3e-5,
    batch_size: Annotated[int, typer.Option(help="Rows a step.")] = 32,
    max_tokens: Annotated[int, typer.Option(help="Longer rows are cut.")] = 128,
    seed: Annotated[int, typer.Option(help="Of head, order and dropout.")] = 0,
    limit: Annotated[int | None, typer.Option(help="Use only the first so many training rows.")] = None,
    tuning: Annotated[int, typer.Option(help="Rows held out to choose things on.")] = 500,
    untouched: Annotated[int, typer.Option(help="Rows held out to measure on only.")] = 1000,
    bfloat16: Annotated[bool, typer.Option(help="Matrix products in bfloat16.")] = True,
    save_steps: Annotated[int, typer.Option(help="A checkpoint every so many steps.")] = 250,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Fine-tune a dense baseline, then learn token pruning distilled from it.

    Example: ltp train --task sst2 --output runs/sst2 --target-flops 2.1
    """
    if target_flops is not None and penalty is not None:
        raise ValueError("give --target-flops or --penalty, not both")
    if penalty is not None and method in ("topk", "lat"):
        raise ValueError(f"--penalty steers learned thresholds: for {method}, give --target-flops")
    dense = Recipe(epochs, learning_rate, batch_size, 0.06, 0.01, seed, max_tokens, bfloat16, save_steps)
    pruned = replace(dense, epochs=pruning_epochs, learning_rate=pruning_learning_rate)
    usual = Pruning()
    pruning = Pruning(
        target_flops=None
        if penalty is not None
        else usual.target_flops
        if target_flops is None
        else target_flops,
        penalty=usual.penalty if penalty is None else penalty,
        length_exponent=length_exponent,
        distill=distill,
        shortest=shortest,
        augment=augment,
    )
    dense_model = None if baseline is None else str(baseline)
    job = Job(task, data, base, dense_model, method, dense, pruned, pruning, tuning, untouched, limit)
    from ltp_core.training.pipeline import (
        rule_at,
        run,
        score,
        split_of,
    )  # the Trainer takes seconds to import

    with quiet():
        model = run(job, output, messages.print, str(choose_device(device)))
        rows = split_of(job).tuning
        rule = rule_at(job, model, output, rows)
        found, evaluation = score(model, rows, job.task, rule=rule, max_tokens=max_tokens)
    metric, value = next(iter(found.items()))
    document = {
        "output": str(output / BASELINE_FOLDER if method == "dense" else output),
        "score": value,
        "metric": metric,
        "split": "tuning",
        "flops_reduction": evaluation.flops_reduction,
        "kept_per_layer": evaluation.kept_per_layer,
        "thresholds": model.thresholds,
        "shares": getattr(rule, "shares", None),
    }

    def table(console: Console) -> None:
        reduction = evaluation.flops_reduction
        console.print(f"{output}: {metric} {value:.4f} on the tuning rows at {reduction:.2f}× fewer FLOPs")

    emit(document, json, table)
