"""Several texts at once, each on a thread of its own: none of them waits for another's threads."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

from ltp_core.openvino.blocks import Blocks
from ltp_core.openvino.embedding import Embedding

Given = TypeVar("Given")
Returned = TypeVar("Returned")


@dataclass(frozen=True)
class Lane:
    """What one thread runs a text with.

    Attributes:
        embedding: what comes before the blocks.
        blocks: all of the layers.
    """

    embedding: Embedding
    blocks: Blocks

    def beside(self) -> "Lane":
        """Another, which shares what was compiled."""
        return Lane(self.embedding.lane(), self.blocks.lane())


class Lanes:
    """As many threads as there are cores, each with a lane of its own.

    Args:
        count: how many.
        first: makes the first lane, when one is needed.
    """

    def __init__(self, count: int, first: Callable[[], Lane]) -> None:
        self._count, self._first = count, first
        self._free: SimpleQueue[Lane] = SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None
        self._making = threading.Lock()

    def map(self, call: Callable[[Lane, Given], Returned], items: Sequence[Given]) -> list[Returned]:
        """Call with each item and a free lane -> what the calls returned, in order."""

        def one(item: Given) -> Returned:
            lane = self._free.get()
            try:
                return call(lane, item)
            finally:
                self._free.put(lane)

        return list(self._started().map(one, items))

    def _started(self) -> ThreadPoolExecutor:
        with self._making:
            if self._threads is None:
                first = self._first()
                for lane in (first, *(first.beside() for _ in range(1, self._count))):
                    self._free.put(lane)
                self._threads = ThreadPoolExecutor(self._count, "ltp-openvino")
            return self._threads
