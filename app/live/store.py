"""Files for browsers, each called after its content and kept compressed in the user's cache folder.

A name says what is inside, so nothing here is ever changed or out of date: several servers may share the
folder, and a browser may keep what it has for good. What has not been asked for longest goes first.
"""

import gzip
import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from ltp_core.bases import cache_folder

MOST_BYTES = 512 * 2**20  # on disk: some twenty models
NAME = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{2,5}")


class Store:
    """A folder of such files.

    Args:
        folder: made when the first file is put there; None for the user's own cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder()

    def put(self, content: bytes, kind: str) -> str:
        """Keep a file; returns its name, which ends in `kind`.

        Raises:
            OSError: if there is no room, or no right to write.
        """
        name = f"{hashlib.sha256(content).hexdigest()[:32]}.{kind}"
        file = self._file(name)
        if file.is_file():
            return name
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=self.folder, suffix=".draft")
        try:
            with os.fdopen(descriptor, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                packed.write(content)
            os.replace(draft, file)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
        self._make_room(file)
        return name

    def get(self, name: str) -> Path | None:
        """The compressed file of a name; None if it is not here (any more)."""
        file = self._file(name) if NAME.fullmatch(name) else None
        if file is None or not file.is_file():
            return None
        with suppress(OSError):  # somebody else's folder: then age counts from when it was written
            os.utime(file)
        return file

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.gz"

    def _make_room(self, newest: Path) -> None:
        """Remove what was not asked for longest, until the rest fits."""
        found = []
        for file in self.folder.glob("*.gz"):
            with suppress(OSError):  # another server was faster
                stat = file.stat()
                found.append((stat.st_mtime, stat.st_size, file))
        total = sum(size for _, size, _ in found)
        for _, size, file in sorted(found):
            if total <= MOST_BYTES:
                return
            if file != newest:
                with suppress(OSError):
                    file.unlink()
                total -= size
