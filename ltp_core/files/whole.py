"""Writing that leaves whole files: what is interrupted leaves what was there, or nothing that can be read."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LAST = "config.json"  # without it, a folder is no model
SPARE = 2**20  # bytes that a disk should have left after what is written


class OutputError(ValueError):
    """Why nothing can be written to a place, in one line."""


def part_of(place: Path) -> Path:
    """Where what will be at a place is written first, beside it; left behind only by what was killed."""
    return place.with_name(f"{place.name}.part")


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """A draft beside a file, which takes its place when it is whole and on the disk."""
    part = part_of(file)
    try:
        yield part
        with part.open("r+b") as written:  # as Windows wants it
            os.fsync(written.fileno())
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def write_whole(file: Path, text: str) -> None:
    """Write a text file, in place of an earlier one."""
    with whole_file(file) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to write a model into, whose files then replace those of the same names.

    Until all are there, the folder has no config.json and so holds no model.
    """
    folder = folder.resolve()  # Path(".") has no name
    part = part_of(folder)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LAST).unlink(missing_ok=True)
        for file in sorted(part.iterdir(), key=lambda path: path.name == LAST):
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def swap(part: Path, folder: Path, aside: Path) -> None:
    """Put a finished folder in the place of an earlier one, which lies aside in between."""
    if folder.exists():
        os.rename(folder, aside)
    os.rename(part, folder)
    shutil.rmtree(aside, ignore_errors=True)


def take_back(folder: Path, aside: Path) -> None:
    """After a `swap` that was killed: the earlier folder, if there is no later one."""
    if aside.exists() and not folder.exists():
        os.rename(aside, folder)
    shutil.rmtree(aside, ignore_errors=True)


def check_output(
    output: Path,
    model: Path | None = None,
    needs: int = 0,
    resumes: bool = False,
    option: str | None = "--output",
) -> None:
    """See that a new folder can be written, before any work is done for it; nothing is made.

    Args:
        output: the folder.
        model: a folder that must stay as it is.
        needs: bytes that will be written.
        resumes: whether it may hold something already.
        option: which names it; None if its place is given.

    Raises:
        OutputError: with what to do.
    """
    with _one_line(output):
        if output.exists() and not output.is_dir():
            raise OutputError(f"{output} is a file: {another(option)}")
        if not resumes and output.is_dir() and any(output.iterdir()):
            raise OutputError(f"{output} is there already: {another(option)}")
        if model is not None and model.is_dir() and output.resolve().is_relative_to(model.resolve()):
            raise OutputError(f"{output} is inside of the model's own folder: {another(option)}")
        _try(output.resolve(), output, needs, option)


def check_file(file: Path, option: str | None = "--output") -> None:
    """The same for a file, which may be there: it is replaced whole."""
    with _one_line(file):
        if file.exists() and not file.is_file():
            raise OutputError(f"{file} is no file: {another(option)}")
        _try(file.resolve().parent, file, 0, option)


def another(option: str | None) -> str:
    """What to do about something in the way."""
    return "move it away" if option is None else f"choose another {option}"


@contextmanager
def _one_line(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write to {output}: {error.strerror or error}") from None


def _try(folder: Path, output: Path, needs: int, option: str | None) -> None:
    """Write a little where a folder is or will be, and look at the room that is left."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    with tempfile.TemporaryFile(dir=place) as probe:
        probe.write(b"\0" * 4096)
        probe.flush()
    if (free := shutil.disk_usage(place).free) < needs + SPARE:
        said = f"{free / 2**20:,.0f} MB free, and {needs / 2**20:,.0f} MB are needed"
        elsewhere = "" if option is None else f", or {another(option)}"
        raise OutputError(f"the disk of {output} has {said}: make room{elsewhere}")


def is_full(error: BaseException | None) -> bool:
    """Whether an error comes from a full disk, whatever library raised it."""
    while error is not None:
        number = getattr(error, "errno", None)
        if number in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
