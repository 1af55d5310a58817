"""From texts to batches: what a model reads, and where it is cut."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ltp_core.checkpoints import Described
from ltp_core.slow_tokens import tokenized

# Fast tokenizers keep truncation and padding as state of their own, which a second thread would change.
_tokenizing = threading.Lock()

Text = str | tuple[str, str]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")  # of what a tokenizer returns, what a call takes


@dataclass(frozen=True)
class Tokenized:
    """One text or pair as tokens, without padding.

    Attributes:
        inputs: by name (`input_ids`, …) a list of n numbers each.
        truncated: how many tokens did not fit and were cut.
        readable: whether the text, or both of a pair, have a token.
    """

    inputs: dict[str, list[int]]
    truncated: int
    readable: bool

    def __len__(self) -> int:
        """Tokens, special ones included."""
        return len(self.inputs["input_ids"])


class TextReader(Described):
    """What turns texts into tokens for a model.

    Attributes:
        tokenizer: of the model, or None.
    """

    tokenizer: Any

    @property
    def device(self) -> torch.device:
        """Where inputs have to be."""
        raise NotImplementedError

    @property
    def max_tokens(self) -> int:
        """The longest input, in tokens, special ones included."""
        positions = super().max_tokens
        return positions if self.tokenizer is None else min(positions, int(self.tokenizer.model_max_length))

    def encode(self, texts: Sequence[Text], max_tokens: int | None = None) -> tuple[Any, list[int]]:
        """Tokenize texts or pairs to a padded batch on the model's device.

        Args:
            texts: what to read.
            max_tokens: longer inputs are cut, as they are at `self.max_tokens` in any case.

        Returns:
            ``(batch, truncated)``: what the tokenizer returns, and how many tokens of each text did
            not fit and were cut.

        Raises:
            ValueError: if there is no tokenizer, no text, a mixture of texts and pairs, or a text
                without a token.
        """
        tokenizer = self._reader()
        firsts, seconds = columns(texts)
        longest = self.max_tokens if max_tokens is None else min(self.max_tokens, max_tokens)
        fit = {"truncation": True, "max_length": longest, "padding": True, "return_tensors": "pt"}
        with _tokenizing:
            whole = tokenizer(firsts, seconds, truncation=False, verbose=False)
            batch = tokenizer(firsts, seconds, **fit)
        for number in range(len(texts)):
            belongs = set(whole.sequence_ids(number))
            if 0 not in belongs or (seconds is not None and 1 not in belongs):
                raise ValueError("the text is empty: it has no token that the model could read")
        kept = batch["attention_mask"].sum(dim=-1).tolist()
        truncated = [len(ids) - n for ids, n in zip(whole["input_ids"], kept, strict=True)]
        self._check_largest(int(batch["input_ids"].max()))
        return batch.to(self.device), truncated

    def encode_nothing(self, pair: bool = False) -> Any:
        """The special tokens around no text, or around no pair, as a batch of one; errors as for `encode`."""
        tokenizer = self._reader()
        with _tokenizing:
            batch = tokenizer([""], [""] if pair else None, return_tensors="pt")
        return batch.to(self.device)

    def tokenize(self, texts: Sequence[Text], max_tokens: int | None = None) -> list[Tokenized]:
        """Tokenize texts or pairs, each by itself: for those that run in batches of like length.

        A text without a token is no error here. Arguments, and other errors, as for `encode`.
        """
        tokenizer = self._reader()
        firsts, seconds = columns(texts)
        longest = self.max_tokens if max_tokens is None else min(self.max_tokens, max_tokens)
        with _tokenizing:
            whole = tokenizer(firsts, seconds, truncation=False, verbose=False)
            full = [len(ids) for ids in whole["input_ids"]]
            long = [row for row, n in enumerate(full) if n > longest]
            rest = None if seconds is None else [seconds[row] for row in long]
            fit = {"truncation": True, "max_length": longest}
            cut = tokenizer([firsts[row] for row in long], rest, **fit) if long else {}
        places = {row: place for place, row in enumerate(long)}
        needed = {0} if seconds is None else {0, 1}
        found = []
        for row, tokens in enumerate(full):
            source, place = (cut, places[row]) if row in places else (whole, row)
            inputs = {name: source[name][place] for name in INPUTS if name in source}
            self._check_largest(max(inputs["input_ids"], default=0))
            readable = needed <= set(whole.sequence_ids(row))
            found.append(Tokenized(inputs, tokens - len(inputs["input_ids"]), readable))
        return found

    def collate(self, encoded: Sequence[Tokenized]) -> dict[str, Tensor]:
        """Pad tokenized texts to a batch ``[B, n]`` on the model's device, for a call of the model."""
        longest = max(len(each) for each in encoded)
        fill = {"input_ids": self.tokenizer.pad_token_id or 0}
        batch = {}
        for name in encoded[0].inputs:
            pad = fill.get(name, 0)
            rows = [each.inputs[name] + [pad] * (longest - len(each)) for each in encoded]
            batch[name] = torch.tensor(rows, device=self.device)
        return batch

    def _reader(self) -> Any:
        if self.tokenizer is None:
            raise ValueError("this model was wrapped without a tokenizer, so it cannot read text")
        return partial(tokenized, self.tokenizer)

    def _check_largest(self, token: int) -> None:
        """Refuse a token that the tokenizer has and the model has not: its embedding is nowhere."""
        if token >= self.config.vocab_size:
            raise ValueError(
                f"a text holds the token {self.tokenizer.convert_ids_to_tokens(token)!r}, which the "
                "tokenizer has and the model has not: call resize_token_embeddings and save both again"
            )


def columns(texts: Sequence[Text]) -> tuple[list[str], list[str] | None]:
    """Texts, or pairs of them, as the one or two columns that a tokenizer takes.

    Raises:
        ValueError: if there are none, or texts and pairs are mixed.
    """
    if not texts:
        raise ValueError("there is no text")
    for text in texts:
        try:
            "".join(text).encode()
        except (TypeError, UnicodeEncodeError):
            raise ValueError("a text holds something that is no Unicode text") from None
    if all(isinstance(text, str) for text in texts):
        return [str(text) for text in texts], None
    if not all(isinstance(text, tuple) and len(text) == 2 for text in texts):
        raise ValueError("give texts or pairs (a, b) of them, and not both in one list")
    return [text[0] for text in texts], [text[1] for text in texts]
