"""A survey's results by length and by class, as rows of a table."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

from app.says.words import NBSP, times
from ltp_core.data.survey import Row

HEADERS = ("Texts", "Tokens left", "Same answer", "Right, dense", "Right, pruned", "Paper FLOPs")
PARTS = 4
Z = 1.96  # of a 95 % interval


def known(headers: Sequence[str], lines: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Headers and lines of a table without the columns in which nothing is known, as without labels."""
    filled = [place for place in range(len(headers)) if any(line[place] for line in lines)]
    return [headers[place] for place in filled], [[line[place] for place in filled] for line in lines]


def by_length(rows: Sequence[Row], classes: Sequence[str]) -> list[tuple[str, ...]]:
    """Some quarters of the texts, the shortest first: name, then what `HEADERS` say.

    Texts of equal length are in one part, so there may be fewer parts.
    """
    ordered = sorted(rows, key=lambda row: row.tokens)
    lengths = [row.tokens for row in ordered]
    edges = {bisect_left(lengths, lengths[len(rows) * part // PARTS]) for part in range(1, PARTS)}
    cuts = sorted(edges | {0, len(rows)})
    parts = [ordered[start:stop] for start, stop in pairwise(cuts)]
    return [_line(_span(part[0].tokens, part[-1].tokens), part, classes) for part in parts]


def _span(shortest: int, longest: int) -> str:
    return f"{shortest} tokens" if shortest == longest else f"{shortest}–{longest} tokens"


def by_class(rows: Sequence[Row], classes: Sequence[str]) -> list[tuple[str, ...]]:
    """One line for each label that occurs, or, without labels, for each answer of the dense run."""
    of = _label_of(rows, classes)
    names = sorted({of(row) for row in rows})
    return [_line(name, [row for row in rows if of(row) == name], classes) for name in names]


def _label_of(rows: Sequence[Row], classes: Sequence[str]) -> Callable[[Row], str]:
    if all(row.gold is not None for row in rows):
        return lambda row: classes[int(row.gold or 0)]
    return lambda row: f"dense says {row.dense.label}"


def _line(name: str, rows: Sequence[Row], classes: Sequence[str]) -> tuple[str, ...]:
    left = sum(row.alive[-1] for row in rows) / sum(row.tokens for row in rows)
    reduction = sum(row.dense_flops for row in rows) / sum(row.flops for row in rows)
    return (
        name,
        f"{len(rows):,}",
        f"{100 * left:.0f}{NBSP}%",
        _part([not row.flipped for row in rows]) if classes else "",
        _part([row.dense.label == classes[int(row.gold or 0)] for row in rows])
        if _scored(rows, classes)
        else "",
        _part([row.pruned.label == classes[int(row.gold or 0)] for row in rows])
        if _scored(rows, classes)
        else "",
        f"{times(reduction)} fewer",
    )


def _scored(rows: Sequence[Row], classes: Sequence[str]) -> bool:
    return bool(classes) and all(row.gold is not None for row in rows)


def _part(right: Sequence[bool]) -> str:
    """A share with its 95 % interval (Wilson's, which holds for few texts and at 100 %): 89 % (82 to 93)."""
    count, share = len(right), sum(right) / len(right)
    spread = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    middle, scale = share + Z**2 / (2 * count), 1 + Z**2 / count
    low, high = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)  # 0 is -0.0 else
    return f"{100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})".replace(" ", NBSP)
