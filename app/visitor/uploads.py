"""A visitor's data file, read from memory by the one reader of data files, and bounded more than there."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from ltp_core.data.columns import LABEL, Chosen, DataError, Wanted
from ltp_core.data.labels import read_labels
from ltp_core.data.lines import Progress
from ltp_core.data.reader import Limits, column_names, read_file
from ltp_core.model import Text

FORMATS = ("csv", "json", "jsonl", "parquet")
MOST_MEGABYTES = 5  # also Streamlit's own limit, in .streamlit/config.toml
MOST_UNPACKED = 200  # megabytes that a Parquet file may hold
MOST_ROWS = 2_000
MOST_CHARACTERS = 20_000  # in one text


@dataclass(frozen=True)
class DataSet:
    """Texts to survey.

    Attributes:
        name: where the texts come from, for people.
        texts: single texts, or pairs.
        labels: classes from 0, or numbers; None if there are none.
        note: what was left out, said in one line; empty if nothing was.
    """

    name: str
    texts: Sequence[Text]
    labels: list[float] | None
    note: str = ""


def names_of(name: str, content: bytes) -> list[str]:
    """The columns that a data file has, among which its owner chooses; raises as `read_upload` does."""
    _check_size(name, content)
    names = column_names(io.BytesIO(content), name)
    if not names:
        raise DataError(f"{name} has no columns")
    return names


def usual_columns(names: Sequence[str], name: str) -> Chosen | None:
    """The columns that are read where nobody chooses; None if no name is known, or several are."""
    try:
        wanted = Wanted.of(names, name)
    except DataError:
        return None
    return Chosen(wanted.texts, LABEL if wanted.has_label else None)


def read_upload(
    name: str,
    content: bytes,
    classes: Sequence[str],
    progress: Progress | None = None,
    chosen: Chosen | None = None,
) -> DataSet:
    """Read a data file.

    Args:
        name: of the file; the ending says what it is.
        content: bytes of the file.
        classes: names of the model's classes, in order; none for a regression. A file may have them, or
            their numbers, as labels.
        progress: told how much is read; what it raises ends the reading.
        chosen: columns that the file's owner has chosen; None for those with usual names.

    Raises:
        DataError: one line that says what is wrong, and where.
    """
    _check_size(name, content)
    limits = Limits(rows=MOST_ROWS, characters=MOST_CHARACTERS, unpacked=MOST_UNPACKED * 2**20)
    table = read_file(io.BytesIO(content), name, limits, progress, chosen).filled()
    note = f"Only the first {MOST_ROWS:,} rows of {name} are used." if table.more else ""
    labels = None
    if table.labels is not None and None not in table.labels:
        labels = [float(label) for label in read_labels(table.labels, name, classes).values]
    elif table.labels is not None:
        note = f"{note} Rows without a label are in {name}, so no row is scored.".strip()
    known: dict[Text, Text] = {}  # equal texts are one object: of few kilobytes of Parquet, thousands are
    return DataSet(name, [known.setdefault(text, text) for text in table.texts], labels, note)


def _check_size(name: str, content: bytes) -> None:
    if len(content) > MOST_MEGABYTES * 2**20:
        raise DataError(f"{name} has more than {MOST_MEGABYTES} MB; take a part of it")
