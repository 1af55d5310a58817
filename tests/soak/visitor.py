"""A visitor of the lab without a browser: Streamlit's own protocol over a WebSocket.

What a browser sends is what this sends (cookies, protocol buffers, uploads), so the server does the same
work; nothing is drawn, so thirty fit beside the server on two cores. Only for a server on this machine.
"""

import asyncio
import json
import re
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PATIENCE = 120.0  # seconds for one run of a page
LARGEST = 64 * 2**20  # bytes of a message that is read


class Fault(Exception):
    """Something that no visitor should see."""


def origin_of(address):
    """What a browser calls the origin of pages at this address, which may be under a path."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass
class Visitor:
    """One browser tab.

    Attributes:
        address: of the server, say ``http://127.0.0.1:8501``.
        cookies: of the browser; shared by its tabs.
        session: Streamlit's name for the connection, once it is known.
        pages: path of each page -> its hash.
        elements: place on the page -> what is there.
        query: the address as the server last wrote it.
        heard: all that came, as bytes, since `forget`.
    """

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    session: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    elements: dict[tuple[int, ...], object] = field(default_factory=dict)
    query: str = ""
    heard: list[bytes] = field(default_factory=list)
    page: str = ""

    def __post_init__(self):
        if urlsplit(self.address).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("only a server on this machine is visited")
        self._socket = None
        self._fresh = set()
        self._ended = True
        self._asks = None
        self._fragment = None  # that asks to be run again and again

    async def enter(self, query="", page=""):
        """Load the page as a browser does, connect, and run it."""
        for path in ("/", "/_stcore/health", "/_stcore/host-config"):
            await asyncio.to_thread(self._get, path)
        await self.connect()
        self.query = query
        await self.run(page=page)
        if page and page not in self.pages:
            raise Fault(f"there is no page {page!r}, only {sorted(self.pages)}")

    async def connect(self, session=""):
        """Connect, as a session that was there before if one is named."""
        self._socket = await connect(
            self.address.replace("http", "ws") + "/_stcore/stream",
            subprotocols=[
                "streamlit",
                self.cookies.get("_streamlit_xsrf", "x").replace("|", "."),
                *filter(None, [session]),
            ],
            additional_headers={"Cookie": self._cookie_header()},
            origin=origin_of(self.address),
            max_size=LARGEST,
        )

    async def leave(self):
        """Close the tab."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def run(self, page=None, fragment="", **changes):
        """Run the page again, after changes to its controls: key -> value; True presses a button."""
        await self.begin(page, fragment, **changes)
        await self.finished()

    async def begin(self, page=None, fragment="", **changes):
        """The same without waiting for the end."""
        states = [state_of(self.control(key), value) for key, value in changes.items()]
        await self.send(self.rerun(states, self.page if page is None else page, fragment))
        self._ended = False

    async def until(self, there):
        """Take what comes until something is on the page; raises `Fault` if the run ends without it."""
        while not there():
            if self._ended:
                raise Fault(f"the run ended without what was waited for: {self.text()[:300]}")
            await self._next()

    def rerun(self, states=(), page="", fragment=""):
        """The message that asks for a run."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_script_hash = self.pages.get(page, "")
        message.rerun_script.page_name = page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend(states)
        return message

    async def send(self, message):
        """Send one message."""
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            raise Fault(f"the connection is gone: {error}") from None

    async def finished(self):
        """Take what comes until the run has ended."""
        while not self._ended:
            await self._next()

    async def _next(self):
        try:
            async with asyncio.timeout(PATIENCE):
                self._ended = self._take(await self._socket.recv())
        except TimeoutError:
            raise Fault(f"a run took more than {PATIENCE:.0f} s") from None
        except ConnectionClosed as error:
            raise Fault(f"the connection is gone: {error}") from None

    async def again(self, pause=0.7):
        """Run once what asks to be run again and again, after a pause -> whether there is any."""
        if self._fragment is None:
            return False
        await asyncio.sleep(pause)
        if self._fragment is None:
            return False
        await self.run(fragment=self._fragment)
        return True

    async def own_file(self):
        """Go to where a file of one's own is chosen and run."""
        await self.run(page="evidence")
        if not self.has("source"):
            await self.run(show=["Your own file"])
        if not self.has("upload"):
            await self.run(source=["A file of yours"])

    async def upload(self, key, name, content):
        """Choose a file -> the answer's status; the page is then run again if it was taken."""
        url = await self.place_for(name)
        status = await asyncio.to_thread(self._put, url.upload_url, name, content)
        if status < 300:
            state = WidgetState(id=self.control(key).id)
            info = state.file_uploader_state_value.uploaded_file_info.add()
            info.file_id, info.name, info.size = url.file_id, name, len(content)
            info.file_urls.CopyFrom(url)
            await self.send(self.rerun([state], self.page))
            self._ended = False
            await self.finished()
        return status

    async def place_for(self, name):
        """Where the server wants a file."""
        message = BackMsg()
        message.file_urls_request.request_id = str(uuid.uuid4())
        message.file_urls_request.session_id = self.session
        message.file_urls_request.file_names.append(name)
        await self.send(message)
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = ForwardMsg.FromString(await self._socket.recv())
                if answer.WhichOneof("type") == "file_urls_response":
                    return answer.file_urls_response.file_urls[0]

    def control(self, key):
        """The control with this key; raises `Fault` if it is not on the page."""
        for element in self.elements.values():
            kind = element.WhichOneof("type")
            found = getattr(element, kind) if kind else None
            if getattr(found, "id", "").endswith(f"-{key}"):
                return found
        raise Fault(f"there is no control {key!r} on the page: {self.text()[:200]}")

    def has(self, key):
        """Whether there is a control with this key."""
        try:
            return bool(self.control(key))
        except Fault:
            return False

    def html(self):
        """All that the page wrote as HTML."""
        return "\n".join(element.html.body for element in self.elements.values() if element.HasField("html"))

    def text(self):
        """The same without tags."""
        return " ".join(
            re.sub(r"<[^>]*>", " ", re.sub(r"<style.*?</style>", "", self.html(), flags=re.S)).split()
        )

    def data(self):
        """What components of ours were given, as one JSON text each."""
        found = [e.bidi_component for e in self.elements.values() if e.HasField("bidi_component")]
        return [part.json or part.mixed.json for part in found]

    def forget(self):
        """Forget what was heard."""
        self.heard.clear()

    def _take(self, data):
        """Note a message -> whether it ends the run."""
        self.heard.append(data)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
            self._fresh, self._asks = set(), None
        elif kind == "navigation":
            self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            at = {hash_: path for path, hash_ in self.pages.items()}
            self.page = at.get(message.navigation.page_script_hash, "")
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._asks = message.auto_rerun.fragment_id
        elif kind == "delta":
            place = tuple(message.metadata.delta_path)
            if message.delta.HasField("new_element"):
                self.elements[place] = message.delta.new_element
                if message.delta.new_element.HasField("exception"):
                    raise Fault(f"an exception: {message.delta.new_element.exception.message}")
            else:
                self.elements.pop(place, None)  # a block is there now
            self._fresh.add(place)
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:  # not only a fragment
                self.elements = {at: found for at, found in self.elements.items() if at in self._fresh}
                self._fragment = self._asks
            return message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return False

    def _cookie_header(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _get(self, path):
        request = urllib.request.Request(self.address + path, headers={"Cookie": self._cookie_header()})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            for line in answer.headers.get_all("Set-Cookie") or ():
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            return answer.read()

    def _put(self, path, name, content):
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        request = urllib.request.Request(
            self.address + path,
            data=head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
            method="PUT",
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "X-Xsrftoken": self.cookies.get("_streamlit_xsrf", ""),
                "Cookie": self._cookie_header(),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, HTTPException):  # hung up on: while it was sending, or (no URLError) right after
            return 0


def state_of(control, value):
    """What a browser says about a control that was just moved."""
    state = WidgetState(id=control.id)
    if isinstance(value, bool):
        state.trigger_value = value
    elif isinstance(value, float):
        state.double_array_value.data.append(value)
    elif isinstance(value, list):
        state.string_array_value.data.extend(value)
    elif isinstance(value, dict):
        state.json_trigger_value = json.dumps(value)
    else:
        state.string_value = value
    return state


__all__ = ["Fault", "Visitor", "state_of", "websockets"]
