"""Times in assets/results that were measured on a model, as plain rows."""

import json
from collections.abc import Mapping
from typing import Any

from app.says.dots import Speed
from ltp_core.results import ENGINE, RESULTS, read_rows


def runs_of(model: str) -> list[Speed]:
    """What `ltp benchmark` measured on this model, without rows that only differ in what else they time."""
    found = []
    for file in sorted(RESULTS.glob("performance-*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        if document.get("model") == model and "processor" in document:
            where = f"{document['processor']}, {document['threads']} threads"
            found += [Speed.of(row, where) for row in document.get("rows", ()) if row["engine"] == ENGINE]
    return list(dict.fromkeys(found))


def growth_of(model: str) -> list[Mapping[str, Any]]:
    """What `ltp growth` measured on this model."""
    return [row for row in read_rows(RESULTS / "performance-growth.json") if row["model"] == model]
