"""Scores and FLOPs of texts cut at several lengths: with a reference length, and without one."""

from collections.abc import Callable, Sequence
from typing import Any

from ltp_core.checkpoints import Described
from ltp_core.data.rows import Rows
from ltp_core.measuring.scoring import Bar, no_bar, row_of, run_unpruned, score_against
from ltp_core.model import PrunedModel
from ltp_core.rules import Thresholds

MULTIPLES = (1, 2, 4)  # of the length that a model was trained at


def usual_lengths(model: PrunedModel) -> list[int]:
    """Once, twice and four times the length of its training, as far as the model reads."""
    trained = model.settings.trained_length or model.max_tokens
    return list(dict.fromkeys(min(times * trained, model.max_tokens) for times in MULTIPLES))


def learned_thresholds(model: Described) -> tuple[float, ...]:
    """The thresholds that each reference length is tried with; ValueError if the model has none."""
    if model.thresholds is None:
        raise ValueError("this model has learned no thresholds")
    return model.thresholds


def measure_lengths(
    model: PrunedModel,
    baseline: PrunedModel | None,
    rows: Rows,
    lengths: Sequence[int],
    references: Sequence[float | None],
    keep: Callable[[dict[str, Any]], None],
    bar: Bar = no_bar,
) -> None:
    """Measure the learned thresholds at each length under each reference length.

    Args:
        model: with learned thresholds.
        baseline: the dense model beside it, if there is one.
        rows: texts with labels, cut at each of the lengths.
        lengths: in tokens.
        references: reference lengths; None for none.
        keep: is given each row of results as soon as it is measured.
        bar: shows progress.

    Raises:
        ValueError: for a model without thresholds.
    """
    learned = learned_thresholds(model)
    rules = {reference: Thresholds(learned, reference) for reference in references}
    for length in lengths:
        against = run_unpruned(model, baseline, rows, max_tokens=length, bar=bar)
        for reference, rule in rules.items():
            measured = score_against(model, against, rows, rule, bar=bar)
            about = {"reference_length": reference, "trained_length": model.settings.trained_length}
            own = {"trained_reference_length": model.reference_length, "queries": model.queries()}
            keep(row_of(model, "ltp", measured) | about | own)
