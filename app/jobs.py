"""Work in the background of a page: one job a visitor, with progress, a cancel that works, and a way back.

A visitor is known by the cookie that the gate gives a browser, so a reload or another tab finds it again.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.serving.settings import VISITOR

MOST_JOBS = 30  # at once, of all visitors, who take turns
LONGEST_ABSENCE = 60.0  # seconds: a lost connection comes back within a few, and Streamlit then goes on

_board: dict[str, "BackgroundJob"] = {}  # visitor -> the latest
_changing = threading.Lock()


class Stopped(Exception):
    """The visitor has cancelled, or left."""


class TooManyJobs(Exception):
    """Why no work is started, said in one line."""


@dataclass
class BackgroundJob:
    """One piece of work in a thread of its own. Only that thread writes, except for `stop` and `sessions`.

    Attributes:
        done: how many steps are done.
        total: steps in all; 0 while that is not known.
        state: "running", then "finished", "failed", "stopped", or "left" if the visitor was away too long.
        result: when finished.
        error: one line, when failed.
        stop: set it to stop the work at its next step.
        note: what the page wants to know of it again.
        sessions: Streamlit's names of the visitor's tabs that have seen it.
        began: when it was started, a monotonic clock.
    """

    done: int = 0
    total: int = 0
    state: str = "running"
    result: Any = None
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    note: Any = None
    sessions: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)
    left: float = math.inf

    def present(self) -> bool:
        """Whether a tab of the visitor is there, or was a short while ago; always, outside of a server."""
        if not self.sessions or not Runtime.exists():
            return True
        now, active = time.monotonic(), Runtime.instance().is_active_session
        self.left = math.inf if any(map(active, tuple(self.sessions))) else min(self.left, now)
        return now - self.left < LONGEST_ABSENCE

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None while there is none."""
        if not (self.done and self.total):
            return None
        return (time.monotonic() - self.began) / self.done * (self.total - self.done)


def start(
    work: Callable[[Callable[[int, int], None]], Any], expected: type[Exception], note: Any = None
) -> BackgroundJob:
    """Start work in the background for the visitor of this run.

    Args:
        work: is given a function to call with steps done and steps in all, which may raise `Stopped`.
        expected: an error that says in one line what is wrong; others go to the log.
        note: kept with the job, see there.

    Raises:
        TooManyJobs: if the visitor's last one still runs, or as many run as are allowed.
    """
    visitor, session = _who()
    job = BackgroundJob(note=note, sessions={session} - {""})
    with _changing:
        if visitor in _board and _board[visitor].state == "running":
            raise TooManyJobs("Your last run, perhaps in another tab, has not ended yet: one at a time.")
        if running() >= MOST_JOBS:
            raise TooManyJobs(f"{MOST_JOBS} visitors run something right now. Press Run again in a moment.")
        _board[visitor] = job

    def progress(done: int, total: int) -> None:
        job.done, job.total = done, total
        if job.stop.is_set() or not job.present():
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
            logging.getLogger(__name__).exception("a job failed")
            job.error = "Something went wrong here; the server’s log has the details."
            job.state = "failed"

    threading.Thread(target=run, name="job", daemon=True).start()
    return job


def running() -> int:
    """How many run, of all visitors."""
    return sum(job.state == "running" for job in tuple(_board.values()))


def here() -> BackgroundJob | None:
    """The job of the visitor of this run, if there is one: note that this tab has seen it."""
    visitor, session = _who()
    job = _board.get(visitor)
    if job is not None and session:
        job.sessions.add(session)
    return job


def forget_absent() -> None:
    """Drop what has ended and whose visitor has left: for the server's housekeeping."""
    with _changing:
        for visitor, job in tuple(_board.items()):
            if job.state != "running" and not job.present():
                del _board[visitor]


def _who() -> tuple[str, str]:
    """The visitor, and this tab."""
    context = get_script_run_ctx()
    session = context.session_id if context is not None else ""
    return st.context.cookies.get(VISITOR) or session, session


@st.fragment(run_every=0.7)
def watch(job: BackgroundJob, name: str) -> None:
    """Show a running job with its progress and a way to cancel; run the page again when it has ended."""
    if job.state != "running":
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    said = [f"{job.done:,} of {job.total:,} runs" if job.total else "waiting for the first turn"]
    if others := running() - 1:
        said.append(f"taking turns with {others} other{'s' if others > 1 else ''}")
    if job.seconds_left is not None:
        said.append(f"{_duration(job.seconds_left)} left at this pace")
    st.progress(share, text=f"{name}: {', '.join(said)}")
    stopping = job.stop.is_set()
    label = "Stopping …" if stopping else "Cancel"
    st.button(label, key="cancel_job", on_click=job.stop.set, disabled=stopping)


def _duration(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {max(seconds, 1):.0f} s"
