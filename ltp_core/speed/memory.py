"""How much memory a call holds. Linux tells; other systems do not."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


def peak_megabytes(call: Callable[[], object]) -> float | None:
    """The most memory that a call holds at once beyond what the process held before, in 10^6 bytes.

    Linux tells the highest resident size since the counter was reset. None on other systems.
    """
    if not RESET.exists():
        return None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # hands back what earlier calls freed, which the call would reuse unseen
    start_again()
    before = _status("VmRSS")
    call()
    return max(0.0, (highest_resident() - before) / 1e6)


def start_again() -> None:
    """Have the system forget the highest resident size of this process so far."""
    RESET.write_text("5", encoding="ascii")


def highest_resident() -> float:
    """The highest resident size of this process since `start_again`, in bytes."""
    return _status("VmHWM")


def _status(name: str) -> float:
    """A line of the process's status, in bytes."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
