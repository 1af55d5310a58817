"""What would change the answer: pinned tokens, the smallest change that flips a label, one token kept.

A *pass* is one run of one text; every search has a budget of them, and runs many at once. A *dropped* token
leaves after the attention of the first layer, as with `Pinned`: other tokens have seen it once. Only
tokens of the text are dropped, never special ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, inf

import torch
from torch import Tensor

from ltp_core.crossing import crossing
from ltp_core.model import PrunedModel
from ltp_core.prediction import Prediction, Text
from ltp_core.rules import Dense, Pinned, PinnedRows, Rule, ScaledRows, Thresholds
from ltp_core.why.attribution import Batch, log_odds

BUDGET = 500  # passes
_ROWS_AT_ONCE = 64
_GRID = 64  # factors that are tried before bisection
_SMALLEST_SHARE = 0.001  # of attention: what the largest threshold asks for at the smallest of these factors


@dataclass(frozen=True)
class SmallestDrop:
    """The smallest set of tokens whose loss flips the label.

    Attributes:
        positions: the tokens, in order; None if no set was found.
        tokens: strings of the tokens that are dropped.
        before: the label with nothing dropped by hand.
        after: the label without these tokens; None if no set was found.
        log_odds: of the label before, first with all tokens, then without these.
        exhausted: all sets of up to so many tokens were tried (larger ones only greedily).
        passes: runs of the text that this took, the one as it is included.
        budget: passes that it could have taken.
    """

    positions: tuple[int, ...] | None
    tokens: tuple[str, ...]
    before: str
    after: str | None
    log_odds: tuple[float, float]
    exhausted: int
    passes: int
    budget: int

    @property
    def proven(self) -> bool:
        """Whether no smaller set flips the label: all of them were tried."""
        return self.positions is not None and self.exhausted >= len(self.positions) - 1


@dataclass(frozen=True)
class SmallestScale:
    """The smallest factor on all thresholds that flips the label.

    Attributes:
        factor: 1 is the thresholds as they are; None if none up to `highest` flips it.
        before: the label with nothing pruned (factor 0).
        after: the label at the factor; None if none was found.
        highest: the largest factor tried, at which a layer with a threshold keeps next to nothing.
        passes: runs of the text that this took, the dense one included.
    """

    factor: float | None
    before: str
    after: str | None
    highest: float
    passes: int


@dataclass(frozen=True)
class KeptToken:
    """What happens if one dropped token stays in all layers.

    Attributes:
        position: in the text.
        token: string of the token.
        leaves: the layer in which the rule drops it.
        label: the answer with it; None for a regression.
        change: of the log-odds of the answer without it (or of the value of a regression).
    """

    position: int
    token: str
    leaves: int
    label: str | None
    change: float


def pinned(
    model: PrunedModel,
    text: Text,
    stay: Iterable[int] = (),
    go: Iterable[int] = (),
    rule: Rule | None = None,
) -> Prediction:
    """Predict with some tokens pinned.

    Args:
        model: what to run.
        text: a text or a pair.
        stay: positions (0 is ``[CLS]``) that stay in every layer.
        go: positions that leave in the first.
        rule: decides about the others; None for the learned thresholds.

    Raises:
        ValueError: for an empty text, a position outside of it, one that is both to stay and to go, or
            ``[CLS]`` to go.
    """
    batch = Batch.of(model.encode([text])[0])
    stay, go, tokens = tuple(stay), tuple(go), batch.ids.shape[1]
    outside = sorted(position for position in {*stay, *go} if not 0 <= position < tokens)
    if outside:
        raise ValueError(f"position {outside[0]} is outside the text: its tokens are 0 to {tokens - 1}")
    said: Prediction = model.predict(text, Pinned(model.learned_rule if rule is None else rule, stay, go))
    return said


def smallest_drop(
    model: PrunedModel, text: Text, rule: Rule | None = None, budget: int = BUDGET
) -> SmallestDrop:
    """Look for the smallest set of tokens that flips the label when it is dropped.

    First greedily: of all tokens, drop the one whose loss flips the label or else hurts it most, until it
    flips; then take back those without which it still flips. Then exactly: all smaller sets, from small to
    large, as long as a whole size fits into the budget.

    Args:
        model: a classifier.
        text: a text or a pair.
        rule: decides about the tokens that are not dropped; None for the learned thresholds.
        budget: passes at most, at least 1.

    Raises:
        ValueError: for an empty text, a regression, or no budget.
    """
    search = _Search(model, text, rule, budget)
    everything = search.words
    whole = search.start
    first = search.run([(position,) for position in everything])
    singles = {drop[0]: odds for drop, odds, _ in first}
    best = _best(first)
    while best is not None and not best[2] and len(best[0]) < len(everything) and search.left:
        rest = sorted((p for p in singles if p not in best[0]), key=lambda p: singles[p])
        best = _best(search.run([(*best[0], position) for position in rest])) or best
    found = best if best is not None and best[2] else None
    if found:
        found = _without_needless(search, found)
    exhausted = 1 if len(first) == len(everything) else 0
    size = 2
    while exhausted == size - 1 and size < (len(found[0]) if found else len(everything) + 1):
        if comb(len(everything), size) > search.left:
            break
        sets = sorted(combinations(everything, size), key=lambda drop: sum(singles[p] for p in drop))
        flipping = [one for one in search.run(sets, stop=True) if one[2]]
        if flipping:
            found = _best(flipping)
            break
        exhausted, size = size, size + 1
    positions = tuple(sorted(found[0])) if found else None
    return SmallestDrop(
        positions=positions,
        tokens=tuple(search.tokens[p] for p in positions or ()),
        before=search.name(search.label),
        after=search.name(search.after[found[0]]) if found else None,
        log_odds=(whole, found[1] if found else whole),
        exhausted=exhausted,
        passes=search.passes,
        budget=budget,
    )


def smallest_scale(model: PrunedModel, text: Text, rule: Thresholds | None = None) -> SmallestScale:
    """Look for the smallest factor on all thresholds that flips the label of the dense run.

    The label need not change only once as thresholds rise. So a grid of 64 factors is run first, from one
    that prunes nearly nothing to one at which nearly nothing is left; then the first step that flips is
    bisected. A flip that lies within one step, and is undone there, is missed.

    Args:
        model: a classifier.
        text: a text or a pair.
        rule: the thresholds at factor 1; None for the learned ones.

    Raises:
        ValueError: for an empty text, a regression, or where no threshold is above 0.
    """
    search = _Search(model, text, Dense(), 1 + 2 * _GRID)
    given = model.learned_rule if rule is None else rule
    positive = [theta for theta in given.values if theta > 0] if isinstance(given, Thresholds) else []
    if not isinstance(given, Thresholds) or not positive:
        raise ValueError("no threshold is above 0, so there is nothing to scale")
    whole = max(1.0, len(search.tokens) / (given.reference_length or inf))  # acts as a share of 1
    lowest, highest = _SMALLEST_SHARE * whole / max(positive), whole / min(positive)
    grid = [lowest * (highest / lowest) ** (step / (_GRID - 1)) for step in range(_GRID)]
    labels = search.run_scaled(given, grid)
    flipped = next((step for step, label in enumerate(labels) if label != search.label), None)
    if flipped is None:
        return SmallestScale(None, search.name(search.label), None, highest, search.passes)
    said = {grid[flipped]: labels[flipped]}  # factor -> label

    def flips(factor: float) -> float:
        said[factor] = search.run_scaled(given, [factor])[0]
        return float(said[factor] != search.label)

    low = grid[flipped - 1] if flipped else 0.0
    step = {grid[flipped]: 1.0}
    found = crossing(flips, 1, tried=step, low=low, tolerance=None, width=1e-4, most=search.left).above
    assert found is not None  # the step of the grid
    return SmallestScale(found, search.name(search.label), search.name(said[found]), highest, search.passes)


def what_keeping_changes(model: PrunedModel, text: Text, rule: Rule | None = None) -> tuple[KeptToken, ...]:
    """For each token that the rule drops: what if it alone had stayed in all layers?

    Args:
        model: what to run.
        text: a text or a pair.
        rule: None for the learned thresholds.

    Returns:
        One entry a dropped token of the text, in order.

    Raises:
        ValueError: for an empty text.
    """
    rule = model.learned_rule if rule is None else rule
    batch = Batch.of(model.encode([text])[0])
    pruned = model.predict(text, rule)
    layers, survived = model.layers, pruned.trace.survived
    dropped = [p for p, word in enumerate(batch.words[0].tolist()) if word and survived[p] < layers]
    if not dropped:
        return ()
    stay = _rows([(), *((p,) for p in dropped)], batch)  # the first row is the run as it is
    logits = _run(model, batch, rule, stay, torch.zeros_like(stay))  # [1 + R, C]
    odds = log_odds(logits, logits[:1].argmax(dim=-1).expand(len(logits)), model.multi_label)  # [1 + R]
    return tuple(
        KeptToken(
            position=position,
            token=pruned.trace.tokens[position],
            leaves=survived[position] + 1,
            label=model.answer(row.tolist()).label,
            change=float(moved),
        )
        for position, row, moved in zip(dropped, logits[1:], odds[1:] - odds[0], strict=True)
    )


Tried = tuple[tuple[int, ...], float, bool]  # dropped positions, log-odds of the label, whether it flips


class _Search:
    """Runs one text under many changes, and counts the passes."""

    def __init__(self, model: PrunedModel, text: Text, rule: Rule | None, budget: int) -> None:
        if budget < 1:
            raise ValueError(f"the budget must be at least 1 forward pass, got {budget}")
        if model.dimensions.classes == 1:
            raise ValueError("this model puts out a number: it has no label that could flip")
        if model.multi_label:
            raise ValueError("this model answers with a set of labels: it has no one label that could flip")
        encoding, _ = model.encode([text])
        self.model, self.budget = model, budget
        self.rule = model.learned_rule if rule is None else rule
        self.batch = Batch.of(encoding)
        self.tokens: list[str] = encoding.tokens(0)
        self.words = [p for p, word in enumerate(self.batch.words[0].tolist()) if word]
        nothing = torch.zeros_like(self.batch.words)
        logits = _run(model, self.batch, self.rule, nothing, nothing)
        self.passes = 1
        self.label = int(logits.argmax())
        self.start = float(log_odds(logits, torch.tensor([self.label], device=logits.device)))
        self.after: dict[tuple[int, ...], int] = {}

    @property
    def left(self) -> int:
        """Passes that are left."""
        return self.budget - self.passes

    def name(self, label: int) -> str:
        """A label's name."""
        return str(self.model.config.id2label[label])

    def run(self, drops: Sequence[tuple[int, ...]], stop: bool = False) -> list[Tried]:
        """Drop each set, as far as the budget goes; with `stop`, no further batch after one that flips."""
        found: list[Tried] = []
        drops = drops[: self.left]
        for start in range(0, len(drops), _ROWS_AT_ONCE):
            part = drops[start : start + _ROWS_AT_ONCE]
            go = _rows(part, self.batch)
            logits = _run(self.model, self.batch, self.rule, torch.zeros_like(go), go)
            labels = logits.argmax(dim=-1).tolist()
            odds = log_odds(logits, torch.full((len(part),), self.label, device=logits.device)).tolist()
            self.passes += len(part)
            self.after |= dict(zip(part, labels, strict=True))
            found += [(d, o, x != self.label) for d, o, x in zip(part, odds, labels, strict=True)]
            if stop and any(flips for _, _, flips in found):
                break
        return found

    def run_scaled(self, rule: Thresholds, factors: Sequence[float]) -> list[int]:
        """The label under each factor on the thresholds."""
        labels: list[int] = []
        for start in range(0, len(factors), _ROWS_AT_ONCE):
            part = torch.tensor(factors[start : start + _ROWS_AT_ONCE], device=self.model.device)
            nothing = torch.zeros(len(part), len(self.tokens), dtype=torch.bool, device=self.model.device)
            scaled = ScaledRows(rule, part[:, None])
            labels += _run(self.model, self.batch, scaled, nothing, nothing).argmax(dim=-1).tolist()
            self.passes += len(part)
        return labels


def _without_needless(search: "_Search", found: Tried) -> Tried:
    """Take tokens back, one by one, as long as the label flips without them."""
    while len(found[0]) > 1:
        fewer = [tuple(p for p in found[0] if p != back) for back in found[0]]
        flipping = [one for one in search.run(fewer) if one[2]]
        if not flipping:
            return found
        found = min(flipping, key=lambda one: one[1])
    return found


def _best(tried: Sequence[Tried]) -> Tried | None:
    """Of those that flip the label, else of all, the one that hurts it most.

    With three classes and more, one may flip and hurt less than another that does not: the label's log-odds
    are against all other classes together, and it flips where a single one is above it.
    """
    return min(tried, key=lambda one: (not one[2], one[1]), default=None)


def _rows(sets: Sequence[tuple[int, ...]], batch: Batch) -> Tensor:
    """Sets of positions -> masks ``[R, n]``."""
    rows = torch.zeros(len(sets), batch.ids.shape[1], dtype=torch.bool)
    for row, positions in enumerate(sets):
        rows[row, list(positions)] = True
    return rows.to(batch.ids.device)


def _run(model: PrunedModel, batch: Batch, rule: Rule, stay: Tensor, go: Tensor) -> Tensor:
    """One text with exceptions in each of R rows, masks ``[R, n]`` -> logits ``[R, C]``."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(stay), _ROWS_AT_ONCE):
            here = slice(start, start + _ROWS_AT_ONCE)
            times = len(stay[here])
            segments = None if batch.segments is None else batch.segments.expand(times, -1)
            exceptions = PinnedRows(rule, stay[here], go[here])
            ids, mask = batch.ids.expand(times, -1), batch.mask.expand(times, -1)
            parts.append(model(ids, mask, segments, rule=exceptions).logits)
    return torch.cat(parts)
