"""The factors of one product: from Hugging Face's run to 8 bits with tokens removed, timed in turn."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ltp_core.pages.markdown import line
from ltp_core.results import ENGINE

STEPS = (  # a column each: its name, whose row it is in, and the time there
    ("Hugging Face", ENGINE, "dense_ms"),
    ("our engine", ENGINE, "packed_dense_ms"),
    ("tokens removed", ENGINE, "pruned_ms"),
    ("in OpenVINO", "openvino", "pruned_ms"),
    ("in 8 bits", "openvino-int8", "pruned_ms"),
)
ByEngine = dict[tuple[str, str], dict[str, Any]]  # (engine, against) -> a row of one length and batch size


@dataclass(frozen=True)
class Race:
    """What someone would pick at one length and batch size, without pruning and with it.

    Attributes:
        length: tokens of a text.
        batch_size: texts at once.
        peer: the fastest dense run of all peers.
        dense_ms: the median of that one.
        engine: who runs the pruned model fastest.
        pruned_ms: the median there.
    """

    length: int
    batch_size: int
    peer: str
    dense_ms: float
    engine: str
    pruned_ms: float

    @property
    def speedup(self) -> float:
        """The fastest dense time over the fastest pruned one."""
        return self.dense_ms / self.pruned_ms


def races(found: dict[str, Any]) -> list[Race]:
    """A race for each length and batch size of a benchmark."""
    return [_race(place, rows) for place, rows in _places(found).items()]


def factors(found: dict[str, Any]) -> str:
    """A Markdown table of a benchmark, a row for each length and batch size; nothing if it lacks a step.

    Each step holds its median and how many times as fast it is as the one before. The last columns say which
    dense run of all peers is the fastest, what pruning is held against.
    """
    head = ["tokens", "batch", *(name for name, *_ in STEPS), "fastest dense", "fastest pruned", "ratio"]
    lines = [line(head), line(["---"] * len(head))]
    for place, rows in _places(found).items():
        if any((engine, "sdpa") not in rows for _, engine, _ in STEPS):
            continue
        times = [rows[engine, "sdpa"][column] for _, engine, column in STEPS]
        cells = [f"{times[0]:.2f} ms"]
        cells += [f"{now:.2f} ms ({before / now:.2f}×)" for before, now in pairwise(times)]
        race = _race(place, rows)
        cells += [f"{race.peer} {race.dense_ms:.2f} ms", f"{race.engine} {race.pruned_ms:.2f} ms"]
        lines.append(line([*map(str, place), *cells, f"{race.speedup:.2f}×"]))
    return "\n".join(lines) if len(lines) > 2 else ""


def _places(found: dict[str, Any]) -> dict[tuple[int, int], ByEngine]:
    places: dict[tuple[int, int], ByEngine] = {}
    for row in found["rows"]:
        rows = places.setdefault((row["length"], row["batch_size"]), {})
        rows[row["engine"], row["against"]] = row
    return places


def _race(place: tuple[int, int], rows: ByEngine) -> Race:
    peer, dense = min(((name, row["dense_ms"]) for (_, name), row in rows.items()), key=lambda x: x[1])
    engine, pruned = min(((name, row["pruned_ms"]) for (name, _), row in rows.items()), key=lambda x: x[1])
    return Race(*place, peer, dense, engine, pruned)
