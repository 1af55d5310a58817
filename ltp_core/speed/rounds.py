"""How much of the FLOPs saved becomes time saved: our engine, the ONNX graph and their peers in one run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ltp_core.flops import executed_flops, paper_flops
from ltp_core.model import PrunedModel
from ltp_core.results import ENGINE
from ltp_core.rules import Dense, Rule
from ltp_core.speed.latency import Timing, interleaved
from ltp_core.speed.peers import Call, Encoded

REST = 0.01  # seconds; OpenMP's and ONNX Runtime's threads wait busily for some milliseconds after a call


@dataclass
class Rotation:
    """Batches of real texts that all compared things go through together, one batch a round.

    Attributes:
        batches: padded batches on the model's device.
        at: which is next.
    """

    batches: Sequence[Encoded]
    at: int = field(default=0, init=False)

    def on(self, call: Call) -> Callable[[], object]:
        """A call on the batch of this round."""
        return lambda: call(self.batches[self.at])

    def advance(self) -> None:
        """The next round has the next batch, so that medians are over different texts."""
        self.at = (self.at + 1) % len(self.batches)


@dataclass(frozen=True)
class Reductions:
    """Dense over pruned FLOPs on the measured texts, ratios of means.

    Attributes:
        paper: as the paper counts.
        executed: what our engine runs.
        graph: what the ONNX graph runs, which computes the importance of every layer.
        tokens: mean length of a text, special tokens included.
    """

    paper: float
    executed: float
    graph: float
    tokens: float


def reductions(model: PrunedModel, rule: Rule, batches: Sequence[Encoded]) -> Reductions:
    """Count the FLOPs that a rule saves on these batches."""
    size, layers = model.dimensions, model.layers
    observed, never, always = model.observed(rule), [False] * layers, [True] * layers
    texts: list[tuple[int, list[int]]] = []
    with torch.inference_mode():
        for batch in batches:
            alive = model(**batch, rule=rule).alive.tolist()
            texts += zip(batch["attention_mask"].sum(dim=-1).tolist(), alive, strict=True)

    def ratio(count: Callable[..., int], dense: Sequence[Any], pruned: Sequence[Any]) -> float:
        before = sum(count(size, n, [n] * layers, *dense) for n, _ in texts)
        return before / sum(count(size, n, kept, *pruned) for n, kept in texts)

    return Reductions(
        paper=ratio(paper_flops, (), ()),
        executed=ratio(executed_flops, (never,), (observed,)),
        graph=ratio(executed_flops, (always,), (always,)),
        tokens=sum(n for n, _ in texts) / len(texts),
    )


def time_rounds(
    model: PrunedModel,
    rule: Rule,
    batches: Sequence[Encoded],
    peers: Mapping[str, Call],
    graphs: Mapping[str, Mapping[str, Call]] | None = None,
    runs: int = 24,
    seconds: float = 4.0,
) -> list[dict[str, Any]]:
    """Time everything on the same batches in turn: a row for each peer, of our engine and each graph.

    Args:
        model: our engine.
        rule: who stays.
        batches: padded batches of texts.
        peers: dense, by name.
        graphs: of each runtime, by name, the pruned graph's `packed_dense` and `pruned` calls.
        runs: how many of each, at least.
        seconds: how long in all, at least.
    """
    turns = Rotation(batches)
    calls: dict[str, Call] = {
        **peers,
        "packed_dense": lambda batch: model(**batch, rule=Dense()),
        "pruned": lambda batch: model(**batch, rule=rule),
        **{f"{engine}/{name}": call for engine, two in (graphs or {}).items() for name, call in two.items()},
    }
    with torch.inference_mode():
        for two in (graphs or {}).values():
            for call in two.values():
                for batch in batches:
                    call(batch)  # what a runtime prepares for lengths that it has not seen is not timed
        times = interleaved(
            {name: turns.on(call) for name, call in calls.items()},
            model.device,
            max(runs, len(batches)),
            seconds,
            on_round=turns.advance,
            rest=REST,
        )
    saved = reductions(model, rule, batches)
    texts = sum(len(batch["input_ids"]) for batch in batches) / len(batches)
    ours = {"packed_dense": times["packed_dense"], "pruned": times["pruned"]}
    rows = [_row(ENGINE, peer, times[peer], ours, saved, saved.executed, texts) for peer in peers]
    for engine in graphs or {}:
        theirs = {name: times[f"{engine}/{name}"] for name in ours}
        # OpenVINO's blocks observe what the rule reads, as our engine does; ONNX's graph every layer.
        executed = saved.executed if engine.startswith("openvino") else saved.graph
        rows += [_row(engine, peer, times[peer], theirs, saved, executed, texts) for peer in peers]
    return rows


def _row(
    engine: str,
    peer: str,
    dense: Timing,
    ours: Mapping[str, Timing],
    saved: Reductions,
    executed: float,
    texts: float,
) -> dict[str, Any]:
    packed, pruned = ours["packed_dense"], ours["pruned"]
    speedup = dense.median_ms / pruned.median_ms
    return {
        "tokens": saved.tokens,
        "engine": engine,
        "against": peer,
        "dense_ms": dense.median_ms,
        "packed_dense_ms": packed.median_ms,
        "pruned_ms": pruned.median_ms,
        "quartiles_ms": {name: [time.low_ms, time.high_ms] for name, time in {peer: dense, **ours}.items()},
        "runs": pruned.runs,
        "sentences_per_second": 1000 * texts / pruned.median_ms,
        "dense_sentences_per_second": 1000 * texts / dense.median_ms,
        "speedup": speedup,
        "flops_reduction": saved.paper,
        "executed_flops_reduction": executed,
        "realised": speedup / saved.paper,
        "realised_pruning": packed.median_ms / pruned.median_ms / executed,
    }
