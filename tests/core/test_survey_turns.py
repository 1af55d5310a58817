"""Batches of a survey: as small as a turn wants them on this machine, and the answers are the same."""

import time
from types import SimpleNamespace

from ltp_core import Thresholds
from ltp_core.data.survey import predict_all, survey
from tests.some import some

TEXTS = ["a good film", "the plot was very bad", "a film", "very very good", "bad", "the film was good"] * 4
RULE = Thresholds([0.05, 0.05, 0.05])


class Clock:
    """Stands for time: each text of a batch takes so long."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.seconds, self.batches = 0.0, seconds, []
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def predict(self, texts, rule):
        self.batches.append(len(texts))
        self.now += self.seconds * len(texts)
        return [SimpleNamespace(text=text) for text in texts]


def test_no_batch_takes_longer_than_a_turn(monkeypatch):
    clock = Clock(monkeypatch, seconds=0.3)
    found = list(predict_all(clock, TEXTS, RULE, batch_size=16, longest_turn=2.0))
    assert clock.batches[0] == 1 and max(clock.batches) == 3  # three take 0.9 s, half of the turn
    assert sorted(place for places, _ in found for place in places) == list(range(len(TEXTS)))
    assert all(
        TEXTS[place] == one.text
        for places, ones in some(found)
        for place, one in zip(places, ones, strict=True)
    )


def test_texts_that_are_slower_than_a_turn_run_one_by_one(monkeypatch):
    clock = Clock(monkeypatch, seconds=5.0)
    list(predict_all(clock, TEXTS, RULE, batch_size=16, longest_turn=2.0))
    assert set(clock.batches) == {1}


def test_fast_ones_fill_the_batch(monkeypatch):
    clock = Clock(monkeypatch, seconds=0.001)
    list(predict_all(clock, TEXTS, RULE, batch_size=16, longest_turn=2.0))
    assert clock.batches == [1, 2, 4, 8, 9]


def test_without_a_longest_turn_batches_are_whole(monkeypatch):
    clock = Clock(monkeypatch, seconds=100.0)
    list(predict_all(clock, TEXTS, RULE, batch_size=16))
    assert clock.batches == [16, 8]


def test_the_answers_do_not_depend_on_it(model):
    whole = survey(model, TEXTS, None, RULE, factors=())
    pieces = survey(model, TEXTS, None, RULE, factors=(), longest_turn=1e-9)
    assert [row.alive for row in whole.rows] == [row.alive for row in pieces.rows]
    assert [row.flops for row in whole.rows] == [row.flops for row in pieces.rows]
    assert [row.dense.label for row in whole.rows] == [row.dense.label for row in pieces.rows]
