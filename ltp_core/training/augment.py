"""New texts for distillation, made of pieces of the training rows.

On the rows that it was trained on, the dense model is nearly always sure and right, so a pruned model that
copies it there learns little about other texts. On joined pieces of two rows, which may contradict each
other, and on pairs of pieces, whose relation may have changed, the dense model's answers say more. The idea
is that of TinyBERT (Jiao et al. 2020), which replaces words instead.
"""

import random
from collections.abc import Sequence

from ltp_core.model import Text, columns
from ltp_core.training.data import Rows

SHORTEST_PIECE = 3  # words


def made_up(rows: Rows, count: int, seed: int) -> list[Text]:
    """Make texts, or pairs of them, as the rows are; nobody knows their labels.

    Args:
        rows: what to cut from.
        count: how many to make.
        seed: of the choice.
    """
    firsts, seconds = columns(rows.texts)
    choose = random.Random(seed)
    if seconds is None:
        return list(joined_pieces(firsts, count, choose))
    return list(pairs_of_pieces(list(zip(firsts, seconds, strict=True)), count, choose))


def joined_pieces(texts: Sequence[str], count: int, choose: random.Random) -> list[str]:
    """Join a random piece of one text and a random piece of another, so many times."""
    words = [text.split() for text in texts]
    return [
        " ".join(_piece(choose.choice(words), choose) + _piece(choose.choice(words), choose))
        for _ in range(count)
    ]


def pairs_of_pieces(pairs: Sequence[tuple[str, str]], count: int, choose: random.Random) -> list[Text]:
    """Take a random piece of each of the two texts of one pair, so many times."""
    words = [(first.split(), second.split()) for first, second in pairs]
    made: list[Text] = []
    for _ in range(count):
        first, second = choose.choice(words)
        made.append((" ".join(_piece(first, choose)), " ".join(_piece(second, choose))))
    return made


def _piece(words: Sequence[str], choose: random.Random) -> list[str]:
    length = choose.randint(min(SHORTEST_PIECE, len(words)), len(words))
    start = choose.randint(0, len(words) - length)
    return list(words[start : start + length])
