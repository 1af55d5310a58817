"""CSV and JSON as records of the wanted columns, one at a time, each with the line where it begins.

Python's own parsers do the work: they know the line, and a record is all that they hold.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ltp_core.data.columns import LABEL, Chosen, DataError, Wanted, has_text_columns, shown, text_columns
from ltp_core.data.lines import MOST_RECORD, Lines

MOST_COLUMNS = 1000
PIECE = 2**16  # characters of a JSON array that are read at once
_GAP = re.compile(r"[ \t\r\n]*")
DELIMITERS = ",;\t"  # the last two are what spreadsheets write where the comma is a decimal point

Records = Iterator[tuple[int, list[Any]]]  # the number of cells in a row, and the wanted ones


def read_csv(lines: Lines, chosen: Chosen | None = None) -> tuple[Wanted, Records]:
    """Open a CSV file: which columns are wanted, and their cells row by row.

    Args:
        lines: of the file.
        chosen: columns that somebody has chosen; None for those with usual names.

    Raises:
        DataError: here for the header, later for a row that is none, with its line.
    """
    delimiter = _delimiter(lines)
    rows = _rows(lines, delimiter)
    names = [name.strip() for name in next(rows, [])]
    wanted = Wanted.of(names, lines.name, chosen)
    places = [names.index(name) for name in wanted.columns]

    def records() -> Records:
        for row in rows:
            if len(row) != len(names):
                raise lines.error(f"a row of {_cells(len(row))}, where the header has {len(names)}")
            yield len(row), [row[place] for place in places]

    return wanted, records()


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"


def _rows(lines: Lines, delimiter: str) -> Iterator[list[str]]:
    """A CSV file's rows, blank lines left out."""
    lines.rewind()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise lines.error(_reason(error)) from None
        if row is None:
            return
        if len(row) > MOST_COLUMNS:
            raise lines.error(f"a row of {len(row):,} columns; at most {MOST_COLUMNS:,} are read")
        if row:
            yield row


def _reason(error: csv.Error) -> str:
    """What Python's reader found wrong, for people."""
    if "field larger" in str(error):
        return f"a cell has more than {csv.field_size_limit():,} characters; is a quote not closed?"
    if "unexpected end" in str(error):
        return "a quote that is opened here is never closed"
    if "expected after" in str(error):
        return 'a quote is closed here, and text follows it; a quote inside of a text is written twice, ""'
    return f"this is no CSV: {error}"


def _delimiter(lines: Lines) -> str:
    """The delimiter under which the header has a text column; else, most columns, the comma before others."""
    counts = {}
    for delimiter in DELIMITERS:
        header = next(_rows(lines, delimiter), [])
        if has_text_columns([name.strip() for name in header]):
            return delimiter
        counts[delimiter] = len(header)
    return max(counts, key=lambda delimiter: counts[delimiter])


def csv_names(lines: Lines) -> list[str]:
    """The columns that a CSV file's header names."""
    return [name.strip() for name in next(_rows(lines, _delimiter(lines)), [])]


def read_json(lines: Lines, chosen: Chosen | None = None) -> tuple[Wanted, Records]:
    """Open a file of JSON objects, one a line or in one array. Arguments and errors as for `read_csv`.

    The first object says where the text is. A label may come later.
    """
    objects = _objects(lines)
    first = next(objects, {})
    names = list(first)
    if chosen is not None and chosen.label is not None:
        names = list(dict.fromkeys([*first, chosen.label]))
    wanted = Wanted.of(names, lines.name, chosen)
    columns = (*wanted.texts, LABEL) if chosen is None else wanted.columns

    def records() -> Records:
        known = tuple(first)
        for found in chain((first,), objects):
            changed = known != (known := tuple(found))
            if chosen is None and changed and has_text_columns(known):
                texts = text_columns(known, lines.name)
                if texts != wanted.texts:
                    here, before = "+".join(texts), "+".join(wanted.texts)
                    raise lines.error(f"the text is in {here} here, and in {before} before")
            yield len(found), [found.get(name) for name in columns]

    return Wanted(wanted.texts, columns), records()


def json_names(lines: Lines) -> list[str]:
    """The names that the first of a file's JSON objects has."""
    return list(next(_objects(lines), {}))


def _objects(lines: Lines) -> Iterator[dict[str, Any]]:
    return _elements(_Pieces(lines)) if lines.first_character() == "[" else _json_lines(lines)


class _Twice(ValueError):
    """An object with one name twice."""


def _columns_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {name.strip(): value for name, value in pairs}
    if len(found) < len(pairs):
        twice = [name for name, count in Counter(name.strip() for name, _ in pairs).items() if count > 1]
        raise _Twice(f"there is more than one value of {shown(twice)}")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_columns_of)


def _json_lines(lines: Lines) -> Iterator[dict[str, Any]]:
    lines.begin()
    for line in lines:
        if line.strip():
            try:
                value = _DECODER.decode(line)
            except (ValueError, RecursionError) as error:  # ValueError also for a number of 4,300 digits
                raise _wrong(lines, error) from None
            yield _object(value, lines)
        lines.begin()


class _Pieces:
    """A text read piece by piece, with a place in it."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self._text, self._place = "", 0

    def character(self) -> str:
        """The next one that is not blank; empty at the end."""
        while True:
            gap = _GAP.match(self._text, self._place)
            self._go_to(gap.end() if gap else self._place)
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def take(self) -> None:
        """Go past it."""
        self._go_to(self._place + 1)

    def value(self) -> Any:
        """Go past the JSON value here, and return it."""
        self.lines.begin()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if len(self._text) - self._place > MOST_RECORD:
                    raise self.lines.error(f"an object of more than {MOST_RECORD:,} characters") from None
                if not self._more():
                    raise _wrong(self.lines, error) from None
            except (ValueError, RecursionError) as error:
                raise _wrong(self.lines, error) from None
            else:
                self._go_to(end)
                return value

    def _go_to(self, place: int) -> None:
        self.lines.number += self._text.count("\n", self._place, place)
        self._place = place

    def _more(self) -> bool:
        piece = self.lines.piece(PIECE)
        self._text, self._place = self._text[self._place :] + piece, 0
        return bool(piece)


def _elements(pieces: _Pieces) -> Iterator[dict[str, Any]]:
    """The objects of an array, however it is laid out."""
    separator, end = "[", "]"
    while True:
        found = pieces.character()
        if found == end:
            return
        if found != separator:
            pieces.lines.begin()
            raise pieces.lines.error(f"this is no array of JSON objects: {separator!r} is missing")
        pieces.take()
        if separator == "[" and pieces.character() == end:
            return
        pieces.character()
        yield _object(pieces.value(), pieces.lines)
        separator = ","


def _wrong(lines: Lines, error: Exception) -> DataError:
    return lines.error(str(error) if isinstance(error, _Twice) else "this is not a JSON object")


def _object(value: Any, lines: Lines) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise lines.error("this is not a JSON object")
    if len(value) > MOST_COLUMNS:
        raise lines.error(f"an object of {len(value):,} columns; at most {MOST_COLUMNS:,} are read")
    return value
