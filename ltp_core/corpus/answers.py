"""Texts in, one row of plain numbers each out: for as many as fit into memory, in batches of like length."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow

from ltp_core.flops import paper_flops
from ltp_core.prediction import TextClassifier, columns
from ltp_core.rules import Rule

EMPTY = "empty: it has no token that the model could read"
NO_TEXT = "this is not text"
NOT_FINITE = "the model computes no finite numbers for it"


@dataclass(frozen=True)
class RowAnswer:
    """What the model says about one row, and what it took.

    Attributes:
        label: the predicted label; None for a regression, or a row that was not read.
        probability: the label's.
        labels: of a multi-label model, the labels whose probability is 0.5 or more.
        probabilities: of a multi-label model, that of each label.
        value: the predicted number of a regression.
        tokens: tokens read, special ones included.
        tokens_left: how many of its tokens were left after the last layer.
        flops: paper FLOPs.
        truncated_tokens: tokens that did not fit into the model; the label is that of what did.
        problem: why the row was not read; None for the others.
    """

    label: str | None = None
    probability: float | None = None
    labels: tuple[str, ...] | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None
    tokens: int = 0
    tokens_left: int = 0
    flops: int = 0
    truncated_tokens: int = 0
    problem: str | None = None


def schema_of(model: TextClassifier) -> pyarrow.Schema:
    """The columns that answers become.

    For a regression `value`; for a multi-label model `labels` and `probabilities`, one by each label's name;
    else `label` and `probability`; and the rest.
    """
    said = ["value"] if model.dimensions.classes == 1 else ["label", "probability"]
    said = ["labels", "probabilities"] if model.multi_label else said
    counts = ["tokens", "tokens_left", "flops", "truncated_tokens"]
    types = {"label": pyarrow.string(), "problem": pyarrow.string()}
    types |= dict.fromkeys(("probability", "value"), pyarrow.float64())
    types["labels"] = pyarrow.list_(pyarrow.string())
    types["probabilities"] = pyarrow.struct([(name, pyarrow.float64()) for name in model.classes])
    types |= dict.fromkeys(counts, pyarrow.int64())
    return pyarrow.schema([(name, types[name]) for name in (*said, *counts, "problem")])


def table_of(answers: Sequence[RowAnswer], schema: pyarrow.Schema) -> pyarrow.Table:
    """Answers by column."""
    columns = [[getattr(each, name) for each in answers] for name in schema.names]
    return pyarrow.table(columns, schema=schema)


def answer_all(
    model: TextClassifier,
    texts: Sequence[Any],
    rule: Rule | None = None,
    batch_size: int = 64,
    max_tokens: int | None = None,
) -> list[RowAnswer]:
    """Answer every row, in the order of the rows. A row that cannot be read says why, and stops nothing.

    Args:
        model: what to run.
        texts: texts, or pairs of them; anything else is a row that is not text.
        rule: who stays; None for the learned thresholds.
        batch_size: rows that run together, which are of like length.
        max_tokens: longer inputs are cut; None for what the model can read.
    """
    pairs = any(isinstance(text, tuple) for text in texts)
    answers = [RowAnswer(problem=NO_TEXT)] * len(texts)
    rows = [row for row, text in enumerate(texts) if _is_text(text, pairs)]
    if not rows:
        return answers
    encoded = dict(zip(rows, model.tokenize([texts[row] for row in rows], max_tokens), strict=True))
    for row in rows:
        if not encoded[row].readable:
            answers[row] = RowAnswer(problem=EMPTY)
    size = model.dimensions
    readable = {row: each for row, each in encoded.items() if each.readable}
    for row, scores, left in model.run_encoded(readable, rule, batch_size):
        tokens = len(encoded[row])
        if not all(math.isfinite(score) for score in scores):
            answers[row] = RowAnswer(tokens=tokens, problem=NOT_FINITE)
            continue
        said = model.answer(scores)
        answers[row] = RowAnswer(
            label=said.label,
            probability=said.confidence,
            labels=said.labels,
            probabilities=said.probabilities,
            value=said.value,
            tokens=tokens,
            tokens_left=left[-1],
            flops=paper_flops(size, tokens, left),
            truncated_tokens=encoded[row].truncated,
        )
    return answers


def _is_text(text: Any, pairs: bool) -> bool:
    """Whether it is what a tokenizer takes, in the form that the others have."""
    if isinstance(text, tuple) != pairs:
        return False
    try:
        columns([text])
    except ValueError:
        return False
    return True
