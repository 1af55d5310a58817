"""What people type as a rule."""

import pytest

from ltp_core import Dense, LengthConfig, PrunedModel, RandomKeep, Thresholds, TopK
from ltp_core.checkpoints import Settings
from ltp_core.rules.reading import rule_of

FALLING = [0.125 ** (1 / 3), 0.125 ** (2 / 3), 0.125]  # 0.5, 0.25, 0.125


@pytest.fixture
def trained(tiny_bert):
    return PrunedModel(tiny_bert(), thresholds=[0.1, 0.2, 0.3], settings=Settings(reference_length=9))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("learned", Thresholds([0.1, 0.2, 0.3], 9)),
        ("off", Thresholds([0, 0, 0], 9)),
        ("0.1,0,0.2", Thresholds([0.1, 0, 0.2], 9)),
        ("manual:0.75", Thresholds([0.25, 0.5, 0.75], 9)),
        ("manual/flat:0.02", Thresholds([0.02, 0.02, 0.02], 9)),
        ("topk:0.125", TopK(FALLING)),
        ("topk:1,0.5,0.25", TopK([1, 0.5, 0.25])),
        ("lat:0.125", LengthConfig(FALLING)),
        ("lat:1,0.5,0.25", LengthConfig([1, 0.5, 0.25])),
        ("random:0.125", RandomKeep(LengthConfig(FALLING))),
        ("random:learned", RandomKeep(Thresholds([0.1, 0.2, 0.3], 9))),
        ("random:topk:0.125", RandomKeep(TopK(FALLING))),
    ],
)
def test_forms(trained, text, rule):
    assert rule_of(trained, text) == rule


def test_learned_without_thresholds_is_dense(tiny_bert):
    assert rule_of(PrunedModel(tiny_bert()), "learned", 2.0) == Dense()


def test_a_factor_multiplies_thresholds(trained):
    assert rule_of(trained, "manual:0.75", 2.0) == Thresholds([0.5, 1.0, 1.5], 9)
    with pytest.raises(ValueError, match=r"'topk:0\.5' has none"):
        rule_of(trained, "topk:0.5", 2.0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("magic", r"a rule \(learned, off, .*\): 'magic' is not a list"),
        ("magic:0.5", "'magic:0.5' is not a list"),
        ("manual:", "manual:θ: '' is not a list"),
        ("manual:0.1,0.2", "takes one number"),
        ("manual:-1", "not negative"),
        ("topk:2", "at most 1"),
        ("topk:x", "topk:r: 'x' is not a list"),
        ("lat:0.5,0.4", "needs 3 shares; got 2"),
        ("random:", "is not a list"),
        ("random:0", "above 0"),
        ("random:.5,.6,.5", "must not rise"),
        ("0.1,0.2", "needs 3 thresholds; got 2"),
    ],
)
def test_anything_else_is_one_clear_line(trained, text, line):
    with pytest.raises(ValueError, match=line) as said:
        rule_of(trained, text)
    assert "\n" not in str(said.value)
