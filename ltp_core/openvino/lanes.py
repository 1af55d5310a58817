"""Several texts at once, each on a thread of its own: a short text leaves little to share between threads."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from ltp_core.openvino.blocks import Blocks

Given = TypeVar("Given")
Returned = TypeVar("Returned")


class Lanes:
    """As many threads as there are cores, each with blocks that share what was compiled.

    Args:
        count: how many.
        first: makes the first one's blocks, when they are needed.
    """

    def __init__(self, count: int, first: Callable[[], Blocks]) -> None:
        self._count, self._first = count, first
        self._free: SimpleQueue[Blocks] = SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None
        self._making = threading.Lock()

    def map(self, call: Callable[[Blocks, Given], Returned], items: Sequence[Given]) -> list[Returned]:
        """Call with each item and a free lane's blocks -> what the calls returned, in order."""

        def one(item: Given) -> Returned:
            blocks = self._free.get()
            try:
                return call(blocks, item)
            finally:
                self._free.put(blocks)

        return list(self._started().map(one, items))

    def _started(self) -> ThreadPoolExecutor:
        with self._making:
            if self._threads is None:
                blocks = self._first()
                for lane in (blocks, *(blocks.lane() for _ in range(1, self._count))):
                    self._free.put(lane)
                self._threads = ThreadPoolExecutor(self._count, "ltp-openvino")
            return self._threads
