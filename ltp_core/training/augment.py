"""New texts for distillation, made of pieces of the training rows.

On the rows that it was trained on, the dense model is nearly always sure and right, so a pruned model that
copies it there learns little about other texts. On joined pieces of two rows, which may contradict each
other, the dense model's answers say more. The idea is that of TinyBERT (Jiao et al. 2020), which replaces
words instead.
"""

import random
from collections.abc import Sequence

from ltp_core.training.data import DataError, Rows

SHORTEST_PIECE = 3  # words


def joined_pieces(rows: Rows, count: int, seed: int) -> list[str]:
    """Join a random piece of one row and a random piece of another, so many times.

    Args:
        rows: single texts.
        count: how many to make.
        seed: of the choice.

    Raises:
        DataError: for pairs of texts, whose relation this would destroy.
    """
    texts = [text.split() for text in rows.texts if isinstance(text, str)]
    if len(texts) < len(rows):
        raise DataError("pairs of texts cannot be augmented: leave out --augment")
    choose = random.Random(seed)
    return [
        " ".join(_piece(choose.choice(texts), choose) + _piece(choose.choice(texts), choose))
        for _ in range(count)
    ]


def _piece(words: Sequence[str], choose: random.Random) -> list[str]:
    length = choose.randint(min(SHORTEST_PIECE, len(words)), len(words))
    start = choose.randint(0, len(words) - length)
    return list(words[start : start + length])
