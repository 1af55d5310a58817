"""Work in the background: it finishes, fails in one line, stops when asked, and is limited in number."""

import threading
import time

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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
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


def test_places_are_limited_and_given_back():
    hold = threading.Event()
    running = [jobs.start(lambda progress: hold.wait(20), Problem) for _ in range(jobs.MOST_JOBS)]
    assert all(running)
    assert jobs.start(lambda progress: None, Problem) is None
    hold.set()
    for job in running:
        wait(job, "finished")
    time.sleep(0.05)  # the place is given back just after the state is set
    wait(jobs.start(lambda progress: None, Problem), "finished")
