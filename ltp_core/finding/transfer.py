"""Do thresholds carry over? Several shapes of thresholds on one model, each at the same FLOPs reduction."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.finding import bootstrap
from ltp_core.finding.summary import plain
from ltp_core.model import PrunedModel
from ltp_core.rules import Dense, Thresholds, flat_thresholds, rising_thresholds
from ltp_core.training.budget import settle

SETTLING = 100  # texts that the factor is found on; their labels are not looked at


def transfer(model: PrunedModel, rows: Rows, others: Mapping[str, PrunedModel]) -> dict[str, Any] | None:
    """Run the model's own thresholds, those of other models, and hand-made ones, at equal FLOPs.

    Each shape is multiplied by one factor, so that it gives the FLOPs reduction of the model's own.

    Args:
        model: the one that is run.
        rows: what it is measured on.
        others: models of as many layers, whose thresholds are borrowed.

    Returns:
        One row a shape; None for a model without thresholds, or a regression.
    """
    own = model.learned_rule
    if not isinstance(own, Thresholds) or model.dimensions.classes == 1:
        return None
    shapes = {"own": own}
    for name, other in others.items():
        if other.thresholds is not None and other.layers == model.layers:
            shapes[name] = Thresholds(other.thresholds, own.reference_length)
    shapes["rising"] = rising_thresholds(0.03, model.layers, own.reference_length)
    shapes["flat"] = flat_thresholds(0.01, model.layers, own.reference_length)
    labels = np.asarray(rows.labels)
    dense = run_rows(model, rows, Dense()).logits.argmax(axis=-1)
    some = rows.take(range(0, len(rows), max(1, len(rows) // SETTLING)))
    target = run_rows(model, some, own).flops_reduction
    found = []
    for name, shape in shapes.items():
        factor = 1.0 if name == "own" else settle(_reduction(model, some, shape), target)
        ran = run_rows(model, rows, shape.times(factor))
        said = ran.logits.argmax(axis=-1)
        found.append(
            {
                "thresholds": name,
                "factor": factor,
                "values": list(shape.times(factor).values),
                "flops_reduction": ran.flops_reduction,
                "score": plain(bootstrap.mean((said == labels).astype(float))),
                "same_answer_as_dense": plain(bootstrap.mean((said == dense).astype(float))),
                "kept_per_layer": ran.kept_per_layer,
            }
        )
    right = (dense == labels).astype(float)
    return {"dense_score": plain(bootstrap.mean(right)), "settled_on": len(some), "rows": found}


def _reduction(model: PrunedModel, rows: Rows, shape: Thresholds) -> Any:
    def of(factor: float) -> float:
        return run_rows(model, rows, shape.times(factor)).flops_reduction

    return of
