"""Start of the lab: `ltp lab`, or `streamlit run app/server.py`.

The pages are in main.py. `streamlit run app/main.py` serves them to this machine alone: nothing bounds what
visitors send then, and nobody answers while a line is dragged.
"""

import asyncio
import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware

from app import jobs
from app.live import routes as live
from app.live.store import Store
from app.live.supply import Supply
from app.poll import routes as poll
from app.poll.rooms import Rooms
from app.serving import memory, settings
from app.serving.gate import Gate

EVERY = 20.0  # seconds


@asynccontextmanager
async def housekeeping(_: st.App) -> AsyncIterator[None]:
    """While the server runs."""
    tidying = asyncio.create_task(_tidy())
    # Streamlit itself opens no browser for a server with routes of its own.
    if not st.get_option("server.headless"):
        port = st.get_option("server.port")
        await asyncio.to_thread(webbrowser.open, f"http://{_reachable()}:{port}")
    yield
    tidying.cancel()


async def _tidy() -> None:
    """Again and again: forget who has left, and give back what that frees."""
    while True:
        await asyncio.sleep(EVERY)
        jobs.forget_absent()
        await asyncio.to_thread(memory.trim)


def _reachable() -> str:
    """The server's address as a browser on this machine writes it."""
    address = st.get_option("server.address")
    if address in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{address}]" if ":" in address else address


if why := settings.refusal(st.get_option):
    sys.exit(f"ltp lab: {why}")
memory.settle()
ROUTES = [*live.routes(Supply(Store())), *poll.routes(Rooms())]
app = st.App("main.py", routes=ROUTES, middleware=[Middleware(Gate)], lifespan=housekeeping)
