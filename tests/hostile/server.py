"""A lab for the tests of the server: `ltp lab`, started from a folder that is not the project's."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from ltp_core.commands.lab import lab_script

APP = lab_script().parent


@contextmanager
def lab(folder, *options, environment=None, port=None):
    """Start it; yields its address and its process, which has ended afterwards.

    What it says goes into `lab.log` in the folder: a pipe that nobody reads would fill, and stop it.
    """
    port = port or free_port()
    command = ["ltp_core", "lab", "--port", str(port), "--no-browser", *options]
    with started(command, folder, port, environment) as process:
        yield f"http://127.0.0.1:{port}", process


@contextmanager
def streamlit_run(script, folder, environment=None, flags=()):
    """The same by Streamlit's own command, for one of the lab's scripts; yields its address."""
    port = free_port()
    flags = ["--server.port", str(port), "--server.headless", "true", *flags]
    environment = {"PYTHONPATH": str(APP.parent), **(environment or {})}
    with started(["streamlit", "run", str(APP / script), *flags], folder, port, environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def started(command, folder, port, environment, path=""):
    """Start a module as a server, perhaps under a path, and wait until it answers; yields its process."""
    log = Path(folder) / "lab.log"
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **(environment or {})},
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}{path}", process, log)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address, process, log, seconds=90):
    """Wait until it answers; what it said if it has ended instead."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the lab did not start: {log.read_text()}")


def held_bytes(address):
    """How much of visitors' files Streamlit keeps, by its own count."""
    with urllib.request.urlopen(f"{address}/_stcore/metrics", timeout=20) as answer:
        found = re.findall(
            r"cache_memory_bytes\{[^}]*UploadedFileManager[^}]*\} (\d+)", answer.read().decode()
        )
    return sum(map(int, found))
