"""`evaluate`: a data set in; scores, FLOPs and kept tokens out."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import has_baseline
from ltp_core.commands.shared import (
    RULE_FORMS,
    Device,
    Json,
    Model,
    choose_device,
    emit,
    load,
    progress_bar,
    quiet,
    rule_of,
)
from ltp_core.data.evaluation import Evaluation, run_rows
from ltp_core.data.metrics import difference_error, metric_of, scores
from ltp_core.data.rows import HELD_OUT, TASKS, DataError, Rows, format_of, load_rows
from ltp_core.model import PrunedModel
from ltp_core.rules import Dense, Rule
from ltp_core.training.job import FEWEST_TOKENS, Job


def evaluate(
    model: Model = "sst2",
    data: Annotated[str | None, typer.Option(help="A data file, a local folder, or a Hub id.")] = None,
    split: Annotated[
        str | None,
        typer.Option(help="A split of the data; or tuning, untouched: what training held out of its rows."),
    ] = None,
    rule: Annotated[str, typer.Option(help=f"One of: {RULE_FORMS}.")] = "learned",
    factor: Annotated[float, typer.Option(help="Multiplies all thresholds: walks the curve.")] = 1.0,
    limit: Annotated[int | None, typer.Option(help="Only the first so many rows.")] = None,
    batch_size: Annotated[int, typer.Option(help="Examples in a packed batch.")] = 32,
    max_tokens: Annotated[int | None, typer.Option(help="Cut longer inputs, as training may have.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Score a model on a data set: pruned, with nothing pruned, and the separately tuned baseline.

    Example: ltp evaluate --model sst2 --data reviews.csv
    """
    if batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, got {batch_size}")
    check_max_tokens(max_tokens)
    with quiet():
        pruner = load(model, choose_device(device))
        rows = rows_for(pruner, data, split)
        if limit is not None and limit < 1:
            raise DataError(f"--limit must be at least 1, got {limit}")
        rows = rows.first(limit)
        who = rule_of(pruner, rule, factor)
        against = run_unpruned(pruner, baseline_of(model, pruner), rows, batch_size, max_tokens)
        document = measure(pruner, against, rows, who, batch_size)

    def table(console: Console) -> None:
        grid = Table("", document["metric"], "paper FLOPs", "executed FLOPs")
        grid.add_row("baseline", _shown(document["baseline"]["score"]), "", "")
        for name in ("dense", "pruned"):
            said = document[name]
            flops = (f"{said['flops'] / 1e6:.1f} M", f"{said['executed_flops'] / 1e6:.1f} M")
            grid.add_row(name, _shown(said["score"]), *flops)
        console.print(grid)
        kept = ", ".join(f"{share:.0%}" for share in document["kept_per_layer"])
        console.print(f"{document['examples']} examples, {document['flops_reduction']:.2f}× fewer FLOPs")
        console.print(f"tokens left after each layer: {kept}")

    emit(document, json, table)


def rows_for(model: PrunedModel, data: str | None, split: str | None) -> Rows:
    """Load what a model is to be measured on: by default, its task's development set on the Hub."""
    if split in HELD_OUT:
        return _held_out(model, data, split)
    task = TASKS.get(model.settings.task or "")
    if data is None and task is None:
        raise DataError("name what to measure on, with --data")
    source = data or (task.hub_id if task else "")
    return load_rows(source, split or (task.development if task else None), task.config if task else None)


def _held_out(model: PrunedModel, data: str | None, split: str) -> Rows:
    """What training held out of its rows: of those in `data` if that has splits, else where they were.

    A file has only itself: it holds the rows to measure on, and held-out ones must not be cut from it.
    """
    if not model.settings.training:
        raise DataError(f"nothing is known of how this model was trained, so it has no {split} rows")
    from ltp_core.training.pipeline import held_out_rows  # brings the Trainer with it

    job = Job.of(model.settings.training)
    if data is not None and format_of(data) is None:
        job = replace(job, data=data)
    source = job.data or job.task
    if format_of(source) and not Path(source).is_file():
        raise DataError(f"{split} rows were held out of {source}, which is gone: put it back")
    held = held_out_rows(job, split)
    if not len(held):
        raise DataError(f"training held out no {split} rows")
    return held


def check_max_tokens(max_tokens: float | None) -> None:
    """Refuse a length that leaves no room for text between `[CLS]` and `[SEP]`."""
    if max_tokens is not None and max_tokens < FEWEST_TOKENS:
        raise ValueError(f"--max-tokens must be at least {FEWEST_TOKENS}, got {max_tokens:g}")


def baseline_of(source: str | Path, model: PrunedModel) -> PrunedModel | None:
    """The separately tuned dense model beside it, if there is one."""
    if not has_baseline(source):
        return None
    return PrunedModel.from_pretrained(source, weights="baseline").to(model.device)


@dataclass(frozen=True)
class Unpruned:
    """What pruned runs on the same rows are held against.

    Attributes:
        metric: the task's.
        baseline: the separately tuned dense model; None if there is none.
        dense: the model itself with nothing pruned.
        max_tokens: longer inputs were cut; None for what the models can read.
    """

    metric: str
    baseline: Evaluation | None
    dense: Evaluation
    max_tokens: int | None = None


def run_unpruned(
    model: PrunedModel,
    baseline: PrunedModel | None,
    rows: Rows,
    batch_size: int = 32,
    max_tokens: int | None = None,
) -> Unpruned:
    """Run baseline and dense model, once for all rules."""
    classes = model.dimensions.classes
    metric = metric_of(model.settings.task, classes)
    if classes > 1 and not all(label in range(classes) for label in rows.labels):
        raise DataError(f"a label is outside of 0 … {classes - 1}, the classes of this model")
    alone = None
    if baseline is not None:
        alone = _run(baseline, rows, Dense(), batch_size, max_tokens, "baseline")
    dense = _run(model, rows, Dense(), batch_size, max_tokens, "dense")
    return Unpruned(metric, alone, dense, max_tokens)


def measure(
    model: PrunedModel, against: Unpruned, rows: Rows, rule: Rule, batch_size: int = 32
) -> dict[str, Any]:
    """Score a rule against what is not pruned; the document of the `evaluate` command."""
    metric, labels, baseline = against.metric, rows.labels, against.baseline
    pruned = _run(model, rows, rule, batch_size, against.max_tokens, "pruned")
    pruned_scores = scores(metric, pruned.logits, labels)
    alone, lost, error = None, None, None
    if baseline is not None:
        alone = scores(metric, baseline.logits, labels)
        lost = 100 * (alone[metric] - pruned_scores[metric])
        error = difference_error(metric, baseline.logits, pruned.logits, labels)
    return {
        "examples": len(rows),
        "metric": metric,
        "metrics": list(pruned_scores),
        "baseline": {"score": None} if alone is None else {"score": alone[metric], **alone},
        "dense": _entry(against.dense, scores(metric, against.dense.logits, labels), metric),
        "pruned": _entry(pruned, pruned_scores, metric),
        "points_lost": lost,
        "points_lost_error": None if error is None else 100 * error,
        "flops_reduction": pruned.flops_reduction,
        "executed_flops_reduction": against.dense.executed_flops / pruned.executed_flops,
        "kept_per_layer": pruned.kept_per_layer,
        "kept_by_length": pruned.kept_by_length(),
        "max_tokens": min(against.max_tokens or model.max_tokens, model.max_tokens),
        "truncated_examples": pruned.truncated,
    }


def _run(
    model: PrunedModel, rows: Rows, rule: Rule, batch_size: int, max_tokens: int | None, label: str
) -> Evaluation:
    with progress_bar(label, len(rows)) as done:
        return run_rows(model, rows, rule, batch_size, done, max_tokens)


def _entry(found: Evaluation, scored: dict[str, float], metric: str) -> dict[str, float]:
    return {"score": scored[metric], **scored, "flops": found.flops, "executed_flops": found.executed_flops}


def _shown(score: float | None) -> str:
    return "none" if score is None else f"{score:.4f}"
