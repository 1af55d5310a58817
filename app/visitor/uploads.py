"""A visitor's data file, read from memory: CSV, JSON lines or Parquet, never more than the limits allow."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import Any

from ltp_core.data.rows import DataError, text_columns
from ltp_core.model import Text

FORMATS = ("csv", "jsonl", "parquet")
MOST_MEGABYTES = 5  # also Streamlit's own limit, in .streamlit/config.toml
MOST_UNPACKED = 200  # megabytes that a Parquet file may hold
MOST_ROWS = 2_000
MOST_CHARACTERS = 20_000  # in one text
LABEL = "label"


@dataclass(frozen=True)
class DataSet:
    """Texts to survey.

    Attributes:
        name: where they come from, for people.
        texts: or pairs of them.
        labels: classes from 0, or numbers; None if there are none.
        note: what was left out, said in one line; empty if nothing was.
    """

    name: str
    texts: list[Text]
    labels: list[float] | None
    note: str = ""


def read_upload(name: str, content: bytes, classes: Sequence[str]) -> DataSet:
    """Read a data file.

    Args:
        name: its file name; the ending says what it is.
        content: its bytes.
        classes: names of the model's classes, in order; none for a regression. A file may have them, or
            their numbers, as labels.

    Raises:
        DataError: one line that says what is wrong, and where.
    """
    if len(content) > MOST_MEGABYTES * 2**20:
        raise DataError(f"{name} has more than {MOST_MEGABYTES} MB; take a part of it")
    readers = {"csv": _csv, "jsonl": _json_lines, "json": _json_lines, "parquet": _parquet}
    reader = readers.get(PurePath(name).suffix.lower().removeprefix("."))
    if reader is None:
        raise DataError(f"{name} is none of the files that can be read: {', '.join(FORMATS)}")
    columns, source = reader(name, content)
    wanted = text_columns(columns, name)
    rows = list(islice(source, MOST_ROWS + 1))
    if not rows:
        raise DataError(f"{name} has no rows")
    note = f"Only the first {MOST_ROWS:,} rows of {name} are used." if len(rows) > MOST_ROWS else ""
    rows = rows[:MOST_ROWS]
    texts = [_text(row, wanted, number, name) for number, row in enumerate(rows, start=1)]
    labels = None
    if LABEL in columns:
        labels = _labels([row.get(LABEL) for row in rows], classes, name)
        if labels is None:
            note = f"{note} Rows without a label are in {name}, so no row is scored.".strip()
    return DataSet(name, texts, labels, note)


def _csv(name: str, content: bytes) -> tuple[list[str], Iterator[dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(_decoded(name, content)))
    try:
        return list(reader.fieldnames or []), _guarded(name, reader)
    except csv.Error as error:
        raise DataError(f"{name} is no CSV file: {error}") from None


def _json_lines(name: str, content: bytes) -> tuple[list[str], Iterator[dict[str, Any]]]:
    rows = []
    lines = _decoded(name, content).split("\n")  # not splitlines: a JSON string may hold U+2028 and its like
    filled = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    for number, line in islice(filled, MOST_ROWS + 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):  # ValueError also for a number of more than 4,300 digits
            row = None
        if not isinstance(row, dict):
            raise DataError(f"{name}, line {number}: this is not a JSON object")
        rows.append(row)
    columns = dict.fromkeys(column for row in rows[:MOST_ROWS] for column in row)  # of any row, in order
    return list(columns), iter(rows)


def _parquet(name: str, content: bytes) -> tuple[list[str], Iterator[dict[str, Any]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        names = file.schema_arrow.names
        texts = text_columns(names, name)
        chosen = [column for column in (*texts, LABEL) if column in names]
        _check_types(file.schema_arrow, texts, name)
        groups = range(file.metadata.num_row_groups)
        unpacked = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        if unpacked > MOST_UNPACKED * 2**20:
            raise DataError(f"{name} holds more than {MOST_UNPACKED} MB when unpacked; take a part of it")
        # A string that many rows share is stored once. It stays so here, or a few kilobytes become gigabytes.
        strings = [column for column in chosen if _is_string(file.schema_arrow.field(column).type)]
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content), read_dictionary=strings)
        rows: list[dict[str, Any]] = []
        for batch in file.iter_batches(batch_size=MOST_ROWS + 1, columns=chosen):
            values = [_values(column, len(rows), name) for column in batch.columns]
            rows += [dict(zip(batch.schema.names, row, strict=True)) for row in zip(*values, strict=True)]
            if len(rows) > MOST_ROWS:
                break
        return names, iter(rows)
    except DataError:
        raise
    except UnicodeDecodeError:
        raise DataError(f"{name} holds text that is not UTF-8; save it as UTF-8") from None
    except (
        pyarrow.ArrowException,
        OSError,
        ValueError,
        OverflowError,
    ) as error:  # the last: a date of no year
        first = str(error).strip().partition("\n")[0]
        raise DataError(f"{name} is no Parquet file that can be read: {first}") from None


def _check_types(schema: Any, texts: Sequence[str], name: str) -> None:
    """See that columns hold strings and numbers: a list, or a block of bytes, could unpack to any size."""
    from pyarrow import types

    for column in (*texts, LABEL):
        places = schema.get_all_field_indices(column)
        if len(places) > 1:
            raise DataError(f"{name} has {len(places)} columns named {column!r}")
        for kind in (schema.field(place).type for place in places):
            if column in texts and not _is_string(kind):
                raise DataError(f"{name}: column {column!r} holds no text, but values of the type {kind}")
            number = types.is_primitive(kind) and not types.is_temporal(kind)
            if not (number or types.is_decimal(kind) or types.is_null(kind) or _is_string(kind)):
                raise DataError(f"{name}: column {column!r} holds no labels, but values of the type {kind}")


def _is_string(kind: Any) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _values(column: Any, before: int, name: str) -> list[Any]:
    """A column of a batch, after so many rows, as Python values; equal strings are one object."""
    import pyarrow
    from pyarrow import compute

    if not pyarrow.types.is_dictionary(column.type):
        return list(column.to_pylist())
    lengths = compute.utf8_length(column.dictionary).take(column.indices).to_pylist()
    for number, length in enumerate(lengths, start=before + 1):
        if length is not None and length > MOST_CHARACTERS:
            raise _too_long(number, name)
    places = column.indices.to_pylist()
    used = sorted({place for place in places if place is not None})
    strings = dict(
        zip(used, column.dictionary.take(pyarrow.array(used, pyarrow.int64())).to_pylist(), strict=True)
    )
    return [strings.get(place) for place in places]


def _too_long(number: int, name: str) -> DataError:
    return DataError(f"{name}, row {number}: a text has more than {MOST_CHARACTERS:,} characters")


def _guarded(name: str, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    try:
        yield from rows
    except csv.Error as error:
        raise DataError(f"{name} is no CSV file: {error}") from None


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8 text (at byte {error.start}); save it as UTF-8") from None


def _text(row: dict[str, Any], columns: Sequence[str], number: int, name: str) -> Text:
    parts: list[str] = []
    for column in columns:
        part = row.get(column)
        if not isinstance(part, str) or not part.strip():
            raise DataError(f"{name}, row {number}: column {column!r} holds no text")
        if len(part) > MOST_CHARACTERS:
            raise _too_long(number, name)
        parts.append(part)
    return parts[0] if len(parts) == 1 else (parts[0], parts[1])


def _labels(values: Sequence[Any], classes: Sequence[str], name: str) -> list[float] | None:
    """Numbers or names of classes -> numbers; None if some are missing."""
    if any(value is None or value == "" for value in values):
        return None
    numbers = {label.lower(): float(number) for number, label in enumerate(classes)}
    return [_label(value, numbers, number, name) for number, value in enumerate(values, start=1)]


def _label(value: Any, classes: dict[str, float], number: int, name: str) -> float:
    known = classes.get(str(value).strip().lower())
    if known is not None:
        return known
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):  # the last: an integer beyond any float
        found = math.nan
    if not math.isfinite(found) or (classes and found not in classes.values()):
        wanted = f"{', '.join(classes)}, or 0 to {len(classes) - 1}" if classes else "a number"
        raise DataError(f"{name}, row {number}: the label {str(value)[:40]!r} is none of: {wanted}")
    return found
