"""`train`: from a task's name to a pruned model in a folder, with the row of results that it gives."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from ltp_core.checkpoints import BASELINE_FOLDER, Settings
from ltp_core.commands.shared import Device, Json, choose_device, emit, messages, progress_bar, quiet
from ltp_core.importance import ALL, SAMPLE, checked_queries
from ltp_core.measuring.scoring import baseline_of, row_of, run_unpruned, score_against
from ltp_core.results import RESULTS, add_row, stamp, write_rows
from ltp_core.rules.numbers import numbers
from ltp_core.rules.table import LTP
from ltp_core.training.job import Job, Method, Pruning, Recipe, Stage, portable
from ltp_core.training.rivals import RIVALS

ROW_FILE = "row.json"


def train(
    task: Annotated[str, typer.Option(help="A task's name (sst2, mrpc, …), or a data file.")],
    output: Annotated[Path, typer.Option(help="Folder for the model. The same command resumes there.")],
    data: Annotated[str | None, typer.Option(help="A data file, a local folder, or a Hub id.")] = None,
    base: Annotated[str, typer.Option(help="The encoder to start from.")] = "all-MiniLM-L6-v2",
    baseline: Annotated[
        str | None,
        typer.Option(help="Prune this dense model of `train`, or the baseline of a pruned one: sst2."),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help=f"{LTP.name}; dense for the baseline alone; or a rival: {', '.join(RIVALS)}.",
        ),
    ] = LTP.name,
    target_flops: Annotated[float | None, typer.Option(help="Dense over pruned FLOPs to reach.")] = None,
    penalty: Annotated[float | None, typer.Option(help="The paper's lambda, instead of a target.")] = None,
    stages: Annotated[
        str, typer.Option(help="straight-through, soft, soft-output, hard, held; paper: soft-output,hard.")
    ] = "straight-through",
    thresholds: Annotated[str | None, typer.Option(help="Initial thresholds, t1,t2,…; else rising.")] = None,
    temperature: Annotated[
        float, typer.Option(help="Of the gates, as a part of the mean importance 1/n.")
    ] = 0.1,
    last_temperature: Annotated[float | None, typer.Option(help="Where it falls to, in each stage.")] = None,
    reference_length: Annotated[
        float | None,
        typer.Option(
            help="N: thresholds of a text of n tokens are θ·min(1, N/n). None: shares of attention."
        ),
    ] = None,
    importance_queries: Annotated[
        str, typer.Option(help="Average the importance over so many queries, or all.")
    ] = str(SAMPLE),
    distill: Annotated[float, typer.Option(help="Share of the loss taken from the dense model.")] = 0.5,
    distill_hidden: Annotated[float, typer.Option(help="Weight of its hidden states in the loss.")] = 0.0,
    spared_layers: Annotated[int, typer.Option(help="The first so many layers remove nothing.")] = 0,
    shortest: Annotated[int, typer.Option(help="Leave shorter rows (tokens) out of the pruning stage.")] = 0,
    augment: Annotated[
        float, typer.Option(help="More rows for each real one, made up, to distill on.")
    ] = 0.0,
    unlabelled: Annotated[
        str | None, typer.Option(help="Draw these from here instead: a task, a file, a folder or a Hub id.")
    ] = None,
    rank: Annotated[
        int | None,
        typer.Option(help="Learn a difference of this rank to the base, as LoRA."),
    ] = None,
    epochs: Annotated[float, typer.Option(help="Passes of the dense stage.")] = 3.0,
    pruning_epochs: Annotated[float, typer.Option(help="Passes of the pruning stages, together.")] = 3.0,
    learning_rate: Annotated[float, typer.Option(help="Of the dense stage.")] = 5e-5,
    pruning_learning_rate: Annotated[float, typer.Option(help="Of the pruning stage's weights.")] = 3e-5,
    batch_size: Annotated[int, typer.Option(help="Rows a step.")] = 32,
    max_tokens: Annotated[int, typer.Option(help="Longer rows are cut.")] = 128,
    seed: Annotated[int, typer.Option(help="Of head, order and dropout.")] = 0,
    limit: Annotated[int | None, typer.Option(help="At most so many rows, of all classes.")] = None,
    tuning: Annotated[int, typer.Option(help="Rows held out to choose things on.")] = 500,
    untouched: Annotated[int, typer.Option(help="Rows held out to measure on only.")] = 1000,
    bfloat16: Annotated[bool, typer.Option(help="Matrix products in bfloat16.")] = True,
    save_steps: Annotated[int, typer.Option(help="A checkpoint every so many steps.")] = 250,
    ablation: Annotated[
        str | None, typer.Option(help="What is different: soft-only makes the row's rule ltp/soft-only.")
    ] = None,
    record: Annotated[bool, typer.Option(help="Put the row into assets/results, too.")] = False,
    regression: Annotated[
        bool, typer.Option(help="A file's labels are numbers to predict, not classes.")
    ] = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Fine-tune a dense baseline, then learn token pruning distilled from it.

    Example: ltp train --task sst2 --output runs/sst2 --target-flops 2.1
    """
    if target_flops is not None and penalty is not None:
        raise ValueError("give --target-flops or --penalty, not both")
    if penalty is not None and method in RIVALS:
        raise ValueError(f"--penalty steers learned thresholds: for {method}, give --target-flops")
    if ablation is not None and not re.fullmatch(r"[a-z0-9.-]+", ablation):
        raise ValueError(f"--ablation takes small letters, digits, points and hyphens, got {ablation!r}")
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
        temperature=temperature,
        last_temperature=last_temperature,
        stages=cast(tuple[Stage, ...], tuple(stages.split(","))),
        thresholds=None if thresholds is None else tuple(numbers(thresholds, "--thresholds")),
        reference_length=reference_length,
        importance_queries=_queries(importance_queries),
        distill=distill,
        distill_hidden=distill_hidden,
        shortest=shortest,
        spared_layers=spared_layers,
        augment=augment,
        unlabelled=unlabelled,
    )
    for name in RIVALS[method].unread if method in RIVALS else ():
        if getattr(pruning, name) != getattr(usual, name):
            raise ValueError(f"--{name.replace('_', '-')} has no effect on --method {method}: leave it out")
    held = (tuning, untouched, limit)
    job = Job(task, data, base, baseline, method, dense, pruned, pruning, *held, ablation, rank, regression)
    from ltp_core.training.pipeline import rule_at, run, split_of  # the Trainer takes seconds to import
    from ltp_core.training.processes import join

    where = choose_device(device)
    with quiet():
        first = join(where).is_main_process
        model = run(job, output, messages.print, str(where))
        if not first:
            return  # rank 0 measures and prints
        rows = split_of(job).tuning
        baseline_model = baseline_of(output, model)
        against = run_unpruned(model, baseline_model, rows, max_tokens=max_tokens, bar=progress_bar)
        rule = rule_at(job, model, output, rows)
        measured = score_against(model, against, rows, rule, bar=progress_bar)
    about = {
        "split": "tuning",
        "target_flops": pruning.target_flops,
        "penalty": pruning.penalty,
        "training": portable(model.settings.training, Settings.read(output / BASELINE_FOLDER).training),
    }
    row = row_of(model, "/".join(filter(None, (method, ablation))), measured) | about | stamp(model.device)
    write_rows(output / ROW_FILE, [row])
    if record:
        add_row(RESULTS / f"train-{Path(task).stem}.json", row)
    document = {
        "output": str(output / BASELINE_FOLDER if method == "dense" else output),
        "score": measured["pruned"]["score"],
        "metric": measured["metric"],
        "split": "tuning",
        "flops_reduction": measured["flops_reduction"],
        "kept_per_layer": measured["kept_per_layer"],
        "thresholds": model.thresholds,
        "shares": getattr(rule, "shares", None),
        "row": str(output / ROW_FILE),
    }

    def table(console: Console) -> None:
        score, reduction = measured["pruned"]["score"], measured["flops_reduction"]
        console.print(
            f"{output}: {measured['metric']} {score:.4f} on the tuning rows at {reduction:.2f}× fewer FLOPs"
        )

    emit(document, json, table)


def _queries(text: str) -> int | None:
    """`--importance-queries`: a number, or "all", which is None."""
    try:
        return None if text == ALL else checked_queries(int(text))
    except ValueError:
        raise ValueError(
            f"--importance-queries takes a whole number above 0, or {ALL}; got {text!r}"
        ) from None
