"""Which columns of a data file are the text and the label, and the error that all readers of data raise."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ltp_core.data.tasks import known_columns

LABEL = "label"
SHOWN_NAMES = 10  # of columns, in an error; a file may have thousands


class DataError(ValueError):
    """Rows that cannot be read, said in one line."""


@dataclass(frozen=True)
class Chosen:
    """Columns that somebody has chosen by name, where the usual names do not say which.

    Attributes:
        texts: one, or two for pairs.
        label: the one with labels; None for none.
    """

    texts: tuple[str, ...]
    label: str | None = None


@dataclass(frozen=True)
class Wanted:
    """The columns that are read; all others are passed over.

    Attributes:
        texts: the one or two columns that hold the text.
        columns: the text's, and the label's if the file has one.
    """

    texts: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def has_label(self) -> bool:
        """Whether labels are read."""
        return len(self.columns) > len(self.texts)

    @classmethod
    def of(cls, names: Sequence[str], data: str, chosen: Chosen | None = None) -> "Wanted":
        """Choose among a file's columns: those that somebody has chosen, else those with usual names.

        Raises:
            DataError: if a name is there twice, a chosen one is not there, or not exactly one choice of usual
                columns can be the text.
        """
        if twice := [name for name, count in Counter(names).items() if count > 1 and name]:
            raise DataError(
                f"{data} has {names.count(twice[0])} columns named {shown(twice)}: rename all but one"
            )
        if chosen is not None:
            columns = chosen.texts if chosen.label is None else (*chosen.texts, chosen.label)
            if missing := [name for name in columns if name not in names]:
                raise DataError(f"{data} has no column {shown(missing[:1])}; it has: {shown(names)}")
            return cls(chosen.texts, columns)
        texts = text_columns(names, data)
        return cls(texts, (*texts, LABEL) if LABEL in names else texts)


def text_columns(names: Sequence[str], data: str) -> tuple[str, ...]:
    """The one or two columns that hold the text; DataError if it could be none or several."""
    found = [columns for columns in known_columns() if set(columns) <= set(names)]
    # A question with its sentence is one text, not also the sentence alone.
    found = [columns for columns in found if not any(set(columns) < set(other) for other in found)]
    if len(found) > 1:
        several = " or ".join("+".join(columns) for columns in found)
        raise DataError(f"{data} has several columns that could be the text, {several}: keep or rename one")
    if found:
        return found[0]
    needed = "; ".join("+".join(columns) for columns in known_columns())
    raise DataError(f"{data} has no text column; it needs one of: {needed}; it has: {shown(names)}")


def has_text_columns(names: Sequence[str]) -> bool:
    """Whether columns with these names can be the text."""
    return any(set(columns) <= set(names) for columns in known_columns())


def shown(names: Sequence[str]) -> str:
    """Names for an error: of many the first ones, and long ones cut."""
    some = ", ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in names[:SHOWN_NAMES])
    return some if len(names) <= SHOWN_NAMES else f"{some}, … ({len(names):,} in all)"
