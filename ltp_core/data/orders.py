"""How good an order is, and how much of one pruning keeps: two numbers for models that rank."""

import math
from collections.abc import Sequence
from itertools import combinations


def ndcg(scores: Sequence[float], gains: Sequence[float], first: int = 10) -> float:
    """Normalised discounted cumulative gain of an order by falling score.

    Args:
        scores: one a document; of equal ones the document given first comes first.
        gains: how much each document is worth, 0 for nothing.
        first: places that count.

    Returns:
        Between 0 and 1, which is the best order; 1 where no document is worth anything.

    Source: Järvelin and Kekäläinen 2002, with the gain as it is and a discount of ``log2(place + 1)``.
    """

    def gained(order: Sequence[float]) -> float:
        return sum(gain / math.log2(place + 2) for place, gain in enumerate(order[:first]))

    ordered = [gain for _, gain in sorted(zip(scores, gains, strict=True), key=lambda each: -each[0])]
    best = gained(sorted(gains, reverse=True))
    return gained(ordered) / best if best else 1.0


def order_kept(dense: Sequence[float], pruned: Sequence[float]) -> float:
    """Share of the pairs of documents that stand in the same order; those that were equal are left out.

    Returns:
        Between 0 and 1; 1 where there is no pair.
    """
    pairs = [(i, j) for i, j in combinations(range(len(dense)), 2) if dense[i] != dense[j]]
    kept = sum((dense[i] > dense[j]) == (pruned[i] > pruned[j]) and pruned[i] != pruned[j] for i, j in pairs)
    return kept / len(pairs) if pairs else 1.0
