"""Rules and numbers from text, as the command line takes them."""

import math
from typing import Protocol

from ltp_core.rules.base import Rule
from ltp_core.rules.counts import LengthConfig, TopK, falling_shares
from ltp_core.rules.thresholds import Dense, Thresholds, flat_thresholds, rising_thresholds
from ltp_core.rules.wrappers import RandomKeep


class Owner(Protocol):
    """What a rule is read for: a model."""

    layers: int

    @property
    def reference_length(self) -> float | None:
        """N of its thresholds."""
        ...

    @property
    def learned_rule(self) -> Rule:
        """Its learned thresholds as a rule."""
        ...


RULE_FORMS = "learned, off, t1,t2,…, manual:0.02, manual/flat:0.02, topk:0.5, lat:0.5, random:0.5"


def rule_of(model: Owner, text: str, factor: float = 1.0) -> Rule:
    """Read a rule from text.

    ``learned``, ``off``, ``t1,t2,…`` and ``manual:θ`` (rising to θ in the last layer) or
    ``manual/flat:θ`` are thresholds, which a factor multiplies. ``topk:r`` and ``lat:r`` keep a share of the
    tokens that falls to r, or has one value a layer, ``topk:r1,r2,…``; ``random:`` before a share, or before
    any other rule, keeps as many at random.

    Raises:
        ValueError: for anything else, the wrong count, or a factor with a rule that has no thresholds.
    """
    if not 0 <= factor < math.inf:
        raise ValueError(f"the factor on the thresholds must be finite and not negative, got {factor}")
    rule = _rule(model, text)
    if isinstance(rule, Thresholds):
        rule = rule.times(factor)
    elif factor != 1 and not isinstance(rule, Dense):
        raise ValueError(f"a factor multiplies thresholds, and {text!r} has none")
    rule.check(model.layers)
    return rule


def _rule(model: Owner, text: str) -> Rule:
    kind, _, rest = text.partition(":")
    reference = model.reference_length
    if text == "learned":
        return model.learned_rule
    if text == "off":
        return Thresholds([0.0] * model.layers, reference)
    if kind == "manual":
        return rising_thresholds(_number(rest, kind), model.layers, reference)
    if kind == "manual/flat":
        return flat_thresholds(_number(rest, kind), model.layers, reference)
    if kind == "topk":
        return TopK(_shares(rest, kind, model.layers))
    if kind == "lat":
        return LengthConfig(_shares(rest, kind, model.layers))
    if kind == "random":
        counted = rest.lstrip(".")[:1].isdigit() and ":" not in rest
        return RandomKeep(LengthConfig(_shares(rest, kind, model.layers)) if counted else _rule(model, rest))
    return Thresholds(numbers(text, f"a rule ({RULE_FORMS})"), reference)


def _number(text: str, kind: str) -> float:
    values = numbers(text, f"{kind}:θ")
    if len(values) != 1:
        raise ValueError(f"{kind}:θ takes one number, got {text!r}")
    return values[0]


def _shares(text: str, kind: str, layers: int) -> list[float]:
    values = numbers(text, f"{kind}:r")
    return values if len(values) > 1 else falling_shares(values[0], layers)


def numbers(text: str, what: str, whole: bool = False) -> list[float]:
    """Read numbers separated by commas.

    Raises:
        ValueError: if one is no number; or, where whole ones are wanted, not a whole one above 0.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{what}: {text!r} is not a list of numbers separated by commas") from None
    if whole and not all(value >= 1 and value.is_integer() for value in values):
        raise ValueError(f"{what}: {text!r} must hold whole numbers above 0")
    return values
