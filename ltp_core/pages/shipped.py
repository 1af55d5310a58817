"""What is written about a shipped model: its rows of results, its settings and its card."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ltp_core.checkpoints import shipped_models
from ltp_core.files.whole import write_whole
from ltp_core.measuring.named_settings import write_named
from ltp_core.model import PrunedModel
from ltp_core.pages.card import card
from ltp_core.results import RESULTS, write_rows


def write_shipped(
    name: str, model: PrunedModel, rows: Sequence[dict[str, Any]], found: dict[str, Any]
) -> dict[str, Any]:
    """Write what `measure_shipped` returned for a model, and give back its results as they are stored."""
    folder = shipped_models()[name]
    settings = replace(model.settings, results=found)
    settings.write(folder)
    write_whole(folder / "README.md", card(name, settings, model.thresholds or ()))
    write_rows(RESULTS / f"{name}.json", list(rows))
    write_named(name, folder, RESULTS)
    return settings.results
