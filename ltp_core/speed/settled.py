"""Thresholds at a FLOPs reduction on the texts that are timed: what makes lengths comparable."""

from collections.abc import Sequence
from dataclasses import dataclass

from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.model import PrunedModel, Text
from ltp_core.rules import Rule, Thresholds
from ltp_core.training.budget import settle


@dataclass(frozen=True)
class Settled:
    """Multiplied thresholds.

    Attributes:
        rule: the thresholds, all times the factor.
        factor: that was found.
        flops_reduction: dense over pruned paper FLOPs, on the texts that it was found on.
    """

    rule: Thresholds
    factor: float
    flops_reduction: float


def to_multiply(rule: Rule, what: str) -> Thresholds:
    """The rule, if a factor can act on it.

    Args:
        rule: a model's learned one, or one that was asked for.
        what: wants to multiply: a command or an option, to name in the error.

    Raises:
        ValueError: if it has no thresholds.
    """
    if not isinstance(rule, Thresholds):
        raise ValueError(f"{what} needs thresholds to multiply, and this model has none")
    return rule


def settled(
    model: PrunedModel,
    rule: Thresholds,
    texts: Sequence[Text],
    target: float,
    max_tokens: int | None = None,
) -> Settled:
    """Multiply thresholds until texts reach a FLOPs reduction.

    Args:
        model: what runs.
        rule: with factor 1.
        texts: to reach it on.
        target: dense over pruned paper FLOPs.
        max_tokens: longer texts are cut; None for what the model can read.

    Raises:
        ValueError: if no factor comes near the target.
    """
    sample = Rows(list(texts), [])
    reached = {0.0: 1.0}  # nothing leaves

    def at(factor: float) -> float:
        reached[factor] = run_rows(model, sample, rule.times(factor), max_tokens=max_tokens).flops_reduction
        return reached[factor]

    factor = settle(at, target)
    return Settled(rule.times(factor), factor, reached[factor])
