from types import SimpleNamespace

import pytest

from app.says import words
from ltp_core import LayerTrace, Trace
from ltp_core.speed.latency import TextTimes, Timing


def plain(text):
    """Without the spaces that keep a number and its unit together."""
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0 %"), (0.43, "43 %"), (0.0432, "4.3 %"), (0.00432, "0.43 %"), (1, "100 %")],
)
def test_percent(share, shown):
    assert plain(words.percent(share)) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.5, "50.0 %"), (0.99996, "> 99.9 %"), (1, "100.0 %"), (0.0001, "< 0.1 %"), (0.998, "99.8 %")],
)
def test_a_probability_is_never_rounded_to_certainty(share, shown):
    assert plain(words.probability(share)) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(999, "999 FLOPs"), (536_601_600, "537 MFLOPs"), (3.03e9, "3.03 GFLOPs"), (12_340, "12.3 kFLOPs")],
)
def test_flops_carry_their_unit(count, shown):
    assert plain(words.flops(count)) == shown


@pytest.mark.parametrize(
    ("value", "shown", "with_sign"),
    [(0.125, "0.12", "+0.12"), (-1.5, "\u22121.50", "\u22121.50"), (-0.004, "0.00", "+0.00")],
)
def test_below_zero_stands_a_minus_sign_and_nothing_is_minus_zero(value, shown, with_sign):
    assert (words.number(value), words.signed(value)) == (shown, with_sign)
    assert words.with_minus("-0.3 ± 1.3") == "\u22120.3 ± 1.3"


def test_milliseconds_and_ratios():
    assert plain(words.milliseconds(12.345)) == "12.3 ms"
    assert plain(words.milliseconds(1.2345)) == "1.23 ms"
    assert words.times(1.234) == "1.23×"
    assert words.times(2.345) == "2.3×"


def test_the_map_says_where_most_leave(trace):
    assert words.map_finding(trace) == "3 of 5 tokens reach the end; most leave in layer 1"


def test_the_summary_names_tokens_answer_and_flops(prediction):
    found = words.summary(prediction(flops=1_000_000_000), prediction(), "1.5× faster here")
    assert found == "3 of 5 tokens left after layer 2 of 3; same answer; 2.5× fewer FLOPs; 1.5× faster here."


def test_another_answer_is_said(prediction):
    assert words.agreement(prediction(), prediction(label="negative")) == "different answer"


def test_a_value_moves_by_what_the_shown_values_differ():
    dense, pruned = SimpleNamespace(value=3.204), SimpleNamespace(value=3.256)
    assert words.agreement(dense, pruned) == "answer moves by 0.06"  # 3.20 and 3.26 on the page


def test_a_speedup_in_words():
    slow, fast = Timing(20, 19, 21, 10), Timing(10, 9, 11, 10)
    assert words.faster(TextTimes(fast, fast, slow)) == "2.0× slower"


def test_no_speedup_is_claimed_within_the_spread():
    dense, pruned = Timing(16.4, 13.7, 21.7, 10), Timing(20.4, 12.8, 21.2, 10)
    assert words.faster(TextTimes(dense, dense, pruned)) == "about as fast as dense"


def test_a_threshold_above_the_average_is_named_when_nothing_is_left(trace):
    assert words.collapse(trace) is None
    first = LayerTrace(1, 0.3, (0.2,) * 5, (True, False, False, False, False))
    second = LayerTrace(2, 0.3, (1.0, None, None, None, None), (True, False, False, False, False))
    collapsed = Trace(trace.tokens, trace.segments, 0, (first, second))
    assert plain(words.collapse(collapsed)).startswith(
        "Layer 1 asks for 30 % of the attention, but 5 tokens get 20 % each on average"
    )
