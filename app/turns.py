"""Who may run now: texts a few at once, explanations one at a time, measurements while no data set runs.

Whoever would have to wait too long is told so, and loses nothing but the place in the line.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.limits import MOST_RUNS

STEP = 0.1  # seconds between two calls of what a waiting thread does meanwhile
LONGEST_WAIT = 20.0  # seconds in the queue for a run, an explanation or a measurement


class Busy(Exception):
    """Others have run or measured for too long, said in one line; whoever asks again stands in line anew."""


class FairLock:
    """A lock that is had in the order of asking, so that nobody who takes it again and again keeps it."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._line: deque[object] = deque()

    @contextmanager
    def turn(self, meanwhile: Callable[[], object]) -> Iterator[None]:
        """Wait for a turn and hold it.

        Args:
            meanwhile: called again and again in line; may raise to leave it.
        """
        place = object()
        with self._moved:
            self._line.append(place)
        try:
            while not self._is_first(place):
                meanwhile()
            yield
        finally:
            with self._moved:
                self._line.remove(place)
                self._moved.notify_all()

    def _is_first(self, place: object) -> bool:
        """Whether it is this place's turn, now or within a step."""
        with self._moved:
            return self._moved.wait_for(lambda: self._line[0] is place, STEP)


_measuring = FairLock()  # who holds it waits for no other lock, except `surveying`, which takes both
_surveying = FairLock()  # in order, so that at most one batch is in line for `_measuring`
_running = threading.BoundedSemaphore(MOST_RUNS)
_explaining = threading.Lock()  # attributions and searches take hundreds of runs each: one at a time


@contextmanager
def running() -> Iterator[None]:
    """A place among the texts that run at once; raises `Busy`."""
    if not _running.acquire(timeout=LONGEST_WAIT):
        raise Busy("Too many visitors run a text right now. Press Run again in a moment.")
    try:
        yield
    finally:
        _running.release()


@contextmanager
def explaining() -> Iterator[None]:
    """The place of the one text that is explained; raises `Busy`."""
    if not _explaining.acquire(timeout=LONGEST_WAIT):
        raise Busy("Another visitor’s sentence is being explained. Press Run again in a moment.")
    try:
        yield
    finally:
        _explaining.release()


@contextmanager
def measuring(meanwhile: Callable[[], object]) -> Iterator[None]:
    """The place of the one who measures, while no batch of a data set runs; raises `Busy`.

    Args:
        meanwhile: called while waiting; may raise to stop.
    """
    deadline = time.monotonic() + LONGEST_WAIT

    def wait() -> None:
        meanwhile()
        if time.monotonic() > deadline:
            raise Busy("Many visitors measure right now. Press Run again in a moment.")

    with _measuring.turn(wait):
        yield


@contextmanager
def surveying(meanwhile: Callable[[], object]) -> Iterator[None]:
    """For one batch of a data set: wait until nothing is measured, and let nothing be measured.

    Args:
        meanwhile: called while waiting; may raise to stop.
    """
    with _surveying.turn(meanwhile), _measuring.turn(meanwhile):
        yield
