"""Tokens as parts of a text: which continue the word before, and how they read without its marks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.says.text import visible

_NEW_WORD = ("Ġ", "▁")  # how RoBERTa's and SentencePiece's vocabularies mark the first piece of a word
_CONTINUES = "##"  # and BERT's the others
_CLOSING = re.compile(r"[.,;:!?)\]}’'”%…]+")
_OPENS = ("(", "[", "{", "’", "'", "“", "-")


@dataclass(frozen=True)
class Piece:
    """A token as it stands in a text: its letters, and whether no space comes before it."""

    text: str
    glued: bool


def pieces(tokens: Sequence[str], special: Sequence[int]) -> list[Piece]:
    """Read tokens as text; special ones stay as they are."""
    marked = any(token.startswith(_NEW_WORD) for token in tokens)
    apart = set(special)
    found: list[Piece] = []
    for index, token in enumerate(tokens):
        if index in apart:
            found.append(Piece(visible(token), False))
            continue
        text = token
        if marked:
            text = token.lstrip("".join(_NEW_WORD))
            glued = text == token and index > 0 and index - 1 not in apart
        else:
            text = token.removeprefix(_CONTINUES)
            before = tokens[index - 1] if index else ""
            joined = _CLOSING.fullmatch(token) is not None or before in _OPENS
            glued = index > 0 and index - 1 not in apart and (text != token or joined)
        found.append(Piece(visible(text or token), glued))
    return found
