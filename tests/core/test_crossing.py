"""The search for the place where a rising function reaches a target, on functions known by heart."""

import math

import pytest

from ltp_core.crossing import Bracket, crossing


def asked(function):
    """The function, and a list of what it was asked."""
    calls = []

    def value_of(x):
        calls.append(x)
        return function(x)

    return value_of, calls


def test_it_doubles_and_then_halves():
    value_of, calls = asked(lambda x: x)
    found = crossing(value_of, 5.0, tolerance=0.0)
    assert calls == [1, 2, 4, 8, 6, 5]
    assert (found.nearest, found.below, found.above) == (5, 4, 5)


def test_no_root_is_told_from_one_far_away():
    found = crossing(lambda x: 1 - math.exp(-x), 2.0, limit=1e3)
    assert found.above is None and max(found.tried) == 512
    assert found.tried[found.nearest] == pytest.approx(1.0)
    assert crossing(lambda x: x / 1e6, 1.0, tolerance=0.01).nearest == pytest.approx(1e6, rel=0.01)


def test_a_flat_stretch_below_the_target_is_crossed():
    """1 up to 3, then it rises: what is equal to the left does not end the search."""
    found = crossing(lambda x: max(1.0, x - 2), 2.0, tolerance=0.001)
    assert found.nearest == pytest.approx(4, rel=0.001)


def test_a_flat_stretch_at_the_target_ends_it_at_once():
    value_of, calls = asked(lambda x: min(x, 2.0))
    assert crossing(value_of, 2.0).nearest == 2 and calls == [1, 2]


def test_a_jump_over_the_target_is_narrowed_to_both_sides_of_it():
    found = crossing(lambda x: 1.0 if x < 0.3 else 2.0, 1.4, high=1.0, tolerance=None, width=1e-6)
    assert found.below < 0.3 <= found.above
    assert found.above - found.below <= 1e-6 * found.above
    assert len(found.tried) == 22  # 0.5^22 is the first below 1e-6 times 0.3: as narrow as asked, no narrower
    assert found.tried[found.nearest] == 1.0  # 1 is nearer to 1.4 than 2 is


def test_what_is_known_is_not_asked_again():
    value_of, calls = asked(lambda x: 1 + x)
    found = crossing(value_of, 3.0, tried={0.0: 1.0, 4.0: 5.0})
    assert calls == [2] and found.nearest == 2
    assert not asked(lambda x: 1 + x)[1]
    value_of, calls = asked(lambda x: 1 + x)
    assert crossing(value_of, 1.0, tried={0.0: 1.0}).nearest == 0 and not calls


def test_the_end_that_is_taken_to_reach_it_is_never_tried():
    value_of, calls = asked(lambda x: x)
    found = crossing(value_of, 0.9, high=1.0, most=4)
    assert calls == [0.5, 0.75, 0.875, 0.9375] and found.above == 0.9375 and found.below == 0.875


def test_no_more_is_asked_than_allowed():
    value_of, calls = asked(lambda x: x)
    crossing(value_of, math.pi, most=7)
    assert len(calls) == 7


def test_what_is_no_number_reaches_nothing():
    found = crossing(lambda x: math.nan, 2.0, limit=100)
    assert found.above is None and max(found.tried) == 64


def test_a_function_that_falls_again_leaves_a_bracket_around_the_first_crossing():
    bracket = Bracket(2.0, {1.0: 1.0, 2.0: 3.0, 4.0: 1.5})
    assert (bracket.below, bracket.above) == (1.0, 2.0)
