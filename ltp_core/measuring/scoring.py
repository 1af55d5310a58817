"""Scores and FLOPs of a rule on rows, beside the same model with nothing pruned and the dense baseline."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltp_core.checkpoints import has_baseline
from ltp_core.data.evaluation import Evaluation, run_rows
from ltp_core.data.metrics import metric_of, scores
from ltp_core.data.resampling import difference_error
from ltp_core.data.rows import DataError, Rows
from ltp_core.model import PrunedModel
from ltp_core.rules import Dense, Rule

# (what runs, over how many rows) -> a context with a function that is told the rows done so far
Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@contextmanager
def no_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """For callers who show no progress."""
    yield lambda done: None


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
    bar: Bar = no_bar,
) -> Unpruned:
    """Run baseline and dense model, once for all rules."""
    if model.multi_label:
        raise DataError("this model answers with a set of labels: one label a row does not score it")
    classes = model.dimensions.classes
    metric = metric_of(model.settings.task, classes)
    if classes > 1 and not all(label in range(classes) for label in rows.labels):
        raise DataError(f"a label is outside of 0 … {classes - 1}, the classes of this model")
    alone = None
    if baseline is not None:
        alone = _run(baseline, rows, Dense(), batch_size, max_tokens, "baseline", bar)
    dense = _run(model, rows, Dense(), batch_size, max_tokens, "dense", bar)
    return Unpruned(metric, alone, dense, max_tokens)


def score_against(
    model: PrunedModel,
    against: Unpruned,
    rows: Rows,
    rule: Rule,
    batch_size: int = 32,
    bar: Bar = no_bar,
) -> dict[str, Any]:
    """Score a rule against what is not pruned; the document of the `evaluate` command."""
    metric, labels, baseline = against.metric, rows.labels, against.baseline
    pruned = _run(model, rows, rule, batch_size, against.max_tokens, "pruned", bar)
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
    model: PrunedModel,
    rows: Rows,
    rule: Rule,
    batch_size: int,
    max_tokens: int | None,
    label: str,
    bar: Bar,
) -> Evaluation:
    with bar(label, len(rows)) as done:
        return run_rows(model, rows, rule, batch_size, done, max_tokens)


def _entry(found: Evaluation, scored: dict[str, float], metric: str) -> dict[str, float]:
    return {"score": scored[metric], **scored, "flops": found.flops, "executed_flops": found.executed_flops}


def length_of(model: PrunedModel, asked: int | None = None) -> int:
    """Where rows are cut when a model is measured: where asked, else where its training cut them.

    The same for `results`, `compare` and `evaluate`. Where nothing is known, it is what the model can read.
    """
    longest = model.max_tokens
    return min(asked or model.settings.trained_length or longest, longest)


def cut_said(measured: dict[str, Any]) -> str:
    """How many rows of a measurement, or of a row of results, were cut, in words; empty if none was."""
    cut, examples, length = (measured[name] for name in ("truncated_examples", "examples", "max_tokens"))
    return f"{cut:,} of {examples:,} rows were longer than {length} tokens, and cut there" if cut else ""


def row_of(model: PrunedModel, rule: str, measured: dict[str, Any]) -> dict[str, Any]:
    """One measured point as a row of results: what `evaluate` found, under the names of the contract."""
    training = model.settings.training
    runs = ("baseline", "dense", "pruned")
    return {
        "task": model.settings.task,
        "rule": rule,
        "note": training.get("settled", {}).get("note", ""),
        "seed": training.get("pruned", {}).get("seed"),
        "max_tokens": measured["max_tokens"],
        "truncated_examples": measured["truncated_examples"],
        "examples": measured["examples"],
        "metric": measured["metric"],
        **{f"{run}_score": measured[run]["score"] for run in runs},
        **{f"{run}_scores": {name: measured[run].get(name) for name in measured["metrics"]} for run in runs},
        "points_lost": measured["points_lost"],
        "points_lost_error": measured["points_lost_error"],
        "dense_flops": measured["dense"]["flops"],
        "pruned_flops": measured["pruned"]["flops"],
        "flops_reduction": measured["flops_reduction"],
        "executed_flops_reduction": measured["executed_flops_reduction"],
        "kept_per_layer": measured["kept_per_layer"],
    }
