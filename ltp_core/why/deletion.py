"""Faithfulness by deletion: does the answer move less when LTP's choice goes than when others go?

In each layer, as many tokens of the text leave as under LTP; only *which* ones is chosen differently: at
random, or those with the smallest (or, as a control, the largest) attributions. Special tokens go as under
LTP.

A choice can go in two ways. *When pruned*: layer by layer, as LTP does, so that other tokens have
read a token before it goes. *From the text*: what is gone after a layer is deleted before the first one, so
nobody ever reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ltp_core.model import PrunedModel
from ltp_core.rules import Dense
from ltp_core.rules.frozen import Frozen
from ltp_core.why.attribution import Attribution, Batch, class_index, log_odds

OWN = "ltp"  # what the rule itself drops, as the finding's file calls it
CHOICES = {
    OWN: "what LTP drops",
    "random": "as many at random",
    "lowest": "smallest attributions",
    "highest": "largest attributions",
}
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Effect:
    """What deleting a choice of tokens does to the answer.

    Attributes:
        drop: by how much the log-odds of the label fall (or the value of a regression moves, in size),
            from the dense run on the whole text; the mean over draws for a random choice.
        moved: how far they move, in size; the mean over draws. Draws that move the answer in opposite
            directions cancel in `drop`, but not here.
        sizes: how far every single draw moves them: what a choice is compared with chance by.
        flips: whether another class has the largest logit then; a share of the draws for a random choice;
            None for a regression.
    """

    drop: float
    moved: float
    sizes: tuple[float, ...]
    flips: float | None


@dataclass(frozen=True)
class Deletion:
    """Effects of all choices on one text.

    Attributes:
        when_pruned: choice -> its effect when it goes layer by layer.
        from_text: choice -> for each layer, the effect when what is gone after it is deleted from the text.
        draws: how many random choices were drawn.
        seed: of the draws.
    """

    when_pruned: dict[str, Effect]
    from_text: dict[str, tuple[Effect, ...]]
    draws: int
    seed: int


def deletion(
    model: PrunedModel, batch: Batch, attribution: Attribution, draws: int = 5, seed: int = 0
) -> Deletion:
    """Delete what LTP drops, and other choices of the same number, and see how far the answer moves.

    Args:
        model: what the attribution was made with.
        batch: the text, one row.
        attribution: of the dense model, by which "lowest" and "highest" are chosen.
        draws: of random choices.
        seed: of the draws.

    Raises:
        ValueError: for fewer than one draw.
    """
    if draws < 1:
        raise ValueError(f"the number of random draws must be at least 1, got {draws}")
    kept = np.asarray([layer.kept for layer in attribution.trace.layers])  # [L, n]
    words = np.asarray(attribution.words)  # [n]
    size = np.abs(attribution.dense.values)[words]  # [m]
    random = np.random.default_rng(seed)
    orders = {  # who goes first
        "random": [random.permutation(len(size)) for _ in range(draws)],
        "lowest": [np.argsort(size, kind="stable")],
        "highest": [np.argsort(-size, kind="stable")],
    }
    sets = {OWN: [kept]} | {
        choice: [_with_words(kept, words, chosen(kept[:, words].sum(axis=1), order)) for order in several]
        for choice, several in orders.items()
    }
    rows = np.stack([one for several in sets.values() for one in several])  # [R, L, n]
    texts = (rows | ~words).reshape(-1, kept.shape[1])  # [R L, n]; special tokens stay in the text
    with torch.inference_mode():
        whole = model(batch.ids, batch.mask, batch.segments, rule=Dense()).logits  # [1, C]
        pruned = _run(model, batch, torch.from_numpy(rows))  # [R, C]
        deleted = _run_texts(model, batch, torch.from_numpy(texts)).unflatten(0, rows.shape[:2])  # [R, L, C]
    target = class_index(model, attribution.label, whole[0])
    counts = [len(several) for several in sets.values()]
    parts = list(zip(sets, pruned.split(counts), deleted.split(counts), strict=True))
    return Deletion(
        when_pruned={choice: _effect(whole, after, target) for choice, after, _ in parts},
        from_text={
            choice: tuple(_effect(whole, after[:, layer], target) for layer in range(len(kept)))
            for choice, _, after in parts
        },
        draws=draws,
        seed=seed,
    )


def chosen(numbers: Sequence[int] | np.ndarray, order: Sequence[int] | np.ndarray) -> np.ndarray:
    """Sets of given sizes, each within the one before: bool ``[L, m]``.

    Args:
        numbers: how many of m tokens are left after each of L layers.
        order: the m tokens, the first to go first.
    """
    rank = np.argsort(order)  # [m], 0 goes first
    return rank >= len(order) - np.asarray(numbers)[:, None]


def _with_words(kept: np.ndarray, words: np.ndarray, of_words: np.ndarray) -> np.ndarray:
    """The special tokens as they were, the words as chosen: ``[L, n]``."""
    sets = kept.copy()
    sets[:, words] = of_words
    return sets


def _run(model: PrunedModel, batch: Batch, sets: Tensor) -> Tensor:
    """The text once for each ``[L, n]`` of kept sets -> logits ``[R, C]``."""
    return torch.cat(
        [
            model(*_repeated(batch, len(part)), rule=Frozen(part.to(model.device))).logits
            for part in sets.split(_ROWS_AT_ONCE)
        ]
    )


def _run_texts(model: PrunedModel, batch: Batch, left: Tensor) -> Tensor:
    """The text with only some of its tokens, ``[R, n]`` -> logits ``[R, C]``; equal texts are run once."""
    left, where = left.unique(dim=0, return_inverse=True)
    logits = []
    for part in left.to(model.device).split(_ROWS_AT_ONCE):
        ids, _, segments = _repeated(batch, len(part))
        logits.append(model(ids, part.long(), segments, rule=Dense()).logits)
    return torch.cat(logits)[where]


def _repeated(batch: Batch, times: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """One row many times."""
    return (
        batch.ids.expand(times, -1),
        batch.mask.expand(times, -1),
        None if batch.segments is None else batch.segments.expand(times, -1),
    )


def _effect(whole: Tensor, after: Tensor, target: int) -> Effect:
    """Compare logits ``[1, C]`` of the whole text with those of one or more choices, ``[K, C]``."""
    targets = torch.full((len(after),), target, device=after.device)
    fall = log_odds(whole, targets[:1]) - log_odds(after, targets)  # [K]
    moved, sizes = float(fall.abs().mean()), tuple(fall.abs().tolist())
    if whole.shape[-1] == 1:
        return Effect(moved, moved, sizes, None)
    flips = float((after.argmax(-1) != whole.argmax(-1)).double().mean())
    return Effect(float(fall.mean()), moved, sizes, flips)
