"""A corpus in, one answer a row out: in parts, whole or not there, so that a kill loses one at most."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ltp_core.corpus.parts import ANEW, Parts
from ltp_core.corpus.predictor import Predictor
from ltp_core.data.stream import Source
from ltp_core.flops import paper_flops

PART = 4096  # rows that are read, sorted by length and answered together; a kill loses as many at most


@dataclass(frozen=True)
class SoFar:
    """How far a run is.

    Attributes:
        rows: done, those of earlier runs included.
        answered: how many of the rows done are by this run.
        seconds: since this run began to answer.
        left: seconds that the rest will take, at this run's pace; None while that is not known.
    """

    rows: int
    answered: int
    seconds: float
    left: float | None


@dataclass(frozen=True)
class Summary:
    """What a whole run gave.

    Attributes:
        rows: all of them.
        unread_rows: rows without an answer, as they were empty or no text.
        truncated_rows: rows that did not fit into the model; the answer is that of their beginning.
        tokens: tokens read.
        tokens_left: how many tokens were left after the last layer.
        flops: paper FLOPs.
        flops_reduction: dense over pruned FLOPs; None if no row was read.
        resumed_rows: rows that an earlier run answered.
        seconds: that this run took to answer the others, reading included.
        rows_per_second: rows that this run answered, over its seconds.
    """

    rows: int
    unread_rows: int
    truncated_rows: int
    tokens: int
    tokens_left: int
    flops: int
    flops_reduction: float | None
    resumed_rows: int
    seconds: float
    rows_per_second: float


def predict_corpus(
    predictor: Predictor,
    source: Source,
    output: Path,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[SoFar], None] | None = None,
) -> Summary:
    """Answer every row of a source into a file, in order. Memory does not grow with the rows.

    Args:
        predictor: the model.
        source: the rows.
        output: a Parquet, CSV or JSONL file, by its ending.
        resume: go on where an earlier run was ended.
        overwrite: begin anew, and replace what is there when all is done.
        progress: told after each part.

    Raises:
        ValueError: one line that says what is in the way, or cannot be read. Whole parts stay.
    """
    run = {"part": PART, **predictor.identity}
    with Parts(output, run, resume, overwrite) as parts:
        return _answer(predictor, source, parts, progress)


def _answer(
    predictor: Predictor, source: Source, parts: Parts, progress: Callable[[SoFar], None] | None
) -> Summary:
    rows, resumed, started, skipped = 0, 0, time.perf_counter(), 0.0
    number = 0
    for number, texts in enumerate(_in_parts(source), start=1):
        known, digest = parts.texts_of(number - 1), _digest(texts)
        if known is None:
            parts.write(number - 1, digest, predictor.table(texts))
        elif known != digest:
            raise ValueError(
                f"rows {rows + 1} to {rows + len(texts)} of {source.name} are not those that the unfinished"
                f" run in {parts.folder} read; {ANEW}"
            )
        else:
            resumed, skipped, started = rows + len(texts), source.share_read(), time.perf_counter()
        rows += len(texts)
        if progress is not None:
            progress(_progress(rows, resumed, time.perf_counter() - started, source.share_read(), skipped))
    if parts.texts_of(number) is not None:
        raise ValueError(
            f"{source.name} has fewer rows than the unfinished run in {parts.folder} read; {ANEW}"
        )
    if not rows:
        parts.discard()
        raise ValueError(f"{source.name} has no rows")
    seconds = time.perf_counter() - started
    summary = _summary(predictor, parts, resumed, seconds)
    parts.finish(predictor.schema)
    return summary


def _in_parts(source: Source) -> Iterator[list[Any]]:
    rows = iter(source)
    while part := list(islice(rows, PART)):
        yield part


def _digest(texts: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(texts, default=repr).encode()).hexdigest()


def _progress(rows: int, resumed: int, seconds: float, read: float, skipped: float) -> SoFar:
    pace = (read - skipped) / seconds if seconds > 0 else 0.0
    return SoFar(rows, rows - resumed, seconds, (1 - read) / pace if pace > 0 else None)


def _summary(predictor: Predictor, parts: Parts, resumed: int, seconds: float) -> Summary:
    """Add up the parts."""
    sums: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    for table in parts.tables():
        sums["rows"] += len(table)
        sums["unread_rows"] += len(table) - table["problem"].null_count
        for name in ("tokens", "tokens_left", "flops"):
            sums[name] += sum(table[name].to_pylist())
        sums["truncated_rows"] += sum(cut > 0 for cut in table["truncated_tokens"].to_pylist())
        lengths.update(table["tokens"].to_pylist())
    size, layers = predictor.model.dimensions, predictor.model.layers
    dense = sum(count * paper_flops(size, n, [n] * layers) for n, count in lengths.items())
    answered = sums["rows"] - resumed
    return Summary(
        **sums,
        flops_reduction=dense / sums["flops"] if sums["flops"] else None,
        resumed_rows=resumed,
        seconds=seconds,
        rows_per_second=answered / seconds if seconds > 0 else 0.0,
    )
