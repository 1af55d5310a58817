"""One reader of data files, for the command line and the lab: CSV, JSON and Parquet, bounded in memory.

It holds the wanted columns as they lie in the file and, beside them, one record or batch at a time. Any file
is refused in one line that names the row, and a line where the file has lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from ltp_core.data.columns import Chosen, DataError, Wanted
from ltp_core.data.formats import Records, csv_names, json_names, read_csv, read_json
from ltp_core.data.labels import Label, plain
from ltp_core.data.lines import Lines, Progress
from ltp_core.data.parquet import Batches, lengths, parquet_names, read_parquet
from ltp_core.data.texts import Strings, TextColumns
from ltp_core.prediction import Text

FORMATS = (".csv", ".json", ".jsonl", ".parquet")


@dataclass(frozen=True)
class Limits:
    """What is read of a file at most.

    Attributes:
        rows: rows; what follows is left out, unread. None for all.
        characters: in a text. A longer one is refused.
        cells: rows times columns of the file. A larger one is refused.
        unpacked: bytes of a Parquet file's wanted columns. A larger one is refused.
    """

    rows: int | None = None
    characters: int = 100_000
    cells: int = 200_000_000
    unpacked: int = 2**32


@dataclass(frozen=True)
class Table:
    """A file's texts with what is in its label column.

    Attributes:
        name: of the file.
        texts: single texts, or pairs.
        labels: a number or a name a row, None where there is none; None without that column.
        more: whether rows were left out, as there are more than the limit.
        blank: what is said of the first row with an empty text; None if there is none.
    """

    name: str
    texts: Sequence[Text]
    labels: Sequence[Label | None] | None
    more: bool = False
    blank: str | None = None

    def filled(self) -> "Table":
        """Itself; DataError if a text is empty."""
        if self.blank is not None:
            raise DataError(f"{self.name}, {self.blank}")
        return self


def format_of(data: str) -> str | None:
    """A data file's format, by its ending; None for a folder or a Hub id."""
    suffix = PurePath(data).suffix.lower()
    return suffix if suffix in FORMATS else None


def read_paths(
    paths: Sequence[Path], limits: Limits | None = None, progress: Progress | None = None
) -> Table:
    """Read a file, or several, one after another, as one table. Arguments and errors as for `read_file`."""
    columns = Columns(limits)
    for path in paths:
        try:
            with path.open("rb") as file:
                columns.read(file, str(path), progress)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    return columns.table()


def read_file(
    file: BinaryIO,
    name: str,
    limits: Limits | None = None,
    progress: Progress | None = None,
    chosen: Chosen | None = None,
) -> Table:
    """Read a file.

    Args:
        file: bytes of the file.
        name: of the file, whose ending says what it is.
        limits: what is read at most; None for the usual ones.
        progress: told how much of the file is read; what it raises ends the reading.
        chosen: columns that somebody has chosen; None for those with usual names.

    Raises:
        DataError: one line that says what is wrong, and where.
    """
    columns = Columns(limits)
    columns.read(file, name, progress, chosen)
    return columns.table()


def column_names(file: BinaryIO, name: str) -> list[str]:
    """The columns among which somebody may choose; of JSON, those of the first object.

    Raises:
        DataError: if the file cannot be read so far.
    """
    suffix = _format(name)
    if suffix == ".parquet":
        return parquet_names(file, name)
    return (csv_names if suffix == ".csv" else json_names)(Lines(file, name))


def _format(name: str) -> str:
    suffix = format_of(name)
    if suffix is None:
        raise DataError(f"{name} is none of the files that can be read: {', '.join(FORMATS)}")
    return suffix


class Columns:
    """Collects the wanted columns of one file or several, and checks them on the way.

    Args:
        limits: what is read at most, of all files together; None for the usual ones.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._name, self._wanted = "", Wanted((), ())
        self._texts: list[Strings] = []
        self._labels: list[Label | None] = []
        self._rows, self._before, self._cells = 0, 0, 0  # in all; in earlier files; cells in all
        self._more = False
        self._blank: str | None = None

    def read(
        self, file: BinaryIO, name: str, progress: Progress | None = None, chosen: Chosen | None = None
    ) -> None:
        """Add all of a file. Arguments and errors as for `read_file`."""
        suffix = _format(name)
        if suffix == ".parquet":
            wanted, batches = read_parquet(file, name, self._limits.unpacked, progress, chosen)
            self.begin(name, wanted)
            self._add_batches(batches)
        else:
            lines = Lines(file, name, progress)
            wanted, records = (read_csv if suffix == ".csv" else read_json)(lines, chosen)
            self.begin(name, wanted)
            self._add_records(records, lines)

    def begin(self, name: str, wanted: Wanted) -> None:
        """What follows is another file's."""
        if self._texts and wanted != self._wanted:
            raise DataError(f"{name} has other columns than {self._name}")
        self._name, self._wanted, self._before = name, wanted, self._rows
        self._texts = self._texts or [Strings() for _ in wanted.texts]

    def add_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows of the wanted columns that are in memory already."""
        for cells in rows:
            self._rows += 1
            self._add(cells, self._row(self._rows))

    def table(self) -> Table:
        """All that was added."""
        if not self._rows:
            raise DataError(f"{self._name} has no rows")
        labels = self._labels if self._wanted.has_label else None
        texts = TextColumns([strings.done() for strings in self._texts])
        return Table(self._name, texts, labels, self._more, self._blank)

    def _add_records(self, records: Records, lines: Lines) -> None:
        for count, cells in records:
            if self._rows == self._limits.rows:
                self._more = True
                return
            self._rows += 1
            self._count(count)
            self._add(cells, f"{self._row(self._rows)} (line {lines.start})")

    def _add_batches(self, batches: Batches) -> None:
        for texts, labels in batches:
            left = None if self._limits.rows is None else self._limits.rows - self._rows
            rows = len(texts[0]) if left is None else min(left, len(texts[0]))
            for column, strings, array in zip(self._wanted.texts, self._texts, texts, strict=True):
                strings.extend(self._checked(array[:rows], column))
            for number, label in enumerate((labels or [])[:rows], start=self._rows + 1):
                self._labels.append(self._label(label, self._row(number)))
            self._rows += rows
            self._count(rows * len(self._wanted.columns))
            if rows < len(texts[0]):
                self._more = True
                return

    def _row(self, number: int) -> str:
        return f"row {number - self._before}"

    def _add(self, cells: Sequence[Any], where: str) -> None:
        for column, strings, cell in zip(self._wanted.texts, self._texts, cells, strict=False):
            strings.append(self._text(cell, column, where))
        if len(cells) > len(self._texts):
            self._labels.append(self._label(cells[-1], where))

    def _count(self, cells: int) -> None:
        self._cells += cells
        if self._cells > self._limits.cells:
            raise DataError(f"{self._name} has more than {self._limits.cells:,} cells; leave columns out")

    def _text(self, cell: Any, column: str, where: str) -> str:
        if not isinstance(cell, str):
            raise self._no_text(column, where)
        if not cell.isascii():
            try:
                cell.encode()
            except UnicodeEncodeError:
                raise DataError(f"{self._name}, {where}: half of a surrogate pair is no character") from None
        self._check_length(len(cell) if cell.strip() else 0, column, where)
        return cell

    def _checked(self, array: Any, column: str) -> Any:
        for number, length in enumerate(lengths(array).tolist(), start=self._rows + 1):
            if length < 0:
                raise self._no_text(column, self._row(number))
            self._check_length(length, column, self._row(number))
        return array

    def _check_length(self, length: int, column: str, where: str) -> None:
        if length > self._limits.characters:
            most = f"{self._limits.characters:,}"
            raise DataError(f"{self._name}, {where}: a text has more than {most} characters; shorten it")
        if not length and self._blank is None:
            self._blank = f"{where}: column {column!r} holds no text"

    def _no_text(self, column: str, where: str) -> DataError:
        return DataError(f"{self._name}, {where}: column {column!r} holds no text")

    def _label(self, cell: Any, where: str) -> Label | None:
        try:
            return plain(cell)
        except ValueError as error:
            shown = repr(cell) if len(repr(cell)) <= 40 else f"{cell!r:.40}…"
            raise DataError(f"{self._name}, {where}: the label {shown} {error}") from None
