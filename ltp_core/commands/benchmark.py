"""`benchmark`: how much of the FLOPs saved becomes time saved, against the strongest peers."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.commands.shared import (
    Device,
    Json,
    Model,
    check_max_tokens,
    choose_device,
    emit,
    load,
    messages,
    progress_bar,
    quiet,
)
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows, labelled
from ltp_core.data.sentences import batches, inputs_of_length, own_sentences, ragged_inputs
from ltp_core.data.sources import load_table
from ltp_core.data.tasks import TASKS
from ltp_core.measuring.scoring import baseline_of, run_unpruned, score_against
from ltp_core.model import PrunedModel
from ltp_core.onnx.export import to_onnx
from ltp_core.results import RESULTS, processor, stamp, write_json
from ltp_core.rules import Dense, Rule, Thresholds
from ltp_core.rules.numbers import numbers
from ltp_core.rules.reading import rule_of
from ltp_core.speed.peers import PEERS, check_names, compile_now, peers, pruned_graph
from ltp_core.speed.rounds import time_rounds
from ltp_core.speed.selection import selection_cost
from ltp_core.training.budget import settle

DIFFERENT_BATCHES = 8
SETTLED_ON = 32  # texts that --target-flops looks at


def benchmark(
    model: Model = "sst2",
    data: Annotated[str | None, typer.Option(help="Texts to measure on: a file, folder or Hub id.")] = None,
    split: Annotated[str | None, typer.Option(help="Its split.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many texts, of all classes.")] = None,
    lengths: Annotated[str, typer.Option(help="Tokens of an input, special ones included.")] = "32,128,512",
    max_tokens: Annotated[
        int | None, typer.Option(help="Take the texts as they are, cut at so many tokens, not --lengths.")
    ] = None,
    ragged: Annotated[
        bool, typer.Option("--ragged", help="Inputs of a quarter of each length up to the length.")
    ] = False,
    batch_sizes: Annotated[str, typer.Option(help="Inputs in a batch.")] = "1,16",
    against: Annotated[str, typer.Option(help=f"Dense peers, of: {', '.join(PEERS)}.")] = "sdpa",
    thresholds: Annotated[str, typer.Option(help="learned, off, or one number a layer: t1,t2,…")] = "learned",
    factor: Annotated[float, typer.Option(help="Multiplies all thresholds.")] = 1.0,
    target_flops: Annotated[
        float | None,
        typer.Option(help="For each row, the factor on the thresholds that gives this FLOPs reduction."),
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs of each at least.")] = 24,
    seconds: Annotated[float, typer.Option(help="And so long in all, for each row.")] = 4.0,
    threads: Annotated[
        int | None, typer.Option(help="Threads of PyTorch and ONNX Runtime; all cores by default.")
    ] = None,
    write: Annotated[
        str | None,
        typer.Option(help="Also write assets/results/performance-NAME.json, row by row.", metavar="NAME"),
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Time pruned, dense and other ways to run the same weights in turn on real sentences.

    Inputs of each length are made from real sentences by joining and cutting them. A threshold on a
    share of attention leaves room for 1/theta tokens, so what it drops depends on the length;
    --target-flops compares the lengths at equal FLOPs reduction. --max-tokens takes the texts of --data
    as they are, which gives sentences per second, and scores: it needs labels.

    Where onnxruntime is asked for, the pruned ONNX graph has rows of its own. A selection by threshold is
    timed beside a top-k of as many tokens. --write writes each row as it is there, so a run can be stopped.

    Example: ltp benchmark --model sst2 --lengths 32,128,512 --batch-sizes 1,16 --against sdpa,onnxruntime
    """
    if threads is not None:
        if threads < 1:
            raise ValueError(f"--threads must be at least 1, got {threads}")
        torch.set_num_threads(threads)
    if runs < 1 or (limit is not None and limit < 1):
        raise ValueError("--runs and --limit must be at least 1")
    if write is not None and not re.fullmatch(r"[\w.-]+", write):
        raise ValueError(f"--write takes a name for assets/results/performance-NAME.json, got {write!r}")
    check_max_tokens(max_tokens)
    if max_tokens is not None and data is None:
        raise ValueError("--max-tokens takes texts as they are, so it needs --data")
    if ragged and max_tokens is not None:
        raise ValueError("--ragged makes inputs of --lengths; --max-tokens takes the texts as they are")
    names = [name.strip() for name in against.split(",")]
    check_names(names)
    wanted_lengths = [int(n) for n in numbers(lengths, "--lengths", whole=True)]
    wanted_sizes = [int(n) for n in numbers(batch_sizes, "--batch-sizes", whole=True)]
    with quiet():
        pruner = load(model, choose_device(device))
        rule = rule_of(pruner, thresholds, factor)
        if target_flops is not None and not isinstance(rule, Thresholds):
            raise ValueError("--target-flops needs thresholds to multiply, and this model has none")
        if max_tokens is None and (long := [n for n in wanted_lengths if n > pruner.max_tokens]):
            raise ValueError(f"length {long[0]} is more than this model's {pruner.max_tokens} tokens")
        texts = _texts(pruner, data, split, limit)
        if max_tokens is not None and (largest := max(wanted_sizes)) > len(texts):
            raise ValueError(f"a batch of {largest} needs as many texts; there are {len(texts)}")
        dense = peers(pruner, names)
        document = _document(pruner, model, names, data, max_tokens, ragged, target_flops)
        if "compile" in dense:
            document["compile_seconds"] = compile_now(pruner, dense["compile"])
            messages.print(f"compiled in {document['compile_seconds']:.0f} s")
        exported = (
            to_onnx(pruner) if "onnxruntime" in names and isinstance(rule, Thresholds | Dense) else None
        )
        for length in wanted_lengths if max_tokens is None else [max_tokens]:
            inputs = _inputs(
                pruner, texts, length, max(wanted_sizes), joined=max_tokens is None, ragged=ragged
            )
            used, scale = _settled(pruner, rule, target_flops, inputs, length)
            graph = None if exported is None else pruned_graph(exported, used)
            for size in wanted_sizes:
                messages.print(f"{length} tokens, batch {size}")
                encoded = [
                    pruner.encode(batch, length)[0]
                    for batch in batches(inputs.texts, size)[: None if max_tokens else DIFFERENT_BATCHES]
                ]
                where = {"length": length, "batch_size": size}
                found = time_rounds(pruner, used, encoded, dense, graph, runs, seconds)
                document["rows"] += [where | {"thresholds_factor": factor * scale} | row for row in found]
                if isinstance(used, Thresholds):
                    cost = selection_cost(pruner, used, encoded[:DIFFERENT_BATCHES])
                    document["selection"].append(where | cost)
                _keep(document, write)
            if max_tokens is not None and data is not None:
                against_what = run_unpruned(
                    pruner, baseline_of(model, pruner), inputs, 16, max_tokens, progress_bar
                )
                document["scores"] = score_against(pruner, against_what, inputs, used, 16, progress_bar)
                _keep(document, write)
    if write is not None:
        messages.print(f"written: {_file(write)}")
    emit(document, json, lambda console: _show(console, document))


def _document(
    model: PrunedModel,
    name: str,
    names: list[str],
    data: str | None,
    max_tokens: int | None,
    ragged: bool,
    target_flops: float | None,
) -> dict[str, Any]:
    """What is known before the first row."""
    return {
        "model": name,
        "device": str(model.device),
        "cuda": None if torch.cuda.is_available() else "not measured: no CUDA device here",
        "threads": torch.get_num_threads(),
        "processor": processor(model.device),
        "torch": torch.__version__,
        "onnxruntime": version("onnxruntime") if "onnxruntime" in names else None,
        "compile_seconds": None,
        "texts": "own sentences" if data is None else "/".join(Path(data).parts[-2:]),
        "max_tokens": max_tokens,
        "ragged": ragged,
        "target_flops": target_flops,
        "rows": [],
        "selection": [],
        "scores": None,
        **stamp(model.device),
    }


def _keep(document: dict[str, Any], write: str | None) -> None:
    """Write what has been measured so far, if it is to be written: a long run may be stopped."""
    if write is not None:
        write_json(_file(write), document)


def _file(write: str) -> Path:
    return RESULTS / f"performance-{write}.json"


def _texts(model: PrunedModel, data: str | None, split: str | None, limit: int | None) -> Rows:
    if data is None:
        return Rows([*own_sentences()[:limit]], [])
    task = TASKS.get(model.settings.task or "")
    where = (data, split or (task.development if task else None), task.config if task else None)
    return labelled(load_table(*where).filled(), model.classes).fair(limit)


def _inputs(model: PrunedModel, texts: Rows, length: int, largest: int, joined: bool, ragged: bool) -> Rows:
    """The texts as they are, or as many as are needed of one length (or ragged up to it), joined and cut."""
    if not joined:
        return texts
    parts = [text if isinstance(text, str) else " ".join(text) for text in texts.texts]
    make = ragged_inputs if ragged else inputs_of_length
    return Rows(list(make(model.tokenizer, parts, length, DIFFERENT_BATCHES * largest)), [])


def _settled(
    model: PrunedModel, rule: Rule, target: float | None, inputs: Rows, length: int
) -> tuple[Rule, float]:
    """The rule, multiplied so that it gives the wanted FLOPs reduction on these inputs, and the factor."""
    if target is None or not isinstance(rule, Thresholds):
        return rule, 1.0
    sample = Rows(inputs.texts[:SETTLED_ON], inputs.labels[:SETTLED_ON])

    def reached(factor: float) -> float:
        return run_rows(model, sample, rule.times(factor), max_tokens=length).flops_reduction

    scale = settle(reached, target)
    return rule.times(scale), scale


def _show(console: Console, document: dict[str, Any]) -> None:
    places = list(dict.fromkeys((row["length"], row["batch_size"]) for row in document["rows"]))
    for length, size in places:
        rows = [row for row in document["rows"] if (row["length"], row["batch_size"]) == (length, size)]
        title = f"{length} tokens, batch {size}: {rows[0]['flops_reduction']:.2f}× fewer FLOPs"
        grid = Table("", "ms", "quartiles", "texts/s", "÷ pruned", "realised", title=title)
        for row in rows:
            if row["engine"] == "ltp":
                _line(grid, row, row["against"], row["against"], "dense_ms", row["speedup"], row["realised"])
        for row in {row["engine"]: row for row in rows}.values():
            ratio = row["packed_dense_ms"] / row["pruned_ms"]
            name = row["engine"] if row["engine"] == "ltp" else "onnx graph"
            _line(
                *(grid, row, f"{name}, dense", "packed_dense", "packed_dense_ms"),
                *(ratio, row["realised_pruning"]),
            )
            _line(grid, row, f"{name}, pruned", "pruned", "pruned_ms", None, None)
        console.print(grid)
        for row in rows:
            if row["engine"] != "ltp":
                console.print(f"onnx graph, pruned: {row['speedup']:.2f}× faster than {row['against']}")
    for row in document["selection"]:
        console.print(
            f"{row['length']} tokens, batch {row['batch_size']}: to choose costs a layer "
            f"{row['threshold_us']:.1f} µs by threshold, {row['top_k_us']:.1f} µs by top-k"
        )
    if scores := document["scores"]:
        lost = scores["points_lost"]
        console.print(
            f"{scores['metric']} on {scores['examples']} texts: {scores['dense']['score']:.3f} dense, "
            f"{scores['pruned']['score']:.3f} pruned"
            + ("" if lost is None else f", points lost against the baseline: {lost:z.1f}")
        )
    console.print(f"{document['device']}, {document['threads']} threads; medians of interleaved runs")


def _line(
    grid: Table,
    row: dict[str, Any],
    shown: str,
    name: str,
    milliseconds: str,
    ratio: float | None,
    realised: float | None,
) -> None:
    low, high = row["quartiles_ms"][name]
    rate = row["sentences_per_second"] * row["pruned_ms"] / row[milliseconds]
    shares = ("" if ratio is None else f"{ratio:.2f}×", "" if realised is None else f"{realised:.2f}")
    grid.add_row(shown, f"{row[milliseconds]:.2f}", f"{low:.2f}–{high:.2f}", f"{rate:.1f}", *shares)
