"""Up to how many tokens one block for the rest of the layers is faster than a gather after each."""

from collections.abc import Callable
from typing import Any

import torch

from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.openvino import OpenVinoModel
from ltp_core.rules import Dense
from ltp_core.speed.latency import interleaved
from ltp_core.speed.rounds import REST, Rotation

LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128)
TEXTS = 8  # different ones at each length


def measure_together(
    model: OpenVinoModel,
    lengths: tuple[int, ...] = LENGTHS,
    runs: int = 40,
    say: Callable[[str], object] = lambda line: None,
) -> dict[str, Any]:
    """Time both ways in turn at rising lengths, until gathering wins.

    Args:
        model: what to time, under its own thresholds.
        lengths: tokens of a text, rising.
        runs: of each way at each length, at least.
        say: told each length as it is reached.

    Returns:
        ``together``, the longest length at which one block was no slower, with none before it that was; 0 if
        it lost at once. ``rows``, at each length the median milliseconds of one block, of gathering, and of
        one block with nothing pruned.
    """
    rows: list[dict[str, Any]] = []
    together = 0
    for length in lengths:
        say(f"{length} tokens")
        rows.append({"length": length, **_milliseconds(model, length, together, runs)})
        if rows[-1]["one_block_ms"] > rows[-1]["gathered_ms"]:
            break
        together = length
    return {"together": together, "rows": rows}


def _milliseconds(model: OpenVinoModel, length: int, together: int, runs: int) -> dict[str, float]:
    texts = inputs_of_length(model.tokenizer, own_sentences(), length, TEXTS)
    turns = Rotation([model.encode([text], length)[0] for text in texts])
    one, gathering = model.gathering_above(length), model.gathering_above(together)
    calls: dict[str, Callable[[Any], object]] = {
        "one_block": lambda batch: one(**batch, record=False),
        "gathered": lambda batch: gathering(**batch, record=False),
        "dense": lambda batch: one(**batch, rule=Dense(), record=False),
    }
    with torch.inference_mode():
        for batch in turns.batches:  # compiles the blocks that any of them needs
            for call in calls.values():
                call(batch)
        ways = {name: turns.on(call) for name, call in calls.items()}
        times = interleaved(ways, model.device, runs, on_round=turns.advance, rest=REST)
    return {f"{name}_ms": time.median_ms for name, time in times.items()}
