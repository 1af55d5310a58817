"""`predict`: a corpus in, a file with an answer for every row out."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from ltp_core.checkpoints import describe
from ltp_core.commands.shared import USUAL_MODEL, Device, Json, Model, check_max_tokens, emit, messages, quiet
from ltp_core.corpus.parts import check_place
from ltp_core.corpus.predictor import Predictor
from ltp_core.corpus.run import SoFar, predict_corpus
from ltp_core.data.stream import Source
from ltp_core.model import PRECISIONS
from ltp_core.rules.reading import rule_of
from ltp_core.rules.table import rule_forms

EVERY = 30  # seconds between two lines where nobody watches a bar


def predict(
    data: Annotated[str, typer.Option(help="A CSV, JSONL or Parquet file, a local folder, or a Hub id.")],
    output: Annotated[Path, typer.Option(help="A file that ends in .parquet, .csv or .jsonl.")],
    model: Model = USUAL_MODEL,
    split: Annotated[str | None, typer.Option(help="A split of the data, where it has several.")] = None,
    config: Annotated[str | None, typer.Option(help="A configuration of the data, likewise.")] = None,
    rule: Annotated[str, typer.Option(help=f"One of: {rule_forms()}.")] = "learned",
    batch_size: Annotated[int, typer.Option(help="Rows in a packed batch.")] = 64,
    max_tokens: Annotated[int | None, typer.Option(help="Cut longer inputs, as training may have.")] = None,
    backend: Annotated[str, typer.Option(help=f"One of: {', '.join(PRECISIONS)}.")] = "torch",
    precision: Annotated[str, typer.Option(help="float32, or what the backend has besides.")] = "float32",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was ended.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew, whatever is there; it is replaced at the end.")
    ] = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Answer every row of a corpus: label, probability, tokens read and left, FLOPs; in the rows' order.

    Memory does not grow with the rows. A kill loses the rows since the last whole part: --resume goes on.

    Example: ltp predict --model sst2 --data reviews.parquet --output answers.parquet
    """
    check_max_tokens(max_tokens)
    with quiet():
        check_place(output, resume, overwrite)  # all that can be refused is, before weights are loaded
        if backend == "torch":
            rule_of(describe(model), rule)
        source = Source(data, split, config)
        predictor = Predictor(
            model,
            rule=rule,
            batch_size=batch_size,
            max_tokens=max_tokens,
            device=device,
            backend=backend,
            precision=precision,
        )
        with _told() as progress:
            summary = predict_corpus(predictor, source, output, resume, overwrite, progress)
    document = {"model": model, "output": str(output), **asdict(summary)}

    def table(console: Console) -> None:
        console.print(f"{summary.rows:,} rows in {output}", markup=False)
        console.print(f"{summary.rows_per_second:,.0f} rows a second, {_less(summary.flops_reduction)}")
        for count, what in (
            (summary.resumed_rows, "answered by an earlier run"),
            (summary.truncated_rows, "longer than the model reads: the answer is that of their beginning"),
            (summary.unread_rows, "without an answer: the column problem says why"),
        ):
            if count:
                console.print(f"{count:,} rows {what}")

    emit(document, json, table)


def _less(reduction: float | None) -> str:
    return "nothing to read" if reduction is None else f"{reduction:.2f}× fewer FLOPs"


@contextmanager
def _told() -> Iterator[Callable[[SoFar], None]]:
    """Tell the pace on stderr: in a bar where somebody watches, else a line now and then."""
    if sys.stderr.isatty():
        columns = (BarColumn(), TextColumn("{task.description}", markup=False))
        with Bar(*columns, console=messages, transient=True) as bar:
            task = bar.add_task("reading", total=None)

            def move(now: SoFar) -> None:
                total = None if now.left is None else now.seconds + now.left
                bar.update(task, description=pace(now), completed=now.seconds, total=total)

            yield move
        return
    last = time.perf_counter()

    def line(now: SoFar) -> None:
        nonlocal last
        if time.perf_counter() - last >= EVERY:
            last = time.perf_counter()
            messages.print(pace(now))

    yield line


def pace(now: SoFar) -> str:
    """Rows, rows a second and the time left, for people."""
    text = f"{now.rows:,} rows"
    if now.answered and now.seconds > 0:
        text += f", {now.answered / now.seconds:,.0f} a second"
    return text if now.left is None else f"{text}, {duration(now.left)} left"


def duration(seconds: float) -> str:
    """12 s, 3 min, 1 h 5 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
