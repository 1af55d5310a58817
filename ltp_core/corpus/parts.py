"""The whole parts of a run that is not finished, in a folder beside its output; and the output made of them.

A part is a Parquet file that is there when it is whole. It holds the answers to so many rows and a digest of
their texts, so that a run that goes on sees whether it still reads the same.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow
from pyarrow import parquet

from ltp_core.files.whole import check_file, whole_file

FORMATS = (".parquet", ".csv", ".jsonl")
RUN_FILE = "run.json"
ANEW = "--overwrite begins anew"
_TEXTS = b"ltp.texts"


class Parts:
    """The parts of one output; in a ``with`` block, no other process works on it meanwhile.

    Args:
        output: the file that they will become; its ending says what it is.
        run: what decides on the answers; a run goes on only if it is the same.
        resume: go on where the last run ended.
        overwrite: begin anew, whatever is there. What is there stays until the new output is whole.

    Raises:
        ValueError: one line that says what is in the way.
    """

    def __init__(self, output: Path, run: dict[str, Any], resume: bool, overwrite: bool) -> None:
        check_place(output, resume, overwrite)
        self.output, self.folder = output, _beside(output)
        if overwrite:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._enter(run)
        self._lock = _alone(self.folder / RUN_FILE)

    def _enter(self, run: dict[str, Any]) -> None:
        known = self.folder / RUN_FILE
        if not known.is_file():
            self.folder.mkdir(parents=True)
            with whole_file(known) as draft:
                draft.write_text(json.dumps(run, indent=1), encoding="utf-8")
            return
        before = json.loads(known.read_text(encoding="utf-8"))
        for name in run | before:
            if run.get(name) != before.get(name):
                was, now = before.get(name), run.get(name)
                raise ValueError(
                    f"{self.folder} is of another run: {name} was {was}, and is {now} now; {ANEW}"
                )

    def file(self, number: int) -> Path:
        """Where a part lies; 0 is the first."""
        return self.folder / f"{number:06d}.parquet"

    def texts_of(self, number: int) -> str | None:
        """The digest of a part's texts; None if it is not there."""
        file = self.file(number)
        return parquet.read_schema(file).metadata[_TEXTS].decode() if file.is_file() else None

    def write(self, number: int, texts: str, answers: pyarrow.Table) -> None:
        """Add a part, whole or not at all."""
        with whole_file(self.file(number)) as draft:
            parquet.write_table(answers.replace_schema_metadata({_TEXTS: texts}), draft)

    def tables(self) -> Iterator[pyarrow.Table]:
        """All parts, one after another."""
        number = 0
        while self.file(number).is_file():
            yield parquet.read_table(self.file(number)).replace_schema_metadata(None)
            number += 1

    def finish(self, schema: pyarrow.Schema) -> None:
        """Make the output of the parts, and remove them."""
        write = {".parquet": _write_parquet, ".csv": _write_csv, ".jsonl": _write_jsonl}
        with whole_file(self.output) as draft:
            write[self.output.suffix.lower()](self.tables(), schema, draft)
        self.discard()

    def discard(self) -> None:
        """Remove the parts."""
        shutil.rmtree(self.folder)

    def __enter__(self) -> "Parts":
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let another process go on."""
        self._lock.close()


def check_place(output: Path, resume: bool, overwrite: bool) -> None:
    """See that an output can be written, before a model is loaded for it; nothing is made.

    Raises:
        ValueError: one line that says what is in the way.
    """
    if output.suffix.lower() not in FORMATS:
        raise ValueError(f"{output} must end in one of: {', '.join(FORMATS)}")
    if resume and overwrite:
        raise ValueError("--resume goes on, --overwrite begins anew: give one of them")
    folder = _beside(output)
    if output.is_dir():
        raise ValueError(f"{output} is a folder")
    if output.exists() and not overwrite:
        hint = "it is whole; " if resume and not folder.exists() else ""
        raise ValueError(f"{output} exists already: {hint}--overwrite makes it anew")
    if folder.exists() and not (folder / RUN_FILE).is_file():
        raise ValueError(f"{folder} is in the way: it is no unfinished run")
    if folder.exists() and not (resume or overwrite):
        raise ValueError(f"{folder} holds a run that was not finished: --resume goes on with it")
    check_file(output)


def _beside(output: Path) -> Path:
    """The folder of an output's parts."""
    return output.with_name(f"{output.name}.parts")


def _alone(file: Path) -> IO[str]:
    """Hold a file as long as this process lives; ValueError if another one does."""
    held = file.open("r+", encoding="utf-8")
    try:
        import fcntl  # not on Windows

        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        pass
    except OSError:
        held.close()
        raise ValueError(f"another process works on {file.parent}") from None
    return held


def _write_parquet(tables: Iterator[pyarrow.Table], schema: pyarrow.Schema, file: Path) -> None:
    with parquet.ParquetWriter(file, schema) as writer:
        for table in tables:
            writer.write_table(table)


def _write_csv(tables: Iterator[pyarrow.Table], schema: pyarrow.Schema, file: Path) -> None:
    """With several labels, and their probabilities, as JSON in one cell."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(schema.names)
        for table in tables:
            columns = [_cells(column) for column in table.columns]
            writer.writerows(zip(*columns, strict=True))


def _cells(column: pyarrow.ChunkedArray) -> list[Any]:
    values = column.to_pylist()
    if pyarrow.types.is_nested(column.type):
        return [None if each is None else json.dumps(each, ensure_ascii=False) for each in values]
    return values


def _write_jsonl(tables: Iterator[pyarrow.Table], schema: pyarrow.Schema, file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for table in tables:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
