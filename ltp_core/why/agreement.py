"""Does pruning keep what attribution calls important? Numbers in, numbers out: no model is run.

Everything is counted over the tokens of the text. Special tokens have no attribution, and ``[CLS]`` can
never leave. The size of an attribution counts, not its sign: a word that speaks against the answer
matters, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """How well the size of an attribution foretells survival on one text.

    Attributes:
        tokens: how many tokens this is counted over.
        auc: for each layer, the area under the ROC curve of its size as a predictor of being left
            after it: the chance that of a token that is left and one that is gone, the first has the
            larger attribution. 0.5 is chance, 1 perfect; None where all are left or all are gone.
        overall: agreement over all layers: the chance that of two tokens of which one survives longer, it has
            the larger attribution (Harrell's concordance, the area under the ROC curve for a
            predicted quantity with more than two values); None if all survive equally long.
        interval: where `overall` lies in 95 % of bootstrap samples of the words (seeded; pairs of the same
            word twice do not count); None where that is None.
        k: for each layer, the tokens left after it.
        overlap: for each layer, which share of the k tokens with the largest attributions is left after
            it; None where k is 0.
        chance: what k tokens drawn at random would give, ``k / tokens``.
    """

    tokens: int
    auc: tuple[float | None, ...]
    overall: float | None
    interval: tuple[float, float] | None
    k: tuple[int, ...]
    overlap: tuple[float | None, ...]
    chance: tuple[float, ...]


def agreement(
    attributions: Sequence[float], kept: Sequence[Sequence[bool]], words: Sequence[bool]
) -> Agreement:
    """Set attributions beside survival.

    Args:
        attributions: one a token, n of them.
        kept: for each of L layers, n times whether the token is left after it.
        words: n times whether a token counts.

    Raises:
        ValueError: if no token counts.
    """
    from sklearn.metrics import roc_auc_score  # here: it takes seconds, and most commands set nothing beside

    counted = np.asarray(words, dtype=bool)
    if not counted.any():
        raise ValueError("there is no token of a text to compare")
    size = np.abs(np.asarray(attributions, dtype=float))[counted]  # [m]
    left = np.asarray(kept, dtype=bool)[:, counted]  # [L, m]
    number = left.sum(axis=1).tolist()
    largest = np.argsort(-size, kind="stable")  # equal sizes go by position
    return Agreement(
        tokens=len(size),
        auc=tuple(None if row.all() or not row.any() else float(roc_auc_score(row, size)) for row in left),
        overall=concordance(left.sum(axis=0), size),
        interval=bootstrap(left.sum(axis=0), size),
        k=tuple(number),
        overlap=tuple(
            float(row[largest[:k]].mean()) if k else None for row, k in zip(left, number, strict=True)
        ),
        chance=tuple(k / len(size) for k in number),
    )


def bootstrap(
    survival: np.ndarray, size: np.ndarray, samples: int = 1000, seed: int = 0
) -> tuple[float, float] | None:
    """The middle 95 % of the concordance over samples of the tokens, drawn with replacement.

    Args:
        survival: ``[m]``, layers survived.
        size: ``[m]``.
        samples: how many are drawn; those in which all survive equally long are left out.
        seed: of the draws.

    Returns:
        Lower and upper end; None if all survive equally long.
    """
    longer = survival[:, None] > survival[None, :]  # [m, m]
    if not longer.any():
        return None
    right = (size[:, None] > size[None, :]) + 0.5 * (size[:, None] == size[None, :])
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(size), [1 / len(size)] * len(size), samples).astype(float)  # [S, m]
    pairs = ((weights @ longer) * weights).sum(axis=1)  # [S]
    agreeing = ((weights @ (longer * right)) * weights).sum(axis=1)
    drawn = agreeing[pairs > 0] / pairs[pairs > 0]
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return low, high


def concordance(survival: np.ndarray, size: np.ndarray) -> float | None:
    """The chance that the longer survivor of two has the larger size; ties in size count one half.

    Args:
        survival: ``[m]``, layers survived.
        size: ``[m]``.
    """
    if len(set(survival.tolist())) < 2:
        return None
    if len(set(size.tolist())) < 2:
        return 0.5
    from scipy.stats import somersd  # here, for the same reason

    return (1 + float(somersd(survival, size).statistic)) / 2
