"""Two saved settings, A and B, in the address.

`?a=sst2:0.01,0.02,…` is a model with its thresholds, `?b=sst2:2x` one with twice those that it has learned.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.says.text import shorten
from app.visitor.state import SAID

NAMES = ("a", "b")
MOST = 100.0  # times the learned thresholds


@dataclass(frozen=True)
class Saved:
    """A model, and its thresholds or a factor on those that it has learned.

    Attributes:
        model: name of the model.
        thresholds: one a layer; none where there is a factor.
        factor: on the learned thresholds; 0 prunes nothing.
    """

    model: str
    thresholds: tuple[float, ...] = ()
    factor: float | None = None

    def to_query(self) -> str:
        """As a query parameter."""
        if self.factor is not None:
            return f"{self.model}:{self.factor:g}x"
        return f"{self.model}:{','.join(map(repr, self.thresholds))}"


def read_saved(query: Mapping[str, str]) -> tuple[dict[str, Saved], list[str]]:
    """What an address has saved, and a notice for each value that cannot be read."""
    found: dict[str, Saved] = {}
    notices: list[str] = []
    for name in NAMES:
        if text := query.get(name):
            if saved := _parse(text):
                found[name] = saved
            else:
                said = shorten(text, SAID)
                notices.append(
                    f"{name}={said} is not a model and its thresholds; {name.upper()} is as it opens."
                )
    return found, notices


def _parse(text: str) -> Saved | None:
    model, _, numbers = text.rpartition(":")
    try:
        if numbers.endswith("x"):
            factor = float(numbers[:-1])
            return Saved(model, factor=factor) if model and 0 <= factor <= MOST else None
        thresholds = tuple(float(number) for number in numbers.split(","))
    except ValueError:
        return None
    if not model or not all(math.isfinite(value) and 0 <= value <= 1 for value in thresholds):
        return None
    return Saved(model, thresholds)
