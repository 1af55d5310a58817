"""Tokenizers written in Python (BERTweet, PhoBERT): what they say of a text, in the words of the fast ones.

The fast ones know for each token the text of a pair that it is of, its word, and where that is. The others
return ids alone, so this is found again: the parts of a pair from how the tokenizer puts them together, words
by looking for each token in the text, from left to right.
"""

from collections.abc import Sequence
from typing import Any

from transformers import BatchEncoding
from transformers.tokenization_utils_base import CharSpan

NEAR = 40  # characters after the last token in which the next one is looked for
_MARKS = ("@@", "</w>", "##", "\u2581", "\u0120")  # of pieces of a word; they are not in the text


def tokenized(tokenizer: Any, firsts: list[str], seconds: list[str] | None, **options: Any) -> Any:
    """What a tokenizer makes of texts or pairs, whichever kind it is; with tokens, sequences and words."""
    encoding = tokenizer(firsts, seconds, **options)
    if tokenizer.is_fast:
        return encoding
    nothing: list[str | None] = [None] * len(firsts)
    pairs, ids = zip(firsts, seconds or nothing, strict=True), encoding["input_ids"]
    rows = [
        _Row(tokenizer, first, second, list(map(int, row)))
        for (first, second), row in zip(pairs, ids, strict=True)
    ]
    return SlowEncoding(encoding.data, rows)


class _Row:
    """One text or pair: tokens, and for each the part and the word that it is of, None for special ones."""

    def __init__(self, tokenizer: Any, first: str, second: str | None, ids: list[int]) -> None:
        self.tokens: list[str] = tokenizer.convert_ids_to_tokens(ids)
        self.texts = [first] if second is None else [first, second]
        parts = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) for text in self.texts]
        self.parts: list[int | None] = [None] * len(ids)
        self.words: list[int | None] = [None] * len(ids)
        self.spans = [words_of(text) for text in self.texts]
        place = 0
        for part, whole in enumerate(parts):
            start, end = _run(ids, whole, place)
            words = _words(self.tokens[start:end], self.texts[part], self.spans[part])
            for at, word in zip(range(start, end), words, strict=True):
                self.parts[at], self.words[at] = part, word
            place = end


class SlowEncoding(BatchEncoding):
    """A batch of a tokenizer in Python that answers what a fast one's does."""

    def __init__(self, data: dict[str, Any], rows: Sequence[_Row]) -> None:
        super().__init__(data)
        self._rows = rows

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a row."""
        return self._rows[batch_index].tokens

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token 0 or 1, the text of the pair that it is of; None for special ones."""
        return self._rows[batch_index].parts

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token the number of its word in its text."""
        return self._rows[batch_index].words

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> Any:
        """Where a word stands in its text."""
        start, end = self._rows[batch_or_word_index].spans[sequence_index][word_index or 0]
        return CharSpan(start, end)


def words_of(text: str) -> list[tuple[int, int]]:
    """Where the words of a text begin and end: what stands between blanks."""
    found, end = [], 0
    for word in text.split():
        start = text.index(word, end)
        end = start + len(word)
        found.append((start, end))
    return found


def _run(ids: list[int], whole: list[int], start: int) -> tuple[int, int]:
    """Where a text's tokens lie among `ids`, from a place on: all of them, or as many as were not cut."""
    best = (start, start)
    for place in range(start, len(ids)):
        length = 0
        while length < len(whole) and place + length < len(ids) and ids[place + length] == whole[length]:
            length += 1
        if length > best[1] - best[0]:
            best = (place, place + length)
        if length == len(whole):
            break
    return best


def _words(tokens: Sequence[str], text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """For each token the word where it is found, reading on from the one before; else that one's."""
    words, place, word = [], 0, 0
    lower = text.lower() if len(text.lower()) == len(text) else text  # few characters change their length
    for token in tokens:
        for mark in _MARKS:
            token = token.removeprefix(mark).removesuffix(mark)
        found = lower.find(token.lower(), place, place + len(token) + NEAR) if token else -1
        if found >= 0:
            place = found + len(token)
            word = next((n for n, (start, end) in enumerate(spans) if start <= found < end), word)
        words.append(word)
    return words
