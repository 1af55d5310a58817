"""Timing with a clock of our own: order, counts and medians. Nothing here depends on the machine."""

import math
from types import SimpleNamespace

import pytest
import torch

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.speed import latency
from ltp_core.speed.latency import Ratio, Timing, interleaved, paired_ratio, summary

CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless `clock.now` is moved, in seconds."""
    clock = SimpleNamespace(now=0.0)
    clock.perf_counter = lambda: clock.now
    monkeypatch.setattr(latency, "time", clock)
    return clock


def call(clock, log, name, milliseconds):
    """A call that takes the given times one after the other, and then the last one."""
    times = iter(milliseconds)
    last = milliseconds[-1]

    def run():
        log.append(name)
        clock.now += next(times, last) / 1000

    return run


def test_calls_take_turns_and_warm_up_runs_are_not_timed(clock):
    log = []
    calls = {"a": call(clock, log, "a", [500, 1, 2, 3]), "b": call(clock, log, "b", [900, 10, 20, 30])}
    timings = interleaved(calls, CPU, runs=3, seconds=0, warmup=1)
    assert log == list("abababab")
    assert timings["a"].runs == timings["b"].runs == 3
    assert timings["a"].median_ms == pytest.approx(2)
    assert timings["b"].median_ms == pytest.approx(20)


def test_it_goes_on_until_enough_time_has_passed(clock):
    log = []
    timings = interleaved({"a": call(clock, log, "a", [100])}, CPU, runs=2, seconds=0.45, warmup=0)
    assert timings["a"].runs == 5  # 0.1 ... 0.5 s
    assert len(log) == 5


def test_a_turn_may_begin_with_a_rest_and_an_untimed_call_if_calls_are_short(clock):
    log = []
    clock.sleep = lambda seconds: log.append(seconds)
    calls = {"a": call(clock, log, "a", [5, 50, 1]), "b": call(clock, log, "b", [200])}
    timings = interleaved(calls, CPU, runs=2, seconds=0, warmup=1, rest=0.01)
    assert log == ["a", "b", 0.01, "a", "a", "b", 0.01, "a", "a", "b"]
    assert timings["a"].median_ms == pytest.approx(1)  # neither the 50 nor the warm-up


def test_quartiles_on_paper():
    assert summary([5.0, 1.0, 4.0, 2.0, 3.0]) == Timing(median_ms=3.0, low_ms=2.0, high_ms=4.0, runs=5)
    assert summary([1.0, 2.0]) == Timing(median_ms=1.5, low_ms=1.25, high_ms=1.75, runs=2)
    assert summary([7.0]) == Timing(7.0, 7.0, 7.0, 1)


def test_one_slow_run_does_not_move_the_median(clock):
    log = []
    timings = interleaved({"a": call(clock, log, "a", [2, 2, 900, 2, 2])}, CPU, runs=5, seconds=0, warmup=0)
    assert timings["a"].median_ms == pytest.approx(2)


def test_compare_runs_three_things_on_the_same_text(tiny_bert, tokenizer, monkeypatch):
    model = PrunedModel(tiny_bert(), tokenizer, thresholds=[0.05, 0.1, 0.1])
    ran = {}

    def run_each(calls, device, **options):
        ran.update({name: call().logits for name, call in calls.items()}, options=options)
        return {name: Timing(ms, 0, 0, 3) for name, ms in zip(calls, (6, 4, 2), strict=True)}

    monkeypatch.setattr(latency, "interleaved", run_each)
    rule = Thresholds([0.1, 0.2, 0.3])
    found = latency.time_text(model, "the film was so good", rule, runs=3)
    assert (found.dense.median_ms, found.packed_dense.median_ms, found.pruned.median_ms) == (6, 4, 2)
    assert found.speedup == 3
    assert ran["options"] == {"runs": 3}
    batch, _ = model.encode(["the film was so good"])
    with torch.no_grad():
        torch.testing.assert_close(ran["dense"], model.hf_model(**batch).logits)
        torch.testing.assert_close(ran["packed_dense"], model(**batch, rule=Dense()).logits)
        torch.testing.assert_close(ran["pruned"], model(**batch, rule=rule).logits)
    assert not torch.equal(ran["pruned"], ran["packed_dense"])


def test_the_cpu_is_always_there_and_first():
    assert latency.available_devices()[0] == "cpu"


def test_all_but_the_first_change_their_order_from_turn_to_turn(clock):
    log = []
    calls = {name: call(clock, log, name, [1]) for name in "abc"}
    interleaved(calls, CPU, runs=3, seconds=0, warmup=0)
    assert "".join(log) == "abcacbabc"


def test_times_are_kept_turn_by_turn(clock):
    calls = {name: call(clock, [], name, times) for name, times in (("a", [4, 6, 8]), ("b", [2, 2, 8]))}
    timings = interleaved(calls, CPU, runs=3, seconds=0, warmup=0)
    assert timings["a"].samples == pytest.approx((4, 6, 8))
    ratio = paired_ratio(timings["a"], timings["b"])
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((2, 1, 3))  # 2, 3 and 1; of so few, all


@pytest.mark.parametrize(("turns", "left_out"), [(5, 0), (6, 0), (9, 1), (10, 1), (20, 5), (100, 39)])
def test_the_interval_of_a_median_ends_at_the_ranks_of_the_sign_test(turns, left_out):
    one = summary([1.0] * turns)
    ratio = paired_ratio(summary([float(n) for n in range(1, turns + 1)]), one)
    assert (ratio.low, ratio.high) == (1 + left_out, turns - left_out)
    coverage = 1 - 2 * sum(math.comb(turns, k) for k in range(left_out + 1)) / 2**turns
    assert coverage >= 0.95 or turns < 6
    narrower = 1 - 2 * sum(math.comb(turns, k) for k in range(left_out + 2)) / 2**turns
    assert narrower < 0.95


def test_a_moment_that_slows_a_whole_turn_does_not_widen_the_interval():
    slow = [1, 1, 5, 1, 1, 9, 1, 1, 1, 2, 1, 1]
    ratio = paired_ratio(summary([3.0 * s for s in slow]), summary([2.0 * s for s in slow]))
    assert (ratio.low, ratio.value, ratio.high) == pytest.approx((1.5, 1.5, 1.5)) and not ratio.undecided


@pytest.mark.parametrize(
    ("low", "high", "undecided"), [(1.1, 1.3, False), (0.9, 1.3, True), (1.0, 1.3, True), (1.1, 1.6, True)]
)
def test_an_interval_with_1_in_it_or_wider_than_a_third_says_nothing(low, high, undecided):
    assert Ratio(1.25, low, high).undecided == undecided


def test_ratios_need_the_same_turns():
    with pytest.raises(ValueError, match="same turns"):
        paired_ratio(summary([1.0, 2.0]), summary([1.0]))
    with pytest.raises(ValueError, match="same turns"):
        paired_ratio(Timing(1, 1, 1, 1), Timing(1, 1, 1, 1))
