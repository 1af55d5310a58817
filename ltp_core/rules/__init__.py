"""Rules decide, layer by layer, which tokens go on. Free of hidden state: everything is an argument."""

from ltp_core.rules.base import Rule, alive_counts, first_tokens, observed_layers, original_positions
from ltp_core.rules.counts import LengthConfig, TopK, falling_shares
from ltp_core.rules.thresholds import Dense, Thresholds, flat_thresholds, length_scale, rising_thresholds
from ltp_core.rules.wrappers import Around, Pinned, PinnedRows, RandomKeep, ScaledRows

__all__ = [
    "Around",
    "Dense",
    "LengthConfig",
    "Pinned",
    "PinnedRows",
    "RandomKeep",
    "Rule",
    "ScaledRows",
    "Thresholds",
    "TopK",
    "alive_counts",
    "falling_shares",
    "first_tokens",
    "flat_thresholds",
    "length_scale",
    "observed_layers",
    "original_positions",
    "rising_thresholds",
]
