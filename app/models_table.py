"""The models that ship, with what was measured on them: read from their folders and assets/results."""

from collections.abc import Mapping
from typing import Any

from app import words
from app.findings import score
from ltp_core.checkpoints import Settings, shipped_models
from ltp_core.results import RESULTS, read_rows
from ltp_core.training.metrics import metric_of

HEADERS = ("Model", "Rows", "Baseline", "Pruned", "Points lost", "Paper FLOPs", "Executed FLOPs")
