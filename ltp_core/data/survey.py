"""What pruning does to many texts: whose answer changes, who goes first, where the work goes.

A survey is plain numbers, as a trace is. Reductions over many texts are ratios of means.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import numpy as np

from ltp_core.data.evaluation import run_rows
from ltp_core.data.metrics import metric_of, scores
from ltp_core.data.rows import Rows
from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.prediction import Prediction, Text, TextClassifier
from ltp_core.rules import Dense, Rule, Thresholds

SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "<s>", "</s>", "<pad>")


@dataclass(frozen=True)
class Answer:
    """What a model said about a text.

    Attributes:
        label: the predicted label's name; None for a regression.
        probability: of that label; None for a regression.
        value: the predicted number of a regression; None for a classification.
    """

    label: str | None
    probability: float | None
    value: float | None

    @classmethod
    def of(cls, prediction: Prediction) -> "Answer":
        """Keep a prediction's answer and leave its trace."""
        label = prediction.label
        return cls(label, prediction.confidence, prediction.value)


@dataclass(frozen=True)
class Row:
    """One text, run twice on the same weights.

    Attributes:
        text: the text, or the pair of texts.
        gold: the row's label (a class from 0, or a number), if it has one.
        dense: the answer with nothing pruned.
        pruned: the answer under the thresholds.
        tokens: length of the input, special tokens included.
        alive: tokens left after each layer.
        dense_flops: paper FLOPs of the dense run.
        flops: paper FLOPs of the pruned run.
    """

    text: Text
    gold: float | None
    dense: Answer
    pruned: Answer
    tokens: int
    alive: tuple[int, ...]
    dense_flops: int
    flops: int

    @property
    def flipped(self) -> bool:
        """Whether pruning changed the label; never for a regression."""
        return self.dense.label != self.pruned.label

    @property
    def moved(self) -> float:
        """How far the answer moved: a difference of values, or 1 for another label and 0 for the same."""
        if self.dense.value is None or self.pruned.value is None:
            return float(self.flipped)
        return abs(self.dense.value - self.pruned.value)


@dataclass(frozen=True)
class Fate:
    """How long a token stays, over all its occurrences.

    Attributes:
        token: as the model reads it.
        count: how often it occurs.
        layers: layers that it survives, on average.
        first: share of its occurrences that leave in the first half of the layers.
    """

    token: str
    count: int
    layers: float
    first: float


@dataclass(frozen=True)
class Point:
    """One point of the curve: all thresholds times one factor. 0 prunes nothing.

    Attributes:
        factor: what the thresholds were multiplied with.
        flops_reduction: dense over pruned paper FLOPs, a ratio of means.
        agreement: share of texts with the same label as in the dense run; None for a regression.
        score: the task's metric against the labels; None where there are none.
    """

    factor: float
    flops_reduction: float
    agreement: float | None
    score: float | None


@dataclass(frozen=True)
class Survey:
    """What thresholds do to a set of texts.

    Attributes:
        rows: one a text, in order.
        curve: in the order of the factors.
        fates: one a different token, special ones left out.
        metric: what `Point.score` is.
        truncated: how many texts did not fit into the model and were cut.
    """

    rows: tuple[Row, ...]
    curve: tuple[Point, ...]
    fates: tuple[Fate, ...]
    metric: str
    truncated: int

    @property
    def flops_reduction(self) -> float:
        """Dense over pruned: a ratio of means."""
        return sum(row.dense_flops for row in self.rows) / sum(row.flops for row in self.rows)

    @property
    def kept_per_layer(self) -> list[float]:
        """For each layer, tokens left after it over all tokens, a share."""
        total = sum(row.tokens for row in self.rows)
        return [sum(counts) / total for counts in zip(*(row.alive for row in self.rows), strict=True)]

    @property
    def flipped(self) -> list[Row]:
        """Texts whose label pruning changed, the surest dense answer first."""
        return sorted(
            (row for row in self.rows if row.flipped),
            key=lambda row: row.dense.probability or 0,
            reverse=True,
        )


@dataclass
class _Tally:
    count: int = 0
    layers: int = 0
    first: int = 0

    def add(self, survived: int, half: float) -> None:
        self.count += 1
        self.layers += survived
        self.first += survived < half


@dataclass
class _Fates:
    tallies: dict[str, _Tally] = field(default_factory=dict)

    def add(self, prediction: Prediction) -> None:
        trace = prediction.trace
        for token, survived in zip(trace.tokens, trace.survived, strict=True):
            if token not in SPECIAL:
                self.tallies.setdefault(token, _Tally()).add(survived, len(trace.layers) / 2)

    def result(self) -> tuple[Fate, ...]:
        return tuple(
            Fate(token, tally.count, tally.layers / tally.count, tally.first / tally.count)
            for token, tally in self.tallies.items()
        )


def survey(
    model: TextClassifier,
    texts: Sequence[Text],
    labels: Sequence[float] | None,
    thresholds: Thresholds,
    factors: Sequence[float] = (0.5, 1.5),
    batch_size: int = 32,
    progress: Callable[[int, int], object] = lambda done, total: None,
    turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    longest_turn: float = math.inf,
) -> Survey:
    """Run texts with nothing pruned, under thresholds, and under multiples of them.

    Args:
        model: what to run.
        texts: at least one.
        labels: one a text: classes from 0, or the numbers of a regression; None if unknown.
        thresholds: who stays.
        factors: other points of the curve; 0 and 1 are always on it.
        batch_size: texts in a packed batch.
        progress: called with runs done and runs in all, after each batch; may raise to stop.
        turn: entered for each batch, where others use the device too, say to hold a lock.
        longest_turn: seconds that a batch may take; batches are made as small as that needs on this machine.

    Raises:
        ValueError: if there is no text, one is empty, or the labels do not match.
    """
    if not texts:
        raise ValueError("there are no texts to run")
    if labels is not None and model.multi_label:
        raise ValueError("this model answers with a set of labels; leave the label column out of the file")
    if labels is not None and len(labels) != len(texts):
        raise ValueError(f"{len(texts)} texts have {len(labels)} labels")
    others = sorted(set(factors) - {0.0, 1.0})
    total, before = len(texts) * (len(others) + 2), 0
    metric = metric_of(model.settings.task, model.dimensions.classes)

    def run(rule: Rule) -> Iterator[tuple[int, Prediction]]:
        nonlocal before
        done = 0
        for indices, predictions in predict_all(model, texts, rule, batch_size, turn, longest_turn):
            yield from zip(indices, predictions, strict=True)
            done += len(indices)
            progress(before + done, total)
        before += len(texts)

    outputs: dict[float, np.ndarray] = {}
    work: dict[float, int] = {}
    dense: list[Answer] = [Answer(None, None, None)] * len(texts)
    outputs[0.0], dense_flops = np.zeros((len(texts), model.dimensions.classes)), 0
    for index, found in run(Dense()):
        outputs[0.0][index], dense[index] = _output(found), Answer.of(found)
        dense_flops += found.flops
    work[0.0] = dense_flops
    rows: list[Row | None] = [None] * len(texts)
    fates, truncated = _Fates(), 0
    for factor in (1.0, *others):
        outputs[factor], work[factor] = np.zeros_like(outputs[0.0]), 0
        for index, found in run(thresholds.times(factor)):
            outputs[factor][index] = _output(found)
            work[factor] += found.flops
            if factor == 1.0:
                gold = None if labels is None else labels[index]
                rows[index] = _row(texts[index], gold, dense[index], found)
                fates.add(found)
                truncated += found.trace.truncated_tokens > 0
    curve = [
        Point(
            factor,
            dense_flops / work[factor],
            _agreement(outputs[0.0], outputs[factor], model.multi_label),
            score,
        )
        for factor in sorted(outputs)
        for score in [_score(metric, outputs[factor], labels)]
    ]
    return Survey(tuple(row for row in rows if row), tuple(curve), fates.result(), metric, truncated)


def predict_all(
    model: TextClassifier,
    texts: Sequence[Text],
    rule: Rule,
    batch_size: int = 32,
    turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    longest_turn: float = math.inf,
) -> Iterator[tuple[list[int], list[Prediction]]]:
    """Run texts in packed batches of like length -> for each batch, places in `texts` and predictions.

    `turn` is entered for each batch, as in `survey`. With a `longest_turn` the first batch is one text, and
    the next ones are what takes half of it at the speed of the last: the longest texts come first.
    """
    order = sorted(range(len(texts)), key=lambda index: -len("".join(texts[index])))
    start, size = 0, batch_size if longest_turn == math.inf else 1
    while start < len(order):
        chosen = order[start : start + size]
        start += len(chosen)
        with turn():
            began = time.perf_counter()
            found = model.predict([texts[index] for index in chosen], rule)
            took = max(time.perf_counter() - began, 1e-6)
        yield chosen, found
        size = max(1, int(min(batch_size, 2 * len(chosen), len(chosen) * longest_turn / 2 / took)))


@dataclass(frozen=True)
class LengthPoint:
    """Work at one length.

    Attributes:
        length: tokens of the input, special ones included.
        dense: paper FLOPs with nothing pruned.
        pruned: paper FLOPs under the rule, the mean over a few texts of this length.
        left: tokens left after each layer, the mean over these texts.
    """

    length: int
    dense: float
    pruned: float
    left: tuple[float, ...]

    @property
    def collapses(self) -> int | None:
        """The layer, before the last, that leaves only the first token of each text; None if none does."""
        return next((layer for layer, left in enumerate(self.left[:-1], start=1) if left == 1), None)


def flops_by_length(
    model: TextClassifier, rule: Rule, lengths: Sequence[int], texts: int = 4
) -> list[LengthPoint]:
    """Run real sentences of ours, joined and cut to each length; count FLOPs and tokens.

    Args:
        model: what to run.
        rule: who stays.
        lengths: in tokens.
        texts: how many of each length.
    """
    points = []
    for length in lengths:
        rows = Rows(list(inputs_of_length(model.tokenizer, own_sentences(), length, texts)), [])
        found = run_rows(model, rows, rule, batch_size=texts)
        left = tuple(found.alive.mean(axis=0).tolist())
        points.append(LengthPoint(length, found.dense_flops, found.flops, left))
    return points


def _row(text: Text, gold: float | None, dense: Answer, found: Prediction) -> Row:
    trace = found.trace
    return Row(
        text, gold, dense, Answer.of(found), len(trace.tokens), trace.alive, found.dense_flops, found.flops
    )


def _output(found: Prediction) -> list[float]:
    return list(found.probabilities.values()) if found.value is None else [found.value]


def _agreement(dense: np.ndarray, pruned: np.ndarray, multi_label: bool) -> float | None:
    if dense.shape[-1] == 1:
        return None
    if multi_label:
        return float(((dense >= 0.5) == (pruned >= 0.5)).all(axis=-1).mean())
    return float((dense.argmax(axis=-1) == pruned.argmax(axis=-1)).mean())


def _score(metric: str, outputs: np.ndarray, labels: Sequence[float] | None) -> float | None:
    if labels is None:
        return None
    try:
        return scores(metric, outputs, labels)[metric]
    except ValueError:  # a correlation of equal numbers
        return None
