"""Choosing how many tokens each layer keeps: LAT's evolutionary search, and meeting a FLOPs target.

Of a rule that counts, the FLOPs follow from the lengths of the inputs alone, so a target is met without
running the model.
"""

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.flops import Dimensions, paper_flops
from ltp_core.model import PrunedModel, columns, task_loss
from ltp_core.results import write_json
from ltp_core.rules import LengthConfig, falling_shares
from ltp_core.rules.counts import share_of
from ltp_core.training.budget import settle

LOWEST_SHARE = 0.05  # of the tokens left after the last layer that a rival is trained for
SEARCH_FILE = "lat.json"
SEARCH_ROWS = 500  # a search runs the model over these 76 times; a loss says more of a row than a metric does


@dataclass(frozen=True)
class Candidate:
    """A length configuration and what it gives on held-out rows.

    Attributes:
        shares: tokens left after each layer, over those of the input.
        flops_reduction: dense over pruned paper FLOPs.
        loss: the task's loss.
    """

    shares: tuple[float, ...]
    flops_reduction: float
    loss: float


def search_lengths(
    model: PrunedModel,
    rows: Rows,
    max_tokens: int | None = None,
    start: int = 12,
    generations: int = 8,
    children: int = 8,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Candidate]:
    """Evolutionary search for length configurations: a Pareto front of loss against FLOPs.

    It starts from configurations that fall by one factor. In each generation, half of the children are
    mutants (each layer's share is drawn anew, with probability ½, between its neighbours') and half
    are means of two parents; only what no other beats in both loss and FLOPs lives on.

    Source: Kim & Cho, ACL 2021. Differences: the loss on held-out rows decides instead of the metric, which
    takes few values on few rows; and the search is smaller, 76 configurations where the authors' README has
    about 1,800.

    Args:
        model: a LAT supernet.
        rows: held-out rows with labels.
        max_tokens: longer rows are cut.
        start: configurations to start from.
        generations: how many.
        children: new configurations a generation.
        seed: of the search.
        progress: told runs done and runs in all.

    Returns:
        The front, FLOPs reduction rising.
    """
    choose = random.Random(seed)
    counts = token_counts(model, rows, max_tokens)
    labels = torch.tensor(rows.labels)
    done = 0

    def tried(shares: Sequence[float]) -> Candidate:
        nonlocal done
        logits = run_rows(model, rows, LengthConfig(shares), max_tokens=max_tokens).logits
        done += 1
        if progress is not None:
            progress(done, start + generations * children)
        loss = float(task_loss(torch.from_numpy(logits), labels))
        return Candidate(tuple(shares), reduction_of(model.dimensions, counts, shares), loss)

    lasts = [LOWEST_SHARE ** (number / (start - 1)) for number in range(start)]
    front = pareto([tried(falling_shares(last, model.layers)) for last in lasts])
    for _ in range(generations):
        young = []
        for number in range(children):
            one, other = (choose.choice(front).shares for _ in range(2))
            young.append(_mutant(one, choose) if number % 2 else _mean(one, other))
        front = pareto([*front, *(tried(shares) for shares in dict.fromkeys(young))])
    return front


def _mutant(shares: Sequence[float], choose: random.Random) -> tuple[float, ...]:
    found = list(shares)
    for layer in range(len(found)):
        if choose.random() < 0.5:
            above = found[layer - 1] if layer else 1.0
            below = shares[layer + 1] if layer + 1 < len(shares) else LOWEST_SHARE
            found[layer] = choose.uniform(min(below, above), above)
    return tuple(found)


def _mean(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    return tuple((a + b) / 2 for a, b in zip(one, other, strict=True))


def pareto(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that no other beats: lower loss at no less saving. FLOPs reduction rising, and so the loss."""
    front: list[Candidate] = []
    for one in sorted(candidates, key=lambda found: (-found.flops_reduction, found.loss)):
        if not front or one.loss < front[-1].loss:
            front.append(one)
    return front[::-1]


def write_search(folder: Path, front: Sequence[Candidate], rows: int) -> None:
    """Leave a search's result beside the model."""
    document = {"rows": rows, "front": [asdict(found) for found in front]}
    write_json(folder / SEARCH_FILE, document)


def read_search(folder: Path) -> list[Candidate]:
    """Read what `write_search` wrote.

    Raises:
        ValueError: if it is not there or not readable.
    """
    try:
        found = json.loads((folder / SEARCH_FILE).read_text(encoding="utf-8"))["front"]
        return [Candidate(tuple(x["shares"]), x["flops_reduction"], x["loss"]) for x in found]
    except (OSError, KeyError, TypeError, json.JSONDecodeError):
        raise ValueError(f"{folder} has no readable {SEARCH_FILE}: `train --method lat` writes it") from None


def token_counts(model: PrunedModel, rows: Rows, max_tokens: int | None = None) -> list[int]:
    """Tokens of each row that the model reads, special ones included."""
    limit = min(max_tokens or model.max_tokens, model.max_tokens)
    encoded = model.tokenizer(*columns(rows.texts), truncation=True, max_length=limit)
    return [len(ids) for ids in encoded["input_ids"]]


def reduction_of(size: Dimensions, counts: Sequence[int], shares: Sequence[float]) -> float:
    """Dense over pruned paper FLOPs of a rule that counts, on inputs of so many tokens."""
    lengths = torch.tensor(counts).unsqueeze(-1)  # [N, 1]
    kept = torch.cat([share_of(lengths, share) for share in shares], dim=-1).tolist()  # [N][L]
    dense = sum(paper_flops(size, n, [n] * size.layers) for n in counts)
    return dense / sum(paper_flops(size, n, alive) for n, alive in zip(counts, kept, strict=True))


def falling_at(size: Dimensions, counts: Sequence[int], target: float, spared: int = 0) -> list[float]:
    """The `falling_shares` that meet a FLOPs target on inputs of so many tokens; the first layers spared.

    Raises:
        ValueError: if the target cannot be met, with the ceiling.
    """

    def shares(strength: float) -> list[float]:
        return falling_shares(max(math.exp(-strength), 1e-9), size.layers, spared)

    return shares(settle(lambda strength: reduction_of(size, counts, shares(strength)), target))


def lengths_at(
    front: Sequence[Candidate], size: Dimensions, counts: Sequence[int], target: float
) -> list[float]:
    """The place on a front, between two neighbours, that meets a FLOPs target on such inputs.

    Raises:
        ValueError: if the front does not reach so far, with its ceiling.
    """
    low = tuple([1.0] * size.layers)
    reached = 1.0
    for candidate in front:
        high, reached = candidate.shares, reduction_of(size, counts, candidate.shares)
        if reached >= target:
            break
        low = high
    else:
        raise ValueError(f"a FLOPs reduction of {target} cannot be reached: the ceiling is {reached:.2f}")

    def between(place: float) -> list[float]:
        return [a + place * (b - a) for a, b in zip(low, high, strict=True)]

    return between(settle(lambda place: reduction_of(size, counts, between(place)), target))
