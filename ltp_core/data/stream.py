"""The texts of a corpus, from a file, a folder or the Hub, with no more than a batch of them in memory."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from ltp_core.data.columns import DataError, Wanted
from ltp_core.data.formats import read_csv, read_json
from ltp_core.data.lines import Lines
from ltp_core.data.parquet import read_parquet
from ltp_core.data.reader import FORMATS, format_of
from ltp_core.data.sources import folder_files, hub_split

BATCH = 1000  # rows of a data set from the Hub that are read at once


class Source:
    """The texts of a corpus, or pairs of them, in order; labels are not read.

    A row whose text is missing or something else is passed on as it is: who reads says so of that row.

    Args:
        data: a CSV, JSON or Parquet file, a local folder in the Hub's layout, or an id on the Hub.
        split: of a folder or Hub id; "train" if it is not given.
        config: the data set's configuration, where it has several.

    Attributes:
        name: what was given.

    Raises:
        DataError: here for what is not there, or has no text column; here or while it is read for what is
            not readable.
    """

    def __init__(self, data: str, split: str | None = None, config: str | None = None) -> None:
        self.name = data
        self._read = 0.0
        path = Path(data)
        if path.is_dir():
            self._texts = self._of_files(folder_files(path, split or "train", config))
        elif path.exists() or format_of(data):
            if not path.is_file():
                raise DataError(f"there is no file {path}")
            if format_of(data) is None:
                raise DataError(f"{path} is none of the files that can be read: {', '.join(FORMATS)}")
            self._texts = self._of_files([path])
        else:
            self._texts = self._of_hub(data, split or "train", config)
        self._texts = _begun(self._texts)

    def __iter__(self) -> Iterator[Any]:
        """The rows, once."""
        return self._texts

    def share_read(self) -> float:
        """How much of it has been read, from 0 to 1."""
        return self._read

    def _of_files(self, paths: list[Path]) -> Iterator[Any]:
        sizes = [path.stat().st_size for path in paths]
        whole, before, first = max(sum(sizes), 1), 0, None
        for path, size in zip(paths, sizes, strict=True):
            with path.open("rb") as file:

                def progress(done: int, of: int, before: int = before, size: int = size) -> None:
                    self._read = (before + size * done / max(of, 1)) / whole

                wanted, rows = _open(file, path, progress)
                first = first or wanted.texts
                if wanted.texts != first:
                    raise DataError(f"{path} has other columns than {paths[0]}")
                yield from rows
            before += size
        self._read = 1.0

    def _of_hub(self, data: str, split: str, config: str | None) -> Iterator[Any]:
        found = hub_split(data, split, config)
        texts = Wanted.of(found.column_names, data).texts
        chosen = found.select_columns(list(texts))
        for number, batch in enumerate(chosen.iter(BATCH)):
            self._read = number * BATCH / len(found)
            yield from _rows([batch[column] for column in texts])
        self._read = 1.0


def _begun(rows: Iterator[Any]) -> Iterator[Any]:
    """The same rows, of which the first was read: whether there are columns to read is then known."""
    return chain(list(islice(rows, 1)), rows)


def _open(file: BinaryIO, path: Path, progress: Any) -> tuple[Wanted, Iterator[Any]]:
    """A file's columns, and its texts."""
    if format_of(str(path)) == ".parquet":
        wanted, batches = read_parquet(file, str(path), 2**62, progress)
        return wanted, (
            row for texts, _ in batches for row in _rows([column.to_pylist() for column in texts])
        )
    lines = Lines(file, str(path), progress)
    wanted, records = (read_csv if format_of(str(path)) == ".csv" else read_json)(lines)
    count = len(wanted.texts)
    return wanted, (cells[0] if count == 1 else tuple(cells[:count]) for _, cells in records)


def _rows(columns: list[list[Any]]) -> Iterator[Any]:
    return iter(columns[0]) if len(columns) == 1 else zip(*columns, strict=True)
