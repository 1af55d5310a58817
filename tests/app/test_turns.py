"""FairLock: in the order of asking, one at a time, and whoever leaves the line holds up nobody."""

import threading
import time

import pytest

from app import jobs, limits, models, runs, surveys, turns
from app.turns import FairLock
from app.visitor.uploads import DataSet
from ltp_core.speed.latency import TextTimes


class GaveUp(Exception):
    pass


@pytest.fixture
def in_background():
    """Runs a function in a thread, which has ended when the test has."""
    threads = []

    def start(work):
        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_who_takes_turn_after_turn_lets_others_in_between(in_background):
    line, had, waiting = FairLock(), [], threading.Event()

    def other():
        with line.turn(waiting.set):
            had.append("other")

    with line.turn(lambda: None):
        in_background(other)
        until(waiting.is_set)
        had.append("first")
    with line.turn(lambda: None):
        had.append("again")
    assert had == ["first", "other", "again"]


def test_who_leaves_the_line_holds_up_nobody():
    line = FairLock()

    def give_up():
        raise GaveUp

    with line.turn(lambda: None), pytest.raises(GaveUp), line.turn(give_up):
        pass
    with line.turn(give_up):  # at once, so nothing is given up
        pass


def test_an_error_in_a_turn_ends_it():
    line = FairLock()
    with pytest.raises(GaveUp), line.turn(lambda: None):
        raise GaveUp
    with line.turn(lambda: pytest.fail("someone is in line")):
        pass


@pytest.fixture
def slow(tiny_folder, monkeypatch, comparison):
    """The tiny model, of which no two parts of work may overlap, and what ran, in order."""
    models.load.clear()
    model = models.load(tiny_folder, "cpu")
    ran, alone = [], threading.Lock()

    def work(name, result):
        assert alone.acquire(blocking=False), f"{name} ran beside another"
        ran.append(name)
        time.sleep(0.01)
        alone.release()
        return result

    predict = model.predict
    monkeypatch.setattr(model, "predict", lambda texts, rule: work("batch", predict(texts, rule)))
    monkeypatch.setattr(runs, "time_text", lambda *args, **kwargs: work("measurement", comparison))
    monkeypatch.setattr(runs, "REST", 0.0)
    return model, ran


def start_data_set(model, rows=5 * surveys.BATCH):
    data = DataSet("a.csv", ["a film"] * rows, None)
    return jobs.start(lambda progress: surveys.run(model, (0.0,) * 3, lambda: data, progress), ValueError)


def test_a_measurement_waits_for_one_batch_of_all_data_sets(slow, in_background, monkeypatch):
    model, ran = slow
    line = turns._measuring
    with line.turn(lambda: None):
        started = []
        for visitor in "ab":
            monkeypatch.setattr(jobs, "_who", lambda visitor=visitor: (visitor, ""))
            started.append(start_data_set(model))
        until(lambda: len(line._line) == 2)  # a batch of one; a batch of the other waits for that
        in_background(lambda: runs.measure_batch(model, ["a"], (0.0,) * 3, lambda: None))
        until(lambda: len(line._line) == 3)
    until(lambda: all(job.state != "running" for job in started))
    assert ran.index("measurement") <= 1
    assert [job.state for job in started] == ["finished"] * 2
    assert ran.count("batch") == 2 * 2 * len([1, 2, 4, 8, 16, 16, 16, 16, 1])  # of 80 texts


def test_whoever_waits_too_long_to_measure_is_told(slow, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.05)
    with turns._measuring.turn(lambda: None), pytest.raises(turns.Busy):
        runs.measure_batch(slow[0], ["a"], (0.0,) * 3, lambda: None)


def test_a_data_set_waits_while_something_is_measured_and_can_be_cancelled(slow):
    model, ran = slow
    with turns._measuring.turn(lambda: None):
        job = start_data_set(model)
        time.sleep(3 * turns.STEP)
        assert job.state == "running" and ran == []
        job.stop.set()
        until(lambda: job.state == "stopped")
    assert isinstance(runs.measure_batch(model, ["a"], (0.0,) * 3, lambda: None), TextTimes)


def test_texts_run_while_a_data_set_waits(slow, monkeypatch):
    """No deadlock: whoever waits for a turn holds no place among the texts that run at once."""
    model, _ = slow
    monkeypatch.setattr(model, "predict", lambda text, **options: "run")
    with turns._measuring.turn(lambda: None):
        job = start_data_set(model)
        for _ in range(2 * limits.MOST_RUNS):
            assert runs.predict(model, runs.Texts("a"), None) == "run"
        job.stop.set()
        until(lambda: job.state == "stopped")
