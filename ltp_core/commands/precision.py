"""`precision`: time and accuracy of a model in float32, bfloat16 and dynamic int8."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
    USUAL_MODEL,
    Json,
    Model,
    check_lengths,
    emit,
    load,
    messages,
    quiet,
    reading,
)
from ltp_core.data.evaluation import run_rows
from ltp_core.data.metrics import metric_of, scores
from ltp_core.data.rows import Rows
from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.measuring.source import rows_for
from ltp_core.model import PrunedModel
from ltp_core.results import RESULTS, check_results, stamp, write_json
from ltp_core.rules import Thresholds
from ltp_core.rules.numbers import numbers
from ltp_core.speed.growth import rule_for
from ltp_core.speed.latency import interleaved
from ltp_core.speed.precision import bfloat16, dynamic_int8


def precision(
    model: Model = USUAL_MODEL,
    data: Annotated[str | None, typer.Option(help="Labelled texts to score on; without, no scores.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many rows, of all classes.")] = 400,
    lengths: Annotated[str, typer.Option(help="Tokens of a text, at batch 1.")] = "32,128,512",
    target_flops: Annotated[float, typer.Option(help="FLOPs reduction that is set at each length.")] = 2.5,
    write: Annotated[
        bool, typer.Option(help="Also write assets/results/performance-precision.json.")
    ] = False,
    json: Json = False,
) -> None:
    """Time the pruned model in float32, bfloat16 and dynamic int8 on the CPU, and score each.

    Example: ltp precision --model sst2 --lengths 32,128
    """
    if limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    wanted = [int(n) for n in numbers(lengths, "--lengths", whole=True)]
    file = RESULTS / "performance-precision.json"
    with quiet():
        about = describe(model)  # all that can be refused is, before weights are loaded
        if not isinstance(learned := about.learned_rule, Thresholds):
            raise ValueError("precision needs thresholds to multiply, and this model has none")
        check_lengths(about, wanted)
        if write:
            check_results(file, None)
        with reading() as read:
            rows = None if data is None else rows_for(about, data, None, read).fair(limit)
        plain = load(model, torch.device("cpu"))
        models = {"float32": plain, "bfloat16": bfloat16(plain), "int8": dynamic_int8(plain)}
        times: list[dict[str, Any]] = []
        for length in wanted:
            messages.print(f"{length} tokens, batch 1")
            texts = inputs_of_length(plain.tokenizer, own_sentences(), length, 8)
            rule, reduction = rule_for(plain, learned, texts, target_flops)
            batch, _ = plain.encode(texts[:1], length)
            calls: dict[str, Callable[[], object]] = {
                name: partial(one, **batch, rule=rule) for name, one in models.items()
            }
            with torch.inference_mode():
                found = interleaved(calls, plain.device, 12, 3.0)
            milliseconds = {name: time.median_ms for name, time in found.items()}
            times.append({"length": length, "flops_reduction": reduction, "milliseconds": milliseconds})
        scored = {} if rows is None else _scores(models, rows)
        document: dict[str, Any] = {"model": model, "times": times, "scores": scored, **stamp()}
        if write:
            write_json(file, document)

    def table(console: Console) -> None:
        grid = Table("", *(f"{row['length']} tokens, ms" for row in times), "score")
        for name in models:
            cells = [f"{row['milliseconds'][name]:.1f}" for row in times]
            grid.add_row(name, *cells, f"{scored[name]['pruned']:.4f}" if scored else "")
        console.print(grid)

    emit(document, json, table)


def _scores(models: dict[str, PrunedModel], rows: Rows) -> dict[str, dict[str, Any]]:
    """The task's metric of each, with the learned thresholds, on the same rows."""
    found: dict[str, dict[str, Any]] = {}
    plain = models["float32"]
    metric = metric_of(plain.settings.task, plain.dimensions.classes)
    for name, one in models.items():
        done = run_rows(one, rows)
        value = scores(metric, done.logits, rows.labels)[metric]
        about = {"metric": metric, "examples": len(rows), "flops_reduction": done.flops_reduction}
        found[name] = {**about, "pruned": value}
        messages.print(f"{name}: {value:.4f}")
    return found
