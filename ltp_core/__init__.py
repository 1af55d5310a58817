"""Learned Token Pruning (Kim et al., KDD 2022) for Hugging Face encoders, with tokens really removed."""

from ltp_core.checkpoints import CheckpointError
from ltp_core.model import Prediction, PrunedModel, PrunedOutput
from ltp_core.rules import Dense, Rule, Thresholds
from ltp_core.trace import AttentionTrace, LayerTrace, Trace

__all__ = [
    "AttentionTrace",
    "CheckpointError",
    "Dense",
    "LayerTrace",
    "Prediction",
    "PrunedModel",
    "PrunedOutput",
    "Rule",
    "Thresholds",
    "Trace",
]
