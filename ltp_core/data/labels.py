"""One rule for labels, wherever they come from: a file, a folder, the Hub, the command line or the lab.

1. A label is a whole number, a number, or a name. ``1``, ``1.0``, ``"1"`` and a decimal 1 are the same whole
   number; dates, lists and objects are no labels, and neither is what is not finite.
2. Where the classes are known (a model's, a task's), a label is the name of one, in capitals or not; else its
   number from 0, with True for 1 and False for 0. Classes whose names are numbers go by their names alone.
3. Where they are not known, whole numbers are classes, named as they are: 1 and 6 are two classes, "1" and
   "6". So are names, in alphabetical order. Numbers with fractions are values to predict: a regression.
   Whole numbers are such values only where a regression is asked for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from ltp_core.data.columns import DataError, shown

Label = int | float | str
MOST_CLASSES = 1000
MOST_CHARACTERS = 200  # of a label
LARGEST = 2**53  # whole numbers up to it have a float each
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_TRUTH = {"false": 0, "true": 1}


@dataclass(frozen=True)
class Labels:
    """Labels as a model takes them.

    Attributes:
        values: numbers of classes, or values of a regression.
        classes: names of the classes, by number; empty for a regression.
    """

    values: list[int] | list[float]
    classes: tuple[str, ...]


def plain(value: object) -> Label | None:
    """A cell as a label by itself: whole numbers as int, others as float, names without blanks around them.

    Returns:
        None for an empty cell.

    Raises:
        ValueError: if it can be no label.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, int | float | Decimal):
        return _of_number(value)
    raise ValueError("is neither a number nor a name")


@lru_cache(maxsize=2**12)  # many rows have the same few, which so are held once
def _of_text(text: str) -> Label | None:
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"has more than {MOST_CHARACTERS} characters")
    if _NUMBER.fullmatch(text):
        return _of_number(Decimal(text))
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise ValueError("is not finite")
    return text or None


def _of_number(value: int | float | Decimal) -> int | float:
    if not -LARGEST <= value <= LARGEST:  # nor is what is not a number
        raise ValueError("is not finite, or too large")
    return int(value) if value == int(value) else float(value)


def read_labels(values: Sequence[Label | None], data: str, classes: Sequence[str] | None = None) -> Labels:
    """Apply the rule above to a column.

    Args:
        values: from `plain`.
        data: where the labels come from, for errors.
        classes: names of the known classes; empty for a regression; None to find them.

    Raises:
        DataError: one line that says which row is wrong.
    """
    for number, value in enumerate(values, start=1):
        if value is None:
            raise DataError(f"{data}, row {number}: there is no label")
    given: list[Label] = [value for value in values if value is not None]
    if classes is None:
        classes = _classes(given, data)
    if not classes:
        return Labels(_numbers(given, data), ())
    return Labels(_places(given, tuple(classes), data), tuple(classes))


def describe(classes: Sequence[str]) -> str:
    """What labels were taken for: "2 classes: 1, 6", or "a regression"."""
    return f"{len(classes)} classes: {shown(classes)}" if classes else "a regression"


def _classes(values: Sequence[Label], data: str) -> tuple[str, ...]:
    """The classes that labels name; none if they are values to predict."""
    distinct = set(values)
    names = {value for value in distinct if isinstance(value, str)}
    if names and len(names) < len(distinct):
        name = next(place for place, value in enumerate(values) if isinstance(value, str))
        number = next(place for place, value in enumerate(values) if not isinstance(value, str))
        raise DataError(
            f"{data}: the label of row {name + 1} is a name, {shown([str(values[name])])}, that of row "
            f"{number + 1} a number, {values[number]}: use one or the other"
        )
    if any(isinstance(value, float) for value in distinct):
        return ()
    if len(distinct) > MOST_CLASSES:
        raise DataError(
            f"{data} has {len(distinct):,} different labels, and at most {MOST_CLASSES:,} can be classes; "
            "if they are numbers to predict, ask for a regression"
        )
    if len({name.lower() for name in names}) < len(names):
        alike = sorted(names, key=lambda name: (name.lower(), name))
        pair = next(two for two in pairwise(alike) if two[0].lower() == two[1].lower())
        raise DataError(f"{data}: the labels {' and '.join(pair)} differ in capitals alone: make them one")
    numbers = sorted(value for value in distinct if isinstance(value, int))
    return tuple(sorted(names)) if names else tuple(map(str, numbers))


def _numbers(values: Sequence[Label], data: str) -> list[float]:
    for number, value in enumerate(values, start=1):
        if isinstance(value, str):
            raise DataError(f"{data}, row {number}: the label {value[:40]!r} is none of: a number")
    return [float(value) for value in values]


def _places(values: Sequence[Label], classes: tuple[str, ...], data: str) -> list[int]:
    """Each label's class, by name or number."""
    by_name: dict[Label, int] = {name.strip().lower(): place for place, name in enumerate(classes)}
    numbered = not any(_NUMBER.fullmatch(name) for name in classes)
    found: dict[Label, int | None] = {}
    for value in set(values):
        place = by_name.get(str(value).lower())
        if place is None and numbered:
            number = _TRUTH.get(value.lower()) if isinstance(value, str) else value
            place = next((place for place in range(len(classes)) if place == number), None)
        found[value] = place
    for number, value in enumerate(values, start=1):
        if found[value] is None:
            wanted = shown(classes) + (f", or 0 to {len(classes) - 1}" if numbered else "")
            raise DataError(f"{data}, row {number}: the label {str(value)[:40]!r} is none of: {wanted}")
    return [place for value in values if (place := found[value]) is not None]
