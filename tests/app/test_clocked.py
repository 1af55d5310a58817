"""What a measurement says: pruning's gain apart from the engine's, and none that noise swallows."""

import pytest

from app.says import clocked
from ltp_core.speed.latency import Ratio, TextTimes, summary


def plain(text):
    return text.replace("\u00a0", " ")


def test_pruning_is_timed_against_our_own_dense_run(comparison):
    said = clocked.said(comparison, "CPU")
    assert plain(said.headline) == "Pruning: 1.25× faster (1.25–1.25)" and not said.noisy
    assert plain(said.lines[0]) == "10.0 ms → 8.00 ms on this CPU, in 20 turns"
    assert said.lines[1] == "Apart from that, our engine is 1.20× as fast as Hugging Face’s"


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (Ratio(1.31, 1.22, 1.4), "1.31× faster (1.22–1.40)"),
        (Ratio(1.1, 0.99, 1.2), "too noisy to say (0.99–1.20)"),
        (Ratio(2.0, 1.6, 2.3), "too noisy to say (1.60–2.3)"),  # wider than 30 % of the ratio
        (Ratio(0.8, 0.76, 0.84), "1.25× slower (1.19–1.32)"),
    ],
)
def test_a_gain_has_its_interval(ratio, words):
    assert clocked.gain(ratio) == words


def test_a_gain_that_noise_swallows_is_not_said_and_can_be_measured_longer():
    dense = summary([10, 30, 8, 25, 12, 40, 9, 22, 11, 28])
    pruned = summary([12, 11, 30, 9, 26, 10, 33, 8, 24, 12])
    said = clocked.said(TextTimes(dense, dense, pruned), "CPU")
    assert said.noisy and "too noisy to say" in said.headline


def test_where_nothing_is_pruned_nothing_is_claimed(comparison):
    said = clocked.said(comparison, "CPU", prunes=False)
    assert said.headline == clocked.NOTHING and not said.noisy


def test_times_of_a_browser_are_of_its_turns():
    rounds = [(20 + 0.1 * turn, 10 + 0.05 * turn) for turn in range(12)]
    said = clocked.said_of_browser(rounds)
    assert said.headline == "Pruning: 2.0× faster (2.0–2.0)" and not said.noisy
    assert said.lines == (
        "20.6\N{NO-BREAK SPACE}ms → 10.3\N{NO-BREAK SPACE}ms in this browser, on one thread, in 12 turns",
    )
    noisy = clocked.said_of_browser([(20, 10), (10, 20)] * 6)
    assert noisy.noisy and noisy.headline.startswith("Pruning: too noisy to say")
    assert clocked.said_of_browser(rounds, prunes=False).headline == clocked.NOTHING
