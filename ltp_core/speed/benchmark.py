"""A whole benchmark: every length and batch size timed in turn, row by row into one document."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ltp_core.checkpoints import Described
from ltp_core.data.lines import Progress
from ltp_core.data.rows import Rows
from ltp_core.data.sentences import batches, check_lengths, inputs_of_length, own_sentences, ragged_inputs
from ltp_core.measuring.scoring import Bar, baseline_of, no_bar, run_unpruned, score_against
from ltp_core.measuring.source import rows_for
from ltp_core.model import PrunedModel
from ltp_core.openvino import OpenVinoModel
from ltp_core.results import processor, stamp
from ltp_core.rules import Dense, Rule, Thresholds
from ltp_core.rules.reading import rule_of
from ltp_core.speed.counters import counters
from ltp_core.speed.peers import check_names, compile_now, peers, pruned_graph, pruned_graphs
from ltp_core.speed.rounds import time_rounds
from ltp_core.speed.selection import selection_cost
from ltp_core.speed.settled import settled, to_multiply

DIFFERENT_BATCHES = 8
SETTLED_ON = 32  # texts that a FLOPs target is met on
SCORED_AT_ONCE = 16  # rows in a batch

Document = dict[str, Any]


@dataclass(frozen=True)
class Benchmark:
    """What is timed, and how long.

    Attributes:
        lengths: tokens of an input, special ones included; inputs are joined and cut texts.
        batch_sizes: inputs in a batch; each size is timed at each length.
        rule: who stays, as `rules.reading.rule_of` reads it.
        factor: on its thresholds.
        against: the dense peers, of `speed.peers.PEERS`.
        max_tokens: take the texts as they are, cut at so many tokens, and score them; None for `lengths`.
        ragged: inputs of a quarter of each length up to the length.
        target_flops: at each length, the thresholds get the factor that gives this FLOPs reduction; None
            leaves them.
        runs: of each call, at least.
        seconds: for each row in all, at least.
    """

    lengths: tuple[int, ...] = (32, 128, 512)
    batch_sizes: tuple[int, ...] = (1, 16)
    rule: str = "learned"
    factor: float = 1.0
    against: tuple[str, ...] = ("sdpa",)
    max_tokens: int | None = None
    ragged: bool = False
    target_flops: float | None = None
    runs: int = 24
    seconds: float = 4.0

    def __post_init__(self) -> None:
        """Refuse what cannot be timed."""
        check_names(self.against)
        if self.ragged and self.max_tokens is not None:
            raise ValueError("--ragged makes inputs of --lengths; --max-tokens takes the texts as they are")

    def check(self, model: Described, rule: Rule, texts: Rows) -> None:
        """Refuse what this model, rule and these texts do not allow.

        Raises:
            ValueError: in one line.
        """
        if self.target_flops is not None:
            to_multiply(rule, "--target-flops")
        if self.max_tokens is None:
            check_lengths(self.lengths, model.max_tokens)
        elif (largest := max(self.batch_sizes)) > len(texts):
            raise ValueError(f"a batch of {largest} needs as many texts; there are {len(texts)}")


def texts_for(
    model: Described,
    data: str | None,
    split: str | None,
    limit: int | None,
    progress: Progress | None = None,
) -> Rows:
    """The texts to measure on: our own sentences, which have no labels, or labelled rows of `data`."""
    if data is None:
        return Rows([*own_sentences()[:limit]], [])
    return rows_for(model, data, split, progress).fair(limit)


def run_benchmark(
    plan: Benchmark,
    model: PrunedModel,
    texts: Rows,
    name: str,
    data: str | None = None,
    keep: Callable[[Document], object] = lambda document: None,
    say: Callable[[str], object] = lambda line: None,
    bar: Bar = no_bar,
) -> Document:
    """Time a model's pruned run against its dense peers, at every length and batch size of a plan.

    Where a runtime is a peer, its pruned graph has rows of its own, and what OpenVINO ran is counted. A
    selection by threshold is timed beside a top-k of as many tokens.

    Args:
        plan: what is timed.
        model: our engine.
        texts: of `texts_for`; with `plan.max_tokens`, labelled.
        name: what the model was loaded by: a name, a folder or an id; its baseline is found there.
        data: where the texts are from, as it was given; None for our own sentences.
        keep: takes the document after every length and batch size, so that a run may be stopped.
        say: told what happens, a line at a time.
        bar: shows how far the scoring is.

    Returns:
        The document of the `benchmark` command.

    Raises:
        ValueError: for what cannot be timed, before anything is.
    """
    rule = rule_of(model, plan.rule, plan.factor)
    plan.check(model, rule, texts)
    dense = peers(model, plan.against)
    document = _before_the_first_row(plan, model, name, data)
    if "compile" in dense:
        document["compile_seconds"] = compile_now(model, dense["compile"])
        say(f"compiled in {document['compile_seconds']:.0f} s")
    exported = pruned_graphs(model, plan.against) if isinstance(rule, Thresholds | Dense) else {}
    for length in plan.lengths if plan.max_tokens is None else (plan.max_tokens,):
        inputs = _inputs(plan, model, texts, length)
        used, scale = _settled(plan, model, rule, inputs, length)
        graphs = {name: pruned_graph(graph, used) for name, graph in exported.items()}
        for size in plan.batch_sizes:
            say(f"{length} tokens, batch {size}")
            parts = batches(inputs.texts, size)
            if plan.max_tokens is None:
                parts = parts[:DIFFERENT_BATCHES]  # inputs are made for the largest batch
            encoded = [model.encode(part, length)[0] for part in parts]
            where = {"length": length, "batch_size": size}
            found = time_rounds(model, used, encoded, dense, graphs, plan.runs, plan.seconds)
            document["rows"] += [where | {"thresholds_factor": plan.factor * scale} | row for row in found]
            if isinstance(used, Thresholds):
                cost = selection_cost(model, used, encoded[:DIFFERENT_BATCHES])
                document["selection"].append(where | cost)
            document["counters"] += [
                where | {"engine": name} | counters(graph, used, encoded)
                for name, graph in exported.items()
                if isinstance(graph, OpenVinoModel)
            ]
            keep(document)
        if plan.max_tokens is not None and data is not None:
            baseline = baseline_of(name, model)
            against = run_unpruned(model, baseline, inputs, SCORED_AT_ONCE, plan.max_tokens, bar)
            document["scores"] = score_against(model, against, inputs, used, SCORED_AT_ONCE, bar)
            keep(document)
    return document


def _before_the_first_row(plan: Benchmark, model: PrunedModel, name: str, data: str | None) -> Document:
    return {
        "model": name,
        "device": str(model.device),
        "cuda": None if torch.cuda.is_available() else "not measured: no CUDA device here",
        "threads": torch.get_num_threads(),
        "processor": processor(model.device),
        "torch": torch.__version__,
        "onnxruntime": version("onnxruntime") if "onnxruntime" in plan.against else None,
        "runtimes": {name: version(name) for name in _runtimes(plan.against)},
        "processor_has": [name for name, here in torch.cpu.get_capabilities().items() if here is True],
        "compile_seconds": None,
        "texts": "own sentences" if data is None else "/".join(Path(data).parts[-2:]),
        "max_tokens": plan.max_tokens,
        "ragged": plan.ragged,
        "target_flops": plan.target_flops,
        "rows": [],
        "selection": [],
        "counters": [],
        "scores": None,
        **stamp(model.device),
    }


def _runtimes(against: Sequence[str]) -> list[str]:
    """The packages that the peers among these names run in."""
    named = {name.partition("-")[0] for name in against} & {"onnxruntime", "openvino"}
    return sorted(named | ({"nncf"} if "openvino-int8" in against else set()))


def _inputs(plan: Benchmark, model: PrunedModel, texts: Rows, length: int) -> Rows:
    """The texts as they are, or as many as are needed of one length (or ragged up to it), joined and cut."""
    if plan.max_tokens is not None:
        return texts
    parts = [text if isinstance(text, str) else " ".join(text) for text in texts.texts]
    make = ragged_inputs if plan.ragged else inputs_of_length
    return Rows(list(make(model.tokenizer, parts, length, DIFFERENT_BATCHES * max(plan.batch_sizes))), [])


def _settled(
    plan: Benchmark, model: PrunedModel, rule: Rule, inputs: Rows, length: int
) -> tuple[Rule, float]:
    """The rule, multiplied so that it gives the wanted FLOPs reduction on these inputs, and the factor."""
    if plan.target_flops is None or not isinstance(rule, Thresholds):
        return rule, 1.0
    found = settled(model, rule, inputs.texts[:SETTLED_ON], plan.target_flops, length)
    return found.rule, found.factor
