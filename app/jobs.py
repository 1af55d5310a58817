"""Work in the background of a page: progress, a cancel that works, and a limit for the whole server."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

MOST_JOBS = 2  # at once, for all visitors
LONGEST_ABSENCE = 60.0  # seconds: a lost connection comes back within a few, and Streamlit then goes on

_places = threading.BoundedSemaphore(MOST_JOBS)


class Stopped(Exception):
    """The visitor has cancelled, or left."""


@dataclass
class BackgroundJob:
    """One piece of work in a thread of its own. Only that thread writes, except for `stop`.

    Attributes:
        done: steps done,
        total: of so many; 0 while it is not known.
        state: "running", then "finished", "failed", "stopped", or "left" if the visitor was away too long.
        result: when finished.
        error: one line, when failed.
        stop: set it to stop the work at its next step.
    """

    done: int = 0
    total: int = 0
    state: str = "running"
    result: Any = None
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)


def start(
    work: Callable[[Callable[[int, int], None]], Any], expected: type[Exception]
) -> BackgroundJob | None:
    """Start work in the background.

    Args:
        work: is given a function to call with steps done and steps in all, which may raise `Stopped`.
        expected: an error that says in one line what is wrong; others go to the log.

    Returns:
        The job; None if as many run as are allowed.
    """
    if not _places.acquire(blocking=False):
        return None
    job, present = BackgroundJob(), _presence()

    def progress(done: int, total: int) -> None:
        job.done, job.total = done, total
        if job.stop.is_set() or not present():
            raise Stopped

    def run() -> None:
        try:
            job.result = work(progress)
            job.state = "finished"
        except Stopped:
            job.state = "stopped" if job.stop.is_set() else "left"
        except expected as error:
            job.error, job.state = str(error), "failed"
        except Exception:
            job.error = "Something went wrong here; the server’s log has the details."
            job.state = "failed"
            raise
        finally:
            _places.release()

    threading.Thread(target=run, name="job", daemon=True).start()
    return job


def _presence() -> Callable[[], bool]:
    """Whether who starts this is still there, or was a short while ago; always, outside of a server."""
    context = get_script_run_ctx()
    if context is None or not Runtime.exists():
        return lambda: True
    runtime, session, left = Runtime.instance(), context.session_id, math.inf

    def present() -> bool:
        nonlocal left
        now = time.monotonic()
        left = math.inf if runtime.is_active_session(session) else min(left, now)
        return now - left < LONGEST_ABSENCE

    return present


@st.fragment(run_every=0.7)
def watch(job: BackgroundJob, name: str) -> None:
    """Show a running job with its progress and a way to cancel; run the page again when it has ended."""
    if job.state != "running":
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    said = f"{job.done:,} of {job.total:,} runs" if job.total else "starting"
    st.progress(share, text=f"{name}: {said}")
    stopping = job.stop.is_set()
    label = "Stopping …" if stopping else "Cancel"
    st.button(label, key="cancel_job", on_click=job.stop.set, disabled=stopping)
