"""Memory that is given back to the system: Streamlit has a thread a run, and glibc keeps what they free.

Of other C libraries, and on other systems, nothing here does anything.
"""

import ctypes
from typing import Any

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # malloc.h
_MEGABYTE = 2**20


def settle() -> None:
    """Few heaps for all threads, and large blocks outside of them: an upload, weights, an attention matrix.

    By itself glibc gives each thread one of 8 heaps a core, and once a large block has been freed, keeps
    blocks of that size in a heap, where what lies above them holds them.
    """
    if libc := _libc():
        libc.mallopt(_ARENA_MAX, 2)
        libc.mallopt(_MMAP_THRESHOLD, _MEGABYTE)
        libc.mallopt(_TRIM_THRESHOLD, _MEGABYTE)


def trim() -> None:
    """Give free memory back now."""
    if libc := _libc():
        libc.malloc_trim(0)


def _libc() -> Any:
    """The C library, if it is glibc."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
    except OSError:
        return None
