"""`benchmark`: how much of the FLOPs saved becomes time saved, against the strongest peers."""

import re
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import (
    USUAL_MODEL,
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
    reading,
)
from ltp_core.results import ENGINE, RESULTS, check_results, write_json
from ltp_core.rules.numbers import numbers
from ltp_core.rules.reading import rule_of
from ltp_core.speed.benchmark import Benchmark, Document, run_benchmark, texts_for
from ltp_core.speed.peers import PEERS


def benchmark(
    model: Model = USUAL_MODEL,
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

    Each runtime that is asked for has rows of its pruned graph, too. A selection by threshold is
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
    plan = Benchmark(
        lengths=tuple(int(n) for n in numbers(lengths, "--lengths", whole=True)),
        batch_sizes=tuple(int(n) for n in numbers(batch_sizes, "--batch-sizes", whole=True)),
        against=tuple(name.strip() for name in against.split(",")),
        rule=thresholds,
        factor=factor,
        max_tokens=max_tokens,
        ragged=ragged,
        target_flops=target_flops,
        runs=runs,
        seconds=seconds,
    )
    file = None if write is None else RESULTS / f"performance-{write}.json"

    def keep(document: Document) -> None:
        if file is not None:
            write_json(file, document)

    with quiet():
        where, about = (
            choose_device(device),
            describe(model),
        )  # all that can be refused is, before it is loaded
        if file is not None:
            check_results(file, None)
        rule = rule_of(about, plan.rule, plan.factor)
        with reading() as read:
            texts = texts_for(about, data, split, limit, read)
        plan.check(about, rule, texts)
        pruner = load(model, where)
        document = run_benchmark(plan, pruner, texts, model, data, keep, messages.print, progress_bar)
    if file is not None:
        messages.print(f"written: {file}")
    emit(document, json, lambda console: _show(console, document))


def _show(console: Console, document: dict[str, Any]) -> None:
    places = list(dict.fromkeys((row["length"], row["batch_size"]) for row in document["rows"]))
    for length, size in places:
        rows = [row for row in document["rows"] if (row["length"], row["batch_size"]) == (length, size)]
        title = f"{length} tokens, batch {size}: {rows[0]['flops_reduction']:.2f}× fewer FLOPs"
        grid = Table("", "ms", "quartiles", "texts/s", "÷ pruned", "realised", title=title)
        for row in rows:
            if row["engine"] == ENGINE:
                _line(grid, row, row["against"], row["against"], "dense_ms", row["speedup"], row["realised"])
        for row in {row["engine"]: row for row in rows}.values():
            ratio = row["packed_dense_ms"] / row["pruned_ms"]
            name = row["engine"] if row["engine"] == ENGINE else f"{row['engine']} graph"
            _line(
                *(grid, row, f"{name}, dense", "packed_dense", "packed_dense_ms"),
                *(ratio, row["realised_pruning"]),
            )
            _line(grid, row, f"{name}, pruned", "pruned", "pruned_ms", None, None)
        console.print(grid)
        for row in rows:
            if row["engine"] != ENGINE:
                console.print(
                    f"{row['engine']} graph, pruned: {row['speedup']:.2f}× faster than {row['against']}"
                )
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
