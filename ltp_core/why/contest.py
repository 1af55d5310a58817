"""Rules against each other on one text, each at the setting that comes nearest to the same FLOPs.

All run on the same weights. Rules that were not trained with them are at a disadvantage, which is what
happens when they are put onto a model as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ltp_core.flops import paper_flops
from ltp_core.model import Prediction, PrunedModel, Text
from ltp_core.rules import Dense, LengthConfig, RandomKeep, Rule, TopK, rising_thresholds
from ltp_core.rules.counts import share_of

STEPS = 14  # of a bisection: the last one moves a threshold by less than 0.01 % of all attention


@dataclass(frozen=True)
class Contender:
    """A rule and what it did.

    Attributes:
        name: "ltp", "manual", "topk", "lat", "random" or "dense".
        setting: its one number, on which FLOPs depend: the last threshold ("manual"), the share of
            tokens that each layer keeps ("topk", "lat"); None if it has none.
        prediction: its run on the text.
        flops_target: what it was to come near.
    """

    name: str
    setting: float | None
    prediction: Prediction
    flops_target: int

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
        rule: whose FLOPs on this text are the target; called "ltp".
        seed: of the random choice.

    Returns:
        "ltp", "manual" (thresholds that rise evenly), "topk" (accumulated attention), "lat" (attention
        of the layer), "random" (exactly the numbers of "ltp") and "dense", in this order.
    """
    ours = model.predict(text, rule=rule)
    target, tokens, layers = ours.flops, len(ours.trace.tokens), model.layers

    manual: dict[float, Prediction] = {}

    def manual_flops(last: float) -> int:
        rule = rising_thresholds(last, layers, model.reference_length)
        manual[last] = model.predict(text, rule=rule)
        return manual[last].flops

    last = nearest(manual_flops, target)
    share = 1 - nearest(lambda dropped: _flops_of_share(model, tokens, 1 - dropped), target)
    shares = even_shares(share, layers)
    return [
        Contender("ltp", None, ours, target),
        Contender("manual", last, manual[last], target),
        Contender("topk", share, model.predict(text, rule=TopK(shares)), target),
        Contender("lat", share, model.predict(text, rule=LengthConfig(shares)), target),
        Contender("random", None, model.predict(text, rule=as_many_at_random(ours, seed)), target),
        Contender("dense", None, model.predict(text, rule=Dense()), target),
    ]


def random_draws(model: PrunedModel, text: Text, like: Prediction, draws: int) -> list[Prediction]:
    """Keep the numbers of a run, the tokens at random, with seeds 0, 1, 2 and so on."""
    return [model.predict(text, rule=as_many_at_random(like, seed)) for seed in range(draws)]


def as_many_at_random(like: Prediction, seed: int) -> RandomKeep:
    """A rule that keeps, of this text, as many tokens in each layer as a run did."""
    tokens = len(like.trace.tokens)
    return RandomKeep(LengthConfig([alive / tokens for alive in like.trace.alive]), seed)


def even_shares(share: float, layers: int) -> list[float]:
    """Shares of the input left after each layer where each layer keeps the same share of what enters it."""
    return [share**layer for layer in range(1, layers + 1)]


def nearest(flops_of: Callable[[float], int], target: int) -> float:
    """Bisect a setting in [0, 1) that lowers FLOPs as it rises -> the one tried that comes nearest."""
    low, high = 0.0, 1.0
    tried = {low: flops_of(low)}
    for _ in range(STEPS):
        middle = (low + high) / 2
        tried[middle] = flops_of(middle)
        low, high = (middle, high) if tried[middle] > target else (low, middle)
    return min(tried, key=lambda setting: abs(tried[setting] - target))


def _flops_of_share(model: PrunedModel, tokens: int, share: float) -> int:
    """What keeping this share in each layer costs; nothing has to run."""
    length = torch.tensor(tokens)
    alive = [int(share_of(length, kept)) for kept in even_shares(share, model.layers)]
    return paper_flops(model.dimensions, tokens, alive)
