"""What the lab's own addresses have in common: JSON in and out, and one line for what is not done."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

FRESH = {"Cache-Control": "no-store"}

Answerer = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """A request that is not answered: an HTTP status, and why in one line."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def in_one_line(answerer: Answerer) -> Answerer:
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


async def json_object(request: Request, most: int) -> dict[str, Any]:
    """What a request sends: one JSON object, of at most so many bytes.

    It has to be JSON by its own account: pages of other sites cannot send that unasked.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(415, "send JSON")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused(413, f"the lab reads {most:,} bytes")
    try:
        asked = json.loads(bytes(body))
    except (ValueError, RecursionError):  # JSONDecodeError and UnicodeDecodeError are the first
        raise Refused(400, "that is no JSON") from None
    if not isinstance(asked, dict):
        raise Refused(400, "that is no JSON object")
    return asked
