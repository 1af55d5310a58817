"""Three settings of a model by name, chosen by a rule from rows that `ltp results` has measured.

The rule (docs/method.md has it in words, from before it was applied) reads tuning rows alone:

- *learned*: the thresholds as they ship, factor 1.
- *careful*: the largest reduction, at most that of factor 1, whose loss has an upper 80 % bound below one
  point.
- *fast*: the largest reduction, at least that of factor 1, that loses at most three points.

A setting that no measured factor meets is not there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ltp_core.checkpoints import Settings, read_thresholds
from ltp_core.results import RESULTS, read_rows, write_rows

FILE = "settings.json"
MOST_LOST_CAREFUL = 1.0  # points, of the bound
MOST_LOST_FAST = 3.0  # points, of the loss itself
ROUNDING = 1e-9  # 0.904 - 0.874 is a little more than 3 points
ONE_SIDED_80 = 0.8416  # standard errors: 80 % of a normal distribution lies below


def bound(row: dict[str, Any]) -> float:
    """The upper 80 % bound of the points lost, one-sided; infinite where no error was measured."""
    error = row.get("points_lost_error")
    return float("inf") if error is None else float(row["points_lost"] + ONE_SIDED_80 * error)


def choose(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Apply the rule to one model's tuning rows of one length -> name -> the row of its factor."""
    scored = [row for row in rows if row["points_lost"] is not None]
    found: dict[str, dict[str, Any]] = {}
    if careful := [row for row in scored if row["factor"] <= 1 and bound(row) < MOST_LOST_CAREFUL]:
        found["careful"] = max(careful, key=_reduction)
    if learned := [row for row in scored if row["factor"] == 1]:
        found["learned"] = learned[0]
    if fast := [
        row for row in scored if row["factor"] >= 1 and row["points_lost"] <= MOST_LOST_FAST + ROUNDING
    ]:
        found["fast"] = max(fast, key=_reduction)
    return found


def write_named(model: str, folder: Path, results: Path = RESULTS) -> list[dict[str, Any]]:
    """Apply the rule to a shipped model, and replace its rows in `settings.json`.

    Args:
        model: name of the model; `MODEL.json` holds what was measured.
        folder: the model's. The learned thresholds in it are stored with the rows, so that settings of
            other weights are never taken for this model's.
        results: where results are.

    Returns:
        Its rows.
    """
    settings = Settings.read(folder)
    measured = [row for row in read_rows(results / f"{model}.json") if row["split"] == "tuning"]
    lengths = [row["max_tokens"] for row in measured]
    length = settings.trained_length if settings.trained_length in lengths else min(lengths, default=None)
    thresholds = read_thresholds(folder, settings.reference_length)
    kept = ("task", "factor", "max_tokens", "examples", "metric", "flops_reduction", "points_lost")
    stamps = ("points_lost_error", "commit", "versions", "machine", "measured")
    rows = [
        {
            "model": model,
            "setting": name,
            **{key: row[key] for key in kept},
            "upper_bound": bound(row),
            "thresholds": None if thresholds is None else list(thresholds),
            **{key: row.get(key) for key in stamps},
        }
        for name, row in choose([row for row in measured if row["max_tokens"] == length]).items()
        if bound(row) < float("inf")
    ]
    file = results / FILE
    others = [row for row in read_rows(file) if row["model"] != model]
    if rows or others:
        write_rows(file, sorted([*others, *rows], key=lambda row: (row["model"], row["flops_reduction"])))
    return rows


def named_factors(
    model: str, thresholds: Sequence[float] | None, results: Path = RESULTS
) -> dict[str, dict[str, Any]]:
    """Name -> the row of that setting of these very thresholds, from the one that prunes least."""
    rows = [row for row in read_rows(results / FILE) if row["model"] == model]
    return {row["setting"]: row for row in rows if thresholds and row["thresholds"] == list(thresholds)}


def _reduction(row: dict[str, Any]) -> float:
    return float(row["flops_reduction"])
