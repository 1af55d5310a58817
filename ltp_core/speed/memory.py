"""How much memory a call holds, and a process that runs it. Linux tells; other systems do not."""

import ctypes
import gc
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ltp_core.model import PrunedModel
from ltp_core.rules import Dense, Thresholds

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")
RUNS = ("hugging_face", "packed_dense", "pruned")


def peak_megabytes(call: Callable[[], object]) -> float | None:
    """The most memory that a call holds at once beyond what the process held before, in 10^6 bytes.

    Linux tells the highest resident size since the counter was reset. None on other systems.
    """
    if not RESET.exists():
        return None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # hands back what earlier calls freed, which the call would reuse unseen
    RESET.write_text("5", encoding="ascii")  # 5 resets the highest resident size
    before = _status("VmRSS")
    call()
    return max(0.0, (_status("VmHWM") - before) / 1e6)


def process_megabytes(
    model: str, run: str, texts: Sequence[str], length: int, thresholds: Sequence[float]
) -> float:
    """Highest resident size of a new process while it runs a batch, in 10^6 bytes.

    Everything in it counts: Python, PyTorch, the weights, our packed copy of them. What loading alone
    needed, before the first forward pass, does not.

    Args:
        model: a folder or the name of a shipped model.
        run: one of `RUNS`.
        texts: the batch.
        length: longer ones are cut.
        thresholds: what the run "pruned" has.

    Raises:
        ValueError: on a system that does not tell.
        OSError: if the process fails.
    """
    if not RESET.exists():
        raise ValueError("only Linux tells the highest resident size of a process")
    task = json.dumps([model, run, list(texts), length, list(thresholds), torch.get_num_threads()])
    done = subprocess.run(
        [sys.executable, "-m", "ltp_core.speed.memory"],
        input=task,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"the process for {run} failed: {done.stderr.strip().splitlines()[-1:]}")
    return float(done.stdout)


def _run_here(task: str) -> float:
    """What the new process does."""
    name, run, texts, length, thresholds, threads = json.loads(task)
    torch.set_num_threads(threads)
    model = PrunedModel.from_pretrained(name)
    batch, _ = model.encode(texts, length)
    rule = Thresholds(thresholds, model.reference_length) if run == "pruned" else Dense()
    RESET.write_text("5", encoding="ascii")
    with torch.inference_mode():
        for _ in range(2):  # the second finds what the first has left
            model.hf_model(**batch) if run == "hugging_face" else model(**batch, rule=rule)
    return _status("VmHWM") / 1e6


def _status(name: str) -> float:
    """A line of the process's status, in bytes."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    print(_run_here(sys.stdin.read()))
