"""From text to a prediction: what every way to run a model shares, whatever computes the logits."""

import hashlib
import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Literal, overload

import torch
from torch import Tensor

from ltp_core.checkpoints import Described
from ltp_core.flops import executed_flops, paper_flops
from ltp_core.importance import checked_queries
from ltp_core.rules import Dense, Rule, observed_layers
from ltp_core.run import Run
from ltp_core.slow_tokens import tokenized
from ltp_core.trace import AttentionTrace, LayerTrace, Trace

# Fast tokenizers keep truncation and padding as state of their own, which a second thread would change.
_tokenizing = threading.Lock()

Text = str | tuple[str, str]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")  # of what a tokenizer returns, what a call takes


@dataclass(frozen=True)
class PrunedOutput:
    """What a call returns.

    Attributes:
        loss: scalar, if labels were given: cross-entropy, or squared error for a regression.
        logits: ``[B, C]``.
        alive: long ``[B, L]``, tokens left after each layer.
        run: everything else that happened.
    """

    loss: Tensor | None
    logits: Tensor
    alive: Tensor
    run: Run


@dataclass(frozen=True)
class Said:
    """What the logits of one text say.

    Attributes:
        label: the predicted label's name; of a multi-label model the names of all, or "none"; None for a
            regression.
        probabilities: label name -> probability, of a multi-label model each by itself; empty for a
            regression.
        value: the predicted number of a regression; None for a classification.
        labels: of a multi-label model the labels whose probability is 0.5 or more; None for others.
    """

    label: str | None
    probabilities: dict[str, float]
    value: float | None
    labels: tuple[str, ...] | None = None

    @property
    def confidence(self) -> float | None:
        """The label's probability; of a set of labels, that of the least sure; None for a regression."""
        if self.labels is not None:
            return min(max(share, 1 - share) for share in self.probabilities.values())
        return None if self.label is None else self.probabilities[self.label]


@dataclass(frozen=True, kw_only=True)
class Prediction(Said):
    """What the model says about one text, what that cost, and what happened on the way.

    Attributes:
        flops: paper FLOPs of the encoder.
        dense_flops: paper FLOPs with nothing pruned.
        executed_flops: what the engine runs, classifier included, when no trace is asked for.
        trace: what happened to every token.
    """

    flops: int
    dense_flops: int
    executed_flops: int
    trace: Trace

    @property
    def flops_reduction(self) -> float:
        """Dense over pruned paper FLOPs, at least 1."""
        return self.dense_flops / self.flops


@dataclass(frozen=True)
class Ranked:
    """One document and its place.

    Attributes:
        document: number in the list that was given, from 0.
        score: the model's output for query and document, a logit.
        prediction: of the pair, with its trace.
    """

    document: int
    score: float
    prediction: Prediction


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


class TextClassifier(Described):
    """What reads texts with a tokenizer and answers with predictions.

    Attributes:
        tokenizer: of the model, or None.
        thresholds: the learned thresholds, one a layer; None if there are none.
        settings: how thresholds are read, and where the model comes from.
        layers: number of encoder layers.
        name: what it was loaded as.
    """

    tokenizer: Any
    layers: int
    name: str
    __call__: Callable[..., Any]  # a padded batch and a rule -> PrunedOutput

    @property
    def device(self) -> torch.device:
        """Where inputs have to be."""
        raise NotImplementedError

    def queries(self, asked: int | Literal["all"] | None = None) -> int | None:
        """How many queries the importance is averaged over; None for all.

        Args:
            asked: of one call, instead of the model's own number.

        Raises:
            ValueError: for a number that is none.
        """
        if asked is None:
            return self.settings.importance_queries
        return None if asked == "all" else checked_queries(asked)

    def observed(self, rule: Rule) -> list[bool]:
        """For each layer, whether a plain run computes its importance, which executed FLOPs depend on."""
        return observed_layers(rule, self.layers)

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

    def run_encoded(
        self, encoded: Mapping[int, Tokenized], rule: Rule | None = None, batch_size: int = 32
    ) -> Iterator[tuple[int, list[float], list[int]]]:
        """Run tokenized texts in batches of like length, without traces.

        Args:
            encoded: by any number.
            rule: who stays; None for the learned thresholds.
            batch_size: texts that run together.

        Yields:
            A text's number, its logits ``[C]``, and how many tokens were left after each layer ``[L]``; in
            the order of their lengths.
        """
        order = sorted(encoded, key=lambda number: len(encoded[number]))
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            with torch.inference_mode():
                output = self(**self.collate([encoded[number] for number in chosen]), rule=rule)
            yield from zip(chosen, output.logits.double().tolist(), output.alive.tolist(), strict=True)

    def rank(
        self,
        query: str,
        documents: Sequence[str],
        top_k: int | None = None,
        rule: Rule | None = None,
        batch_size: int = 32,
    ) -> list[Ranked]:
        """Order documents by what a cross-encoder with one output says of each with the query.

        Pairs of like length run together, packed; the first `top_k` are read once more for their traces.

        Args:
            query: what was asked.
            documents: what could answer it.
            top_k: how many are returned; None for all.
            rule: who stays; None for the learned thresholds.
            batch_size: pairs that run together.

        Returns:
            The best document first; of equal ones, the one that was given first.

        Raises:
            ValueError: for a model with several outputs, no document, an empty text, or a number below 1.
        """
        if self.dimensions.classes != 1:
            raise ValueError(f"rank needs a model with one output; this one has {self.dimensions.classes}")
        if (top_k is not None and top_k < 1) or batch_size < 1:
            raise ValueError(f"top_k and the batch size must be at least 1, got {top_k} and {batch_size}")
        if not documents:
            raise ValueError("there is no document to rank")
        pairs = [(query, document) for document in documents]
        encoded = self.tokenize(pairs)
        if unread := [number for number, each in enumerate(encoded) if not each.readable]:
            raise ValueError(f"document {unread[0]} or the query is empty: it has no token")
        scores = {
            n: logits[0] for n, logits, _ in self.run_encoded(dict(enumerate(encoded)), rule, batch_size)
        }
        best = sorted(scores, key=lambda number: (-scores[number], number))[:top_k]
        read: list[Prediction] = []
        for start in range(0, len(best), batch_size):
            read += self.predict([pairs[number] for number in best[start : start + batch_size]], rule)
        return [Ranked(n, scores[n], prediction) for n, prediction in zip(best, read, strict=True)]

    def digest(self) -> str:
        """SHA-256 of all that decides on an answer: weights, thresholds and how they are read, tokenizer."""
        facts = asdict(replace(self.settings, files={}, training={}, results={}))
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        words = json.loads(backend.to_str()) if backend else getattr(self.tokenizer, "get_vocab", dict)()
        for state in ("truncation", "padding"):  # of the last call
            words.pop(state, None)
        known = [self.config.to_json_string(), json.dumps([self.thresholds, facts, words])]
        return hashlib.sha256("\0".join([self._weights_digest(), *known]).encode()).hexdigest()

    def _weights_digest(self) -> str:
        raise NotImplementedError

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

    @overload
    def predict(
        self, text: Text, rule: Rule | None = None, attention_layer: int | None = None
    ) -> Prediction: ...

    @overload
    def predict(
        self,
        text: list[str] | list[tuple[str, str]] | list[Text],
        rule: Rule | None = None,
        attention_layer: int | None = None,
    ) -> list[Prediction]: ...

    def predict(
        self,
        text: Text | list[str] | list[tuple[str, str]] | list[Text],
        rule: Rule | None = None,
        attention_layer: int | None = None,
    ) -> Prediction | list[Prediction]:
        """Classify a text, a pair ``(a, b)``, or a list of either as one packed batch.

        Args:
            text: what to read.
            rule: who stays; None for the learned thresholds.
            attention_layer: put this layer's attention into the trace.

        Returns:
            A `Prediction`, or a list of them for a list.

        Raises:
            ValueError: for an empty text, or a rule or layer that does not fit.
        """
        if not isinstance(text, list):
            return self.predict([text], rule, attention_layer)[0]
        batch, truncated = self.encode(text)
        return self._predictions(
            batch, truncated, self.learned_rule if rule is None else rule, attention_layer
        )

    def predict_nothing(self, pair: bool = False) -> Prediction:
        """What the model says to no word at all: to its special tokens alone, with nothing pruned.

        Args:
            pair: whether two texts are missing.

        Raises:
            ValueError: if there is no tokenizer.
        """
        tokenizer = self._reader()
        with _tokenizing:
            batch = tokenizer([""], [""] if pair else None, return_tensors="pt")
        return self._predictions(batch.to(self.device), [0], Dense(), None)[0]

    def _predictions(
        self, batch: Any, truncated: list[int], rule: Rule, attention_layer: int | None
    ) -> list[Prediction]:
        """Run a padded batch, and say what came of each text."""
        with torch.inference_mode():
            output = self(
                batch["input_ids"],
                batch["attention_mask"],
                batch.get("token_type_ids"),
                rule=rule,
                record=True,
                attention_layer=attention_layer,
            )
        traces = _traces(batch, output.run, rule, truncated, attention_layer, self.queries())
        return [
            self._prediction(logits, trace, rule) for logits, trace in zip(output.logits, traces, strict=True)
        ]

    def answer(self, logits: Sequence[float]) -> Said:
        """What one text's logits ``[C]`` say."""
        if len(logits) == 1:
            return Said(None, {}, float(logits[0]))
        if self.multi_label:
            shares = torch.tensor(logits, dtype=torch.float64).sigmoid().tolist()
            probabilities = dict(zip(self.classes, shares, strict=True))
            labels = tuple(label for label, share in probabilities.items() if share >= 0.5)
            return Said(", ".join(labels) or "none", probabilities, None, labels)
        weights = [math.exp(logit - max(logits)) for logit in logits]
        total = sum(weights)
        probabilities = dict(zip(self.classes, (weight / total for weight in weights), strict=True))
        return Said(max(probabilities, key=probabilities.__getitem__), probabilities, None)

    def _prediction(self, logits: Tensor, trace: Trace, rule: Rule) -> Prediction:
        size, tokens = self.dimensions, len(trace.tokens)
        observed = self.observed(rule)
        return Prediction(
            **vars(self.answer(logits.tolist())),
            flops=paper_flops(size, tokens, trace.alive),
            dense_flops=paper_flops(size, tokens, [tokens] * self.layers),
            executed_flops=executed_flops(size, tokens, trace.alive, observed, self.queries()),
            trace=trace,
        )


class TorchClassifier(TextClassifier):
    """A `TextClassifier` around a Hugging Face model: what an exporter takes apart.

    Attributes:
        hf_model: the Hugging Face model with its head.
    """

    hf_model: Any


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


def _traces(
    batch: Any,
    run: Run,
    rule: Rule,
    truncated: list[int],
    attention_layer: int | None,
    queries: int | None,
) -> list[Trace]:
    """Turn one run over a batch into plain numbers, one trace a text."""
    masks = [mask.tolist() for mask in run.masks]  # L times [B][n]
    importance = [values.tolist() for values in run.importance if values is not None]  # L times [B][n]
    traces = []
    for row, real in enumerate(batch["attention_mask"].bool().tolist()):
        at = [column for column, is_real in enumerate(real) if is_real]
        entering = [True] * len(at)
        layers, attention = [], None
        for number, (mask, share) in enumerate(zip(masks, importance, strict=True), start=1):
            shares = tuple(share[row][c] if was else None for c, was in zip(at, entering, strict=True))
            kept = tuple(bool(mask[row][c]) for c in at)
            alive = sum(entering)
            averaged = alive if queries is None else min(alive, queries)
            layers.append(LayerTrace(number, rule.cutoff(number, len(at)), shares, kept, averaged))
            if run.attention is not None and number == attention_layer:
                heads = run.attention[row].float().cpu().numpy()
                tokens = tuple(i for i, was in enumerate(entering) if was)
                attention = AttentionTrace(number, tokens, heads, averaged)
            entering = list(kept)
        names = batch.tokens(row)
        segments = batch.sequence_ids(row)
        second = next((i for i, s in enumerate(segments) if s == 1), len(segments))
        traces.append(
            Trace(
                tokens=tuple(names[c] for c in at),
                segments=tuple(int(c >= second) for c in at),
                truncated_tokens=truncated[row],
                layers=tuple(layers),
                attention=attention,
            )
        )
    return traces
