"""New texts for distillation: made of pieces of the training rows, or drawn from texts without labels.

On the rows that it was trained on, the dense model is nearly always sure and right, so a pruned model that
copies it there learns little about other texts. On joined pieces of two rows, which may contradict each
other, and on pairs of pieces, whose relation may have changed, the dense model's answers say more. The idea
is that of TinyBERT (Jiao et al. 2020), which replaces words instead.
"""

import random
import re
from collections.abc import Iterator, Sequence

from ltp_core.data.rows import DataError, Rows, Split, apart, has_text
from ltp_core.model import Text, columns

SHORTEST_PIECE = 3  # words
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|<br />")  # a line break as IMDb's reviews have it, too


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


def drawable(texts: Sequence[Text], split: Split) -> list[Text]:
    """Of texts without labels those to draw from: none that is blank, or that is part of a held-out row.

    Raises:
        DataError: for pairs where the rows are single texts, or the other way round; or if none is left.
    """
    if (columns(texts)[1] is None) != (columns(split.train.texts)[1] is None):
        raise DataError("the rows are pairs and the unlabelled texts are not, or the other way round")
    readable = [text for text in texts if has_text(text)]
    found = [readable[place] for place in apart(readable, [*split.tuning.texts, *split.untouched.texts])]
    if not found:
        raise DataError("the unlabelled texts are blank or held out, all of them")
    return found


def drawn(texts: Sequence[Text], rows: Rows, count: int, seed: int) -> list[Text]:
    """Draw texts, or pairs of them, as the rows are; nobody knows their labels.

    Pairs are taken as they are, each once at most. Of single texts whole sentences are taken that follow one
    another, until they have as many words as some row.

    Args:
        texts: what to draw from, as `drawable` leaves it.
        rows: the ones that the texts are to be like, in length and kind.
        count: how many to draw.
        seed: of the choice.
    """
    choose, (_, seconds) = random.Random(seed), columns(rows.texts)
    if seconds is not None:
        unique = list(dict.fromkeys(texts))
        return choose.sample(unique, min(count, len(unique)))
    return list(passages(columns(texts)[0], [len(str(row).split()) for row in rows.texts], count, choose))


def passages(
    texts: Sequence[str], lengths: Sequence[int], count: int, choose: random.Random
) -> Iterator[str]:
    """Sentences that follow one another in a text, of at least a drawn length in words if it has them."""
    cut = [[part.strip() for part in SENTENCE_END.split(text) if part.strip()] for text in texts]
    cut = [sentences for sentences in cut if sentences]
    for _ in range(count):
        sentences, wanted = choose.choice(cut), choose.choice(lengths)
        start, words = choose.randrange(len(sentences)), 0
        for end in range(start, len(sentences)):
            words += len(sentences[end].split())
            if words >= wanted:
                break
        yield " ".join(sentences[start : end + 1])


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
