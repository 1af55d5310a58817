"""Memory given back to the system: what visitors leave behind is found, and what that frees handed on.

Streamlit has a thread a run, and glibc keeps what they free; of other C libraries, nothing is asked.
"""

import ctypes
import gc
import os
from typing import Any

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # malloc.h
_MEGABYTE = 2**20
_KEPT_READY = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")  # read at the first product
_PRODUCTS = 64  # one sentence, dense and pruned, has some thirty


def settle() -> None:
    """Few heaps for all threads, large blocks outside of them, and few matrix products that are kept ready.

    By itself glibc gives each thread one of 8 heaps a core, and once a large block has been freed (an upload,
    weights, an attention matrix), keeps blocks of that size in a heap, where what lies above them holds them.
    And oneDNN keeps code for each shape of a product, as PyTorch does for it, a thousand of them: some 2.5 MB
    for each length of a text that was ever run. To make one anew takes no time that could be measured.
    """
    for name in _KEPT_READY:
        os.environ.setdefault(name, str(_PRODUCTS))
    if libc := _libc():
        libc.mallopt(_ARENA_MAX, 2)
        libc.mallopt(_MMAP_THRESHOLD, _MEGABYTE)
        libc.mallopt(_TRIM_THRESHOLD, _MEGABYTE)


def keep() -> None:
    """Leave all objects of now, which are libraries, out of what Python's collector walks through.

    Streamlit's own collection after each run is off: with torch loaded it would take half a second. Python
    itself walks through all objects once a quarter of them is new, of more than a million, so what visitors
    leave behind in circles (a session holds its runs, and these it) would lie there for an hour.
    """
    gc.freeze()


def trim() -> None:
    """Find what nobody holds any more, and give free memory back."""
    gc.collect()
    if libc := _libc():
        libc.malloc_trim(0)


def _libc() -> Any:
    """The C library, if it is glibc."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
    except OSError:
        return None
