"""How time and memory grow with the length of a text and the size of a batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from typing import Any

import torch

from ltp_core.data.sentences import batches, inputs_of_length
from ltp_core.model import PrunedModel
from ltp_core.rules import Dense
from ltp_core.speed.latency import interleaved
from ltp_core.speed.memory import peak_megabytes
from ltp_core.speed.settled import Settled, settled, to_multiply

DIFFERENT_TEXTS = 8  # at least; thresholds are set on them, and runs take turns with them


@dataclass(frozen=True)
class GrowthRow:
    """One length and batch size, three ways, run in turn.

    Attributes:
        length: tokens of each text, special ones included.
        batch_size: texts in a batch.
        milliseconds: name of the run -> median.
        quartiles: name of the run -> first and third quartile, in milliseconds.
        megabytes: name of the run -> most memory held at once beyond what was held before (10^6 bytes);
            None where the system does not tell.
        flops_reduction: dense over pruned paper FLOPs.
    """

    length: int
    batch_size: int
    milliseconds: dict[str, float]
    quartiles: dict[str, tuple[float, float]]
    megabytes: dict[str, float | None]
    flops_reduction: float


def measure_growth(
    model: PrunedModel,
    texts: Sequence[str],
    cases: Sequence[tuple[int, int]],
    target_flops: float,
    runs: int = 5,
    on_row: Callable[[GrowthRow], object] = lambda row: None,
) -> list[dict[str, Any]]:
    """Measure Hugging Face's own forward, ours with nothing pruned, and ours pruned.

    Args:
        model: one that has thresholds.
        texts: real sentences, which are joined and cut to each length.
        cases: (length, batch size).
        target_flops: for each length, all thresholds are multiplied by the factor that gives this reduction.
        runs: of each case, at least.
        on_row: called after each.

    Returns:
        One `GrowthRow` a case, as dictionaries.

    Raises:
        ValueError: for a model without thresholds.
    """
    learned = to_multiply(model.learned_rule, "growth")
    rules: dict[int, Settled] = {}  # of each length
    rows = []
    for length, size in cases:
        inputs = inputs_of_length(model.tokenizer, texts, length, max(DIFFERENT_TEXTS, size))
        if length not in rules:
            rules[length] = settled(model, learned, inputs[:DIFFERENT_TEXTS], target_flops)
        encoded = [model.encode(batch)[0] for batch in batches(inputs, size)]
        row = _row(model, encoded, rules[length], (length, size), runs)
        on_row(row)
        rows.append(asdict(row))
    return rows


def _row(
    model: PrunedModel,
    encoded: Sequence[Any],
    at_target: Settled,
    case: tuple[int, int],
    runs: int,
) -> GrowthRow:
    calls: dict[str, Callable[[Any], object]] = {
        "hugging_face": lambda batch: model.hf_model(**batch),
        "packed_dense": lambda batch: model(**batch, rule=Dense()),
        "pruned": lambda batch: model(**batch, rule=at_target.rule),
    }
    with torch.inference_mode():
        warmup = max(1, 8 // case[1])  # the heap grows over the first passes, and those are slow
        times = interleaved(_each(calls, encoded), model.device, runs, seconds=0.5, warmup=warmup)
        megabytes = {name: peak_megabytes(partial(call, encoded[0])) for name, call in calls.items()}
    return GrowthRow(
        length=case[0],
        batch_size=case[1],
        milliseconds={name: time.median_ms for name, time in times.items()},
        quartiles={name: (time.low_ms, time.high_ms) for name, time in times.items()},
        megabytes=megabytes,
        flops_reduction=at_target.flops_reduction,
    )


def _each(
    calls: Mapping[str, Callable[[Any], object]], encoded: Sequence[Any]
) -> dict[str, Callable[[], object]]:
    """Calls that run the next batch each time."""

    def bound(call: Callable[[Any], object]) -> Callable[[], object]:
        supply = cycle(encoded)
        return lambda: call(next(supply))

    return {name: bound(call) for name, call in calls.items()}
