"""The lab's own addresses, beside Streamlit's: `live/…`, for the worker in the visitor's browser.

Files are called after their content, or after the code's version, so a browser may keep them for good.
None of this imports torch before somebody asks for a model.
"""

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit import config

from app.live.supply import CODE, SCRIPTS, Supply, code_version
from app.serving.answering import FRESH, Refused, in_one_line, json_object

PREFIX = "live"
MOST_READ = 2  # texts that are embedded at once
MOST_BYTES = 2**20  # of a request's body: two texts of as many characters as the lab takes
FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
TYPES = {"mjs": "text/javascript", "wasm": "application/wasm"}  # what a browser insists on


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
        asked = await json_object(request, MOST_BYTES)
        async with reading:
            embedded = await run_in_threadpool(supply.embedded, asked)
        sizes = {"X-Tokens": str(len(embedded))}
        return Response(embedded.tobytes(), media_type="application/octet-stream", headers={**FRESH, **sizes})

    async def answer(request: Request) -> Response:
        found = await run_in_threadpool(supply.answer, await json_object(request, MOST_BYTES))
        return JSONResponse(found, headers=FRESH)

    return [
        Route(address("code", "{version}", "{name}"), in_one_line(code)),
        Route(address("file", "{name}"), in_one_line(file)),
        Route(address("model"), in_one_line(model)),
        Route(address("read"), in_one_line(read), methods=["POST"]),
        Route(address("answer"), in_one_line(answer), methods=["POST"]),
    ]
