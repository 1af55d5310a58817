"""The poll's addresses: `poll` and `poll/CODE` for phones, and what they and the teacher's page ask for.

GET  poll/CODE            the page, one small file
GET  poll/CODE/now        the question, one's own vote, and the answer once it is out
POST poll/CODE/vote       {round, chosen}
POST poll                 {origin, question}: opens a room; its key comes back
GET  poll/CODE/room       with the key: votes as they come in
POST poll/CODE/question   with the key: {question}, the next one
POST poll/CODE/reveal     with the key
POST poll/CODE/close      with the key
"""

import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit import config

from app.poll.page import HEADERS, PAGE
from app.poll.rooms import PollQuestion, Room, Rooms
from app.says.qr import qr
from app.serving.answering import FRESH, Refused, in_one_line, json_object
from app.serving.gate import visitor_of

PREFIX = "poll"
KEY = "X-Poll-Key"
MOST_BYTES = 2**18  # of a question: some sixty options in any script
MOST_OF_A_VOTE = 2**12
_ORIGIN = re.compile(r"https?://[\w.\-\[\]:]{1,200}")


def address(*parts: str) -> str:
    """Where a route is, from the root of the server."""
    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    return "/" + "/".join([*filter(None, [base]), PREFIX, *parts])


def routes(rooms: Rooms) -> list[Route]:
    """All of them, for `st.App`."""

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE, headers=HEADERS)

    async def now(request: Request) -> Response:
        room = rooms.room(request.path_params["code"])
        return JSONResponse(_for_all(rooms, room, visitor_of(request.headers.raw)), headers=FRESH)

    async def vote(request: Request) -> Response:
        asked = await json_object(request, MOST_OF_A_VOTE)
        room, visitor = rooms.room(request.path_params["code"]), _visitor(request)
        rooms.vote(room, visitor, asked.get("round"), asked.get("chosen"))
        return JSONResponse(_for_all(rooms, room, visitor), headers=FRESH)

    async def open_room(request: Request) -> Response:
        asked = await json_object(request, MOST_BYTES)
        origin = asked.get("origin")
        if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
            raise Refused(400, "An origin is the beginning of an address, say http://192.168.1.20:8501.")
        room = rooms.open(_visitor(request), origin, _question(asked))
        return JSONResponse({"key": room.key, **_for_teacher(rooms, room)}, headers=FRESH)

    def owned(do: Callable[[Room, dict[str, Any]], None], body: bool) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            room = rooms.owned(request.path_params["code"], request.headers.get(KEY, ""))
            do(room, await json_object(request, MOST_BYTES) if body else {})
            return JSONResponse(_for_teacher(rooms, room), headers=FRESH)

        return answer

    def reveal(room: Room, _: dict[str, Any]) -> None:
        room.revealed = True

    posts = {
        "vote": vote,
        "question": owned(lambda room, asked: rooms.ask(room, _question(asked)), body=True),
        "reveal": owned(reveal, body=True),
        "close": owned(lambda room, _: rooms.close(room), body=True),
    }
    return [
        Route(address(), page),
        Route(address(), in_one_line(open_room), methods=["POST"]),
        Route(address("{code}"), page),
        Route(address("{code}", "now"), in_one_line(now)),
        Route(address("{code}", "room"), in_one_line(owned(lambda *_: None, body=False))),
        *(Route(address("{code}", name), in_one_line(do), methods=["POST"]) for name, do in posts.items()),
    ]


def _visitor(request: Request) -> str:
    visitor = visitor_of(request.headers.raw)
    if visitor is None:
        raise Refused(
            403, "This browser sends no cookie, so its vote cannot be told from another: allow cookies."
        )
    return visitor


def _question(asked: dict[str, Any]) -> PollQuestion:
    """Read a question that a page of ours sends; `Rooms` looks at its size."""
    given = asked.get("question")
    if not isinstance(given, dict):
        raise Refused(400, "There is no question.")
    name, asks, about = (given.get(part) for part in ("name", "asks", "about"))
    options, right, several = (given.get(part) for part in ("options", "right", "several"))
    if not all(isinstance(part, str) for part in (name, asks, about)) or not isinstance(several, bool):
        raise Refused(400, "That is no question.")
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise Refused(400, "Options are a list of texts.")
    if not isinstance(right, list) or not all(type(index) is int for index in right):
        raise Refused(400, "What is right is a list of options.")
    return PollQuestion(str(name), str(asks), str(about), tuple(options), frozenset(right), several)


def _shown(rooms: Rooms, room: Room) -> dict[str, Any]:
    question = room.question
    return {
        "code": room.code,
        "round": room.round,
        "asks": question.asks,
        "about": question.about,
        "options": question.options,
        "several": question.several,
        "revealed": room.revealed,
        "votes": len(room.votes),
        "secondsLeft": rooms.seconds_left(room),
    }


def _for_all(rooms: Rooms, room: Room, visitor: str | None) -> dict[str, Any]:
    """What a phone sees: the answer, and what others chose, once it is out."""
    vote = None if visitor is None else room.votes.get(room.digest(visitor))
    answer = {"right": sorted(room.question.right), "counts": room.counts} if room.revealed else {}
    return {
        **_shown(rooms, room),
        "mine": None if vote is None else sorted(vote),
        "full": rooms.is_full_for(room, visitor),
        **answer,
    }


def _for_teacher(rooms: Rooms, room: Room) -> dict[str, Any]:
    link = room.origin + address(room.code)
    return {
        **_shown(rooms, room),
        "name": room.question.name,
        "right": sorted(room.question.right),
        "counts": room.counts,
        "most": rooms.limits.voters,
        "link": link,
        "typed": (room.origin + address()).partition("://")[2],
        "qr": qr(link),
    }
