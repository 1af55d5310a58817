"""`results`: measure the shipped models, and write what was found into files, cards and docs."""

import json as json_module
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Annotated, Any

import typer
from rich.console import Console

from ltp_core.checkpoints import MINILM, Settings, shipped_models
from ltp_core.commands.evaluate import measure, rows_for, run_unpruned
from ltp_core.commands.shared import Device, Json, choose_device, emit, messages, numbers, quiet, rule_of
from ltp_core.model import PrunedModel
from ltp_core.results import RESULTS, stamp, write_rows

SPLITS = {"development": None, "untouched": "untouched", "tuning": "tuning"}


def results(
    data: Annotated[
        str | None, typer.Option(help="A file, a folder or a Hub id; else the task's own.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only this shipped model.")] = None,
    factors: Annotated[
        str, typer.Option(help="Factors on the thresholds for the accuracy against FLOPs curve.")
    ] = "0.4,0.6,0.8,1,1.15,1.3,1.45,1.6",
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Measure the shipped models on their development, untouched and tuning rows.

    Example: ltp results --model sst2
    """
    where, walk = choose_device(device), numbers(factors, "--factors")
    shipped = shipped_models()
    if model is not None and model not in shipped:
        raise ValueError(f"no shipped model {model!r}; there is: {', '.join(shipped)}")
    with quiet():
        found = {name: record(name, data, walk, where) for name in ([model] if model else shipped)}

    def table(console: Console) -> None:
        for name in found:
            console.print(f"{RESULTS / name}.json and the card of {name}")

    emit({"models": found}, json, table)


def record(name: str, data: str | None, factors: list[float], device: Any) -> dict[str, Any]:
    """Measure one shipped model; write its rows, its settings and its card."""
    folder = shipped_models()[name]
    model = PrunedModel.from_pretrained(name).to(device)
    baseline = PrunedModel.from_pretrained(name, weights="baseline").to(device)
    found: dict[str, Any] = {"stamp": stamp()}
    rows = []
    for split, key in SPLITS.items():
        examples = rows_for(model, data, key)
        against = run_unpruned(model, baseline, examples)
        for factor in dict.fromkeys([1.0, *factors]):
            messages.print(f"{split} ({len(examples)} rows), thresholds × {factor:g}")
            measured = measure(model, against, examples, rule_of(model, "learned", factor))
            rows.append(_row(model, name, split, factor, measured) | found["stamp"])
            if factor == 1.0:
                found[split] = measured
    settings = replace(model.settings, results=found)
    settings.write(folder)
    (folder / "README.md").write_text(card(name, settings, model.thresholds or ()), encoding="utf-8")
    write_rows(RESULTS / f"{name}.json", sorted(rows, key=lambda row: (row["split"], row["factor"])))
    return found


def _row(
    model: PrunedModel, name: str, split: str, factor: float, measured: dict[str, Any]
) -> dict[str, Any]:
    return {
        "task": model.settings.task,
        "model": name,
        "rule": "ltp",
        "split": split,
        "factor": factor,
        "note": model.settings.training.get("settled", {}).get("note", ""),
        "seed": model.settings.training.get("pruned", {}).get("seed"),
        "examples": measured["examples"],
        "metric": measured["metric"],
        "baseline_score": measured["baseline"]["score"],
        "dense_score": measured["dense"]["score"],
        "pruned_score": measured["pruned"]["score"],
        "points_lost": measured["points_lost"],
        "dense_flops": measured["dense"]["flops"],
        "pruned_flops": measured["pruned"]["flops"],
        "flops_reduction": measured["flops_reduction"],
        "executed_flops_reduction": measured["executed_flops_reduction"],
        "kept_per_layer": measured["kept_per_layer"],
    }


def card(name: str, settings: Settings, thresholds: tuple[float, ...]) -> str:
    """The model card, from what was measured."""
    lines = []
    for split in SPLITS:
        found = settings.results[split]
        scores = [f"{100 * found[who]['score']:.1f}" for who in ("baseline", "dense", "pruned")]
        ratios = [f"{found[kind]:.2f}×" for kind in ("flops_reduction", "executed_flops_reduction")]
        cells = [split, str(found["examples"]), *scores, f"{found['points_lost']:.1f}", *ratios]
        lines.append(f"| {' | '.join(cells)} |")
    template = Template(Path(__file__).with_name("card.md").read_text(encoding="utf-8"))
    return template.substitute(
        name=name,
        task=settings.task,
        base=MINILM.hub_id,
        revision=MINILM.revision,
        metric=settings.results["development"]["metric"],
        rows="\n".join(lines),
        thresholds=", ".join(f"{100 * theta:.2f} %" for theta in thresholds),
        recipe=json_module.dumps(settings.training, indent=2),
        note=settings.training.get("settled", {}).get("note", ""),
        commit=settings.results["stamp"]["commit"],
        machine=settings.results["stamp"]["machine"],
    )
