"""The lab's own addresses, beside Streamlit's: `live/…`, for the worker in the visitor's browser.

Files are called after their content, or after the code's version, so a browser may keep them for good.
None of this imports torch before somebody asks for a model.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit import config

from app.live.supply import CODE, SCRIPTS, Refused, Supply, asked_in, code_version

PREFIX = "live"
MOST_READ = 2  # texts that are embedded at once
MOST_BYTES = 2**20  # of a request's body: two texts of as many characters as the lab takes
FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-store"}
TYPES = {"mjs": "text/javascript", "wasm": "application/wasm"}  # what a browser insists on

Answerer = Callable[[Request], Awaitable[Response]]


def address(*parts: str) -> str:
    """Where a route is, from the root of the server."""
    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    return "/" + "/".join([*filter(None, [base]), PREFIX, *parts])


def client_address() -> str:
    """The module that a page imports."""
    return address("code", code_version(), "client.js")


def routes(supply: Supply) -> list[Route]:
    """All of them, for `st.App`.

    A class that opens the lab at once waits in line here, not in threads, which serve Streamlit's files, too.
    """
    preparing, reading = asyncio.Lock(), asyncio.Semaphore(MOST_READ)

    async def code(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in SCRIPTS or request.path_params["version"] != code_version():
            raise Refused(404, "there is no such script (any more): reload the page")
        return FileResponse(CODE / name, media_type="text/javascript", headers=FOR_GOOD)

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        found = await run_in_threadpool(supply.store.get, name)
        if found is None:
            raise Refused(404, "there is no such file (any more): reload the page")
        kind = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return FileResponse(found, media_type=kind, headers={**FOR_GOOD, "Content-Encoding": "gzip"})

    async def model(request: Request) -> Response:
        async with preparing:
            facts = await run_in_threadpool(supply.model, request.query_params.get("name", ""))
        return JSONResponse(facts, headers=FRESH)

    async def read(request: Request) -> Response:
        asked = asked_in(await _body(request))
        async with reading:
            embedded = await run_in_threadpool(supply.embedded, asked)
        sizes = {"X-Tokens": str(len(embedded))}
        return Response(embedded.tobytes(), media_type="application/octet-stream", headers={**FRESH, **sizes})

    async def answer(request: Request) -> Response:
        found = await run_in_threadpool(supply.answer, asked_in(await _body(request)))
        return JSONResponse(found, headers=FRESH)

    return [
        Route(address("code", "{version}", "{name}"), _in_one_line(code)),
        Route(address("file", "{name}"), _in_one_line(file)),
        Route(address("model"), _in_one_line(model)),
        Route(address("read"), _in_one_line(read), methods=["POST"]),
        Route(address("answer"), _in_one_line(answer), methods=["POST"]),
    ]


def _in_one_line(answerer: Answerer) -> Answerer:
    """What goes wrong is said in one line of JSON; what nobody expected goes to the terminal alone."""

    async def guarded(request: Request) -> Response:
        try:
            return await answerer(request)
        except Refused as error:
            return JSONResponse({"error": str(error)}, error.status, FRESH)
        except Exception:
            logging.getLogger(__name__).exception("%s failed", request.url.path)
            return JSONResponse({"error": "the lab could not do that"}, 500, FRESH)

    return guarded


async def _body(request: Request) -> bytes:
    """A request's body, of JSON by its own account: pages of other sites cannot send that unasked."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(415, "send JSON")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(413, f"the lab reads {MOST_BYTES:,} bytes")
    return bytes(body)
