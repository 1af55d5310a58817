"""`train`: from a task's name to a pruned model in a folder, with the row of results that it gives."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core.checkpoints import BASELINE_FOLDER
from ltp_core.commands.shared import Device, Json, choose_device, emit, messages, progress_bar, quiet, reading
from ltp_core.importance import SAMPLE
from ltp_core.measuring.trained import measure_trained
from ltp_core.results import RESULTS, add_row, check_results, write_rows
from ltp_core.rules.table import DENSE, LTP
from ltp_core.training.job import TrainingMethod
from ltp_core.training.options import job_from_options
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
        TrainingMethod,
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
    threshold_rate: Annotated[
        float, typer.Option(help="Learning rate of the thresholds, as a part of the mean importance.")
    ] = 0.01,
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
    bfloat16: Annotated[bool, typer.Option(help="Matrix products in bfloat16, where it is fast.")] = True,
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
    job = job_from_options(locals())  # all of the options, by their names
    from ltp_core.training.pipeline import run  # the Trainer takes seconds to import
    from ltp_core.training.processes import join

    where, recorded = choose_device(device), RESULTS / f"train-{Path(task).stem}.json"
    with quiet():
        first = join(where).is_main_process
        if record and first:
            check_results(recorded, None)  # hours later would be late
        model = run(job, output, messages.print, str(where), reading)
        if not first:
            return  # rank 0 measures and prints
        row, rule = measure_trained(job, model, output, progress_bar)
    write_rows(output / ROW_FILE, [row])
    if record:
        add_row(recorded, row)
    document = {
        "output": str(output / BASELINE_FOLDER if method == DENSE.name else output),
        "score": row["pruned_score"],
        **{name: row[name] for name in ("metric", "split", "flops_reduction", "kept_per_layer")},
        "thresholds": model.thresholds,
        "shares": getattr(rule, "shares", None),
        "row": str(output / ROW_FILE),
    }

    def table(console: Console) -> None:
        score, reduction = f"{row['metric']} {row['pruned_score']:.4f}", f"{row['flops_reduction']:.2f}×"
        console.print(f"{output}: {score} on the tuning rows at {reduction} fewer FLOPs")

    emit(document, json, table)
