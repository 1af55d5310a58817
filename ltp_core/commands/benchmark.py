"""`benchmark`: how much of the FLOPs saved becomes time saved, against the strongest peer."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from ltp_core.commands.shared import (
    Device,
    Json,
    Model,
    choose_device,
    emit,
    load,
    messages,
    numbers,
    quiet,
    rule_of,
)
from ltp_core.evaluation import run_rows
from ltp_core.flops import executed_flops, paper_flops
from ltp_core.latency import interleaved
from ltp_core.model import PrunedModel
from ltp_core.results import processor, stamp
from ltp_core.rules import Dense, Rule, Thresholds, observed_layers
from ltp_core.sentences import batches, inputs_of_length, own_sentences
from ltp_core.training.budget import settle
from ltp_core.training.data import TASKS, Rows, load_rows

PEERS = ("sdpa", "eager")
DIFFERENT_BATCHES = 8


def benchmark(
    model: Model = "sst2",
    data: Annotated[str | None, typer.Option(help="Texts to measure on: a file, folder or Hub id.")] = None,
    split: Annotated[str | None, typer.Option(help="Its split.")] = None,
    lengths: Annotated[str, typer.Option(help="Tokens of an input, special ones included.")] = "32,128,512",
    batch_sizes: Annotated[str, typer.Option(help="Inputs in a batch.")] = "1,16",
    against: Annotated[str, typer.Option(help="Hugging Face's own forward with: sdpa, eager.")] = "sdpa",
    thresholds: Annotated[str, typer.Option(help="learned, off, or one number a layer: t1,t2,…")] = "learned",
    factor: Annotated[float, typer.Option(help="Multiplies all thresholds.")] = 1.0,
    target_flops: Annotated[
        float | None,
        typer.Option(help="For each row, the factor on the thresholds that gives this FLOPs reduction."),
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs of each at least.")] = 24,
    seconds: Annotated[float, typer.Option(help="And so long in all, for each row.")] = 4.0,
    threads: Annotated[int | None, typer.Option(help="PyTorch's threads; all cores by default.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Time pruned, dense and Hugging Face's own forward in turn on real sentences.

    Inputs of each length are made from real sentences by joining and cutting them. A threshold on a
    share of attention leaves room for 1/theta tokens, so what it drops depends on the length;
    --target-flops compares the lengths at equal FLOPs reduction.

    Example: ltp benchmark --model sst2 --lengths 32,128,512 --batch-sizes 1,16
    """
    if threads is not None:
        if threads < 1:
            raise ValueError(f"--threads must be at least 1, got {threads}")
        torch.set_num_threads(threads)
    peers = [name.strip() for name in against.split(",")]
    if unknown := [name for name in peers if name not in PEERS]:
        raise ValueError(f"unknown peer {unknown[0]!r}; known: {', '.join(PEERS)}")
    wanted_lengths = [int(n) for n in numbers(lengths, "--lengths", whole=True)]
    wanted_sizes = [int(n) for n in numbers(batch_sizes, "--batch-sizes", whole=True)]
    with quiet():
        pruner = load(model, choose_device(device))
        rule = rule_of(pruner, thresholds, factor)
        texts = _texts(pruner, data, split)
        if too_long := [n for n in wanted_lengths if n > pruner.max_tokens]:
            raise ValueError(f"length {too_long[0]} is more than this model's {pruner.max_tokens} tokens")
        rows = []
        for length in wanted_lengths:
            for size in wanted_sizes:
                messages.print(f"{length} tokens, batch {size}")
                rows += time_row(pruner, rule, target_flops, texts, length, size, peers, runs, seconds)
    document = {
        "model": model,
        "device": str(pruner.device),
        "threads": torch.get_num_threads(),
        "processor": processor(),
        "torch": torch.__version__,
        "commit": stamp()["commit"],
        "target_flops": target_flops,
        "rows": rows,
    }

    def table(console: Console) -> None:
        names = ("length", "batch", "against", "dense ms", "packed dense ms", "pruned ms", "speedup", "FLOPs")
        grid = Table(*names, "realised", "realised by pruning")
        for row in rows:
            times = [f"{row[name]:.2f}" for name in ("dense_ms", "packed_dense_ms", "pruned_ms")]
            ratios = [f"{row['speedup']:.2f}×", f"{row['flops_reduction']:.2f}×"]
            shares = [f"{row['realised']:.2f}", f"{row['realised_pruning']:.2f}"]
            grid.add_row(str(row["length"]), str(row["batch_size"]), row["against"], *times, *ratios, *shares)
        console.print(grid)
        console.print(f"{document['device']}, {document['threads']} threads; medians of interleaved runs")

    emit(document, json, table)


def time_row(
    model: PrunedModel,
    rule: Rule,
    target_flops: float | None,
    texts: Sequence[str],
    length: int,
    batch_size: int,
    peers: Sequence[str],
    runs: int,
    seconds: float,
) -> list[dict[str, Any]]:
    """Time one length and batch size: one row for each peer, all from the same interleaved runs."""
    inputs = inputs_of_length(model.tokenizer, texts, length, DIFFERENT_BATCHES * batch_size)
    factor = 1.0
    if target_flops is not None:
        if not isinstance(rule, Thresholds):
            raise ValueError("--target-flops needs thresholds to multiply, and this model has none")
        sample, learned = Rows(list(inputs), []), rule
        factor = settle(lambda x: run_rows(model, sample, learned.times(x)).flops_reduction, target_flops)
        rule = learned.times(factor)
    encoded = [model.encode(batch)[0] for batch in batches(inputs, batch_size)]
    calls = {peer: _each(encoded, _peer(model, peer)) for peer in peers}
    calls["packed_dense"] = _each(encoded, lambda batch: model(**batch, rule=Dense()))
    calls["pruned"] = _each(encoded, lambda batch: model(**batch, rule=rule))
    with torch.inference_mode():
        times = interleaved(calls, model.device, max(runs, len(encoded)), seconds)
        alive = torch.cat([model(**batch, rule=rule).alive for batch in encoded]).tolist()
    size, layers = model.dimensions, model.layers
    observed = observed_layers(rule, layers)
    dense = paper_flops(size, length, [length] * layers)
    reduction = dense / (sum(paper_flops(size, length, kept) for kept in alive) / len(alive))
    ran_dense = executed_flops(size, length, [length] * layers, [False] * layers)
    ran = sum(executed_flops(size, length, kept, observed) for kept in alive) / len(alive)
    packed, pruned = times["packed_dense"], times["pruned"]
    return [
        {
            "length": length,
            "batch_size": batch_size,
            "against": peer,
            "thresholds_factor": factor,
            "dense_ms": times[peer].median_ms,
            "packed_dense_ms": packed.median_ms,
            "pruned_ms": pruned.median_ms,
            "quartiles_ms": {name: [time.low_ms, time.high_ms] for name, time in times.items()},
            "runs": pruned.runs,
            "sentences_per_second": 1000 * batch_size / pruned.median_ms,
            "speedup": times[peer].median_ms / pruned.median_ms,
            "flops_reduction": reduction,
            "executed_flops_reduction": ran_dense / ran,
            "realised": times[peer].median_ms / pruned.median_ms / reduction,
            "realised_pruning": packed.median_ms / pruned.median_ms / (ran_dense / ran),
        }
        for peer in peers
    ]


def _texts(model: PrunedModel, data: str | None, split: str | None) -> list[str]:
    if data is None:
        return own_sentences()
    task = TASKS.get(model.settings.task or "")
    default = task.development if task else None
    rows = load_rows(data, split or default, task.config if task else None)
    return [text if isinstance(text, str) else " ".join(text) for text in rows.texts]


def _peer(model: PrunedModel, name: str) -> Callable[[Any], object]:
    """Hugging Face's own forward of the same weights with an attention of its own choosing."""
    peer = type(model.hf_model)(type(model.hf_model.config)(**model.hf_model.config.to_dict()))
    peer.load_state_dict(model.hf_model.state_dict())
    peer.set_attn_implementation(name)
    peer.to(model.device).eval()
    return lambda batch: peer(**batch)


def _each(batches: Sequence[Any], call: Callable[[Any], object]) -> Callable[[], object]:
    """A call that runs the next batch each time, so that the median is over different sentences."""
    supply: Iterator[Any] = cycle(batches)
    return lambda: call(next(supply))
