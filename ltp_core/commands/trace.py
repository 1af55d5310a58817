"""`trace`: what happens to one text."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as RichText

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import USUAL_MODEL, Device, Json, Model, choose_device, emit, load, quiet
from ltp_core.model import Prediction
from ltp_core.rules import Dense, Thresholds
from ltp_core.rules.reading import rule_of
from ltp_core.speed.latency import Timing, time_text


def trace(
    text: Annotated[str, typer.Argument(help="The text to read.")],
    model: Model = USUAL_MODEL,
    pair: Annotated[str | None, typer.Option(help="The second text, for tasks on pairs.")] = None,
    thresholds: Annotated[str, typer.Option(help="learned, off, or one number a layer: t1,t2,…")] = "learned",
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Run a text through a model: which tokens go, layer by layer, and what that saves.

    Example: ltp trace "A moving, funny film." --model sst2
    """
    with quiet():
        where, rule = choose_device(device), rule_of(describe(model), thresholds)
        pruner = load(model, where)
        given = text if pair is None else (text, pair)
        pruned, dense = pruner.predict(given, rule), pruner.predict(given, Dense())
        times = time_text(pruner, given, rule)
    layers = [
        {
            "layer": layer.layer,
            "threshold": layer.threshold,
            "importance": list(layer.importance),
            "kept": list(layer.kept),
            "queries": layer.queries,
        }
        for layer in pruned.trace.layers
    ]
    document = {
        "model": model,
        "device": str(pruner.device),
        "tokens": list(pruned.trace.tokens),
        "segments": list(pruned.trace.segments),
        "truncated_tokens": pruned.trace.truncated_tokens,
        "thresholds": list(rule.values) if isinstance(rule, Thresholds) else None,
        "reference_length": pruner.reference_length,
        "importance_queries": pruner.queries(),
        "layers": layers,
        "dense": _verdict(dense, times.dense) | {"packed_milliseconds": times.packed_dense.median_ms},
        "pruned": _verdict(pruned, times.pruned),
        "flops_reduction": pruned.flops_reduction,
    }

    def table(console: Console) -> None:
        _show(console, pruned, dense, document)

    emit(document, json, table)


def _verdict(said: Prediction, time: Timing) -> dict[str, Any]:
    return {
        "label": said.label,
        **({} if said.labels is None else {"labels": said.labels}),
        "value": said.value,
        "probabilities": said.probabilities,
        "flops": said.flops,
        "executed_flops": said.executed_flops,
        "milliseconds": time.median_ms,
        "milliseconds_quartiles": [time.low_ms, time.high_ms],
        "runs": time.runs,
    }


def _show(console: Console, pruned: Prediction, dense: Prediction, document: dict[str, Any]) -> None:
    trace = pruned.trace
    for layer in trace.layers:
        line = RichText(f"{layer.layer:2d}  {sum(layer.kept):3d} left  ")
        for token, kept in zip(trace.tokens, layer.kept, strict=True):
            shown = token if kept or console.is_terminal else "·" * len(token)  # a file has no struck words
            line.append(shown + " ", style="bold" if kept else "dim strike")
        console.print(line)
    if trace.truncated_tokens:
        console.print(f"{trace.truncated_tokens} tokens did not fit into the model and were cut")
    grid = Table("", "says", "paper FLOPs", "executed FLOPs", "median ms")
    for name, said in (("dense", dense), ("pruned", pruned)):
        answer = f"{said.value:.3f}" if said.label is None else f"{said.label} {said.confidence:.1%}"
        time = f"{document[name]['milliseconds']:.2f}"
        grid.add_row(name, answer, f"{said.flops / 1e6:.1f} M", f"{said.executed_flops / 1e6:.1f} M", time)
    console.print(grid)
    console.print(f"{pruned.flops_reduction:.2f}× fewer FLOPs on {document['device']}")
    tokens, reference = len(trace.tokens), document["reference_length"]
    if document["thresholds"] and reference is not None and tokens > reference:
        console.print(
            f"thresholds act × {reference / tokens:.2f}: {tokens} tokens, reference length {reference:g}"
        )
    averaged = trace.layers[0].queries or tokens
    if averaged < tokens:
        console.print(f"importance: the mean over {averaged} of {tokens} tokens that look")
