"""What a model says: of a call, of one text with what that cost, of documents in their order."""

from dataclasses import dataclass

from torch import Tensor

from ltp_core.run import Run
from ltp_core.trace import Trace


@dataclass(frozen=True)
class PrunedOutput:
    """What a call returns.

    Attributes:
        loss: scalar, if labels were given: cross-entropy, or squared error for a regression.
        logits: ``[B, C]``.
        alive: long ``[B, L]``, tokens left after each layer.
        run: everything else that happened.
    """

    loss: Tensor | None
    logits: Tensor
    alive: Tensor
    run: Run


@dataclass(frozen=True)
class Said:
    """What the logits of one text say.

    Attributes:
        label: the predicted label's name; of a multi-label model the names of all, or "none"; None for a
            regression.
        probabilities: label name -> probability, of a multi-label model each by itself; empty for a
            regression.
        value: the predicted number of a regression; None for a classification.
        labels: of a multi-label model the labels whose probability is 0.5 or more; None for others.
    """

    label: str | None
    probabilities: dict[str, float]
    value: float | None
    labels: tuple[str, ...] | None = None

    @property
    def confidence(self) -> float | None:
        """The label's probability; of a set of labels, that of the least sure; None for a regression."""
        if self.labels is not None:
            return min(max(share, 1 - share) for share in self.probabilities.values())
        return None if self.label is None else self.probabilities[self.label]


@dataclass(frozen=True, kw_only=True)
class Prediction(Said):
    """What the model says about one text, what that cost, and what happened on the way.

    Attributes:
        flops: paper FLOPs of the encoder.
        dense_flops: paper FLOPs with nothing pruned.
        executed_flops: what the engine runs, classifier included, when no trace is asked for.
        trace: what happened to every token.
    """

    flops: int
    dense_flops: int
    executed_flops: int
    trace: Trace

    @property
    def flops_reduction(self) -> float:
        """Dense over pruned paper FLOPs, at least 1."""
        return self.dense_flops / self.flops


@dataclass(frozen=True)
class Ranked:
    """One document and its place.

    Attributes:
        document: number in the list that was given, from 0.
        score: the model's output for query and document, a logit.
        prediction: of the pair, with its trace.
    """

    document: int
    score: float
    prediction: Prediction
