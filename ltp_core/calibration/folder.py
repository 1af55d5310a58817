"""A calibrated model as a folder: its untouched weights, the thresholds, and how these were found."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ltp_core.calibration.walk import Calibration
from ltp_core.files.whole import whole_folder, write_whole
from ltp_core.model import PrunedModel, Text

CALIBRATION_FILE = "calibration.json"


def drawn(texts: Sequence[Text], count: int, seed: int) -> list[Text]:
    """So many texts at random, each at most once; all of them where there are fewer."""
    return random.Random(seed).sample(texts, min(count, len(texts)))


def document_of(found: Calibration, texts: int, seed: int) -> dict[str, Any]:
    """What a search found, as the plain values of JSON.

    Args:
        found: by the search.
        texts: how many it looked at.
        seed: of their draw.
    """
    about = {"target": found.target, **asdict(found.found), "texts": texts, "seed": seed}
    return {**about, "curve": [asdict(point) for point in found.curve]}


def save_calibrated(
    model: PrunedModel, found: Calibration, output: Path, document: dict[str, Any], source: str
) -> None:
    """Write a new folder with the model under the thresholds that were found: all of it, or nothing.

    Args:
        model: that was calibrated; it is not changed.
        found: for it.
        output: the folder, which is not there yet.
        document: of `document_of`; lies beside the model as `CALIBRATION_FILE`.
        source: where the model came from; stands in that file.
    """
    pruned = PrunedModel(model.hf_model, model.tokenizer, found.found.thresholds, model.settings, model.name)
    text = json.dumps({**document, "output": None, "model": source}, indent=1)
    with whole_folder(output) as part:
        pruned.save_pretrained(part)
        write_whole(part / CALIBRATION_FILE, text + "\n")
