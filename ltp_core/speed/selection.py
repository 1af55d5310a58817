"""What choosing costs: a comparison with a threshold against a top-k selection of as many tokens.

The paper argues for thresholds with it: a top-k has to sort, a threshold only compares.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ltp_core.model import PrunedModel
from ltp_core.rules import Thresholds
from ltp_core.speed.latency import interleaved
from ltp_core.speed.peers import Encoded

ROUNDS = 20
REPEAT = 10  # one selection takes microseconds, so many of them are timed as one


def selection_cost(model: PrunedModel, rule: Thresholds, batches: Sequence[Encoded]) -> dict[str, float]:
    """Time the selection alone, on importance that the model really gave in a run of these batches.

    Args:
        model: with the rule's thresholds.
        rule: says how many tokens stay; a top-k keeps as many of each text.
        batches: padded batches.

    Returns:
        `threshold_us` and `top_k_us`: mean microseconds (of a median round) for one layer's selection of a
        batch: what makes a bool mask on its grid ``[B, n]`` from the importance. The top-k is PyTorch's own,
        unsorted.
    """
    layers = []
    with torch.inference_mode():
        for batch in batches:
            run = model(**batch, rule=rule, record=True).run
            before = batch["attention_mask"].bool()
            for number, (kept, share) in enumerate(zip(run.masks, run.importance, strict=True), start=1):
                assert share is not None  # recorded
                layers.append((number, share, before, int(kept.sum(dim=-1).max())))
                before = kept
        calls = {
            "threshold_us": lambda: [
                rule.keep(share, alive, number, None)
                for _ in range(REPEAT)
                for number, share, alive, _ in layers
            ],
            "top_k_us": lambda: [
                top_k(share, alive, count) for _ in range(REPEAT) for _, share, alive, count in layers
            ],
        }
        times = interleaved(calls, model.device, ROUNDS, 0.0)
    return {name: 1000 * time.median_ms / (REPEAT * len(layers)) for name, time in times.items()}


def top_k(share: Tensor, alive: Tensor, count: int) -> Tensor:
    """Mark the so many alive tokens with the highest share, ``[B, n]`` -> bool ``[B, n]``."""
    best = share.masked_fill(~alive, -torch.inf).topk(count, dim=-1, sorted=False).indices  # [B, k]
    return torch.zeros_like(alive).scatter(-1, best, True) & alive
