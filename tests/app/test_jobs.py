"""Work in the background: it finishes, fails in one line, stops when asked, and is limited in number."""

import threading
import time
from types import SimpleNamespace

import pytest

from app import jobs


class Problem(ValueError):
    pass


def wait(job, state):
    deadline = time.monotonic() + 20
    while job.state == "running" and time.monotonic() < deadline:
        time.sleep(0.005)
    assert job.state == state


def test_it_finishes_with_its_result():
    job = jobs.start(lambda progress: progress(1, 2) or "result", Problem)
    wait(job, "finished")
    assert (job.result, job.done, job.total) == ("result", 1, 2)


def test_what_is_wrong_is_kept_in_one_line():
    def work(progress):
        raise Problem("row 3 is empty")

    job = jobs.start(work, Problem)
    wait(job, "failed")
    assert job.error == "row 3 is empty"


def test_a_fault_of_ours_does_not_show_its_details():
    def work(progress):
        raise RuntimeError("secret path")

    job = jobs.start(work, Problem)
    wait(job, "failed")
    assert "secret" not in job.error


def test_it_stops_at_its_next_step():
    started = threading.Event()

    def work(progress):
        for step in range(10_000):
            progress(step, 10_000)
            started.set()
            time.sleep(0.001)

    job = jobs.start(work, Problem)
    started.wait(5)
    job.stop.set()
    wait(job, "stopped")
    assert job.done < 10_000 and job.result is None


class Server:
    """Stands for Streamlit's: it knows who is connected."""

    connected = True

    def is_active_session(self, session):
        return self.connected


@pytest.fixture
def server(monkeypatch):
    server = Server()
    runtime = SimpleNamespace(exists=lambda: True, instance=lambda: server)
    monkeypatch.setattr(jobs, "Runtime", runtime)
    monkeypatch.setattr(jobs, "_who", lambda: ("a visitor", "a tab"))
    return server


def step_by_step(steps):
    """Work that ends when told so, and otherwise goes on step by step."""

    def work(progress):
        while not steps["enough"].is_set():
            progress(1, 0)
            steps["done"] += 1
            time.sleep(0.001)

    return work


def test_a_short_loss_of_connection_ends_nothing(server):
    steps = {"enough": threading.Event(), "done": 0}
    job = jobs.start(step_by_step(steps), Problem)
    server.connected = False
    before = steps["done"]
    while steps["done"] < before + 20:
        assert job.state == "running"
        time.sleep(0.001)
    server.connected = True
    steps["enough"].set()
    wait(job, "finished")


def test_a_visitor_who_stays_away_has_left_and_has_not_cancelled(server, monkeypatch):
    monkeypatch.setattr(jobs, "LONGEST_ABSENCE", 0.05)
    job = jobs.start(step_by_step({"enough": threading.Event(), "done": 0}), Problem)
    time.sleep(0.1)
    assert job.state == "running"  # connected all the while
    server.connected = False
    wait(job, "left")


@pytest.fixture
def visitors(monkeypatch):
    """Whose turn it is: ``visitors("a", "tab 2")``."""

    def become(visitor, tab="tab"):
        monkeypatch.setattr(jobs, "_who", lambda: (visitor, tab))

    return become


def test_one_at_a_time_for_each_visitor(visitors):
    hold = threading.Event()
    visitors("a")
    first = jobs.start(lambda progress: hold.wait(20), Problem)
    with pytest.raises(jobs.TooManyJobs, match="one at a time"):
        jobs.start(lambda progress: None, Problem)
    visitors("b")
    wait(jobs.start(lambda progress: None, Problem), "finished")
    hold.set()
    wait(first, "finished")
    visitors("a")
    wait(jobs.start(lambda progress: None, Problem), "finished")


def test_places_are_limited_and_given_back(visitors, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_JOBS", 3)
    hold = threading.Event()
    started = []
    for visitor in "abc":
        visitors(visitor)
        started.append(jobs.start(lambda progress: hold.wait(20), Problem))
    visitors("d")
    with pytest.raises(jobs.TooManyJobs, match="3 visitors"):
        jobs.start(lambda progress: None, Problem)
    hold.set()
    for job in started:
        wait(job, "finished")
    wait(jobs.start(lambda progress: None, Problem), "finished")


def test_a_reload_finds_the_job_again_and_nobody_else_does(visitors):
    visitors("a", "before")
    job = jobs.start(lambda progress: "result", Problem, note="what for")
    wait(job, "finished")
    visitors("a", "after")
    assert jobs.here() is job and job.note == "what for"
    visitors("b")
    assert jobs.here() is None


def test_a_reload_keeps_a_job_going(server, visitors, monkeypatch):
    """The old tab is gone for good; the new one, on whichever page, has been seen."""
    monkeypatch.setattr(jobs, "LONGEST_ABSENCE", 0.05)
    connected = {"before"}
    monkeypatch.setattr(server, "is_active_session", connected.__contains__, raising=False)
    steps = {"enough": threading.Event(), "done": 0}
    visitors("a", "before")
    job = jobs.start(step_by_step(steps), Problem)
    connected.add("after")
    visitors("a", "after")
    jobs.here()
    connected.remove("before")
    time.sleep(0.2)
    assert job.state == "running"
    connected.clear()
    wait(job, "left")


def test_results_of_who_has_left_are_forgotten(server, visitors, monkeypatch):
    monkeypatch.setattr(jobs, "LONGEST_ABSENCE", 0.0)
    visitors("a")
    wait(jobs.start(lambda progress: "large", Problem), "finished")
    jobs.forget_absent()
    assert jobs.here() is not None
    server.connected = False
    jobs.forget_absent()
    assert jobs.here() is None


def test_the_time_left_is_at_the_pace_so_far(monkeypatch):
    job = jobs.BackgroundJob(began=100.0)
    monkeypatch.setattr(jobs.time, "monotonic", lambda: 130.0)
    assert job.seconds_left is None
    job.done, job.total = 30, 90
    assert job.seconds_left == 60
