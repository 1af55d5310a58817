"""One callable that answers batches of rows: what engines for many machines, and `datasets`, ask for."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import torch

from ltp_core.checkpoints import USUAL_MODEL
from ltp_core.corpus.answers import RowAnswer, answer_all, schema_of, table_of
from ltp_core.data.columns import DataError, text_columns
from ltp_core.model import PrunedModel
from ltp_core.prediction import TextClassifier
from ltp_core.rules.reading import rule_of
from ltp_core.speed.latency import choose_device


class Predictor:
    """Takes a batch of rows by column and returns it with an answer for each row.

    It travels to other processes as its arguments: each loads the model by itself, and sees to it that it is
    the same one. So a cache of what it returned (as `datasets` keeps one) knows a model that has changed.

    Args:
        model: a shipped model's name, a folder, a Hub id, or a loaded model.
        columns: the one or two that hold the text; None finds them by their names.
        rule: who stays, in the command line's words.
        batch_size: rows that run together, which are of like length; large batches of rows give many such.
        max_tokens: longer inputs are cut; None for what the model can read.
        device: cpu, cuda, mps, or auto.
        backend: "torch", "onnxruntime" or "openvino".
        precision: of the numbers; what a backend has.
        prefix: before the name of each column of answers, as a data set may have a `label` already.

    Raises:
        ValueError: one line that says what cannot be found or does not fit.
    """

    def __init__(
        self,
        model: str | Path | TextClassifier = USUAL_MODEL,
        columns: Sequence[str] | None = None,
        rule: str = "learned",
        batch_size: int = 64,
        max_tokens: int | None = None,
        device: str = "auto",
        backend: str = "torch",
        precision: str = "float32",
        prefix: str = "",
    ) -> None:
        self.arguments = {key: value for key, value in locals().items() if key not in ("self", "__class__")}
        if batch_size < 1:
            raise ValueError(f"the batch size must be at least 1, got {batch_size}")
        if columns is not None and not 1 <= len(columns) <= 2:
            raise ValueError(f"the text is in one column or two, got {len(columns)}")
        if isinstance(model, TextClassifier):
            self.model = model
        else:
            self.model = PrunedModel.from_pretrained(model, backend=backend, precision=precision)
            if isinstance(self.model, PrunedModel):
                self.model.to(choose_device(device))
        self.rule = rule_of(self.model, rule)
        self.columns, self.prefix = columns, prefix
        self.batch_size, self.max_tokens = batch_size, max_tokens
        self.schema = schema_of(self.model)

    def answers(self, texts: Sequence[Any]) -> list[RowAnswer]:
        """Answer texts, or pairs; a row that cannot be read says why."""
        return answer_all(self.model, texts, self.rule, self.batch_size, self.max_tokens)

    def table(self, texts: Sequence[Any]) -> pyarrow.Table:
        """The same by column."""
        return table_of(self.answers(texts), self.schema)

    def __call__(self, batch: pyarrow.Table | Mapping[str, Sequence[Any]]) -> pyarrow.Table:
        """Answer a batch.

        Args:
            batch: an Arrow table; or column -> as many values as there are rows, in lists or arrays.

        Returns:
            The same columns as a table, and behind them those of `schema`.

        Raises:
            DataError: (a ValueError) for columns that are missing, or would be there twice.
        """
        rows = batch if isinstance(batch, pyarrow.Table) else _table(batch)
        added = [self.prefix + name for name in self.schema.names]
        if taken := [name for name in added if name in rows.column_names]:
            raise DataError(f"the rows have a column {taken[0]!r} already: give the answers a prefix")
        names = self.columns or text_columns(rows.column_names, "the batch")
        if missing := [name for name in names if name not in rows.column_names]:
            raise DataError(
                f"there is no column {missing[0]!r}; the rows have: {', '.join(rows.column_names)}"
            )
        parts = [rows.column(name).to_pylist() for name in names]
        answers = self.table(parts[0] if len(parts) == 1 else list(zip(*parts, strict=True)))
        for name, column in zip(added, answers.columns, strict=True):
            rows = rows.append_column(name, column)
        return rows

    @property
    def identity(self) -> dict[str, Any]:
        """What decides on the answers, as plain values."""
        asked = {name: self.arguments[name] for name in ("rule", "max_tokens", "backend", "precision")}
        return {"model": self.model.name, "digest": self.model.digest(), **asked}

    def __reduce__(self) -> Any:
        """Pickle the arguments, and what the model was."""
        return _again, (self.arguments, self.model.digest())


_IMPORTED_IN = os.getpid()


def _again(arguments: dict[str, Any], digest: str) -> Predictor:
    """Load it in another process; ValueError if the model has changed meanwhile."""
    if os.getpid() != _IMPORTED_IN:  # forked, as `datasets` does: OpenMP would wait for threads left behind
        torch.set_num_threads(1)
    predictor = Predictor(**arguments)
    if predictor.model.digest() != digest:
        raise ValueError(f"the model {arguments['model']} has changed since this work began")
    return predictor


def _table(batch: Mapping[str, Sequence[Any]]) -> pyarrow.Table:
    return pyarrow.table({name: pyarrow.array(list(values)) for name, values in batch.items()})
