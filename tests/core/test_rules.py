"""Rules: what they keep, what they may never do, and how they refuse bad numbers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltp_core.rules import Dense, Thresholds, alive_counts, first_tokens, original_positions

SHARES = torch.tensor([[0.4, 0.1, 0.2, 0.05, 0.25]])
ALL = torch.ones(1, 5, dtype=torch.bool)
shares = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=12)
thresholds = st.floats(0, 1, width=32)


def kept(rule, importance=SHARES, alive=ALL, layer=1):
    return rule.keep(importance, alive, layer, None)[0].int().tolist()[0]


def test_dense_keeps_all_that_are_alive():
    alive = torch.tensor([[True, False, True, True, False]])
    assert kept(Dense(), alive=alive) == [1, 0, 1, 1, 0]
    assert Dense().cutoff(1, 5) is None
    assert not Dense().needs_importance(1)
    Dense().check(17)


def test_a_share_equal_to_the_threshold_stays():
    assert kept(Thresholds([0.2])) == [1, 0, 1, 0, 1]
    assert kept(Thresholds([0.25])) == [1, 0, 0, 0, 1]


def test_each_layer_has_its_own_threshold():
    rule = Thresholds([0, 0.1, 0.3])
    assert [kept(rule, layer=layer) for layer in (1, 2, 3)] == [[1] * 5, [1, 1, 1, 0, 1], [1, 0, 0, 0, 0]]
    assert [rule.needs_importance(layer) for layer in (1, 2, 3)] == [False, True, True]


@pytest.mark.parametrize(
    ("reference", "expected", "cutoff"),
    [  # five tokens, theta 0.25, compared with 0.25 min(1, N / 5)
        (None, [1, 0, 0, 0, 1], 0.25),
        (8, [1, 0, 0, 0, 1], 0.25),
        (5, [1, 0, 0, 0, 1], 0.25),
        (4, [1, 0, 1, 0, 1], 0.2),
        (2.5, [1, 0, 1, 0, 1], 0.125),
        (2, [1, 1, 1, 0, 1], 0.1),
        (1, [1, 1, 1, 1, 1], 0.05),
    ],
)
def test_reference_length_on_paper(reference, expected, cutoff):
    rule = Thresholds([0.25], reference)
    assert kept(rule) == expected
    assert rule.cutoff(1, 5) == pytest.approx(cutoff)


def test_the_length_is_that_of_each_row_and_stays_when_tokens_leave():
    # N = 2, theta 0.3. Row 0 has 2 tokens: 0.3. Row 1 has 4: 0.15, in both layers, although one has left.
    rule = Thresholds([0.3, 0.3], 2)
    alive = torch.tensor([[True, True, False, False], [True, True, True, True]])
    importance = torch.tensor([[0.71, 0.29, 0, 0], [0.5, 0.25, 0.14, 0.16]])
    survivors, carry = rule.keep(importance, alive, 1, None)
    assert survivors.int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 1]]
    importance = torch.tensor([[1.0, 0, 0, 0], [0.6, 0.16, 0, 0.14]])  # 3 left: 0.3 * 2 / 3 would be 0.2
    survivors, _ = rule.keep(importance, survivors, 2, carry)
    assert survivors.int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0]]


@given(shares, thresholds, st.integers(1, 20), st.integers(1, 20))
def test_a_longer_reference_never_adds_a_survivor(values, theta, one, other):
    importance, alive = torch.tensor([values]), torch.ones(1, len(values), dtype=torch.bool)
    short, long, share = (
        Thresholds([theta], reference).keep(importance, alive, 1, None)[0]
        for reference in (min(one, other), max(one, other), None)
    )
    assert not (long & ~short).any() and not (share & ~long).any()


@given(shares, thresholds, st.integers(0, 8))
def test_up_to_the_reference_length_there_is_none(values, theta, more):
    importance, alive = torch.tensor([values]), torch.ones(1, len(values), dtype=torch.bool)
    found, expected = (
        Thresholds([theta], reference).keep(importance, alive, 1, None)[0]
        for reference in (len(values) + more, None)
    )
    assert torch.equal(found, expected)


@given(shares, thresholds, thresholds)
def test_raising_a_threshold_never_adds_a_survivor(values, one, other):
    importance, alive = torch.tensor([values]), torch.ones(1, len(values), dtype=torch.bool)
    low, _ = Thresholds([min(one, other)]).keep(importance, alive, 1, None)
    high, _ = Thresholds([max(one, other)]).keep(importance, alive, 1, None)
    assert not (high & ~low).any()


@given(shares, thresholds, st.integers(0, 2**12 - 1), st.sampled_from([None, 1, 5]))
def test_what_has_left_stays_away(values, theta, bits, reference):
    alive = torch.tensor([[bool(bits >> i & 1) for i in range(len(values))]])
    survivors, _ = Thresholds([theta], reference).keep(torch.tensor([values]), alive, 1, None)
    assert not (survivors & ~alive).any()


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "x", None])
def test_bad_thresholds(value):
    with pytest.raises(ValueError, match="thresholds must be"):
        Thresholds([0.1, value])


@pytest.mark.parametrize("values", [None, 0.1])
def test_thresholds_that_are_no_list(values):
    with pytest.raises(ValueError, match="thresholds must be numbers"):
        Thresholds(values)


@pytest.mark.parametrize("length", [0, -1, math.nan, math.inf, "25", True])
def test_bad_reference_lengths(length):
    with pytest.raises(ValueError, match="the reference length must be a number of tokens above 0, got"):
        Thresholds([0.1], length)


def test_a_wrong_count_is_said():
    with pytest.raises(ValueError, match="3 layers, so it needs 3 thresholds; got 2"):
        Thresholds([0.1, 0.2]).check(3)


def test_thresholds_are_frozen():
    values = [0.1, 0.2]
    rule = Thresholds(values)
    values[0] = 0.9
    assert rule.values == (0.1, 0.2)
    assert hash(rule) == hash(Thresholds([0.1, 0.2]))


def test_first_tokens_and_positions_on_either_side_of_the_padding():
    mask = torch.tensor([[1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1]])
    assert first_tokens(mask).int().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    positions = original_positions(mask)
    real = mask.bool()
    assert positions[real].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert (positions >= 0).all()


def test_alive_counts():
    masks = [torch.tensor([[1, 1, 1], [1, 1, 0]]), torch.tensor([[1, 0, 1], [1, 0, 0]])]
    assert alive_counts(masks).tolist() == [[3, 2], [2, 1]]
