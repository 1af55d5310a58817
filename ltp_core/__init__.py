"""Learned Token Pruning (Kim et al., KDD 2022) for Hugging Face encoders, with tokens really removed."""

from ltp_core.bases import CheckpointError
from ltp_core.model import Prediction, PrunedModel, PrunedOutput
from ltp_core.rules import (
    Dense,
    LengthConfig,
    Pinned,
    RandomKeep,
    Rule,
    Thresholds,
    TopK,
    falling_shares,
    flat_thresholds,
    rising_thresholds,
)
from ltp_core.trace import AttentionTrace, LayerTrace, Trace

__all__ = [
    "AttentionTrace",
    "CheckpointError",
    "Dense",
    "LayerTrace",
    "LengthConfig",
    "Pinned",
    "Prediction",
    "PrunedModel",
    "PrunedOutput",
    "RandomKeep",
    "Rule",
    "Thresholds",
    "TopK",
    "Trace",
    "falling_shares",
    "flat_thresholds",
    "rising_thresholds",
]
