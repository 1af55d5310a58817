"""The settings that the pages share, and their way into the address and back.

A link reproduces the view: what is not in it has its default. A value that cannot be used falls back to
its default, with a notice.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from app.says.text import shorten

OWN = ("model", "device", "text", "pair", "layer", "head", "token")  # and t1, t2, …
THRESHOLD = re.compile(r"t[0-9]+")
HIDEABLE = ("text", "model", "thresholds", "lessons")  # controls that a teacher's link can hide
LONGEST_LINK = 4000  # characters of text in an address; servers and mail programs cut longer ones
LONGEST = {
    "text": LONGEST_LINK,
    "pair": LONGEST_LINK,
    "texts": LONGEST_LINK,
    "model": 500,
    "a": 1500,
    "b": 1500,
}
LONGEST_OTHER = 1000  # characters of any other parameter
MOST_PARAMETERS = 100
SAID = 40  # characters of a parameter that a notice repeats

T = TypeVar("T")


@dataclass(frozen=True)
class Choices:
    """What the page offers, once it is known which model is used.

    Attributes:
        model: name of the model.
        devices: the devices of this machine, the default one last.
        layers: number of layers.
        heads: number of attention heads in a layer.
        learned: the learned thresholds; those to start with if the model has none.
        has_learned: whether the model has learned thresholds.
        text: what the page opens with.
        pair: the second text that the page opens with, for a model that reads two; else None.
    """

    model: str
    devices: tuple[str, ...]
    layers: int
    heads: int
    learned: tuple[float, ...]
    has_learned: bool
    text: str
    pair: str | None = None


@dataclass(frozen=True)
class PageSettings:
    """Everything that a visitor sets for all pages. Layers, heads and tokens count from 1.

    Attributes:
        model: name of the model.
        device: where the model runs.
        text: what the model reads.
        pair: the second text, for a model that reads two.
        thresholds: one a layer, as a share of attention.
        layer: the layer that is looked at.
        head: the head that is looked at; 0 for the mean of all.
        token: the token that is looked at; 0 if none is chosen.
    """

    model: str
    device: str
    text: str
    pair: str
    thresholds: tuple[float, ...]
    layer: int = 1
    head: int = 0
    token: int = 0

    @classmethod
    def default(cls, choices: Choices) -> "PageSettings":
        """How the page opens."""
        return cls(choices.model, choices.devices[-1], choices.text, choices.pair or "", choices.learned)

    def to_query(self, choices: Choices) -> dict[str, str]:
        """Write as query parameters; what has its default is left out, except the text and the model."""
        default = PageSettings.default(choices)
        query = {"model": self.model}
        if len(self.text) + len(self.pair) <= LONGEST_LINK:
            query["text"] = self.text
            if choices.pair is not None:
                query["pair"] = self.pair
        for name in ("device", "layer", "head", "token"):
            if getattr(self, name) != getattr(default, name):
                query[name] = str(getattr(self, name))
        if self.thresholds != default.thresholds:
            query |= {f"t{number}": repr(value) for number, value in enumerate(self.thresholds, start=1)}
        return query


@dataclass
class Reading:
    """What an address said: settings that can be used, and a notice for each value that could not."""

    settings: PageSettings
    notices: list[str] = field(default_factory=list)


def cut(query: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """An address without what no link of ours holds, and a notice for what was cut or left out.

    A text is cut; of anything else that is too long nothing can be used.
    """
    kept: dict[str, str] = {}
    notices = []
    for name, value in query.items():
        longest = LONGEST.get(name, LONGEST_OTHER)
        if len(value) <= longest and len(name) <= SAID and len(kept) < MOST_PARAMETERS:
            kept[name] = value
        elif name in ("text", "pair"):
            kept[name] = value[:longest]
            notices.append(f"The text in this address has {len(value):,} characters; {longest:,} are used.")
        elif name == "texts":  # a list: the last whole one ends it
            kept[name] = value[:longest].rpartition("\n")[0]
            notices.append(f"The list in this address has {len(value):,} characters; {longest:,} are used.")
        elif len(notices) < 3:
            notices.append(f"“{shorten(name, SAID)}” in this address is too long, and is left out.")
    return kept, notices


def read_model(
    query: Mapping[str, str], models: Sequence[str], absent: Mapping[str, str] | None = None
) -> tuple[str, str | None]:
    """The model an address asks for, or the first with a notice that lists what there is.

    Args:
        query: the address.
        models: names of those that can be chosen.
        absent: names of those that cannot -> why.
    """
    name = query.get("model", models[0])
    if name in models:
        return name, None
    there_is = f"this is “{models[0]}”. There is: {', '.join(models)}."
    if absent and name in absent:
        return models[0], f"{absent[name]} Instead, {there_is}"
    return models[0], f"There is no model “{shorten(name, SAID)}” here; {there_is}"


def read_query(query: Mapping[str, str], choices: Choices) -> Reading:
    """Read an address. It never fails: what cannot be used is replaced and reported."""
    notices: list[str] = []
    default = PageSettings.default(choices)

    def number(name: str, lowest: int, highest: int, usual: int) -> int:
        text = query.get(name)
        if text is None:
            return usual
        if text.isascii() and text.isdigit() and lowest <= int(text[:9]) <= highest:
            return int(text[:9])
        said = shorten(text, SAID)
        notices.append(f"{name}={said} is not a number from {lowest} to {highest}; {usual} is used instead.")
        return usual

    device = query.get("device", default.device)
    if device not in choices.devices:
        said = shorten(device, SAID)
        notices.append(f"There is no device “{said}” here; {default.device} is used instead.")
        device = default.device
    settings = PageSettings(
        model=choices.model,
        device=device,
        text=query.get("text", default.text),
        pair=query.get("pair", default.pair) if choices.pair is not None else "",
        thresholds=_read_thresholds(query, choices, notices.append),
        layer=number("layer", 1, choices.layers, default.layer),
        head=number("head", 0, choices.heads, default.head),
        token=number("token", 0, 9999, default.token),
    )
    return Reading(settings, notices)


def read_choice(name: str, text: str, known: Sequence[T], usual: T) -> tuple[T, str | None]:
    """One of the values that a page's own control offers; else the usual one, and a notice."""
    for value in known:
        if str(value) == text:
            return value, None
    said = shorten(text, SAID)
    return usual, f"There is no {name} “{said}” here; there is: {', '.join(map(str, known))}."


def read_positions(name: str, text: str, shown: range) -> tuple[list[int], str | None]:
    """Positions of tokens, separated by commas; those outside are left out, with a notice."""
    given = [part for part in text.split(",") if part]
    numbers = [int(part[:9]) if part.isascii() and part.isdigit() else -1 for part in given]
    good = sorted({number for number in numbers if number in shown})
    if all(number in shown for number in numbers):
        return good, None
    return good, (
        f"{name}={shorten(text, SAID)}: only positions from {shown[0]} to {shown[-1]} are in this sentence; "
        "the others are left out."
    )


def read_hidden(text: str | None) -> frozenset[str]:
    """What a teacher's link hides; what is not known is left out."""
    return frozenset(part for part in (text or "").split(",") if part in HIDEABLE)


def is_own(name: str) -> bool:
    """Whether a query parameter is one of the shared settings."""
    return name in OWN or THRESHOLD.fullmatch(name) is not None


def _read_thresholds(
    query: Mapping[str, str], choices: Choices, notice: Callable[[str], None]
) -> tuple[float, ...]:
    instead = "the learned threshold" if choices.has_learned else "the one to start with"
    values = []
    for number, usual in enumerate(choices.learned, start=1):
        text = query.get(f"t{number}")
        value = usual if text is None else _share(text)
        if value is None:
            said = shorten(text or "", SAID)
            notice(f"t{number}={said} is not a share of attention from 0 to 1; {instead} is used instead.")
            value = usual
        values.append(value)
    known = {f"t{number}" for number in range(1, choices.layers + 1)}
    surplus = [name for name in query if THRESHOLD.fullmatch(name) and name not in known]
    if surplus:
        said = shorten(", ".join(surplus), SAID)
        notice(f"{said}: this model has {choices.layers} layers; the rest is left out.")
    return tuple(values)


def _share(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= 1 else None
