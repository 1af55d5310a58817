"""One factor for several targets: found on known curves, in few runs, with clear refusals."""

import math

import pytest

from ltp_core.training.factor import FactorCurve


def counting(curve):
    calls = []

    def reduction_of(factor):
        calls.append(factor)
        return curve(factor)

    return FactorCurve(reduction_of), calls


CURVES = {
    "straight": lambda x: 1 + x,
    "saturating": lambda x: 4 - 3 * math.exp(-x),
    "slow": lambda x: 1 + math.log1p(x) / 3,
    "steep": lambda x: 1 + min(x * 30, 3),
    "late": lambda x: 1 + max(x - 3, 0) ** 2,
}


@pytest.mark.parametrize("name", CURVES)
def test_targets_are_met_in_few_runs(name):
    curve, calls = counting(CURVES[name])
    for target in (1.5, 2.0, 2.1, 2.5, 3.0):
        assert CURVES[name](curve.at(target)) == pytest.approx(target, rel=0.0101)
    assert len(calls) == len(set(calls)) <= 25  # bisection takes eight for each


def test_a_target_of_one_needs_no_run():
    curve, calls = counting(CURVES["straight"])
    assert curve.at(1.0) == 0 and not calls


def test_the_ceiling_is_named():
    curve, calls = counting(CURVES["saturating"])
    with pytest.raises(ValueError, match=r"5 cannot be reached: the ceiling is 4\.00"):
        curve.at(5)
    assert len(calls) < 12


def test_a_curve_of_few_steps_gives_its_nearest_or_says_so():
    curve, _ = counting(lambda x: 1.0 if x < 0.3 else 2.06)
    assert curve.at(2.0) >= 0.3  # within five times the tolerance
    with pytest.raises(ValueError, match=r"the nearest: 2\.06|the nearest: 1\.00"):
        curve.at(1.5)
