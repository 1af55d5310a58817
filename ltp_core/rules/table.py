"""Every rule by name: how it is written, what it is called, and how it meets a FLOPs target.

Commands, `compare`, the pages of results and the lab read this table, so a rule is one entry in `RULES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ltp_core.rules.base import Rule
from ltp_core.rules.counts import LengthConfig, TopK, falling_shares
from ltp_core.rules.numbers import numbers
from ltp_core.rules.thresholds import Dense, Thresholds, flat_thresholds, rising_thresholds
from ltp_core.rules.wrappers import RandomKeep

UNTRAINED = "/untrained"  # in results, after the name of a trained rule that runs on the dense baseline
START = 0.02  # a hand-set threshold that is then scaled to the target


class Owner(Protocol):
    """Whose tokens a rule prunes: what making a rule asks of a model."""

    @property
    def layers(self) -> int:
        """Number of encoder layers."""
        ...

    @property
    def learned_rule(self) -> Rule:
        """Its learned thresholds; `Dense` if it has none."""
        ...

    def hand_set(self, values: Sequence[float]) -> Thresholds:
        """Thresholds, one a layer, read as this model reads its own."""
        ...


class Fitting(Protocol):
    """Who knows the FLOPs to meet: what a rule may ask when it is fitted to them.

    `measuring.equal_flops` meets a target on tuning rows, `why.contest` that of another run on one text.
    """

    owner: Owner
    seed: int

    def learned(self) -> Rule:
        """The rule that others are held against: on rows the learned thresholds times a factor."""
        ...

    def by_running(self, at: Callable[[float], Rule]) -> Rule:
        """A rule with one number, whose FLOPs only a run can tell.

        Args:
            at: the rule at a number from 0, where nothing is dropped, on; it drops more as this rises, and
                much by 1 or so.
        """
        ...

    def shares(self) -> list[float]:
        """For a rule that counts: shares of the tokens, one a layer, that fall evenly; nothing has to run."""
        ...

    def searched(self) -> list[float]:
        """Shares that a search has found for these weights; as `shares` where there was none."""
        ...

    def calibrated(self) -> Rule:
        """Thresholds that `calibration` finds."""
        ...

    def numbers_left(self) -> list[float]:
        """Shares of the tokens, one a layer, that a random choice is to keep."""
        ...


@dataclass(frozen=True)
class RuleKind:
    """One kind of rule.

    Attributes:
        name: in results, colour tables and, before a colon, on the command line: "topk".
        title: on pages: "Top-k".
        short: within a sentence: "top-k".
        brief: what stays, in a few words, for the page of results.
        how: what stays, in a sentence or two, with the source.
        fit: makes the rule that meets a FLOPs target.
        written: an example of how it is written, "topk:0.5", or a word alone; None if it cannot be written.
        read: makes the rule from what is written after the colon.
        trained: what training for it is called; None if no weights are made for it.
        setting: the one number that was fitted; None for a rule without one.
        says: how a page words this number, a format string.
        on_text: whether it can be fitted to one text, as the lab does.
    """

    name: str
    title: str
    short: str
    brief: str
    how: str
    fit: Callable[[Fitting], Rule]
    written: str | None = None
    read: Callable[[str, Owner], Rule] | None = None
    trained: str | None = None
    setting: Callable[[Rule], float | None] = lambda rule: None
    says: str = "{:.3g}"
    on_text: bool = True

    @property
    def word(self) -> str | None:
        """What it is written with, before the colon."""
        return None if self.written is None else self.written.partition(":")[0]


def _number(text: str, kind: str) -> float:
    values = numbers(text, f"{kind}:θ")
    if len(values) != 1:
        raise ValueError(f"{kind}:θ takes one number, got {text!r}")
    return values[0]


def _shares(text: str, kind: str, layers: int) -> list[float]:
    values = numbers(text, f"{kind}:r")
    return values if len(values) > 1 else falling_shares(values[0], layers)


def _random(text: str, owner: Owner) -> Rule:
    counted = text.lstrip(".")[:1].isdigit() and ":" not in text
    if counted:
        return RandomKeep(LengthConfig(_shares(text, "random", owner.layers)))
    return RandomKeep(read_rule(text, owner))


def _last_threshold(rule: Rule) -> float | None:
    return rule.values[-1] if isinstance(rule, Thresholds) else None


def _first_share(rule: Rule) -> float | None:
    return rule.shares[0] if isinstance(rule, TopK | LengthConfig) else None


def _rising(owner: Owner) -> Thresholds:
    return owner.hand_set(rising_thresholds(START, owner.layers).values)


def _flat(owner: Owner) -> Thresholds:
    return owner.hand_set(flat_thresholds(START, owner.layers).values)


LTP = RuleKind(
    name="ltp",
    title="Your thresholds",
    short="Your thresholds",
    brief="learned thresholds times one factor",
    how="A token stays when its share of attention reaches the layer’s threshold: Learned Token Pruning "
    "(Kim et al. 2022) where the thresholds are the learned ones.",
    fit=lambda fitting: fitting.learned(),
    written="learned",
    read=lambda _, owner: owner.learned_rule,
    trained="learned token pruning",
)
DENSE = RuleKind(
    name="dense",
    title="Dense",
    short="dense",
    brief="nothing is pruned",
    how="Nothing is pruned.",
    fit=lambda _: Dense(),
    written="off",
    read=lambda _, owner: owner.hand_set([0.0] * owner.layers),
)
CALIBRATED = RuleKind(
    name="manual/calibrated",
    title="Calibrated thresholds",
    short="calibrated thresholds",
    brief="what `ltp calibrate` finds without labels",
    how="Thresholds that a search finds for a fine-tuned model, without training and without labels.",
    fit=lambda fitting: fitting.calibrated(),
    on_text=False,
)


def _counting(
    name: str, make: Callable[[list[float]], Rule], shares: Callable[[Fitting], list[float]], **said: Any
) -> RuleKind:
    """A rule that keeps shares of the tokens, one a layer, for which weights are trained."""
    return RuleKind(
        name=name,
        fit=lambda fitting: make(shares(fitting)),
        written=f"{name}:0.5",
        read=lambda text, owner: make(_shares(text, name, owner.layers)),
        setting=_first_share,
        says="{:.1%} in each layer",
        **said,
    )


TOPK = _counting(
    "topk",
    TopK,
    lambda fitting: fitting.shares(),
    title="Top-k",
    short="top-k",
    brief="SpAtten's cascaded top-k",
    how="The tokens with most attention so far, over all layers, as in SpAtten (Wang et al. 2021). "
    "Each layer keeps the same share of its tokens.",
    trained="SpAtten's top-k",
)
LAT = _counting(
    "lat",
    LengthConfig,
    lambda fitting: fitting.searched(),
    title="Lengths",
    short="lengths",
    brief="the Length-Adaptive Transformer, its lengths from an evolutionary search",
    how="The tokens with most attention in this layer, as many as a length configuration says, as in the "
    "Length-Adaptive Transformer (Kim & Cho 2021). Here each layer keeps the same share of its tokens.",
    trained="LAT's LengthDrop",
)
RULES: dict[str, RuleKind] = {}


def register(kind: RuleKind) -> RuleKind:
    """Add a kind of rule to the table.

    Raises:
        ValueError: if its name or its word is taken.
    """
    if kind.name in RULES or (kind.word is not None and kind.word in {k.word for k in RULES.values()}):
        raise ValueError(f"there is a rule {kind.name!r} already")
    RULES[kind.name] = kind
    return kind


for _kind in (
    LTP,
    DENSE,
    RuleKind(
        name="manual",
        title="Rising thresholds",
        short="rising thresholds",
        brief="hand-set thresholds that rise with depth",
        how="Thresholds set by hand, which rise evenly from layer to layer; nothing is learned.",
        fit=lambda fitting: fitting.by_running(_rising(fitting.owner).times),
        written="manual:0.02",
        read=lambda text, owner: owner.hand_set(
            rising_thresholds(_number(text, "manual"), owner.layers).values
        ),
        setting=_last_threshold,
        says="up to {:.2%} of all attention in the last layer",
    ),
    RuleKind(
        name="manual/flat",
        title="Equal thresholds",
        short="equal thresholds",
        brief="one hand-set threshold for all layers",
        how="One threshold set by hand for all layers; nothing is learned.",
        fit=lambda fitting: fitting.by_running(_flat(fitting.owner).times),
        written="manual/flat:0.02",
        read=lambda text, owner: owner.hand_set(
            flat_thresholds(_number(text, "manual/flat"), owner.layers).values
        ),
        on_text=False,
    ),
    CALIBRATED,
    TOPK,
    LAT,
    RuleKind(
        name="random",
        title="Random",
        short="random choice",
        brief="as many tokens as `topk/untrained` at random",
        how="As many tokens as your thresholds keep in each layer, but any ones: the control.",
        fit=lambda fitting: RandomKeep(LengthConfig(fitting.numbers_left()), fitting.seed),
        written="random:0.5",
        read=_random,
    ),
):
    register(_kind)


def read_rule(text: str, owner: Owner) -> Rule:
    """Read a rule as the command line takes it; numbers alone are thresholds.

    Raises:
        ValueError: for what is no rule.
    """
    word, colon, rest = text.partition(":")
    for kind in RULES.values():
        if kind.word == word and kind.read is not None and bool(colon) == (":" in (kind.written or "")):
            return kind.read(rest, owner)
    return owner.hand_set(numbers(text, f"a rule ({rule_forms()})"))


def rule_forms() -> str:
    """How every rule is written, for help and messages."""
    forms = [kind.written for kind in RULES.values() if kind.written is not None]
    words = [form for form in forms if ":" not in form]
    return ", ".join([*words, "t1,t2,…", *(form for form in forms if ":" in form)])


def trained_rules() -> list[str]:
    """The names of those for which weights are trained."""
    return [name for name, kind in RULES.items() if kind.trained is not None]


def rivals() -> list[str]:
    """The trained ones but the learned thresholds, which the project is about."""
    return [name for name in trained_rules() if name != LTP.name]
