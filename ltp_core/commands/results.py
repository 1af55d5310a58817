"""`results`: measure the shipped models, and write what was found into files, cards and docs."""

import json as json_module
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Annotated, Any

import typer
from rich.console import Console

from ltp_core.bases import BASES
from ltp_core.checkpoints import Settings, shipped_models
from ltp_core.commands.evaluate import check_max_tokens, measure, rows_for, run_unpruned
from ltp_core.commands.shared import Device, Json, choose_device, emit, messages, numbers, quiet, rule_of
from ltp_core.data.rows import HELD_OUT, TASKS, Rows
from ltp_core.model import PrunedModel
from ltp_core.results import RESULTS, lost_text, stamp, write_rows

SPLITS = {"development": None, "untouched": "untouched", "tuning": "tuning"}
# As Python, for the card.
EXAMPLE = '"A moving, funny film."'
PAIR_EXAMPLE = '("A man is playing a guitar.", "Someone plays music.")'


def results(
    data: Annotated[
        str | None, typer.Option(help="A file, a folder or a Hub id; else the task's own.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only this shipped model.")] = None,
    factors: Annotated[
        str, typer.Option(help="Factors on the thresholds for the accuracy against FLOPs curve.")
    ] = "0.4,0.6,0.8,1,1.15,1.3,1.45,1.6",
    max_tokens: Annotated[
        str | None, typer.Option(help="Cut inputs at each of these lengths; else at that of the training.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows, of all classes.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Measure the shipped models on their development, untouched and tuning rows.

    Example: ltp results --model imdb --max-tokens 256,512
    """
    lengths = (
        None if max_tokens is None else [int(n) for n in numbers(max_tokens, "--max-tokens", whole=True)]
    )
    for length in lengths or []:
        check_max_tokens(length)
    if limit is not None and limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    where, walk = choose_device(device), numbers(factors, "--factors")
    shipped = shipped_models()
    if model is not None and model not in shipped:
        raise ValueError(f"no shipped model {model!r}; there is: {', '.join(shipped)}")
    with quiet():
        chosen = [model] if model else list(shipped)
        found = {name: record(name, data, walk, where, lengths, limit) for name in chosen}

    def table(console: Console) -> None:
        for name in found:
            console.print(f"{RESULTS / name}.json and the card of {name}")

    emit({"models": found}, json, table)


def record(
    name: str,
    data: str | None,
    factors: list[float],
    device: Any,
    lengths: Sequence[int | None] | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """Measure one shipped model; write its rows, its settings and its card.

    At several lengths, the first is the one that the model's headline figures are for.
    """
    folder = shipped_models()[name]
    model = PrunedModel.from_pretrained(name).to(device)
    baseline = PrunedModel.from_pretrained(name, weights="baseline").to(device)
    stamped = stamp(model.device)
    found: dict[str, Any] = {}
    rows = []
    for length in lengths or [model.settings.trained_length]:
        for split, examples in measurable(model, data, limit).items():
            title = split if split not in found else f"{split} at {length} tokens"
            against = run_unpruned(model, baseline, examples, max_tokens=length)
            for factor in dict.fromkeys([1.0, *factors]):
                messages.print(f"{title} ({len(examples)} rows), thresholds × {factor:g}")
                measured = measure(model, against, examples, rule_of(model, "learned", factor))
                about = {"model": name, "split": split, "factor": factor, "limit": limit}
                rows.append(row_of(model, "ltp", measured) | about | stamped)
                if factor == 1.0:
                    found[title] = measured
    settings = replace(model.settings, results={**found, "stamp": stamped})
    settings.write(folder)
    (folder / "README.md").write_text(card(name, settings, model.thresholds or ()), encoding="utf-8")
    rows.sort(key=lambda row: (row["split"], row["max_tokens"], row["factor"]))
    write_rows(RESULTS / f"{name}.json", rows)
    return settings.results


def measurable(model: PrunedModel, data: str | None, limit: int | None) -> dict[str, Rows]:
    """The splits that a model can be measured on; the untouched one may not have been held out."""
    held = {split: model.settings.training.get(split) for split in HELD_OUT}
    splits = {split: key for split, key in SPLITS.items() if key is None or held[key]}
    loaded = {split: rows_for(model, data, key) for split, key in splits.items()}
    return {split: rows.fair(limit) for split, rows in loaded.items()}


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


def card(name: str, settings: Settings, thresholds: tuple[float, ...]) -> str:
    """The model card, from what was measured."""
    measured = {title: found for title, found in settings.results.items() if title != "stamp"}
    metrics = settings.results["development"]["metrics"]
    lines = []
    for title, found in measured.items():
        runs = (found[who] for who in ("baseline", "dense", "pruned"))
        scores = [" / ".join(f"{100 * run[metric]:.1f}" for metric in metrics) for run in runs]
        ratios = [f"{found[kind]:.2f}×" for kind in ("flops_reduction", "executed_flops_reduction")]
        lost = lost_text(found["points_lost"], found.get("points_lost_error"))
        cells = [title, str(found["examples"]), *scores, lost, *ratios]
        lines.append(f"| {' | '.join(cells)} |")
    held = "*tuning* rows are whole texts held out of the training set, on which the thresholds' last factor"
    held += " was settled." + (" *untouched* rows were held out, too." if "untouched" in measured else "")
    template = Template((Path(__file__).parent.parent / "pages" / "card.md").read_text(encoding="utf-8"))
    return template.substitute(
        name=name,
        task=settings.task,
        base=BASES[settings.base or ""].hub_id,
        revision=BASES[settings.base or ""].revision,
        example=PAIR_EXAMPLE if settings.task in TASKS and TASKS[settings.task].pairs else EXAMPLE,
        metrics=" / ".join(metrics),
        held=held,
        max_tokens=settings.results["development"]["max_tokens"],
        rows="\n".join(lines),
        thresholds=", ".join(f"{100 * theta:.2f} %" for theta in thresholds),
        recipe=json_module.dumps(settings.training, indent=2),
        note=settings.training.get("settled", {}).get("note", ""),
        commit=settings.results["stamp"]["commit"],
        machine=settings.results["stamp"]["machine"],
    )
