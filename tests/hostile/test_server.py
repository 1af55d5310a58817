"""The lab as a server, against visitors who send what no page sends. No browser: Streamlit's own protocol."""

import asyncio
import subprocess
import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.serving import gate
from tests.hostile.server import free_port, held_bytes, lab, streamlit_run
from tests.soak.visitor import Fault, Visitor

MEGABYTE = 2**20
OPEN = '[server]\naddress = "0.0.0.0"\nmaxUploadSize = 5000\n[browser]\ngatherUsageStats = true\n'


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A lab in a folder whose own Streamlit settings are as open as can be."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(OPEN)
    with lab(folder) as (address, _):
        yield address


def visit(address, script, page="evidence", query=""):
    """Enter as a visitor and do something."""

    async def run():
        visitor = Visitor(address)
        await visitor.enter(query, page)
        try:
            return await script(visitor)
        finally:
            await visitor.leave()

    return asyncio.run(run())


def listening(port):
    """Local addresses that listen on a port."""
    found = []
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(name, encoding="ascii") as file:
            rows = [line.split() for line in list(file)[1:]]
        found += [
            row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port
        ]
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_listens_on_this_machine_only_whatever_the_folder_says(address):
    assert listening(int(address.rpartition(":")[2])) == ["0100007F"]  # 127.0.0.1


def test_the_page_runs_behind_the_gate(address):
    async def look(visitor):
        await visitor.own_file()
        return visitor.text(), visitor.has("upload")

    text, runs = visit(address, look)
    assert runs and "Limits: 5 MB" in text


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("script", ["main.py", "server.py"])
@pytest.mark.parametrize("place", ["the folder", "the home"])
def test_streamlit_run_from_another_folder_is_as_safe(tmp_path, script, place):
    """Settings as open as can be, in the folder where it is started or in the user's home."""
    opened = tmp_path / ".streamlit"
    opened.mkdir()
    (opened / "config.toml").write_text(OPEN)
    (tmp_path / "work").mkdir()
    home = {"HOME": str(tmp_path)} if place == "the home" else {}
    folder = tmp_path if place == "the folder" else tmp_path / "work"
    with streamlit_run(script, folder, home) as address:
        assert listening(int(address.rpartition(":")[2])) == ["0100007F"]
        text, runs = visit(address, _limits)
        assert runs and "Limits: 5 MB" in text


async def _limits(visitor):
    await visitor.own_file()
    return visitor.text(), visitor.has("upload")


@pytest.mark.parametrize("way", ["flag", "environment"])
def test_without_the_gate_nobody_else_is_served(tmp_path, way):
    """`streamlit run main.py` on all addresses has a page that says why it is empty."""
    flags = ["--server.address", "0.0.0.0"] if way == "flag" else []
    environment = {} if flags else {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}
    with streamlit_run("main.py", tmp_path, environment, flags) as address:

        async def look():
            visitor = Visitor(address)
            await visitor.enter()
            await visitor.leave()
            return visitor.text(), visitor.has("text")

        text, runs = asyncio.run(look())
        assert "without its limits on what visitors may send" in text and not runs


OPENED = [
    ("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "5000"),
    ("STREAMLIT_SERVER_MAX_WIDGET_STATE_SIZE", "400"),
    ("STREAMLIT_SERVER_ENABLE_CORS", "false"),
    ("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "true"),
    ("STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION", "false"),
    ("STREAMLIT_CLIENT_SHOW_ERROR_DETAILS", "full"),
    ("STREAMLIT_CLIENT_TOOLBAR_MODE", "developer"),
]


@pytest.mark.parametrize(("setting", "value"), OPENED)
def test_settings_that_open_it_are_refused_before_it_answers(tmp_path, setting, value):
    with (
        pytest.raises(RuntimeError, match="does not run with these settings"),
        lab(tmp_path, environment={setting: value}),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "no.such.host.invalid"], "cannot listen on"),
        (["--host", "192.0.2.7"], "cannot listen on"),  # not an address of this machine
        (["--port", "0"], "port"),
        (["--port", "70000"], "port"),
    ],
)
def test_a_wrong_address_is_one_line(tmp_path, options, said):
    done = subprocess.run(
        [sys.executable, "-m", "ltp_core", "lab", "--no-browser", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2 and said in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_taken_port_is_one_line(tmp_path, address):
    port = address.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "ltp_core", "lab", "--no-browser", "--port", port],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2 and "choose another --port" in done.stderr


def test_uploads_of_a_visitor_are_counted_and_freed(address):
    """Sixty of 5 MB: two are kept while the visitor is here."""
    content = b"sentence\n" + b"a fine film\n" * 400_000

    async def send(visitor):
        held = 0
        for number in range(60):
            place = await visitor.place_for(f"{number}.csv")
            assert await asyncio.to_thread(visitor._put, place.upload_url, f"{number}.csv", content) < 300
            held = max(held, held_bytes(address))
        return held

    before = held_bytes(address)
    assert visit(address, send) - before <= gate.ServerLimits().files * len(content)


def test_uploads_of_all_visitors_together_are_bounded(tmp_path):
    """Fifty visitors with a file each, on a lab of their own: it is full for a minute after them."""
    content = b"sentence\n" + b"a fine film\n" * 400_000

    async def send(address):
        visitors = [Visitor(address) for _ in range(50)]
        statuses = []
        for number, visitor in enumerate(visitors):
            await visitor.enter(page="about")
            place = await visitor.place_for(f"{number}.csv")
            statuses.append(await asyncio.to_thread(visitor._put, place.upload_url, f"{number}.csv", content))
        held = held_bytes(address)
        for visitor in visitors:
            await visitor.leave()
        return statuses, held

    with lab(tmp_path) as (address, _):
        statuses, held = asyncio.run(send(address))
    assert held <= gate.ServerLimits().held * MEGABYTE + len(content)
    assert set(statuses) == {204, 507}  # and nobody is hung up on


def test_a_file_for_nobody_is_refused(address):
    async def send(visitor):
        place = await visitor.place_for("a.csv")
        url = place.upload_url.replace(visitor.session, "no-such-session")
        return await asyncio.to_thread(visitor._put, url, "a.csv", b"text\na\n")

    before = held_bytes(address)
    assert visit(address, send) >= 400 and held_bytes(address) <= before


@pytest.mark.parametrize("name", ["/etc", "/no/such/folder", "nobody/nothing", "file:///etc/passwd"])
def test_an_address_does_not_tell_what_is_on_this_machine(address, name):
    """The same is said of a folder that is there, of one that is not, and of an id on the Hub."""

    async def look():
        visitor = Visitor(address)
        await visitor.enter(query=urlencode({"model": name}))
        await visitor.leave()
        return visitor.text(), visitor.has("own_model_name"), visitor.has("link_model_load")

    text, field, load = asyncio.run(look())
    assert f"There is no model “{name}” here" in text and not field and not load


@pytest.mark.parametrize("path", ["/?t1={}", "/?text={}", "/why?model={}", "/{}", "/_stcore/stream?x={}"])
def test_an_address_of_100_kilobytes_is_not_echoed_by_http(address, path):
    long = "7" * 100_000
    connection = HTTPConnection("127.0.0.1", int(address.rpartition(":")[2]), timeout=60)
    try:
        connection.request("GET", path.format(long))
        answer = connection.getresponse()
        assert answer.status in (200, 400, 404, 414, 431) and long[:1000] not in answer.read().decode()
    except (OSError, HTTPException):  # hung up on
        pass
    finally:
        connection.close()


KINDS = [field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields]


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_a_page_sends_is_let_through(kind):
    """Of all kinds that this Streamlit knows: a later one has others, which stay outside."""
    message, field = BackMsg(), BackMsg.DESCRIPTOR.fields_by_name[kind]
    if field.message_type is not None:
        getattr(message, kind).SetInParent()
    else:
        setattr(message, kind, "x" if field.cpp_type == field.CPPTYPE_STRING else True)
    page = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request")
    assert gate.may_be_sent(message.SerializeToString()) == (kind in page)


def test_a_file_that_is_too_large_is_refused_before_it_is_kept(address):
    async def send(visitor):
        place = await visitor.place_for("large.csv")
        return await asyncio.to_thread(visitor._put, place.upload_url, "large.csv", b"x" * (6 * MEGABYTE))

    before = held_bytes(address)
    assert visit(address, send) in (0, 413)  # 0: hung up on while it was still sending
    assert held_bytes(address) <= before


def test_no_visitor_clears_what_others_use(address):
    """Streamlit clears the models that all share, and what this visitor has chosen: that is seen."""

    async def clear(visitor):
        await visitor.run(predict_share=visitor.control("predict_share").options[0])
        chosen = "aria-current=step>Drag<" in visitor.html()
        message = BackMsg()
        message.clear_cache = True
        await visitor.send(message)
        await visitor.run()
        return chosen, "aria-current=step>Drag<" in visitor.html()

    assert visit(address, clear, page="learn", query="lesson=share") == (True, True)


def test_a_flood_of_messages_waits_and_others_are_served(address):
    async def flood():
        noisy, other = Visitor(address), Visitor(address)
        await noisy.enter()
        for _ in range(200):
            await noisy.send(noisy.rerun())
        await other.enter(page="about")
        await other.leave()
        await noisy.leave()
        return other.html()

    assert "<h1" in asyncio.run(flood())


def test_tabs_of_a_visitor_are_bounded(address):
    async def open_many():
        first = Visitor(address)
        await first.enter(page="about")
        tabs, refused = [], 0
        for _ in range(gate.ServerLimits().per_visitor + 5):
            tab = Visitor(address, cookies=first.cookies)
            try:
                await tab.connect()
                tabs.append(tab)
            except Exception:
                refused += 1
        for tab in [first, *tabs]:
            await tab.leave()
        return len(tabs), refused

    kept, refused = asyncio.run(open_many())
    assert kept == gate.ServerLimits().per_visitor - 1 and refused == 6


def test_what_is_no_message_closes_that_connection_alone(address):
    async def garble():
        odd, other = Visitor(address), Visitor(address)
        await odd.enter(page="about")
        await other.enter(page="about")
        await odd._socket.send(b"\xff\xff\xff\xff")
        with pytest.raises(Fault, match="gone"):
            for _ in range(100):  # what was still on its way comes first
                await odd._next()
        await other.run()
        await other.leave()
        return other.page

    assert asyncio.run(garble()) == "about"


def test_a_page_that_outlives_the_server_says_that_its_first_click_is_lost(tmp_path):
    """Streamlit's page reconnects by itself, and sends a click whose button the new server does not know."""
    port = free_port()
    said = "what you did last is not done"

    async def click(visitor):
        await visitor.connect(session=visitor.session)
        await visitor.run(example_1=True)
        return visitor.text()

    visitor = Visitor(f"http://127.0.0.1:{port}")
    with lab(tmp_path, port=port):

        async def before():
            await visitor.enter()
            await visitor.leave()
            within_a_minute = await click(visitor)
            await visitor.leave()
            return within_a_minute

        assert said not in asyncio.run(before())
    with lab(tmp_path, port=port):

        async def after():
            first = await click(visitor)
            await visitor.run(example_2=True)
            await visitor.leave()
            return first, visitor.text()

        first, again = asyncio.run(after())
    assert said in first and said not in again
