"""Which FLOPs reduction a run ships at: the rule of docs/method.md, section 6, from tuning rows alone."""

from collections.abc import Callable
from functools import cache
from typing import Any

from ltp_core.data.rows import Rows
from ltp_core.measuring.named_settings import MOST_LOST_CAREFUL, bound
from ltp_core.measuring.scoring import length_of, run_unpruned, score_against
from ltp_core.model import PrunedModel
from ltp_core.rules import Thresholds
from ltp_core.training.budget import settle

TARGETS = tuple(tenths / 10 for tenths in range(35, 14, -1))  # 3.5, 3.4, … 1.5


def choose_target(
    model: PrunedModel,
    baseline: PrunedModel,
    tuning: Rows,
    tell: Callable[[dict[str, Any]], None] = lambda found: None,
) -> list[dict[str, Any]]:
    """Measure reductions from the largest down, up to the first that the rule takes.

    Each is settled as `ship` settles it, so what is measured here is what would ship.

    Args:
        model: with learned thresholds.
        baseline: the dense model beside it.
        tuning: the rows that its training held out to choose on.
        tell: told each as it is found.

    Returns:
        One document a reduction that these rows can reach, its `bound` the upper end of a one-sided interval
        of 80 % on the points lost. The last is the one that is taken, if `taken` says so; else none is.
    """
    rule = Thresholds(model.thresholds or (), model.reference_length)
    against = run_unpruned(model, baseline, tuning, max_tokens=length_of(model))
    measured = cache(lambda factor: score_against(model, against, tuning, rule.times(factor)))
    found: list[dict[str, Any]] = []
    for target in TARGETS:
        try:
            factor = settle(lambda x: float(measured(x)["flops_reduction"]), target)
        except ValueError:  # out of reach, or jumped over
            continue
        names = ("flops_reduction", "points_lost", "points_lost_error")
        row = {"target": target, "factor": factor, **{name: measured(factor)[name] for name in names}}
        row["bound"] = bound(row)
        row["taken"] = row["bound"] < MOST_LOST_CAREFUL
        found.append(row)
        tell(row)
        if row["taken"]:
            break
    return found
