"""A lock that is had in the order of asking, so that nobody who takes it again and again keeps it."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STEP = 0.1  # seconds between two calls of what a waiting thread does meanwhile


class Turns:
    """One thread at a time; the others stand in line, and may leave it."""

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
