"""Every rule at the same FLOPs reductions, each on the weights that are its own: accuracy against FLOPs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from ltp_core.bases import CheckpointError
from ltp_core.calibration import Walk
from ltp_core.data.evaluation import run_rows
from ltp_core.data.metrics import constant_score
from ltp_core.data.rows import Rows
from ltp_core.measuring.scoring import Bar, Unpruned, no_bar, row_of, run_unpruned, score_against
from ltp_core.measuring.source import rows_for
from ltp_core.model import PrunedModel
from ltp_core.results import stamp
from ltp_core.rules import (
    Dense,
    LengthConfig,
    RandomKeep,
    Rule,
    Thresholds,
    TopK,
    flat_thresholds,
    rising_thresholds,
)
from ltp_core.training.factor import FactorCurve
from ltp_core.training.job import differences
from ltp_core.training.lengths import falling_at, lengths_at, read_search, token_counts

RULES = ("dense", "ltp", "manual", "manual/flat", "manual/calibrated", "topk", "lat", "random")
START = 0.02  # a hand-set threshold that is then scaled to the target
CALIBRATION_ROWS = 100  # a search runs the model over these a hundred times and more


@dataclass(frozen=True)
class Family:
    """Models that came from one dense baseline, and the rows on which rules are fitted to targets.

    Attributes:
        baseline: the dense model.
        learned: models with learned thresholds.
        topk: the model tuned under top-k, if there is one.
        lat: the LAT supernet, if there is one, and
        search: the folder with its search result.
        tuning: held-out training rows.
        max_tokens: longer inputs are cut.
    """

    baseline: PrunedModel
    learned: tuple[PrunedModel, ...]
    topk: PrunedModel | None
    lat: PrunedModel | None
    search: Path | None
    tuning: Rows
    max_tokens: int | None

    @property
    def rivals(self) -> tuple[PrunedModel, ...]:
        """The rivals that were trained."""
        return tuple(filter(None, (self.topk, self.lat)))


def load_family(
    task: str,
    ltp: Sequence[str],
    dense: str,
    topk: Path | None,
    lat: Path | None,
    device: torch.device,
    data: str | None = None,
    tuning_rows: int = 300,
    max_tokens: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Family:
    """Load a family of models and its tuning rows.

    Args:
        task: that all were trained on.
        ltp: models with learned thresholds; at least one.
        dense: whose baseline all is measured against.
        topk: what `train --method topk` left; None for none.
        lat: what `train --method lat` left; None for none.
        device: where to run.
        data: a file, a folder or a Hub id; None for the task's own.
        tuning_rows: at most so many.
        max_tokens: longer inputs are cut; None for the length of the training.
        say: told in what the rivals were trained otherwise.

    Raises:
        CheckpointError: for a model of another task, or one without thresholds where they are needed.
        ValueError: for a LAT folder without its search.
    """

    def load(source: str | Path) -> PrunedModel:
        return PrunedModel.from_pretrained(source).to(device)

    learned = tuple(load(name) for name in ltp)
    tuned, supernet = (None if folder is None else load(folder) for folder in (topk, lat))
    rivals = tuple(filter(None, (tuned, supernet)))
    for model in (*learned, *rivals):
        if model.settings.task != task:
            raise CheckpointError(f"{model.name} was trained on {model.settings.task!r}, not on {task!r}")
    for model in learned:
        if model.thresholds is None:
            raise CheckpointError(f"{model.name} has no learned thresholds, so it cannot be --ltp")
    for rival in rivals:
        for name, (its, ours) in differences(rival.settings.training, learned[0].settings.training).items():
            say(f"{rival.name} was trained with {name} {its}, {learned[0].name} with {ours}")
    if lat is not None:
        read_search(lat)  # says now what it would say after minutes
    baseline = PrunedModel.from_pretrained(dense, weights="baseline").to(device)
    if baseline.settings.task != task:
        raise CheckpointError(
            f"the baseline of {dense} was trained on {baseline.settings.task!r}, not on {task!r}"
        )
    like = learned[0].settings  # rules that nobody trained are put onto the baseline, and read alike
    baseline.settings = replace(
        baseline.settings,
        reference_length=like.reference_length,
        importance_queries=like.importance_queries,
    )
    tuning = rows_for(learned[0], data, "tuning").fair(tuning_rows)
    length = max_tokens or learned[0].settings.trained_length
    return Family(baseline, learned, tuned, supernet, lat, tuning, length)


def merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """New rows in the place of those of the same rule and seed; others stay."""
    fresh = {(row["rule"], row["seed"]) for row in new}
    return [row for row in old if (row["rule"], row["seed"]) not in fresh] + list(new)


# FLOPs target -> the weights to use and the rule that meets it on the tuning rows.
Fit = Callable[[float], tuple[PrunedModel, Rule]]


def measured_rows(
    family: Family,
    rows: Rows,
    rules: Sequence[str],
    targets: Sequence[float],
    say: Callable[[str], None] = lambda line: None,
    bar: Bar = no_bar,
) -> Iterator[dict[str, Any]]:
    """One row for each rule and target; a target out of a rule's reach is said and left out."""
    stamped = stamp(family.baseline.device)
    base = run_unpruned(family.baseline, None, rows, max_tokens=family.max_tokens, bar=bar)

    @cache
    def against(model: PrunedModel) -> Unpruned:
        if model is family.baseline:
            return replace(base, baseline=base.dense)
        alone = run_unpruned(model, None, rows, max_tokens=family.max_tokens, bar=bar)
        return replace(alone, baseline=base.dense)

    for name, fit in fits(family).items():
        if name.removesuffix("/untrained") not in rules:
            continue
        for target in [1.0] if name == "dense" else targets:
            say(f"{name} at {target:g}×")
            try:
                model, rule = fit(target)
            except ValueError as error:
                say(f"left out: {error}")
                continue
            measured = score_against(model, against(model), rows, rule, bar=bar)
            setting = {"thresholds": getattr(rule, "values", None), "shares": _shares(rule)}
            row = {
                **row_of(model, name, measured),
                "seed": _seed(family, model),
                "target_flops": target,
                **setting,
            }
            row |= {"split": "development", "kept_by_length": measured["kept_by_length"]}
            if model in family.rivals:
                row["other_terms"] = differences(model.settings.training, family.learned[0].settings.training)
            if name == "dense":
                row["constant_score"] = constant_score(base.metric, model.dimensions.classes, rows.labels)
            yield row | stamped


def fits(family: Family) -> dict[str, Fit]:
    """Every rule by its name in the results, and how it is fitted to a target."""
    base, tuning = family.baseline, family.tuning
    size, settings = base.dimensions, family.learned[0].settings
    spared = settings.training["pruning"].get("spared_layers", 0)

    @cache
    def counts() -> list[int]:
        return token_counts(base, tuning, family.max_tokens)

    def curve(model: PrunedModel, rule: Thresholds) -> FactorCurve:
        return FactorCurve(
            lambda x: run_rows(model, tuning, rule.times(x), max_tokens=family.max_tokens).flops_reduction
        )

    learned_curve = cache(lambda model: curve(model, model.learned_rule))

    @cache
    def own_reduction(model: PrunedModel) -> float:
        return run_rows(model, tuning, max_tokens=family.max_tokens).flops_reduction

    def learned(target: float) -> tuple[PrunedModel, Rule]:
        """Of several runs, the one whose own thresholds are nearest to the target."""
        model = min(family.learned, key=lambda model: abs(own_reduction(model) - target))
        rule = model.learned_rule
        assert isinstance(rule, Thresholds)  # the family was loaded so
        return model, rule.times(learned_curve(model).at(target))

    def scaled(rule: Thresholds) -> Fit:
        walk = curve(base, rule)
        return lambda target: (base, rule.times(walk.at(target)))

    @cache
    def walk() -> Walk:
        return Walk(base, tuning.texts[:CALIBRATION_ROWS], max_tokens=family.max_tokens)

    def calibrated(target: float) -> tuple[PrunedModel, Rule]:
        return base, Thresholds(walk().to(target).found.thresholds, base.reference_length)

    def lengths(target: float) -> tuple[PrunedModel, Rule]:
        if family.lat is None or family.search is None:
            return base, LengthConfig(falling_at(size, counts(), target, spared))
        return family.lat, LengthConfig(lengths_at(read_search(family.search), size, counts(), target))

    return {
        "dense": lambda _: (base, Dense()),
        "ltp": learned,
        "manual": scaled(rising_thresholds(START, base.layers, base.reference_length)),
        "manual/flat": scaled(flat_thresholds(START, base.layers, base.reference_length)),
        "manual/calibrated": calibrated,
        _named("topk", family.topk): lambda target: (
            family.topk or base,
            TopK(falling_at(size, counts(), target, spared)),
        ),
        _named("lat", family.lat): lengths,
        "random": lambda target: (
            base,
            RandomKeep(LengthConfig(falling_at(size, counts(), target, spared)), _seed(family, base)),
        ),
    }


def _named(name: str, trained: PrunedModel | None) -> str:
    return name if trained is not None else f"{name}/untrained"


def _seed(family: Family, model: PrunedModel) -> int:
    """The seed that a model was trained with; of the baseline, its dense stage's."""
    stage = "dense" if model is family.baseline else "pruned"
    return int(model.settings.training.get(stage, {}).get("seed", 0))


def _shares(rule: Rule) -> list[float] | None:
    counted = rule.reference if isinstance(rule, RandomKeep) else rule
    return list(counted.shares) if isinstance(counted, TopK | LengthConfig) else None
