"""The pages that `report` writes: docs/results.md and the tables in the README, from `assets/results`."""

import json
from pathlib import Path
from typing import Any

from ltp_core.checkpoints import USUAL_MODEL, Settings, shipped_models
from ltp_core.finding.write import write_page
from ltp_core.measuring.named_settings import FILE, write_named
from ltp_core.measuring.shipped import FACTORS
from ltp_core.pages import equal_flops
from ltp_core.pages.factors import factors
from ltp_core.pages.figures import frontiers, growths, length_curves
from ltp_core.pages.markdown import grid, line
from ltp_core.pages.marked import between_marks
from ltp_core.pages.recipe import train_commands
from ltp_core.pictures.style import PAGE as PAGE_WIDTH
from ltp_core.results import ENGINE, RESULTS, ROOT, lost_text, read_rows
from ltp_core.training.job import Job

PAGE = ROOT / "docs" / "results.md"
FINDING = ROOT / "docs" / "finding.md"
PICTURES = ROOT / "docs" / "pictures"
README = ROOT / "README.md"
_WHO = {"dense_ms": "sdpa", "pruned_ms": "pruned"}  # a time, and the name of its quartiles
HEADLINE = USUAL_MODEL  # the benchmark that the README shows
ERRORS = "± is one standard error of that difference, from a paired bootstrap over the rows."


def write_pages() -> list[Path]:
    """Write docs/results.md, the README's tables, docs/finding.md and its figures -> what was written.

    The three settings of each model are chosen anew first, and the curves drawn: both follow from what was
    measured.
    """
    for name, folder in shipped_models().items():
        write_named(name, folder, RESULTS)
    drawn = [*frontiers(RESULTS, PICTURES, PAGE_WIDTH, formats=["svg"])]
    drawn += length_curves(RESULTS, PICTURES, formats=["svg"])
    drawn += growths(RESULTS, PICTURES, formats=["svg"])
    PAGE.write_text(page(), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(between_marks(readme, "results", summary()), encoding="utf-8")
    return [RESULTS / FILE, PAGE, README, *drawn, *write_page(RESULTS, FINDING, PICTURES)]


def summary() -> str:
    """The README's tables: each shipped model on development and untouched rows, and the speed of one."""
    lines = [
        "| model | score | rows | baseline | pruned | points lost | paper FLOPs | executed FLOPs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in shipped_models():
        rows = read_rows(RESULTS / f"{name}.json")
        for row in rows:
            if row["factor"] == 1 and row["split"] != "tuning":
                where = f"{row['examples']} {row['split']}{_cut(row, rows)}"
                lines.append(line([name, row["metric"], where, *_scores(row)]))
    text = [
        *lines,
        "",
        f"Scores in percent; FLOPs as dense ÷ pruned. {ERRORS} Thresholds were settled on other rows. "
        "[docs/results.md](docs/results.md) has the rest.",
    ]
    if timed := _benchmarks().get(HEADLINE):
        text += ["", *_headline(timed)]
    return "\n".join(text)


def page() -> str:
    """All of docs/results.md."""
    parts = [
        "# Results",
        "Written by `ltp report` from `assets/results/`, where `ltp results`, `compare`, `train --record` "
        "and `benchmark --write` leave what they measure. *Baseline*: a dense model tuned separately, as it "
        "ships: its differences to the base in 4 bits a weight, as the pruned model's. *Points lost*: "
        f"baseline minus pruned. {ERRORS} *Tuning* rows settled the thresholds' last factor; *untouched* "
        "rows were held out of training, too. Paper FLOPs count as the paper does; executed FLOPs are what "
        "the engine runs, where a dense run has the same lossless savings.",
    ]
    parts += _three_settings()
    for name in shipped_models():
        rows = read_rows(RESULTS / f"{name}.json")
        if not rows:
            continue
        parts.append(f"## {name}: accuracy against FLOPs")
        parts.append(
            "One model; a row multiplies all its thresholds by one factor. 1 is the model as shipped. "
            f"{rows[0]['note']}"
        )
        for chosen in _measurements(rows):
            head = [
                "factor",
                "baseline",
                "pruned",
                "points lost",
                "paper FLOPs",
                "executed FLOPs",
                "tokens left",
            ]
            lines = [line(head), line(["---"] * len(head))]
            for row in chosen:
                kept = " ".join(f"{100 * share:.0f}" for share in row["kept_per_layer"])
                lines.append(line([f"{row['factor']:g}", *_scores(row), kept]))
            what = f"{chosen[0]['split']}, {chosen[0]['examples']} rows{_cut(chosen[0], rows)}"
            parts.append(f"### {what}, {chosen[0]['metric']} in percent")
            parts.append("\n".join(lines))
        first = rows[0]
        parts.append(
            f"*Tokens left*: percent of all tokens after each layer. Seed {first['seed']}, commit "
            f"{first['commit']}, torch {first['versions']['torch']}, {first['machine']}. "
            f"{_made_by(name, rows)}"
        )
    for file in sorted(RESULTS.glob("lengths-*.json")):
        parts += _beyond(file.stem, read_rows(file))
    parts += equal_flops.sections(_recorded("compare"), list(_benchmarks().values()), _pictured(), _seeds())
    parts += equal_flops.ablations(_recorded("train"))
    if speed := _speed(_benchmarks()):
        parts += ["## Speed", *speed]
    return "\n\n".join(parts) + "\n"


def _three_settings() -> list[str]:
    """What the rule of docs/method.md chose for each model."""
    rows = read_rows(RESULTS / FILE)
    if not rows:
        return []
    head = ["model", "setting", "factor", "paper FLOPs", "points lost", "upper 80 % bound", "tuning rows"]
    lines = [
        [
            *(row["model"], row["setting"], f"{row['factor']:g}", f"{row['flops_reduction']:.2f}×"),
            *(lost_text(row["points_lost"], row["points_lost_error"]), f"{row['upper_bound']:z.1f}"),
            f"{row['examples']:,}",
        ]
        for row in rows
    ]
    return [
        "## Careful, learned, fast",
        "Three settings of each model, by the [rule in the method](method.md#three-settings) from tuning "
        "rows alone; the stage offers them. A model without a careful setting has too few tuning rows, or "
        "loses too much, for any bound below one point.",
        grid(head, lines),
    ]


def _beyond(name: str, rows: list[dict[str, Any]]) -> list[str]:
    """What `ltp lengths` measured: the picture and its numbers."""
    if not rows:
        return []
    head = [
        "cut at",
        "reference length",
        "baseline",
        "dense",
        "pruned",
        "paper FLOPs",
        "executed FLOPs",
        "cut",
    ]
    lines = [
        [
            str(row["max_tokens"]),
            "none" if row["reference_length"] is None else f"{row['reference_length']:g}",
            "" if row["baseline_score"] is None else f"{100 * row['baseline_score']:.1f}",
            *(f"{100 * row[who]:.1f}" for who in ("dense_score", "pruned_score")),
            *(f"{row[kind]:.2f}×" for kind in ("flops_reduction", "executed_flops_reduction")),
            f"{row['truncated_examples']:,} of {row['examples']:,}",
        ]
        for row in rows
    ]
    first = rows[0]
    source = f" of {first['data']}" if first["data"] else ""
    return [
        f"## {first['model']}: longer texts than it was trained on",
        f"The same {first['examples']:,} texts{source} at each length; the training cut its own at "
        f"{first['trained_length']} tokens. {first['metric'].capitalize()} in percent. Measured by `ltp "
        f"lengths`, commit {first['commit']}, {first['machine']}.",
        f"![Scores and FLOPs against length](pictures/{name}.svg)",
        grid(head, lines),
    ]


def _made_by(name: str, rows: list[dict[str, Any]]) -> str:
    """The commands that gave a shipped model and these rows."""
    training = Settings.read(shipped_models()[name]).training
    commands = train_commands(Job.of(training), f"runs/{name}")
    if not commands:
        return f"An earlier version trained it: its recipe, in {name}'s card, has another unit."
    settled = training.get("settled", {}).get("target_flops")
    lines = [
        *commands,
        f"ltp ship runs/{name} --name {name}" + (f" --target-flops {settled:g}" if settled else ""),
        f"ltp results --model {name}{_measured_how(rows, training['pruned']['max_tokens'])}",
    ]
    return "It comes from\n\n```bash\n" + "\n".join(lines) + "\n```"


def _measured_how(rows: list[dict[str, Any]], usual_length: int) -> str:
    """The options of `ltp results` that gave these rows, where they are not the usual ones."""
    factors = sorted({row["factor"] for row in rows} | {1.0})
    options = {
        "limit": rows[0].get("limit"),
        "max-tokens": _lengths(rows) if _lengths(rows) != [usual_length] else None,
        "factors": factors if factors != list(FACTORS) else None,
    }
    said = {name: value if isinstance(value, list) else [value] for name, value in options.items() if value}
    return "".join(f" --{name} {','.join(f'{x:g}' for x in values)}" for name, values in said.items())


def _recorded(command: str) -> list[dict[str, Any]]:
    """What a command measured, of all tasks."""
    return [row for file in sorted(RESULTS.glob(f"{command}-*.json")) for row in read_rows(file)]


def _benchmarks() -> dict[str, dict[str, Any]]:
    """What `benchmark --write NAME` wrote, by name."""
    files = sorted(RESULTS.glob("performance-*.json"))
    found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
    return {
        stem.removeprefix("performance-"): document
        for stem, document in found.items()
        if "selection" in document
    }


def _seeds() -> dict[str, int]:
    """Task -> the seed that its shipped model was trained with."""
    found = {name: Settings.read(folder).training for name, folder in shipped_models().items()}
    return {name: training["pruned"]["seed"] for name, training in found.items()}


def _pictured() -> list[str]:
    """Tasks whose curves have been drawn."""
    return [file.stem.removeprefix("compare-") for file in PICTURES.glob("compare-*.svg")]


def _measurements(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows of each split and length, development first; not every model has untouched rows."""
    kinds = [(split, length) for split in ("development", "untouched", "tuning") for length in _lengths(rows)]
    found = [[row for row in rows if (row["split"], row.get("max_tokens")) == kind] for kind in kinds]
    return [chosen for chosen in found if chosen]


def _lengths(rows: list[dict[str, Any]]) -> list[int | None]:
    return list(dict.fromkeys(row.get("max_tokens") for row in rows))


def _cut(row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """At how many tokens inputs were cut, where any was, or where a model was measured at several lengths."""
    truncated = row.get("truncated_examples", 0)  # rows of earlier versions do not say
    said = f" of at most {row['max_tokens']} tokens" if truncated or len(_lengths(rows)) > 1 else ""
    return f"{said} ({truncated:,} cut)" if truncated else said


def _scores(row: dict[str, Any]) -> list[str]:
    scores = [f"{100 * row[who]:.1f}" for who in ("baseline_score", "pruned_score")]
    ratios = [f"{row[kind]:.2f}×" for kind in ("flops_reduction", "executed_flops_reduction")]
    return [*scores, lost_text(row["points_lost"], row.get("points_lost_error")), *ratios]


def _headline(found: dict[str, Any]) -> list[str]:
    """A benchmark in short: our engine against Hugging Face, and the ONNX graph against the dense one."""
    head = ["tokens", "batch", "FLOPs", "Hugging Face", "ours, pruned", "speedup", "realised"]
    lines = [line([*head, "ONNX Runtime: dense → pruned"]), line(["---"] * (len(head) + 1))]
    rows = {(row["length"], row["batch_size"], row["engine"], row["against"]): row for row in found["rows"]}
    for (length, size, engine, against), row in rows.items():
        if (engine, against) != (ENGINE, "sdpa"):
            continue
        cells = [str(length), str(size), f"{row['flops_reduction']:.2f}×"]
        cells += [_spread(row[name], row["quartiles_ms"][key]) for name, key in _WHO.items()]
        cells += [f"{row['speedup']:.2f}×", f"{row['realised']:.2f}"]
        graph = rows.get((length, size, "onnxruntime", "onnxruntime"))
        cells.append("" if graph is None else _pair(graph))
        lines.append(line(cells))
    return [
        *lines,
        "",
        f"{found['model']} against Hugging Face's own `sdpa` forward of the same weights, on sentences "
        "joined and cut to these lengths, where accuracy means nothing; medians (quartiles) of runs in turn; "
        f"{found['processor']}, {found['threads']} threads. *Realised*: speedup ÷ FLOPs. The speedup is "
        "that of the whole engine; what pruning alone gives, and other FLOPs, lengths and peers, stand in "
        f"[docs/results.md](docs/results.md#speed).{_cost(found)}",
    ]


def _cost(found: dict[str, Any]) -> str:
    """What a benchmark's FLOPs reduction costs in accuracy, where the model was measured near it."""
    rows = [row for row in read_rows(RESULTS / f"{found['model']}.json") if row["split"] == "development"]
    if not rows:
        return ""
    reduction = found["rows"][0]["flops_reduction"]
    near = min(rows, key=lambda row: abs(row["flops_reduction"] - reduction))
    lost = lost_text(near["points_lost"], near.get("points_lost_error"))
    ships = "".join(f", and it ships at {row['flops_reduction']:.2f}×" for row in rows if row["factor"] == 1)
    return (
        f" What it costs in accuracy: {found['model']} loses {lost} points on its development set "
        f"at {near['flops_reduction']:.2f}×{ships}."
    )


def _pair(graph: dict[str, Any]) -> str:
    return f"{graph['dense_ms']:.1f} → {graph['pruned_ms']:.1f} ms ({graph['speedup']:.2f}×)"


def _speed(documents: dict[str, dict[str, Any]]) -> list[str]:
    """Tables of benchmarks, with how they were measured."""
    parts: list[str] = []
    for name, found in documents.items():
        head = [
            *("tokens", "batch", "engine", "against", "dense", "packed dense", "pruned", "texts/s"),
            *("speedup", "pruning alone", "paper FLOPs", "realised"),
        ]
        lines = [line(head), line(["---"] * len(head))]
        for row in found["rows"]:
            places = {"dense_ms": row["against"], "packed_dense_ms": "packed_dense", "pruned_ms": "pruned"}
            times = [_spread(row[name], row["quartiles_ms"][where]) for name, where in places.items()]
            alone = row["packed_dense_ms"] / row["pruned_ms"]
            ratios = [f"{ratio:.2f}×" for ratio in (row["speedup"], alone, row["flops_reduction"])]
            cut = "" if found["max_tokens"] is None and not found.get("ragged") else "≤ "
            where = [f"{cut}{row['length']}", str(row["batch_size"]), row["engine"], row["against"]]
            rate = f"{row['sentences_per_second']:.1f}"
            lines.append(line([*where, *times, rate, *ratios, f"{row['realised']:.2f}"]))
        parts += [f"### `performance-{name}.json`", "\n".join(lines), _how(found)]
        if product := factors(found):
            parts += ["The factors of one product, each step beside the one before:", product]
    return parts


def _how(found: dict[str, Any]) -> str:
    """How a benchmark was measured, and what it says beside its rows."""
    lengths = "different lengths up to these" if found.get("ragged") else "equal length"
    texts = found["texts"] if found["max_tokens"] else f"inputs of {lengths} made from {found['texts']}"
    if found["rows"] and (factors := sorted({row["thresholds_factor"] for row in found["rows"]})) != [1]:
        texts += f", thresholds × {', '.join(f'{factor:.2g}' for factor in factors)}"
    versions = f"torch {found['torch']}"
    if found["onnxruntime"]:
        versions += f", onnxruntime {found['onnxruntime']}"
    says = [
        f"{found['model']}, {texts}; *engine* `ltp` is ours, `onnxruntime` the pruned ONNX graph (one text "
        "at a time); *against* is another way to run the same dense weights; medians (quartiles) of "
        f"interleaved runs; {found['device']}, {found['processor']}, {found['threads']} threads, {versions}, "
        f"commit {found['commit']}. *Pruning alone*: packed dense ÷ pruned. *Realised*: speedup ÷ paper "
        "FLOPs."
    ]
    if found["max_tokens"]:
        says.append("Texts differ in length: in a batch the other ways pad, `ltp` does not.")
    if scores := found["scores"]:
        lost = scores["points_lost"]
        says.append(
            f"{scores['metric'].capitalize()} on these {scores['examples']} texts: "
            f"{100 * scores['dense']['score']:.1f} dense, {100 * scores['pruned']['score']:.1f} pruned"
            + ("." if lost is None else f"; points lost against the baseline: {lost:z.1f}.")
        )
    if found["selection"]:
        costs = [
            f"{row['threshold_us']:.0f} and {row['top_k_us']:.0f} µs at {row['length']} × {row['batch_size']}"
            for row in found["selection"]
        ]
        says.append(f"To choose by threshold and by top-k costs a layer {'; '.join(costs)}.")
    if found["cuda"]:
        says.append(f"GPU: {found['cuda']}.")
    return " ".join(says)


def _spread(median: float, quartiles: list[float]) -> str:
    digits = 0 if median >= 100 else 1
    low, high = (f"{value:.{digits}f}" for value in quartiles)
    return f"{median:.{digits}f} ms ({low}–{high})"
