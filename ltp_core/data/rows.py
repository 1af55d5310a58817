"""Rows of a task or a file: from the Hub, a local folder or a file, through the same call.

Everything that is chosen (epochs, thresholds, the factor for a FLOPs target) is chosen on *tuning* rows
held out of the training set; *untouched* rows, also held out, are only ever measured on. The development
set (`validation`) is measured on once for each shipped model.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ltp_core.data.columns import DataError
from ltp_core.data.labels import read_labels
from ltp_core.data.lines import Progress
from ltp_core.data.reader import Table
from ltp_core.data.sources import load_table
from ltp_core.data.tasks import TASKS
from ltp_core.prediction import Text

HELD_OUT = ("tuning", "untouched")


@dataclass(frozen=True)
class Rows:
    """Texts (or pairs of them) with their labels.

    Attributes:
        texts: what is read.
        labels: numbers of classes, or values of a regression.
        classes: names of the classes; empty for a regression; None where nobody said.
    """

    texts: Sequence[Text]
    labels: list[int] | list[float]
    classes: tuple[str, ...] | None = field(default=None, compare=False)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.texts)

    def take(self, indices: Sequence[int]) -> "Rows":
        """The rows at these places."""
        return Rows([self.texts[i] for i in indices], [self.labels[i] for i in indices], self.classes)

    def first(self, limit: int | None) -> "Rows":
        """At most so many rows, the first ones; None for all."""
        return self if limit is None or limit >= len(self) else self.take(range(limit))

    def fair(self, limit: int | None) -> "Rows":
        """At most so many rows, of all classes; None for all.

        Of a file that is sorted by label, as the Hub's IMDb is, the first rows are all of one class, so
        rows at even steps are taken there. Elsewhere they are the first ones.
        """
        if limit is None or limit >= len(self):
            return self
        ordered = self.labels[0] != self.labels[-1] and self.labels == sorted(self.labels)
        return self.take([row * len(self) // limit for row in range(limit)]) if ordered else self.first(limit)

    def with_text(self) -> "Rows":
        """The rows of which no text is empty or blank."""
        return self.take([row for row, text in enumerate(self.texts) if has_text(text)])


@dataclass(frozen=True)
class Split:
    """A training set after rows were held out of it."""

    train: Rows
    tuning: Rows
    untouched: Rows


def load_rows(
    data: str,
    split: str | None = None,
    config: str | None = None,
    classes: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Rows:
    """Load one split with its labels.

    Args:
        data: a CSV, JSON or Parquet file, a local folder in the Hub's layout, or an id on the Hub.
        split: for example "validation"; a file has only itself.
        config: the dataset's configuration, for example "sst2" of GLUE, where it has one of that name.
        classes: names of the classes; empty for a regression; None to find them, see `labels`.
        progress: told how much of a file is read.

    Raises:
        DataError: for what is not there, not readable, or lacks the columns.
    """
    return labelled(load_table(data, split, config, progress=progress), classes)


def labelled(table: Table, classes: Sequence[str] | None = None) -> Rows:
    """A table's rows with their labels, by the rule of `labels`. Arguments and errors as for `load_rows`."""
    if table.labels is None:
        raise DataError(f"{table.name} has no column 'label'")
    found = read_labels(table.labels, table.name, classes)
    return Rows(table.texts, found.values, found.classes)


def load_texts(data: str, split: str | None = None, config: str | None = None) -> Sequence[Text]:
    """Load the texts of one split, labelled or not. Arguments and errors as for `load_rows`."""
    return load_table(data, split, config).texts


def texts_of(source: str) -> Sequence[Text]:
    """The texts of a training set: a task's own on the Hub, by its name, or what `load_texts` takes."""
    if task := TASKS.get(source):
        return load_texts(task.hub_id, config=task.config)
    return load_texts(source)


def hold_out(rows: Rows, tuning: int, untouched: int, seed: int) -> Split:
    """Hold whole texts out of a training set, and remove what is cut from them from the rest.

    SST-2's training rows are phrases cut from sentences, so a random split would train on pieces of the
    held-out sentences. A row is *whole* when it is not part of a longer row; rows that are part of a
    held-out one leave the training set. Where rows share no text this is the usual random split.

    Args:
        rows: the training set.
        tuning: how many whole texts to choose things on.
        untouched: how many whole texts to measure on and choose nothing.
        seed: of the choice.

    Raises:
        DataError: if there are too few rows.
    """
    keys = [_words(text) for text in rows.texts]
    whole = _whole_rows(keys)
    if tuning + untouched > len(whole) // 2:
        raise DataError(f"cannot hold out {tuning + untouched} of {len(whole)} texts: at most half of them")
    random.Random(seed).shuffle(whole)
    held = whole[: tuning + untouched]
    train = apart(rows.texts, [rows.texts[index] for index in held])
    return Split(rows.take(train), rows.take(held[:tuning]), rows.take(held[tuning:]))


def has_text(text: Text) -> bool:
    """Whether neither it, nor one of a pair, is empty or blank."""
    return all(part.strip() for part in ((text,) if isinstance(text, str) else text))


def apart(texts: Sequence[Text], held: Sequence[Text]) -> list[int]:
    """Indices of the texts that are no part of a held-out one, nor the same."""
    index = _Index([_words(text) for text in held])
    return [place for place, text in enumerate(texts) if not any(True for _ in index.with_part(_words(text)))]


def _words(text: Text) -> str:
    joined = text if isinstance(text, str) else " \ue000 ".join(text)  # a private character that no text has
    return " ".join(joined.split())


class _Index:
    """Texts by their words, to find those that another one is part of.

    It takes memory in proportion to the texts; all pieces of one text would take that of its length squared.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._padded = [f" {key} " for key in keys]
        self._having = defaultdict(list)  # word -> places of the texts that have it
        for place, key in enumerate(keys):
            for word in set(key.split(" ")):
                self._having[word].append(place)

    def with_part(self, key: str) -> Iterator[int]:
        """Places of the texts that hold these words in a row: of all that have the rarest of them."""
        padded = f" {key} "
        fewest = min((self._having.get(word, []) for word in key.split(" ")), key=len)
        return (place for place in fewest if padded in self._padded[place])


def _whole_rows(keys: Sequence[str]) -> list[int]:
    """Indices of the rows that are no part of a longer one, each text once, in order."""
    unique = {key: index for index, key in reversed(list(enumerate(keys))) if key}
    rows = sorted(unique.values())
    index = _Index([keys[row] for row in rows])
    return [
        row
        for place, row in enumerate(rows)
        if not any(other != place for other in index.with_part(keys[row]))
    ]
