"""Up to how many tokens a block takes several layers, as a call costs as much as some tokens do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.openvino import OpenVinoModel
from ltp_core.openvino.blocks import Cadence
from ltp_core.rules import Dense
from ltp_core.speed.latency import interleaved
from ltp_core.speed.rounds import REST, Rotation

LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
TEXTS = 8  # different ones at each length


def measure_pace(
    model: OpenVinoModel,
    lengths: tuple[int, ...] = LENGTHS,
    runs: int = 40,
    say: Callable[[str], object] = lambda line: None,
) -> dict[str, Any]:
    """Time three paces in turn at rising lengths.

    Args:
        model: what to time, under its own thresholds.
        lengths: tokens of a text, rising.
        runs: of each way at each length, at least.
        say: told each length as it is reached.

    Returns:
        ``together`` and ``pairs``, see `fastest`. ``rows``, at each length the median milliseconds of one
        block for all layers, of two layers a block, of one, and of one block with nothing pruned.
    """
    rows: list[dict[str, Any]] = []
    pace = Cadence()
    for length in lengths:
        say(f"{length} tokens")
        rows.append({"length": length, **_milliseconds(model, length, pace, runs)})
        pace = fastest(rows)
    return {"together": pace.together, "pairs": pace.pairs, "rows": rows}


def fastest(rows: Sequence[Mapping[str, float]]) -> Cadence:
    """The pace whose times are least in all, each as a share of the best one at its length.

    So a single disturbed row moves it little.

    Args:
        rows: by length, as `measure_pace` returns them.
    """
    several = [min(row["pairs_ms"], row["gathered_ms"]) for row in rows]
    together = _end([row["one_block_ms"] for row in rows], several)
    later = rows[together:]
    two = _end([row["pairs_ms"] for row in later], [row["gathered_ms"] for row in later])
    ends = [0, *(int(row["length"]) for row in rows)]
    return Cadence(ends[together], ends[together + two])


def _end(first: Sequence[float], then: Sequence[float]) -> int:
    """Up to which row the first way is taken, and the other from there on."""
    pairs = [(one / min(one, other), other / min(one, other)) for one, other in zip(first, then, strict=True)]
    costs = [
        sum(one for one, _ in pairs[:end]) + sum(other for _, other in pairs[end:])
        for end in range(len(pairs) + 1)
    ]
    return costs.index(min(costs))


def _milliseconds(model: OpenVinoModel, length: int, pace: Cadence, runs: int) -> dict[str, float]:
    """The three ways at one length, with shorter texts at the pace that was found for them."""
    texts = inputs_of_length(model.tokenizer, own_sentences(), length, TEXTS)
    turns = Rotation([model.encode([text], length)[0] for text in texts])
    one, two = Cadence(length), Cadence(pace.together, length)
    calls: dict[str, Callable[[Any], object]] = {
        "one_block": lambda batch: model.at_pace(one)(**batch, record=False),
        "pairs": lambda batch: model.at_pace(two)(**batch, record=False),
        "gathered": lambda batch: model.at_pace(pace)(**batch, record=False),
        "dense": lambda batch: model.at_pace(one)(**batch, rule=Dense(), record=False),
    }
    with torch.inference_mode():
        for batch in turns.batches:  # compiles the blocks that any of them needs
            for call in calls.values():
                call(batch)
        ways = {name: turns.on(call) for name, call in calls.items()}
        times = interleaved(ways, model.device, runs, on_round=turns.advance, rest=REST)
    return {f"{name}_ms": time.median_ms for name, time in times.items()}
