"""What stands between visitors and Streamlit: how many may come, what they may send, how long it is kept.

Streamlit bounds one file and one message. Here are bounds for a visitor and for all: connections, kinds and
rate of messages, files. A visitor is a browser, told apart by a random cookie that says nothing else.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app.serving.answering import Refused
from app.serving.settings import GATE, LOST, VISITOR

MOST_TAKEN = 8 * 2**20  # bytes of an upload that is refused anyway
_TOKEN = re.compile(r"[0-9a-f]{32}")
_UPLOAD = re.compile(r".*/_stcore/upload_file/([^/]+)/([^/]+)")
# What a page of the lab sends. Above all not `clear_cache`, which would be for all visitors, nor
# `install_skills`, which writes files.
_KINDS = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"}
_OPERATIONS = {"deferred_file", "dataframe_chunk"}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class ServerLimits:
    """What the server takes.

    Attributes:
        connections: open at once, for all visitors.
        per_visitor: connections open at once, for one visitor: tabs.
        messages: of a connection, a second; more of them wait.
        burst: so many may come at once.
        files: of a visitor that are kept, the newest.
        held: megabytes of all files of all visitors.
        uploads: at once.
        slowest: seconds that one upload may take.
        absence: seconds that a lost connection may come back in; fewer than Streamlit's own.
    """

    connections: int = 150
    per_visitor: int = 12
    messages: float = 20
    burst: int = 60
    files: int = 2
    held: int = 200
    uploads: int = 4
    slowest: float = 60
    absence: float = 60


@dataclass
class Files:
    """Which files lie in Streamlit's memory, and whose they are. Used on the server's event loop alone."""

    limits: ServerLimits
    held: dict[tuple[str, str], tuple[str, int]] = field(
        default_factory=dict
    )  # (session, file): visitor, bytes
    arriving: set[str] = field(default_factory=set)  # visitors who send one now

    @asynccontextmanager
    async def place(self, visitor: str) -> Any:
        """A place for an upload; raises `Refused` if there is none."""
        self._forget_closed()
        if visitor in self.arriving:
            raise Refused(429, "one file at a time")
        if len(self.arriving) >= self.limits.uploads:
            raise Refused(429, "many visitors send files right now; try again in a moment")
        if sum(size for _, size in self.held.values()) >= self.limits.held * 2**20:
            raise Refused(507, "the server holds as many files as it may; try again in a few minutes")
        self.arriving.add(visitor)
        try:
            yield
        finally:
            self.arriving.discard(visitor)

    def came(self, visitor: str, session: str, file: str) -> None:
        """Note a file that Streamlit has taken, and free the visitor's oldest beyond the limit."""
        found = _memory().get_files(session, [file])
        self.held[session, file] = visitor, sum(len(record.data) for record in found)
        own = [key for key, (owner, _) in self.held.items() if owner == visitor]
        for key in own[: -self.limits.files]:
            _memory().remove_file(*key)
            del self.held[key]

    def _forget_closed(self) -> None:
        """Streamlit frees the files of a session that it closes, and those that a page removes."""
        self.held = {key: kept for key, kept in self.held.items() if _memory().get_files(key[0], [key[1]])}


@dataclass
class Pace:
    """Lets messages through at a rate, after a burst."""

    rate: float
    burst: int
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._left, self._at = float(self.burst), self.clock()

    def wait(self) -> float:
        """Seconds that the message of now has to wait."""
        now = self.clock()
        self._left = min(self.burst, self._left + (now - self._at) * self.rate) - 1
        self._at = now
        return max(0.0, -self._left / self.rate)


class Gate:
    """The lab's middleware, see above; for `st.App`."""

    def __init__(self, app: App, limits: ServerLimits | None = None) -> None:
        self.app = app
        self.limits = limits or ServerLimits()
        self.files = Files(self.limits)
        self.connected: dict[str, int] = {}  # visitor -> connections
        self.sessions: set[str] = set()  # that Streamlit still has
        self.closing: dict[str, asyncio.TimerHandle] = {}  # session -> when it is closed

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connection(scope, receive, send)
        elif (
            scope["type"] == "http" and scope["method"] == "PUT" and (at := _UPLOAD.fullmatch(scope["path"]))
        ):
            await self._upload(at[1], at[2], scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "GET" and visitor_of(scope["headers"]) is None:
            await self.app(scope, receive, _introducing(send))
        else:
            await self.app(scope, receive, send)

    async def _connection(self, scope: Message, receive: Receive, send: Send) -> None:
        """One tab: Streamlit's own connection, with what it may send looked at on the way."""
        visitor = visitor_of(scope["headers"]) or secrets.token_hex(16)  # without cookies: each tab is one
        mine, all_of_them = self.connected.get(visitor, 0), sum(self.connected.values())
        if mine >= self.limits.per_visitor or all_of_them >= self.limits.connections:
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "too many visitors"})
            return
        session: str | None = None
        pace = Pace(self.limits.messages, self.limits.burst)

        async def allowed() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                await asyncio.sleep(pace.wait())
                if may_be_sent(message.get("bytes") or b""):
                    return message

        async def noting(message: Message) -> None:
            nonlocal session
            if session is None and message["type"] == "websocket.send":
                session = session_of(message.get("bytes") or b"")
                if session is not None:
                    self.sessions.add(session)
            await send(message)

        headers = [(name, value) for name, value in scope["headers"] if name != GATE.lower().encode()]
        named = scope.get("subprotocols", [])[2:3]  # what a page that comes back asks for
        known = LOST if named and named[0] not in self.sessions else "here"
        scope = {**scope, "headers": [*headers, (GATE.lower().encode(), known.encode())]}
        self.connected[visitor] = mine + 1
        try:
            await self.app(scope, allowed, noting)
        finally:
            self.connected[visitor] -= 1
            if not self.connected[visitor]:
                del self.connected[visitor]
            if session is not None:
                self._close_later(session)

    def _close_later(self, session: str) -> None:
        """Close a session whose connection does not come back: Streamlit waits for the next visitor."""

        def close() -> None:
            self.closing.pop(session, None)
            if not Runtime.instance().is_active_session(session):
                self.sessions.discard(session)
                Runtime.instance().close_session(session)

        if earlier := self.closing.pop(session, None):
            earlier.cancel()
        self.closing[session] = asyncio.get_running_loop().call_later(self.limits.absence, close)

    async def _upload(self, session: str, file: str, scope: Message, receive: Receive, send: Send) -> None:
        visitor = visitor_of(scope["headers"]) or session
        taken = False

        async def noting(message: Message) -> None:
            nonlocal taken
            if message["type"] == "http.response.start":
                taken = message["status"] < 300
            await send(message)

        try:
            async with self.files.place(visitor), asyncio.timeout(self.limits.slowest):
                await self.app(scope, receive, noting)
                if taken:
                    self.files.came(visitor, session, file)
        except Refused as error:
            await self._take(receive)
            await _answer(send, error.status, str(error))
        except TimeoutError:
            await _answer(send, 408, "the file took too long to arrive")

    async def _take(self, receive: Receive) -> None:
        """Take what a refused upload still sends: whoever is hung up on learns of a broken line, not why."""
        taken = 0
        try:
            async with asyncio.timeout(self.limits.slowest):
                while taken < MOST_TAKEN:
                    message = await receive()
                    taken += len(message.get("body") or b"")
                    if not message.get("more_body"):
                        return
        except TimeoutError:
            pass


def visitor_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The visitor that a request names; None if it names none that we could have given."""
    for name, value in headers:
        if name == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(VISITOR)
            except CookieError:
                continue
            if found is not None and _TOKEN.fullmatch(found.value):
                return found.value
    return None


def may_be_sent(data: bytes) -> bool:
    """Whether a message is of a kind that a page of the lab sends; Streamlit itself refuses what is none."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except Exception:  # of protobuf, which closes the connection over it
        return True
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in _OPERATIONS
    return kind in _KINDS


def session_of(data: bytes) -> str | None:
    """The session that a message of the server opens."""
    message = ForwardMsg()
    try:
        message.ParseFromString(data)
    except Exception:
        return None
    return message.new_session.initialize.session_id or None


def _memory() -> MemoryUploadedFileManager:
    """Where Streamlit keeps visitors' files."""
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager


def _introducing(send: Send) -> Send:
    """Give the browser a name that means nothing."""

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            cookie = f"{VISITOR}={secrets.token_hex(16)}; Path=/; HttpOnly; SameSite=Lax"
            message = {**message, "headers": [*message["headers"], (b"set-cookie", cookie.encode())]}
        await send(message)

    return named


async def _answer(send: Send, status: int, why: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode()})
