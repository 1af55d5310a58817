"""Run a data set once: for each text its trace, attributions, agreement, deletions and kinds of words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ltp_core.data.rows import Rows
from ltp_core.finding.word_classes import kind_of
from ltp_core.model import PrunedModel
from ltp_core.prediction import Text
from ltp_core.rules import Dense
from ltp_core.why.agreement import Agreement, agreement
from ltp_core.why.attribution import Attribution, Batch, attribute_batch
from ltp_core.why.deletion import Deletion, deletion

BATCH = 8


@dataclass(frozen=True)
class Options:
    """What costs time.

    Attributes:
        steps: of Integrated Gradients; texts that do not converge get up to four times as many.
        draws: random deletions a text.
        seed: of the draws and of the resampling.
    """

    steps: int = 16
    draws: int = 3
    seed: int = 0


@dataclass(frozen=True)
class Examined:
    """One text.

    Attributes:
        answers: index of the dense and of the pruned answer; (0, 0) for a regression.
        label: the true one.
        attribution: with the trace; its `pruned` scores are those of the dense model again, since
            agreement is asked of the dense model alone here.
        agreement: of the dense attributions with survival.
        deletion: effects of deleting tokens.
        kinds: for each token of the text, the kind of its word.
    """

    answers: tuple[int, int]
    label: float
    attribution: Attribution
    agreement: Agreement
    deletion: Deletion
    kinds: tuple[str, ...]


def run(
    model: PrunedModel, rows: Rows, options: Options, progress: Callable[[int], None] | None = None
) -> list[Examined]:
    """Measure every row, in batches of like length; the answer comes in the order of the rows."""
    order = sorted(range(len(rows)), key=lambda index: len("".join(rows.texts[index])))
    found: dict[int, Examined] = {}
    for start in range(0, len(rows), BATCH):
        chosen = order[start : start + BATCH]
        texts = [rows.texts[index] for index in chosen]
        examples = _batch(model, texts, [float(rows.labels[index]) for index in chosen], options)
        found |= dict(zip(chosen, examples, strict=True))
        if progress is not None:
            progress(start + len(chosen))
    return [found[index] for index in range(len(rows))]


def _batch(model: PrunedModel, texts: list[Text], labels: list[float], options: Options) -> list[Examined]:
    encoding, _ = model.encode(texts)
    batch = Batch.of(encoding)
    with torch.inference_mode():
        dense = model(batch.ids, batch.mask, batch.segments, rule=Dense()).logits  # [B, C]
    pruned = model.predict(texts)
    is_number = dense.shape[-1] == 1
    targets = dense.argmax(dim=-1)  # [B]
    scores = attribute_batch(model, batch, None, targets, steps=options.steps, most_steps=4 * options.steps)
    names = model.config.id2label
    examples = []
    for row, said in enumerate(pruned):
        real = batch.mask[row].bool()
        words = batch.words[row, real]
        attribution = Attribution(
            label=None if is_number else names[int(targets[row])],
            method="integrated_gradients",
            words=tuple(words.tolist()),
            dense=scores[row],
            pruned=scores[row],
            trace=said.trace,
        )
        alone = Batch(
            batch.ids[row : row + 1, real],
            batch.mask[row : row + 1, real],
            None if batch.segments is None else batch.segments[row : row + 1, real],
            words[None],
        )
        kept = [layer.kept for layer in said.trace.layers]
        after = 0 if is_number else next(i for i, name in names.items() if name == said.label)
        examples.append(
            Examined(
                answers=(int(targets[row]), after),
                label=labels[row],
                attribution=attribution,
                agreement=agreement(scores[row].values, kept, attribution.words),
                deletion=deletion(model, alone, attribution, options.draws, options.seed),
                kinds=_kinds(encoding, row, texts[row]),
            )
        )
    return examples


def _kinds(encoding: Any, row: int, text: Text) -> tuple[str, ...]:
    """The kind of the word that each token of the text is a piece of."""
    parts = (text,) if isinstance(text, str) else text
    kinds = []
    for part, word in zip(encoding.sequence_ids(row), encoding.word_ids(row), strict=True):
        if part is not None:
            span = encoding.word_to_chars(row, word, part)
            kinds.append(kind_of(parts[part][span.start : span.end]))
    return tuple(kinds)


def left(example: Examined) -> np.ndarray:
    """Which tokens of the text are left after each layer: bool ``[L, m]``."""
    kept = np.asarray([layer.kept for layer in example.attribution.trace.layers])
    return kept[:, np.asarray(example.attribution.words)]


def sizes(example: Examined) -> np.ndarray:
    """Sizes of the attributions of the tokens of the text: ``[m]``."""
    return np.abs(example.attribution.dense.values)[np.asarray(example.attribution.words)]
