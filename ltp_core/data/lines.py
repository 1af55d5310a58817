"""The lines of a text file: decoded, numbered and bounded, whatever the file holds."""

import codecs
import io
import re
from collections.abc import Callable
from typing import BinaryIO

from ltp_core.data.columns import DataError

MOST_RECORD = 2**20  # characters of one record: what is parsed at once takes some 20 MB at most
TOLD_EVERY = 1000  # lines

Progress = Callable[[int, int], None]  # bytes done, bytes in all; what it raises ends the reading
_ESCAPED = re.compile("[\udc80-\udcff]")


class Lines:
    """Iterates over lines with their line ends. A record (a row, an object) may have several.

    UTF-8 with or without a byte order mark is read, and UTF-16 that has one.

    Attributes:
        number: of the line read last, from 1.
        start: of the line where the record began.
        name: of the file, for errors.
    """

    def __init__(self, file: BinaryIO, name: str, progress: Progress | None = None) -> None:
        self.name, self.number, self.start = name, 0, 1
        self._file, self._progress, self._taken = file, progress, 0
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)
        mark = file.read(2)
        file.seek(0)
        self.encoding = "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        # Bytes that are no UTF-8 become surrogates, so that their line can be named.
        self._text = io.TextIOWrapper(file, self.encoding, errors="surrogateescape", newline="")

    def begin(self) -> None:
        """A new record begins with the next line."""
        self.start, self._taken = self.number + 1, 0

    def rewind(self) -> None:
        """Go back to the first line."""
        self._text.seek(0)
        self.number = 0
        self.begin()

    def first_character(self) -> str:
        """The first one that is not blank, from where the file begins; empty if there is none."""
        self.rewind()
        while (character := self._text.read(1)) and character.isspace():
            pass
        self.rewind()
        return character

    def piece(self, characters: int) -> str:
        """The next so many characters; the caller counts the lines."""
        if self._progress is not None:
            self._progress(self._file.tell(), self._size)
        return self._decoded(lambda: self._text.read(characters))

    def __iter__(self) -> "Lines":
        """Itself."""
        return self

    def __next__(self) -> str:
        """The next line.

        Raises:
            DataError: for a record that is too long, or what is not text.
        """
        if self._progress is not None and self.number % TOLD_EVERY == 0:
            self._progress(self._file.tell(), self._size)
        line = self._decoded(lambda: self._text.readline(MOST_RECORD + 1 - self._taken))
        if not line:
            raise StopIteration
        self.number += 1
        self._taken += len(line)
        if self._taken > MOST_RECORD:
            raise self.error(f"a row of more than {MOST_RECORD:,} characters begins here")
        return line

    def error(self, what: str, line: int | None = None) -> DataError:
        """What is wrong in a line; by default, the one where the record began."""
        return DataError(f"{self.name}, line {self.start if line is None else line}: {what}")

    def _decoded(self, read: Callable[[], str]) -> str:
        try:
            text = read()
        except UnicodeError:
            raise self.error("this is not UTF-16 text; save the file as UTF-8", self.number + 1) from None
        if not text.isascii() and (wrong := _ESCAPED.search(text)):
            line = self.number + 1 + text.count("\n", 0, wrong.start())
            byte = ord(wrong.group()) - 0xDC00
            raise self.error(f"this is not UTF-8 text (byte 0x{byte:02x}); save the file as UTF-8", line)
        if "\0" in text:
            line = self.number + 1 + text.count("\n", 0, text.index("\0"))
            raise self.error("this holds a NUL byte, which no text has; save the file as UTF-8 text", line)
        return text
