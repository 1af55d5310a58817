"""A real nginx in front of two copies of the lab, by deploy/nginx.conf as it is but for the ports."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from app.serving.gate import ServerLimits
from tests.deploy import visit
from tests.hostile.server import APP, free_port, lab, started
from tests.soak.visitor import Visitor

CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="needs nginx (Debian: apt-get install nginx-light)")


@needs_nginx
def test_nginx_takes_the_file_as_it_is(tmp_path):
    done = subprocess.run([NGINX, "-t", "-p", tmp_path, "-c", CONFIG], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_upload_of_the_largest_file_passes():
    """nginx's limit is above the lab's own, so that the lab says what is wrong."""
    settings = (CONFIG.parents[1] / "app" / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    (lab_mb,) = re.findall(r"^maxUploadSize = (\d+)", settings, re.MULTILINE)
    (nginx_mb,) = re.findall(r"client_max_body_size (\d+)m", CONFIG.read_text(encoding="utf-8"))
    assert int(lab_mb) < int(nginx_mb) <= 2 * int(lab_mb)
    (tabs,) = re.findall(r"limit_conn visitors (\d+)", CONFIG.read_text(encoding="utf-8"))
    assert int(tabs) > ServerLimits().per_visitor


@contextmanager
def nginx(folder, ports, changes=MappingProxyType({})):
    """Serve by the file, its ports and some lines changed; yields its address."""
    text = CONFIG.read_text(encoding="utf-8")
    for written, port in zip(("8080", "8501", "8502"), ports, strict=True):
        assert f"127.0.0.1:{written};" in text
        text = text.replace(f"127.0.0.1:{written};", f"127.0.0.1:{port};")
    for written, other in changes.items():
        assert written in text
        text = text.replace(written, other)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    # Started by root its workers would be somebody who may not write into a test's folder.
    said = "daemon off;" if os.geteuid() else "daemon off; user root;"
    process = subprocess.Popen([NGINX, "-p", folder, "-c", "nginx.conf", "-g", said])
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of nginx, and of both copies."""
    folder = tmp_path_factory.mktemp("proxy")
    copies = [folder / "first", folder / "second"]
    for copy in copies:
        copy.mkdir()
    with lab(copies[0]) as (first, one), lab(copies[1]) as (second, _):
        ports = (free_port(), *(int(address.rpartition(":")[2]) for address in (first, second)))
        with nginx(folder, ports) as address:
            wait_for(f"{address}/_stcore/health")
            yield address, (first, second), one


def wait_for(address):
    for _ in range(50):
        try:
            return urllib.request.urlopen(address, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer")


def websockets(address):
    """Open connections to a copy, by its own count."""
    with urllib.request.urlopen(f"{address}/_stcore/metrics", timeout=20) as answer:
        found = re.findall(r"active_sessions (\d+)", answer.read().decode())
    return int(found[0])


@pytest.mark.slow
@needs_nginx
class TestTwoCopies:
    """Visitors, a poll and what is too much, through nginx."""

    def test_a_visitor_is_served_over_websockets_and_stays_with_one_copy(self, served):
        """Every tab of a browser, and one that comes back, is at the same copy; browsers are spread."""
        address, copies, _ = served

        async def tabs(visitor):
            await visitor.enter(page="about")
            others = [Visitor(address, cookies=visitor.cookies) for _ in range(3)]
            for other in others:
                await other.connect()
            session = visitor.session
            await visitor.leave()
            await visitor.connect(session=session)
            await visitor.run(page="about")
            assert visitor.session == session  # not a new one: it came to the copy that has it
            return [visitor, *others]

        async def come():
            places = []
            for _ in range(8):
                before = [websockets(copy) for copy in copies]
                mine = await tabs(Visitor(address))
                await asyncio.sleep(0.3)
                after = [websockets(copy) for copy in copies]
                grown = [now - then for now, then in zip(after, before, strict=True)]
                assert sorted(grown) == [0, 4], grown
                places.append(grown.index(4))
                for tab in mine:
                    await tab.leave()
            return places

        assert set(asyncio.run(come())) == {0, 1}

    def test_the_stage_comes_whole(self, served):
        found = asyncio.run(visit.stage(served[0], "A+film+that+nobody+should+miss."))
        assert len(found["tokens"]) > 5 and len(found["importance"]) == 6

    def test_an_upload_arrives_and_one_too_large_is_refused(self, served):
        async def send():
            visitor = Visitor(served[0])
            await visitor.enter(page="evidence")
            place = await visitor.place_for("a.csv")
            fine = await asyncio.to_thread(
                visitor._put, place.upload_url, "a.csv", b"sentence\n" + b"fine\n" * 900_000
            )
            large = await asyncio.to_thread(visitor._put, place.upload_url, "b.csv", b"x" * (7 * 2**20))
            await visitor.leave()
            return fine, large

        fine, large = asyncio.run(send())
        assert fine < 300 and large in (0, 413)  # 0: hung up on while it was still sending

    def test_a_poll_is_one_room_whoever_comes(self, served):
        """Twenty browsers, whose other requests are spread over both copies, vote in one room."""
        address, _, _ = served
        teacher = browser()
        question = {
            "name": "n",
            "asks": "?",
            "about": "",
            "options": ["a", "b"],
            "right": [],
            "several": False,
        }
        ask(teacher, f"{address}/")
        room = ask(teacher, f"{address}/poll", {"origin": address, "question": question})

        def vote():
            phone = browser()
            ask(phone, f"{address}/")
            ask(phone, f"{address}/poll/{room['code']}/vote", {"round": 1, "chosen": [1]})

        phones = [threading.Thread(target=vote) for _ in range(20)]
        for phone in phones:
            phone.start()
        for phone in phones:
            phone.join(30)
        seen = ask(teacher, f"{address}/poll/{room['code']}/room", headers={"X-Poll-Key": room["key"]})
        assert seen["counts"] == [0, 20]

    def test_when_a_copy_is_gone_the_other_serves(self, served):
        """The last of these tests: it ends the first copy."""
        address, _, first = served
        first.terminate()
        first.wait(20)
        for _ in range(6):
            assert len(asyncio.run(visit.stage(address, "A+fine+film."))["tokens"]) > 3


@pytest.mark.slow
@needs_nginx
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, for a certificate")
def test_by_tls_and_under_a_path(tmp_path, monkeypatch):
    """The two changes that docs/deployment.md names: a sentence on the stage, and a vote."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    port, inside = free_port(), free_port()
    command = ["streamlit", "run", str(APP / "server.py"), "--server.baseUrlPath", "lab"]
    options = ["--server.port", str(inside), "--server.headless", "true"]
    by_tls = f"listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"
    changes = {f"listen 127.0.0.1:{port};": by_tls, "location /poll": "location /lab/poll"}
    environment = {"PYTHONPATH": str(APP.parent)}
    with (
        started([*command, *options], tmp_path, inside, environment, path="/lab"),
        nginx(tmp_path, (port, inside, inside), changes) as address,
    ):
        address = f"{address.replace('http', 'https')}/lab"
        wait_for(f"{address}/_stcore/health")
        assert len(asyncio.run(visit.stage(address, "A+fine+film."))["tokens"]) > 3
        assert visit.poll(address) == 1


def browser():
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor())


def ask(opener, address, body=None, headers=None):
    content = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    with opener.open(urllib.request.Request(address, content, sent), timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if answer.headers["Content-Type"].startswith("application/json") else text
