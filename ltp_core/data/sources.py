"""Where data lies: a file, a local folder in the Hub's layout, or the Hub. What is here comes first."""

import errno
import tempfile
from pathlib import Path
from typing import Any

from ltp_core.data.columns import DataError, Wanted, shown
from ltp_core.data.lines import Progress
from ltp_core.data.reader import FORMATS, Columns, Limits, Table, format_of, read_paths

_PATTERN = ("*", "?", "[", "::")
_UNWRITABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
)


def load_table(
    data: str,
    split: str | None = None,
    config: str | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Table:
    """Read one split, as `rows.load_rows` describes it; a file and a folder by `reader`.

    Raises:
        DataError: one line that says what is wrong, and where.
    """
    path = Path(data)
    if path.is_dir():
        return read_paths(folder_files(path, split or "train", config), limits, progress)
    if path.exists() or format_of(data):
        return _file(path, limits, progress)
    return _from_hub(data, split or "train", config)


def _file(path: Path, limits: Limits | None, progress: Progress | None) -> Table:
    if not path.exists():
        raise DataError(f"there is no file {path}")
    if not path.is_file():
        raise DataError(f"{path} is neither a file nor a folder")
    if format_of(str(path)) is None:
        raise DataError(f"{path} is none of the files that can be read: {', '.join(FORMATS)}")
    return read_paths([path], limits, progress)


def folder_files(folder: Path, split: str, config: str | None) -> list[Path]:
    """The files of a split in a local folder: `datasets` knows the layouts, and finds them without reading.

    Raises:
        DataError: if the folder has no data, or not this split.
    """
    from datasets import load_dataset_builder  # here, since most commands load no data and it takes seconds

    with tempfile.TemporaryDirectory() as work:
        link = _plain(folder.resolve(), Path(work) / "data")
        try:
            try:
                builder = load_dataset_builder(str(link), config, cache_dir=work)
            except ValueError:
                if config is None:
                    raise
                builder = load_dataset_builder(str(link), cache_dir=work)  # of other data than the task's
        except Exception as error:  # datasets raises many kinds
            reason = _reason(error).replace(str(link), str(folder))
            raise DataError(f"cannot read {folder}: {reason}") from None
        splits = {str(name): files for name, files in (builder.config.data_files or {}).items()}
        if split not in splits:
            raise DataError(f"{folder} has no split {split!r}; it has: {shown(list(splits))}")
        return [_unlinked(Path(file), link, folder) for file in splits[split]]


def _plain(folder: Path, link: Path) -> Path:
    """A folder under a name that `datasets` takes for no pattern: itself, or one of links to its files."""
    if not any(sign in str(folder) for sign in _PATTERN):
        return folder
    for file in folder.rglob("*"):
        if file.is_file():
            place = link / file.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
    link.mkdir(exist_ok=True)
    return link


def _unlinked(file: Path, link: Path, folder: Path) -> Path:
    return folder / file.relative_to(link) if file.is_relative_to(link) else file


def _from_hub(data: str, split: str, config: str | None) -> Table:
    return _table(data, hub_split(data, split, config))


def hub_split(data: str, split: str, config: str | None) -> Any:
    """One split from the Hub, a `datasets.Dataset`; DataError if there is none."""
    from datasets import get_dataset_config_names, load_dataset

    try:
        try:
            return load_dataset(data, config, split=split)
        except ValueError:
            # Asked only now: on the Hub this is another request, which without network has no answer.
            if config is None or config in get_dataset_config_names(data):
                raise
            return load_dataset(data, split=split)
    except Exception as error:  # datasets raises many kinds, from pyarrow's to the Hub's
        raise DataError(_hub_problem(data, split, error)) from None


def _table(data: str, found: Any) -> Table:
    """What `datasets` read, checked as a file is."""
    wanted = Wanted.of(found.column_names, data)
    columns = Columns()
    columns.begin(data, wanted)
    columns.add_rows(zip(*(found[column][:] for column in wanted.columns), strict=True))
    return columns.table()


def _hub_problem(data: str, split: str, error: Exception) -> str:
    """Why nothing came from the Hub: it, or the folder where it would be kept."""
    causes = [error, error.__cause__, error.__context__]
    if any(isinstance(cause, OSError) and cause.errno in _UNWRITABLE for cause in causes):
        from datasets.config import HF_DATASETS_CACHE

        return (
            f"cannot keep {data} in {HF_DATASETS_CACHE}: {_reason(error)}; "
            "set HF_HOME to a folder that can be written"
        )
    return f"cannot read {data} ({split}), which is no file or folder here: {_reason(error)}"


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error  # datasets says what went wrong in the cause
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
