"""A Parquet file as batches of the wanted columns: strings and numbers, and no more than may be unpacked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow
import pyarrow.parquet
from pyarrow import compute, types

from ltp_core.data.columns import Chosen, DataError, Wanted
from ltp_core.data.formats import MOST_COLUMNS
from ltp_core.data.lines import Progress

MOST_FOOTER = 2**22  # bytes; parsing it takes some fifteen times as much, before a column is known
BATCH = 2**14  # rows

Batches = Iterator[tuple[list[pyarrow.Array], list[Any] | None]]  # texts, labels if there are any


def read_parquet(
    file: BinaryIO,
    name: str,
    most_bytes: int,
    progress: Progress | None = None,
    chosen: Chosen | None = None,
) -> tuple[Wanted, Batches]:
    """Open a Parquet file: which columns are wanted, and these batch by batch.

    A string that many rows share is stored once. It stays so, or a few kilobytes become gigabytes.

    Args:
        file: bytes of the file.
        name: for errors.
        most_bytes: what the wanted columns may take when unpacked.
        progress: told the rows done and the rows in all.
        chosen: columns that somebody has chosen; None for those with usual names.

    Raises:
        DataError: here or later, for what is not read.
    """
    with _said(name):
        schema = _schema(file, name)
        names = [column.strip() for column in schema.names]
        wanted = Wanted.of(names, name, chosen)
        stored = {column: schema.names[names.index(column)] for column in wanted.columns}
        for column, place in stored.items():
            _check_type(schema.field(place).type, column, column in wanted.texts, name)
        strings = [place for place in stored.values() if _is_string(schema.field(place).type)]
        found = pyarrow.parquet.ParquetFile(file, read_dictionary=strings)
        _check_size(found.metadata, set(stored.values()), name, most_bytes)

    def batches() -> Batches:
        done, taken = 0, 0
        dictionaries: list[Any] = [None, None]
        with _said(name):
            for batch in found.iter_batches(batch_size=BATCH, columns=list(stored.values())):
                texts = []
                for place, column in enumerate(wanted.texts):
                    array = _shared(batch.column(stored[column]), dictionaries[place])
                    taken += array.indices.nbytes
                    if array.dictionary is not dictionaries[place]:
                        array.dictionary.validate(full=True)  # UTF-8
                        taken += array.dictionary.nbytes
                    dictionaries[place] = array.dictionary
                    texts.append(array)
                if taken > most_bytes:
                    raise _too_large(name, most_bytes)
                yield texts, _values(batch.column(stored[wanted.columns[-1]])) if wanted.has_label else None
                done += batch.num_rows
                if progress is not None:
                    progress(done, found.metadata.num_rows)

    return wanted, batches()


def parquet_names(file: BinaryIO, name: str) -> list[str]:
    """The columns that a Parquet file has; what they hold is not looked at."""
    with _said(name):
        return [column.strip() for column in _schema(file, name).names]


def _schema(file: BinaryIO, name: str) -> Any:
    _check_footer(file, name)
    schema = pyarrow.parquet.ParquetFile(file).schema_arrow
    if len(schema.names) > MOST_COLUMNS:
        raise DataError(f"{name} has {len(schema.names):,} columns; at most {MOST_COLUMNS:,} are read")
    return schema


def _shared(array: Any, before: Any) -> pyarrow.DictionaryArray:
    """A column of a batch as numbers into its distinct strings; the ones of the batch before, if equal."""
    if not types.is_dictionary(array.type):
        kind = pyarrow.string() if types.is_string(array.type) else pyarrow.large_string()
        array = array.cast(kind).dictionary_encode()
    if before is not None and array.dictionary.equals(before):
        return pyarrow.DictionaryArray.from_arrays(array.indices, before)
    return array


def _values(array: Any) -> list[Any]:
    """A column of a batch as Python values; equal strings are one object."""
    if not types.is_dictionary(array.type):
        return list(array.to_pylist())
    strings = array.dictionary.to_pylist()
    return [None if place is None else strings[place] for place in array.indices.to_pylist()]


def _check_footer(file: BinaryIO, name: str) -> None:
    """See that what describes the columns is small: it is parsed whole."""
    size = file.seek(0, 2)
    file.seek(max(size - 8, 0))
    length = int.from_bytes(file.read(4), "little")
    file.seek(0)
    if length <= size and length > MOST_FOOTER:
        raise DataError(f"{name} describes its columns in {length / 2**20:.0f} MB; leave columns out")


def _check_size(metadata: Any, stored: set[str], name: str, most_bytes: int) -> None:
    groups = (metadata.row_group(group) for group in range(metadata.num_row_groups))
    columns = (group.column(place) for group in groups for place in range(group.num_columns))
    if sum(c.total_uncompressed_size for c in columns if c.path_in_schema in stored) > most_bytes:
        raise _too_large(name, most_bytes)


def _too_large(name: str, most_bytes: int) -> DataError:
    return DataError(f"{name} holds more than {most_bytes / 2**20:,.0f} MB when unpacked; take a part of it")


def _check_type(kind: Any, column: str, is_text: bool, name: str) -> None:
    """See that a column holds strings or numbers: a list, or a block of bytes, could unpack to any size."""
    if is_text and not _is_string(kind):
        raise DataError(f"{name}: column {column!r} holds no text, but values of the type {kind}")
    number = types.is_primitive(kind) and not types.is_temporal(kind)
    if not (number or types.is_decimal(kind) or types.is_null(kind) or _is_string(kind)):
        raise DataError(f"{name}: column {column!r} holds no labels, but values of the type {kind}")


def _is_string(kind: Any) -> bool:
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


@contextmanager
def _said(name: str) -> Iterator[None]:
    """What pyarrow finds wrong, in one line."""
    try:
        yield
    except DataError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        first = str(error).strip().partition("\n")[0]
        if "UTF8" in first or isinstance(error, UnicodeDecodeError):
            raise DataError(f"{name} holds text that is not UTF-8; save it as UTF-8") from None
        raise DataError(f"{name} is no Parquet file that can be read: {first}") from None


def lengths(array: pyarrow.DictionaryArray) -> Any:
    """Characters of each text of a column; -1 for a missing one, 0 for a blank one. Int32 ``[rows]``."""
    strings = array.dictionary
    counted = compute.if_else(compute.utf8_is_space(strings), 0, compute.utf8_length(strings))
    return compute.fill_null(counted.take(array.indices), -1).to_numpy(zero_copy_only=False)
