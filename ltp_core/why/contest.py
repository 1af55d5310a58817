"""Rules against each other on one text, each at the setting that comes nearest to the same FLOPs.

All run on the same weights. Rules that were not trained with them are at a disadvantage, which is what
happens when they are put onto a model as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ltp_core.crossing import crossing
from ltp_core.flops import paper_flops
from ltp_core.model import PrunedModel
from ltp_core.prediction import Prediction, Text
from ltp_core.rules import LengthConfig, RandomKeep, Rule
from ltp_core.rules.counts import share_of
from ltp_core.rules.table import DENSE, RULES, Fitting, RuleKind

STEPS = 14  # of a search: the last one moves a threshold by less than 0.01 % of all attention


@dataclass(frozen=True)
class Contender:
    """A rule and what it did.

    Attributes:
        kind: what the table of rules says about it.
        rule: as it was fitted.
        prediction: the rule's run on the text.
        flops_target: what it was to come near.
    """

    kind: RuleKind
    rule: Rule
    prediction: Prediction
    flops_target: int

    @property
    def name(self) -> str:
        """Its name in the table of rules."""
        return self.kind.name

    @property
    def setting(self) -> float | None:
        """Its one number, on which FLOPs depend; None if it has none."""
        return self.kind.setting(self.rule)

    @property
    def gap(self) -> float:
        """Its FLOPs over the target, minus 1: 0.02 is two percent too many."""
        return self.prediction.flops / self.flops_target - 1

    @property
    def kept(self) -> frozenset[int]:
        """Positions of the tokens that reach the last layer, the last that `[CLS]` can read from."""
        layers = self.prediction.trace.layers
        return frozenset(i for i, kept in enumerate(layers[max(len(layers) - 2, 0)].kept) if kept)


def contest(model: PrunedModel, text: Text, rule: Rule, seed: int = 0) -> list[Contender]:
    """Run a rule and its rivals at nearly the same paper FLOPs.

    Args:
        model: what to run.
        text: a text or a pair.
        rule: the one called "ltp"; its FLOPs on this text are the target.
        seed: of the random choice.

    Returns:
        All rules of the table that can be fitted to one text, in its order; `Dense`, the control, at the end.
    """
    ours = model.predict(text, rule=rule)
    place = _OnText(model, text, rule, ours, seed)
    kinds = [kind for kind in RULES.values() if kind.on_text and kind is not DENSE]
    found = []
    for kind in (*kinds, DENSE):
        fitted = kind.fit(place)
        said = ours if fitted is rule else model.predict(text, rule=fitted)
        found.append(Contender(kind, fitted, said, ours.flops))
    return found


class _OnText(Fitting):
    """What a rule may ask when it is to come near the FLOPs of another run on one text."""

    def __init__(self, model: PrunedModel, text: Text, rule: Rule, ours: Prediction, seed: int) -> None:
        self.owner = self.model = model
        self.text, self.rule, self.ours, self.seed = text, rule, ours, seed

    def learned(self) -> Rule:
        return self.rule

    def by_running(self, at: Callable[[float], Rule]) -> Rule:
        return at(nearest(lambda x: self.model.predict(self.text, rule=at(x)).flops, self.ours.flops, None))

    def shares(self) -> list[float]:
        tokens = len(self.ours.trace.tokens)
        dropped = nearest(lambda x: _flops_of_share(self.model, tokens, 1 - x), self.ours.flops)
        return even_shares(1 - dropped, self.model.layers)

    def searched(self) -> list[float]:
        return self.shares()

    def calibrated(self) -> Rule:
        raise ValueError("calibration needs many texts")

    def numbers_left(self) -> list[float]:
        return shares_left(self.ours)


def random_draws(model: PrunedModel, text: Text, like: Prediction, draws: int) -> list[Prediction]:
    """Keep the numbers of a run, the tokens at random, with seeds 0, 1, 2 and so on."""
    return [model.predict(text, rule=as_many_at_random(like, seed)) for seed in range(draws)]


def as_many_at_random(like: Prediction, seed: int) -> RandomKeep:
    """A rule that keeps, of this text, as many tokens in each layer as a run did."""
    return RandomKeep(LengthConfig(shares_left(like)), seed)


def shares_left(like: Prediction) -> list[float]:
    """The tokens that a run left after each layer, over those of its text."""
    return [alive / len(like.trace.tokens) for alive in like.trace.alive]


def even_shares(share: float, layers: int) -> list[float]:
    """Shares of the input left after each layer where each layer keeps the same share of what enters it."""
    return [share**layer for layer in range(1, layers + 1)]


def nearest(flops_of: Callable[[float], int], target: int, high: float | None = 1.0) -> float:
    """Search a setting from 0 on that lowers FLOPs as it rises -> the one tried that comes nearest.

    Args:
        flops_of: setting -> FLOPs.
        target: the FLOPs to come near.
        high: the setting where nothing is left, which is not tried; None if there is no such.
    """
    found = crossing(
        lambda x: 1 / flops_of(x), 1 / target, tried={0.0: 1 / flops_of(0.0)}, high=high, most=STEPS
    )
    return min(found.tried, key=lambda setting: abs(1 / found.tried[setting] - target))


def _flops_of_share(model: PrunedModel, tokens: int, share: float) -> int:
    """What keeping this share in each layer costs; nothing has to run."""
    length = torch.tensor(tokens)
    alive = [int(share_of(length, kept)) for kept in even_shares(share, model.layers)]
    return paper_flops(model.dimensions, tokens, alive)
