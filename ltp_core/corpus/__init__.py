"""Many texts: answers without traces, in batches of like length, to a file or inside another engine."""

from ltp_core.corpus.predictor import Predictor

__all__ = ["Predictor"]
