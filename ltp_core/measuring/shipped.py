"""The shipped models on their own rows: the accuracy against FLOPs curve of each."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ltp_core.checkpoints import Described, describe
from ltp_core.data.rows import HELD_OUT, Rows
from ltp_core.measuring.scoring import Bar, length_of, no_bar, row_of, run_unpruned, score_against
from ltp_core.measuring.source import rows_for
from ltp_core.model import PrunedModel
from ltp_core.results import stamp
from ltp_core.rules.reading import rule_of
from ltp_core.rules.table import LTP

SPLITS = {"development": None, "untouched": "untouched", "tuning": "tuning"}
FACTORS = (0.4, 0.6, 0.8, 1.0, 1.15, 1.3, 1.45, 1.6)  # on the thresholds, where nothing else is asked for


def measure_shipped(
    name: str,
    data: str | None,
    factors: Sequence[float],
    device: torch.device,
    lengths: Sequence[int | None] | None = None,
    limit: int | None = None,
    say: Callable[[str], None] = lambda line: None,
    bar: Bar = no_bar,
) -> tuple[PrunedModel, list[dict[str, Any]], dict[str, Any]]:
    """Measure one shipped model on its splits, at several factors on its thresholds.

    At several lengths, the first is the one that the model's headline figures are for.

    Args:
        name: of the model.
        data: a file, a folder or a Hub id; None for the task's own.
        factors: on the thresholds, beside 1.
        device: where to run.
        lengths: inputs are cut at each of these; None for that of the training.
        limit: at most so many rows of a split, of all classes.
        say: told what is measured now, a line at a time.
        bar: shows progress.

    Returns:
        ``(model, rows, found)``: the model; a row of results for each point; and title -> the document of
        `score_against` at factor 1, for the card, with the stamp of the measurement.
    """
    splits = measurable(describe(name), data, limit)  # what is refused is, before weights are loaded
    model = PrunedModel.from_pretrained(name).to(device)
    baseline = PrunedModel.from_pretrained(name, weights="baseline").to(device)
    stamped = stamp(model.device)
    found: dict[str, Any] = {}
    rows = []
    for length in lengths or [length_of(model)]:
        for split, examples in splits.items():
            title = split if split not in found else f"{split} at {length} tokens"
            against = run_unpruned(model, baseline, examples, max_tokens=length, bar=bar)
            for factor in dict.fromkeys([1.0, *factors]):
                say(f"{title} ({len(examples)} rows), thresholds × {factor:g}")
                measured = score_against(model, against, examples, rule_of(model, "learned", factor), bar=bar)
                about = {"model": name, "split": split, "factor": factor, "limit": limit}
                rows.append(row_of(model, LTP.name, measured) | about | stamped)
                if factor == 1.0:
                    found[title] = measured
    rows.sort(key=lambda row: (row["split"], row["max_tokens"], row["factor"]))
    return model, rows, {**found, "stamp": stamped}


def measurable(model: Described, data: str | None, limit: int | None) -> dict[str, Rows]:
    """The splits that a model can be measured on; the untouched one may not have been held out."""
    held = {split: model.settings.training.get(split) for split in HELD_OUT}
    splits = {split: key for split, key in SPLITS.items() if key is None or held[key]}
    loaded = {split: rows_for(model, data, key) for split, key in splits.items()}
    return {split: rows.fair(limit) for split, rows in loaded.items()}
