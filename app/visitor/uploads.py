"""A visitor's data file, read from memory by the one reader of data files, and bounded more than there."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from ltp_core.data.columns import DataError
from ltp_core.data.labels import read_labels
from ltp_core.data.lines import Progress
from ltp_core.data.reader import Limits, read_file
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
        name: where they come from, for people.
        texts: or pairs of them.
        labels: classes from 0, or numbers; None if there are none.
        note: what was left out, said in one line; empty if nothing was.
    """

    name: str
    texts: Sequence[Text]
    labels: list[float] | None
    note: str = ""


def read_upload(
    name: str, content: bytes, classes: Sequence[str], progress: Progress | None = None
) -> DataSet:
    """Read a data file.

    Args:
        name: its file name; the ending says what it is.
        content: its bytes.
        classes: names of the model's classes, in order; none for a regression. A file may have them, or
            their numbers, as labels.
        progress: told how much is read; what it raises ends the reading.

    Raises:
        DataError: one line that says what is wrong, and where.
    """
    if len(content) > MOST_MEGABYTES * 2**20:
        raise DataError(f"{name} has more than {MOST_MEGABYTES} MB; take a part of it")
    limits = Limits(rows=MOST_ROWS, characters=MOST_CHARACTERS, unpacked=MOST_UNPACKED * 2**20)
    table = read_file(io.BytesIO(content), name, limits, progress).filled()
    note = f"Only the first {MOST_ROWS:,} rows of {name} are used." if table.more else ""
    labels = None
    if table.labels is not None and None not in table.labels:
        labels = [float(label) for label in read_labels(table.labels, name, classes).values]
    elif table.labels is not None:
        note = f"{note} Rows without a label are in {name}, so no row is scored.".strip()
    known: dict[Text, Text] = {}  # equal texts are one object: of few kilobytes of Parquet, thousands are
    return DataSet(name, [known.setdefault(text, text) for text in table.texts], labels, note)
