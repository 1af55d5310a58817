"""`ship`: turn a finished training run into a small model folder, measured as users will get it."""

import json as json_module
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Annotated, Any

import typer
from rich.console import Console

from ltp_core import checkpoints
from ltp_core.checkpoints import MINILM, CheckpointError, Settings
from ltp_core.commands.evaluate import measure, rows_for
from ltp_core.commands.shared import Device, Json, choose_device, emit, messages, numbers, quiet, rule_of
from ltp_core.model import PrunedModel
from ltp_core.results import RESULTS, stamp, write_rows

SPLITS = {"development": None, "untouched": "untouched", "tuning": "tuning"}


def ship(
    run: Annotated[Path, typer.Argument(help="A folder that `train` wrote.")],
    name: Annotated[str, typer.Option(help="The name to ship it under.")],
    data: Annotated[str | None, typer.Option(help="A file, a folder or a Hub id with its task.")] = None,
    bits: Annotated[int, typer.Option(help="Bits a weight of the difference to the base: 4 or 8.")] = 4,
    factors: Annotated[
        str, typer.Option(help="Factors on the thresholds for the accuracy against FLOPs curve.")
    ] = "0.4,0.6,0.8,1,1.15,1.3,1.5",
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Store a run as small differences to its base, measure that, and write its card and results.

    Example: ltp ship runs/sst2 --name sst2
    """
    folder = checkpoints.SHIPPED / name
    where = choose_device(device)
    walk = numbers(factors, "--factors")
    with quiet():
        pack(run, folder, bits)
        model = PrunedModel.from_pretrained(folder).to(where)
        baseline = PrunedModel.from_pretrained(folder, weights="baseline").to(where)
        results: dict[str, Any] = {"stamp": stamp()}
        rows = []
        for split, key in SPLITS.items():
            examples = rows_for(model, data, key)
            for factor in dict.fromkeys([1.0, *walk]):
                messages.print(f"{split} ({len(examples)} rows), thresholds × {factor:g}")
                measured = measure(model, baseline, examples, rule_of(model, "learned", factor), 32)
                rows.append(_row(model, name, split, factor, measured) | results["stamp"])
                if factor == 1.0:
                    results[split] = measured
    settings = replace(model.settings, results=results)
    settings.write(folder)
    (folder / "README.md").write_text(card(name, settings, model.thresholds or ()), encoding="utf-8")
    write_rows(RESULTS / f"{name}.json", sorted(rows, key=lambda row: (row["split"], row["factor"])))

    def table(console: Console) -> None:
        console.print(f"{folder}: measured on {', '.join(SPLITS)}")

    emit({"output": str(folder), **results}, json, table)


def pack(run: Path, folder: Path, bits: int) -> None:
    """Write a run's two models as differences to the base, with thresholds and settings."""
    tuned = PrunedModel.from_pretrained(run)
    if tuned.thresholds is None:
        raise CheckpointError(f"{run} has no learned thresholds: ship what `train --method ltp` wrote")
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for weights in ("ltp", "baseline"):
        file = f"{weights}.delta.safetensors"
        model = PrunedModel.from_pretrained(run, weights=weights)
        files[file] = checkpoints.save_difference(folder, file, model.hf_model, MINILM, bits)
    tuned.hf_model.config.save_pretrained(folder)
    checkpoints.save_thresholds(folder, tuned.thresholds)
    training = {**tuned.settings.training, "data": None, "baseline": None}  # paths of this machine
    replace(tuned.settings, base=MINILM.name, files=files, training=training, results={}).write(folder)


def _row(
    model: PrunedModel, name: str, split: str, factor: float, measured: dict[str, Any]
) -> dict[str, Any]:
    return {
        "task": model.settings.task,
        "model": name,
        "rule": "ltp",
        "split": split,
        "factor": factor,
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
        commit=settings.results["stamp"]["commit"],
        machine=settings.results["stamp"]["machine"],
    )
