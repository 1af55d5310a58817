"""Texts as they lie in a file, and no larger: Arrow's arrays; one text at a time becomes a string."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import pyarrow

from ltp_core.prediction import Text

CHUNK_ROWS, CHUNK_CHARACTERS = 2**14, 2**22


class TextColumns(Sequence[Text]):
    """Texts or pairs of them, as a list has them.

    A list of short strings takes many times the memory of their file: each has a header of some 50 bytes.

    Args:
        columns: one or two columns of strings, Arrow's, equally long.
    """

    def __init__(self, columns: Sequence[pyarrow.ChunkedArray]) -> None:
        self._columns = columns

    def __len__(self) -> int:
        """How many there are."""
        return len(self._columns[0])

    @overload
    def __getitem__(self, place: int) -> Text: ...

    @overload
    def __getitem__(self, place: slice) -> list[Text]: ...

    def __getitem__(self, place: int | slice) -> Text | list[Text]:
        """One of them, or a list of some."""
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        parts = [column[place].as_py() for column in self._columns]
        return parts[0] if len(parts) == 1 else (parts[0], parts[1])

    def __iter__(self) -> Iterator[Text]:
        """Each of them."""
        columns = [(cell.as_py() for chunk in column.chunks for cell in chunk) for column in self._columns]
        return columns[0] if len(columns) == 1 else iter(zip(*columns, strict=True))

    def __eq__(self, other: object) -> bool:
        """Whether it holds the same as another sequence."""
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(mine == yours for mine, yours in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]


class Strings:
    """Collects a column of strings into Arrow's arrays."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._characters = 0
        self._chunks: list[Any] = []

    def append(self, text: str) -> None:
        """Add one."""
        self._waiting.append(text)
        self._characters += len(text)
        if len(self._waiting) >= CHUNK_ROWS or self._characters >= CHUNK_CHARACTERS:
            self._flush()

    def extend(self, array: pyarrow.Array) -> None:
        """Add an array as it is."""
        self._flush()
        self._chunks.append(array)

    def done(self) -> pyarrow.ChunkedArray:
        """All that was added."""
        self._flush()
        kinds = {chunk.type for chunk in self._chunks}
        if len(kinds) > 1:  # files of several kinds
            self._chunks = [chunk.cast(pyarrow.large_string()) for chunk in self._chunks]
        return pyarrow.chunked_array(self._chunks)

    def _flush(self) -> None:
        if self._waiting:
            self._chunks.append(pyarrow.array(self._waiting, pyarrow.large_string()))
        self._waiting, self._characters = [], 0
