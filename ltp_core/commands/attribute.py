"""`attribute`: which tokens the answer rests on, and whether those are the ones that survive."""

from dataclasses import asdict
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as RichText

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
from ltp_core.rules.reading import rule_of
from ltp_core.weights.pretrained import in_float32
from ltp_core.why import attribution
from ltp_core.why.agreement import Agreement, agreement
from ltp_core.why.attribution import STEPS, Attribution, AttributionMethod, Baseline, Batch, Scores
from ltp_core.why.deletion import Deletion, deletion


def attribute(
    text: Annotated[str, typer.Argument(help="The text to explain.")],
    model: Model = USUAL_MODEL,
    pair: Annotated[str | None, typer.Option(help="The second text, for tasks on pairs.")] = None,
    label: Annotated[
        str | None, typer.Option("--class", help="The class to explain; else what the dense model says.")
    ] = None,
    method: Annotated[str, typer.Option(help="integrated_gradients, or gradient_x_input (fast).")] = (
        "integrated_gradients"
    ),
    baseline: Annotated[str, typer.Option(help="What stands for no word: mask, pad or zero.")] = "mask",
    steps: Annotated[int, typer.Option(help="Of Integrated Gradients; doubled until it converges.")] = STEPS,
    rule: Annotated[str, typer.Option(help="Who stays: learned, off, or t1,t2,…")] = "learned",
    draws: Annotated[int, typer.Option(help="Random deletions to compare with.")] = 5,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Attribute a model's answer to the tokens of a text, beside how long each token survives.

    Example: ltp attribute "A moving, funny film." --class positive
    """
    with quiet():
        where, who = choose_device(device), rule_of(describe(model), rule)  # before weights are loaded
        pruner = load(model, where)
        if stored := in_float32(pruner.hf_model):
            messages.print(f"{model} is stored in {stored}: attributed in float32", markup=False)
        given = text if pair is None else (text, pair)
        found = attribution.attribute(
            pruner,
            given,
            label,
            cast(AttributionMethod, method),  # checked there
            who,
            cast(Baseline, baseline),
            steps,
        )
        agreed = {
            name: agreement(scores.values, [layer.kept for layer in found.trace.layers], found.words)
            for name, scores in (("dense", found.dense), ("pruned", found.pruned))
        }
        deleted = deletion(pruner, Batch.of(pruner.encode([given])[0]), found, draws)
    document = {
        "model": model,
        "device": str(pruner.device),
        "class": found.label,
        "method": found.method,
        "baseline": baseline if found.method == "integrated_gradients" else None,
        "tokens": list(found.trace.tokens),
        "segments": list(found.trace.segments),
        "truncated_tokens": found.trace.truncated_tokens,
        "words": list(found.words),
        "survival": list(found.trace.survived),
        "layers": len(found.trace.layers),
        **_part(found.dense, agreed["dense"]),
        "pruned": _part(found.pruned, agreed["pruned"]),
        "deletion": asdict(deleted),
    }
    emit(document, json, lambda console: _show(console, found, agreed["dense"], deleted))


def _part(scores: Scores, agreed: Agreement) -> dict[str, Any]:
    """What is said of the dense model at the top, and of the pruned one under its name."""
    return {
        "attributions": list(scores.values),
        "agreement": asdict(agreed),
        "output": scores.output,
        "baseline_output": scores.baseline_output,
        "convergence_delta": scores.delta,
        "converged": scores.converged,
        "steps": scores.steps,
    }


def _show(console: Console, found: Attribution, agreed: Agreement, deleted: Deletion) -> None:
    grid = Table("token", "dense", "pruned", f"layers survived of {len(found.trace.layers)}")
    rows = zip(found.trace.tokens, found.dense.values, found.pruned.values, found.trace.survived, strict=True)
    for token, dense, pruned, survived in rows:
        grid.add_row(RichText(token), f"{dense:+.3f}", f"{pruned:+.3f}", "█" * survived or "0")
    console.print(grid)
    unit = "the value" if found.label is None else f"the log-odds of {found.label}"
    console.print(RichText(f"attributions to {unit} by {found.method}"))
    for name, scores in (("dense", found.dense), ("pruned", found.pruned)):
        if scores.delta is not None:
            passed = "converged" if scores.converged else "NOT converged"
            console.print(f"{name}: convergence delta {scores.delta:+.4f} at {scores.steps} steps, {passed}")
    layers = ", ".join("–" if auc is None else f"{auc:.2f}" for auc in agreed.auc)
    overall = "–" if agreed.overall is None else f"{agreed.overall:.2f}"
    console.print(f"area under the ROC curve, |dense attribution| for survival: {layers}; overall {overall}")
    drops = ", ".join(f"{choice} {effect.drop:+.3f}" for choice, effect in deleted.when_pruned.items())
    console.print(f"fall of the answer when as many tokens go: {drops}")
