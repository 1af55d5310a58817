"""Every rule at the same FLOPs reductions, each on the weights that are its own: accuracy against FLOPs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from ltp_core.bases import CheckpointError
from ltp_core.calibration import Walk
from ltp_core.checkpoints import describe, has_baseline
from ltp_core.data.evaluation import run_rows
from ltp_core.data.metrics import constant_score
from ltp_core.data.rows import Rows
from ltp_core.measuring.scoring import Bar, Unpruned, length_of, no_bar, row_of, run_unpruned, score_against
from ltp_core.measuring.source import rows_for
from ltp_core.model import PrunedModel
from ltp_core.results import stamp
from ltp_core.rules import LengthConfig, RandomKeep, Rule, Thresholds, TopK
from ltp_core.rules.table import DENSE, LTP, RULES, UNTRAINED, Fitting, RuleKind
from ltp_core.training.factor import FactorCurve
from ltp_core.training.job import differences
from ltp_core.training.lengths import falling_at, lengths_at, read_search, token_counts
from ltp_core.training.rivals import RIVALS

CALIBRATION_ROWS = 100  # a search runs the model over these a hundred times and more


@dataclass(frozen=True)
class Family:
    """Models that came from one dense baseline, and the rows on which rules are fitted to targets.

    Attributes:
        baseline: the dense model.
        learned: models with learned thresholds.
        rivals: the models that were tuned under another rule, by its name.
        searches: the folder with its search, for each of them whose shares come from one.
        tuning: held-out training rows.
        max_tokens: longer inputs are cut.
    """

    baseline: PrunedModel
    learned: tuple[PrunedModel, ...]
    rivals: Mapping[str, PrunedModel]
    searches: Mapping[str, Path]
    tuning: Rows
    max_tokens: int | None


def load_family(
    task: str,
    ltp: Sequence[str],
    dense: str,
    rivals: Mapping[str, Path],
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
        dense: the model against whose baseline all is measured.
        rivals: rule -> what `train --method RULE` left.
        device: where to run.
        data: a file, a folder or a Hub id; None for the task's own.
        tuning_rows: at most so many.
        max_tokens: longer inputs are cut; None for the length of the training.
        say: told in what the rivals were trained otherwise.

    Raises:
        CheckpointError: for a model of another task, or one without thresholds where they are needed.
        ValueError: for a folder without its search, where the rule needs one.
    """
    # All that can be refused is, before weights are loaded.
    sources: tuple[str | Path, ...] = (*ltp, *rivals.values(), dense)
    about = {source: describe(source) for source in sources}
    for source, model in about.items():
        if model.settings.task != task:
            raise CheckpointError(f"{source} was trained on {model.settings.task!r}, not on {task!r}")
    for source in ltp:
        if about[source].thresholds is None:
            raise CheckpointError(f"{source} has no learned thresholds, so it cannot be --ltp")
    if not has_baseline(dense):
        raise CheckpointError(f"{dense} has no baseline weights beside it: name a --baseline")
    searches = {name: folder for name, folder in rivals.items() if RIVALS[name].searches}
    for folder in searches.values():
        read_search(folder)
    tuning = rows_for(about[ltp[0]], data, "tuning").fair(tuning_rows)

    def load(source: str | Path) -> PrunedModel:
        return PrunedModel.from_pretrained(source).to(device)

    learned = tuple(load(name) for name in ltp)
    tuned = {name: load(folder) for name, folder in rivals.items()}
    for rival in tuned.values():
        for name, (its, ours) in differences(rival.settings.training, learned[0].settings.training).items():
            say(f"{rival.name} was trained with {name} {its}, {learned[0].name} with {ours}")
    baseline = PrunedModel.from_pretrained(dense, weights="baseline").to(device)
    like = learned[0].settings  # rules that nobody trained are put onto the baseline, and read alike
    baseline.settings = replace(
        baseline.settings,
        reference_length=like.reference_length,
        importance_queries=like.importance_queries,
    )
    length = length_of(learned[0], max_tokens)
    return Family(baseline, learned, tuned, searches, tuning, length)


def merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """New rows in the place of those of the same rule and seed; others stay."""
    fresh = {(row["rule"], row["seed"]) for row in new}
    return [row for row in old if (row["rule"], row["seed"]) not in fresh] + list(new)


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

    tuning = Tuning(family)
    for kind in (DENSE, *(kind for kind in RULES.values() if kind is not DENSE)):
        if kind.name not in rules:
            continue
        name = tuning.name(kind)
        for target in [1.0] if kind is DENSE else targets:
            say(f"{name} at {target:g}×")
            try:
                model, rule = tuning.fit(kind, target)
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
            if model in family.rivals.values():
                row["other_terms"] = differences(model.settings.training, family.learned[0].settings.training)
            if kind is DENSE:
                row["constant_score"] = constant_score(base.metric, model.dimensions.classes, rows.labels)
            yield row | stamped


class Tuning:
    """Fits rules to FLOPs targets on a family's tuning rows; what one target measured serves the next."""

    def __init__(self, family: Family) -> None:
        base, rows, longest = family.baseline, family.tuning, family.max_tokens
        self.family = family
        self.curves: dict[tuple[str, PrunedModel], FactorCurve] = {}  # of a rule on some weights
        self.counts = cache(lambda: token_counts(base, rows, longest))
        self.walk = cache(lambda: Walk(base, rows.texts[:CALIBRATION_ROWS], max_tokens=longest))
        self.own_reduction = cache(lambda model: run_rows(model, rows, max_tokens=longest).flops_reduction)

    def name(self, kind: RuleKind) -> str:
        """What a rule is called in the results: of a trained one it is said where no weights are its own."""
        alone = kind.trained is not None and kind is not LTP and kind.name not in self.family.rivals
        return kind.name + UNTRAINED if alone else kind.name

    def weights(self, kind: RuleKind, target: float) -> PrunedModel:
        """A rule's own weights; of several runs of learned thresholds, those nearest to the target."""
        if kind is LTP:
            return min(self.family.learned, key=lambda model: abs(self.own_reduction(model) - target))
        return self.family.rivals.get(kind.name, self.family.baseline)

    def fit(self, kind: RuleKind, target: float) -> tuple[PrunedModel, Rule]:
        """The weights to use, and the rule that meets a target on the tuning rows.

        Raises:
            ValueError: where the target is out of reach.
        """
        model = self.weights(kind, target)
        return model, kind.fit(_OnRows(self, kind, model, target))


class _OnRows(Fitting):
    """What a rule may ask when it is fitted to a target on tuning rows."""

    def __init__(self, tuning: Tuning, kind: RuleKind, model: PrunedModel, target: float) -> None:
        self.tuning, self.kind, self.target = tuning, kind, target
        self.owner = self._model = model
        self.family = tuning.family
        self.seed = _seed(self.family, model)

    def learned(self) -> Rule:
        rule = self.owner.learned_rule
        assert isinstance(rule, Thresholds)  # the family was loaded so
        return self.by_running(rule.times)

    def by_running(self, at: Callable[[float], Rule]) -> Rule:
        model, family = self._model, self.family

        def reduction(x: float) -> float:
            return run_rows(model, family.tuning, at(x), max_tokens=family.max_tokens).flops_reduction

        curve = self.tuning.curves.setdefault((self.kind.name, model), FactorCurve(reduction))
        return at(curve.at(self.target))

    def shares(self) -> list[float]:
        spared = self.family.learned[0].settings.training["pruning"].get("spared_layers", 0)
        return falling_at(self.family.baseline.dimensions, self.tuning.counts(), self.target, spared)

    def searched(self) -> list[float]:
        folder = self.family.searches.get(self.kind.name)
        if folder is None:
            return self.shares()
        size = self.family.baseline.dimensions
        return lengths_at(read_search(folder), size, self.tuning.counts(), self.target)

    def calibrated(self) -> Rule:
        return self.owner.hand_set(self.tuning.walk().to(self.target).found.thresholds)

    def numbers_left(self) -> list[float]:
        return self.shares()


def _seed(family: Family, model: PrunedModel) -> int:
    """The seed that a model was trained with; of the baseline, its dense stage's."""
    stage = "dense" if model is family.baseline else "pruned"
    return int(model.settings.training.get(stage, {}).get("seed", 0))


def _shares(rule: Rule) -> list[float] | None:
    counted = rule.rule if isinstance(rule, RandomKeep) else rule
    return list(counted.shares) if isinstance(counted, TopK | LengthConfig) else None
