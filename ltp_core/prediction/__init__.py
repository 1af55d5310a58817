"""From text to a batch, from a run to a prediction with its trace: what all backends share."""

from ltp_core.prediction.answers import Prediction, PrunedOutput, Ranked, Said
from ltp_core.prediction.classifier import TextClassifier, TorchClassifier
from ltp_core.prediction.reader import INPUTS, Text, Tokenized, columns

__all__ = [
    "INPUTS",
    "Prediction",
    "PrunedOutput",
    "Ranked",
    "Said",
    "Text",
    "TextClassifier",
    "Tokenized",
    "TorchClassifier",
    "columns",
]
