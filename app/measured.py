"""Times in assets/results that were measured on a model, as plain rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.says.dots import Speed
from app.says.words import times, with_minus
from ltp_core.measuring.named_settings import named_factors
from ltp_core.pages.factors import Race, races
from ltp_core.pictures.dots import Dot
from ltp_core.results import ENGINE, RESULTS, lost_text, read_rows
from ltp_core.rules.table import LTP

NEAR = 0.05  # of a dot's FLOPs
TOKENS = 128
ORDER = ("learned", "careful", "fast")  # of the names of one setting


@dataclass(frozen=True)
class Named:
    """A setting of a model that has a name.

    Attributes:
        name: for people.
        factor: on the learned thresholds.
        thresholds: one a layer.
        about: what was measured there, in words.
    """

    name: str
    factor: float
    thresholds: tuple[float, ...]
    about: str


def runs_of(model: str) -> list[Speed]:
    """What `ltp benchmark` measured on this model, without rows that only differ in what else they time."""
    found = []
    for file in sorted(RESULTS.glob("performance-*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        if document.get("model") == model and "processor" in document:
            where = f"{document['processor']}, {document['threads']} threads"
            found += [Speed.of(row, where) for row in document.get("rows", ()) if row["engine"] == ENGINE]
    return list(dict.fromkeys(found))


def settings_of(model: str, learned: Sequence[float] | None) -> list[Named]:
    """The named settings of these learned thresholds, from the one that prunes least.

    Settings with equal thresholds are one, with both names.
    """
    names: dict[float, list[str]] = {}
    rows = named_factors(model, learned, RESULTS)
    for name, row in rows.items():
        names.setdefault(row["factor"], []).append(name)
    found = []
    for factor, several in names.items():
        row = rows[several[0]]
        lost = with_minus(lost_text(row["points_lost"], row["points_lost_error"]))
        about = (
            f"Thresholds × {factor:g}: {times(row['flops_reduction'])} less work, {lost} points lost on "
            f"{row['examples']:,} tuning rows"
        )
        title = " = ".join(sorted(several, key=ORDER.index)).capitalize()
        found.append(Named(title, factor, tuple(min(1.0, factor * theta) for theta in learned or ()), about))
    return found


def clocked(shown: Sequence[Dot], runs: Sequence[Speed]) -> list[tuple[Dot, Speed]]:
    """Dots of the learned thresholds, each with a time that was measured at its FLOPs.

    One text at a time against Hugging Face, within `NEAR` of the dot's FLOPs; of several, texts of nearly
    `TOKENS` tokens, then the nearest FLOPs.
    """
    alone = [run for run in runs if run.batch == 1 and run.against == "sdpa"]
    found = []
    for dot in shown:
        near = [run for run in alone if abs(run.reduction / dot.reduction - 1) <= NEAR]
        if dot.rule == LTP.name and near:
            key = min(near, key=lambda run: (abs(run.length - TOKENS), abs(run.reduction - dot.reduction)))
            found.append((dot, key))
    return found


def races_of(model: str) -> list[Race]:
    """Where `ltp benchmark` timed other runtimes: the fastest dense run, and the fastest pruned one."""
    found = []
    for file in sorted(RESULTS.glob("performance-*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        if document.get("model") == model and document.get("runtimes"):
            found += races(document)
    return found


def growth_of(model: str) -> list[Mapping[str, Any]]:
    """What `ltp growth` measured on this model."""
    return [row for row in read_rows(RESULTS / "performance-growth.json") if row["model"] == model]


@dataclass(frozen=True)
class Precision:
    """What fewer bits give one model, pruned: times of one length, and the share of rows answered right.

    Attributes:
        length: tokens of the timed text.
        float32: milliseconds with weights in 32 bits.
        int8: milliseconds with weights in 8 bits.
        rows: how many were scored.
        right32: the share that was right with weights in 32 bits.
        right8: the share that was right with weights in 8 bits.
    """

    length: int
    float32: float
    int8: float
    rows: int
    right32: float
    right8: float


def precision_of(model: str, length: int = 128) -> Precision | None:
    """What `ltp precision` measured on this model, at the length that comes nearest; None if it has not."""
    file = RESULTS / "performance-precision.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if found.get("model") != model or not {"times", "scores"} <= found.keys():
        return None
    row = min(found["times"], key=lambda row: abs(row["length"] - length))
    taken, scores = row["milliseconds"], found["scores"]
    return Precision(
        row["length"],
        taken["float32"],
        taken["int8"],
        scores["int8"]["examples"],
        scores["float32"]["pruned"],
        scores["int8"]["pruned"],
    )
