"""From text to a prediction: what every way to run a model shares, whatever computes the logits."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, overload

import torch
from torch import Tensor

from ltp_core.flops import executed_flops, paper_flops
from ltp_core.importance import checked_queries
from ltp_core.prediction.answers import Prediction, Ranked, Said
from ltp_core.prediction.reader import Text, TextReader, Tokenized, columns
from ltp_core.prediction.traces import traces_of
from ltp_core.rules import Dense, Rule, observed_layers
from ltp_core.trace import Trace


class TextClassifier(TextReader):
    """What reads texts with a tokenizer and answers with predictions.

    Attributes:
        thresholds: the learned thresholds, one a layer; None if there are none.
        settings: how thresholds are read, and where the model comes from.
        layers: number of encoder layers.
        name: what it was loaded as.
    """

    layers: int
    name: str
    __call__: Callable[..., Any]  # a padded batch and a rule -> PrunedOutput

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
                batch = self.collate([encoded[number] for number in chosen])
                output = self(**batch, rule=rule, record=False)
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
        columns(pairs)  # refuses what is no text
        distinct = list(dict.fromkeys(pairs))  # in one batch, the same text twice may differ in the last bit
        encoded = dict(enumerate(self.tokenize(distinct)))
        if unread := [number for number, each in encoded.items() if not each.readable]:
            document = pairs.index(distinct[unread[0]])
            raise ValueError(f"document {document} or the query is empty: it has no token")
        said = {distinct[n]: logits[0] for n, logits, _ in self.run_encoded(encoded, rule, batch_size)}
        scores = [said[pair] for pair in pairs]
        best = sorted(range(len(pairs)), key=lambda number: (-scores[number], number))[:top_k]
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
        return self._predictions(self.encode_nothing(pair), [0], Dense(), None)[0]

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
        traces = traces_of(batch, output.run, rule, truncated, attention_layer, self.queries())
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
