"""A list of texts in a link, which a class goes through with the arrow keys.

A text a line; of a pair the second after a tab. Such a text has no line breaks of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

MOST = 30  # texts of a list


class Entry(NamedTuple):
    """A text, and the second one of a pair."""

    text: str
    pair: str = ""


def entry(text: str, pair: str = "") -> Entry:
    """Texts as a list holds them: what is white becomes one space."""
    return Entry(" ".join(text.split()), " ".join(pair.split()))


def read(written: str) -> tuple[tuple[Entry, ...], str | None]:
    """What a link says, each text once; and a notice if it says too much."""
    parts = (line.partition("\t") for line in written.split("\n"))
    found = tuple(dict.fromkeys(entry(text, pair) for text, _, pair in parts if text.strip()))
    if len(found) <= MOST:
        return found, None
    return found[:MOST], f"The list in this address has {len(found):,} texts; the first {MOST} are used."


def write(entries: Sequence[Entry]) -> str:
    """For a link."""
    return "\n".join("\t".join(filter(None, each)) for each in entries)
