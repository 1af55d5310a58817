"""Sentences of our own, to measure on where no data set is given; and inputs of a given length from any."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from itertools import cycle, islice
from random import Random
from typing import Any, TypeVar

Item = TypeVar("Item")


def own_sentences() -> list[str]:
    """Film reviews that we wrote: real sentences, so that attention means something."""
    return files("ltp_core.data").joinpath("sentences.txt").read_text(encoding="utf-8").splitlines()


def check_lengths(lengths: Iterable[int], most: int) -> None:
    """Refuse inputs of more tokens than a model reads.

    Args:
        lengths: tokens of an input.
        most: what the model reads.

    Raises:
        ValueError: with the first that is too long.
    """
    if too_long := [length for length in lengths if length > most]:
        raise ValueError(f"length {too_long[0]} is more than this model's {most} tokens")


def inputs_of_length(tokenizer: Any, texts: Sequence[str], length: int, count: int) -> list[str]:
    """Make texts of an exact number of tokens by joining sentences and cutting the end.

    Args:
        tokenizer: a fast Hugging Face tokenizer.
        texts: real sentences.
        length: tokens, special ones included.
        count: how many to make; all differ as far as the sentences allow.

    Raises:
        ValueError: if the length leaves no room for text, or the sentences hold none.
    """
    room = length - tokenizer.num_special_tokens_to_add()
    if room < 1:
        raise ValueError(f"a length of {length} tokens leaves no room for text")
    if not any(tokenizer.tokenize(text) for text in texts[:100]):
        raise ValueError("there is no text to make inputs of")
    supply = cycle(texts)
    return [_cut(tokenizer, supply, room) for _ in range(count)]


def ragged_inputs(tokenizer: Any, texts: Sequence[str], length: int, count: int) -> list[str]:
    """Make texts of a quarter of a length up to the length, as `inputs_of_length` makes them.

    The lengths are drawn once and for all, so every call measures the same texts.
    """
    drawn, supply = Random(0), cycle(texts)
    room = length - tokenizer.num_special_tokens_to_add()
    lowest = max(1, length // 4 - tokenizer.num_special_tokens_to_add())
    if room < 1 or not any(tokenizer.tokenize(text) for text in texts[:100]):
        raise ValueError(f"no texts of up to {length} tokens can be made of these")
    return [_cut(tokenizer, supply, drawn.randint(lowest, room)) for _ in range(count)]


def _cut(tokenizer: Any, supply: Iterator[str], room: int) -> str:
    text = ""
    while True:
        text = f"{text} {next(supply)}".strip()
        spans = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)[
            "offset_mapping"
        ]
        if len(spans) >= room:
            return text[: spans[room - 1][1]]


def batches(items: Sequence[Item], size: int) -> list[list[Item]]:
    """Cut a sequence into lists of `size`; what is left over at the end is dropped."""
    source = iter(items)
    return [list(islice(source, size)) for _ in range(len(items) // size)]
