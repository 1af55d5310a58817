"""A rule from text, with a factor on its thresholds: what `--rule` and `--thresholds` take."""

import math

from ltp_core.rules.base import Rule
from ltp_core.rules.table import Owner, read_rule
from ltp_core.rules.thresholds import Dense, Thresholds


def rule_of(model: Owner, text: str, factor: float = 1.0) -> Rule:
    """Read a rule from text.

    ``learned``, ``off``, ``t1,t2,…`` and ``manual:θ`` (rising to θ in the last layer) or
    ``manual/flat:θ`` are thresholds, which a factor multiplies. ``topk:r`` and ``lat:r`` keep a share of the
    tokens that falls to r, or has one value a layer, ``topk:r1,r2,…``; ``random:`` before a share, or before
    any other rule, keeps as many at random. `rules.table` has them all.

    Args:
        model: the one that is to run under the rule.
        text: what was typed.
        factor: on the thresholds.

    Raises:
        ValueError: for anything else, the wrong count, or a factor with a rule that has no thresholds.
    """
    if not 0 <= factor < math.inf:
        raise ValueError(f"the factor on the thresholds must be finite and not negative, got {factor}")
    rule = read_rule(text, model)
    if isinstance(rule, Thresholds):
        rule = rule.times(factor)
    elif factor != 1 and not isinstance(rule, Dense):
        raise ValueError(f"a factor multiplies thresholds, and {text!r} has none")
    rule.check(model.layers)
    return rule
