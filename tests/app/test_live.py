"""The lab's own addresses: what a browser is given, and what is refused."""

import gzip
import json
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette

from app import models
from app.live import routes, runtime, store, supply
from app.live.offer import offer, what_runs_where
from app.live.store import Store
from app.live.supply import Supply
from app.runs import Texts
from ltp_core import Dense, PrunedModel, Thresholds
from tests.app.harness import html, on_stage, open_view, send

TEXT = "A moving, funny film that nobody should miss."


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("cache") / "live")


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """A runtime of two small files, in place of onnxruntime-web."""
    folder = tmp_path_factory.mktemp("web")
    (folder / runtime.MODULE).write_text("export const env = {};")
    (folder / runtime.WASM).write_bytes(b"\0asm" + bytes(5000))
    return folder


@pytest.fixture(scope="module")
def lab(kept, web):
    """The routes on a port of their own."""
    os.environ[runtime.VARIABLE] = str(web)
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes.routes(Supply(kept))), port=0, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    del os.environ[runtime.VARIABLE]


def ask(lab, path, body=None, kind="application/json"):
    """Status, headers and content of an answer."""
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(f"{lab}{path}", content, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def facts_of(lab, name):
    status, headers, content = ask(lab, f"/live/model?name={name}")
    assert status == 200 and headers["Cache-Control"] == "no-store"
    return json.loads(content)


def test_a_model_comes_as_files_that_are_called_after_their_content(lab, kept):
    facts = facts_of(lab, "sst2")
    assert (facts["layers"], facts["classes"]) == (6, ["negative", "positive"])
    sizes = 0
    for part, name in facts["files"].items():
        status, headers, content = ask(lab, f"/live/file/{name}")
        assert status == 200 and "immutable" in headers["Cache-Control"]
        assert headers["Content-Encoding"] == "gzip"
        plain = gzip.decompress(content)
        sizes += len(plain)
        assert kept.put(plain, name.partition(".")[2]) == name
        wanted = {"module": "text/javascript; charset=utf-8", "wasm": "application/wasm"}
        assert headers["Content-Type"] == wanted.get(part, "application/octet-stream")
    assert facts["bytes"] == sizes
    assert facts_of(lab, "sst2") == facts


def test_weights_are_the_models_own_in_half_precision(lab):
    model = PrunedModel.from_pretrained("sst2")
    _, _, content = ask(lab, f"/live/file/{facts_of(lab, 'sst2')['files']['weights']}")
    halves = np.frombuffer(gzip.decompress(content), dtype=np.float16)
    query = model.hf_model.bert.encoder.layer[0].attention.self.query.weight.detach().numpy().ravel()
    assert np.abs(halves[: query.size] - query).max() < 1e-3
    assert len(halves) == 10_795_394


def test_models_of_one_base_share_all_but_their_weights(lab):
    rte, mrpc, sst2 = (facts_of(lab, name)["files"] for name in ("rte", "mrpc", "sst2"))
    assert {part for part in rte if rte[part] != mrpc[part]} == {"weights"}
    assert {part for part in sst2 if sst2[part] != mrpc[part]} == {
        "graph",
        "weights",
    }  # of a sample of queries


def test_a_text_comes_embedded(lab):
    status, headers, content = ask(lab, "/live/read", {"model": "sst2", "text": TEXT, "pair": None})
    model = PrunedModel.from_pretrained("sst2")
    batch, _ = model.encode([TEXT])
    expected = model.hf_model.bert.embeddings(batch["input_ids"]).detach().numpy()[0]
    assert status == 200 and int(headers["X-Tokens"]) == len(expected)
    found = np.frombuffer(content, dtype=np.float32).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("thresholds", [[0] * 6, [0, 0.01, 0.02, 0.03, 0.05, 0.3], [1] * 6])
def test_the_server_answers_as_the_engine(lab, thresholds):
    asked = {"model": "sst2", "text": TEXT, "pair": None, "thresholds": thresholds}
    status, _, content = ask(lab, "/live/answer", asked)
    assert status == 200
    found, model = json.loads(content), PrunedModel.from_pretrained("sst2")
    rule = Thresholds(thresholds, model.reference_length) if any(thresholds) else Dense()
    expected = model.predict(TEXT, rule)
    assert found["probabilities"] == pytest.approx(list(expected.probabilities.values()), abs=1e-5)
    assert found["kept"] == [list(layer.kept) for layer in expected.trace.layers]
    assert found["value"] is None


def test_a_regression_and_a_pair(lab):
    asked = {"model": "stsb", "text": "A dog runs.", "pair": "A cat sleeps.", "thresholds": [0] * 6}
    found = json.loads(ask(lab, "/live/answer", asked)[2])
    expected = PrunedModel.from_pretrained("stsb").predict(("A dog runs.", "A cat sleeps."), Dense())
    assert found["probabilities"] is None and found["value"] == pytest.approx(expected.value, abs=1e-5)
    assert facts_of(lab, "stsb")["classes"] is None


GOOD = {"model": "sst2", "text": "a film", "pair": None, "thresholds": [0] * 6}


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"model": "../../etc"}, 404, "no such model"),
        ({"model": None}, 404, "no such model"),
        ({"model": ["sst2"]}, 404, "no such model"),
        ({"text": 7}, 400, "a text is a string"),
        ({"text": ""}, 400, "the text is empty"),
        ({"text": "\ud800"}, 400, "no Unicode text"),
        ({"pair": ["a"]}, 400, "a text is a string"),
        ({"text": "x" * 100_001}, 413, "100,000 characters"),
        ({"thresholds": [0] * 5}, 400, "needs 6 thresholds"),
        ({"thresholds": "000000"}, 400, "needs 6 thresholds"),
        ({"thresholds": [0, 0, 0, 0, 0, -1]}, 400, "shares between 0 and 1"),
        ({"thresholds": [0, 0, 0, 0, 0, True]}, 400, "shares between 0 and 1"),
        ({"thresholds": [0, 0, 0, 0, 0, float("nan")]}, 400, "shares between 0 and 1"),
        ({"thresholds": [0, 0, 0, 0, 0, None]}, 400, "shares between 0 and 1"),
    ],
)
def test_bad_requests_get_one_line(lab, change, status, why):
    found, headers, content = ask(lab, "/live/answer", {**GOOD, **change})
    line = json.loads(content)["error"]
    assert found == status and why in line and "\n" not in line and headers["Cache-Control"] == "no-store"
    if "thresholds" not in change:
        assert ask(lab, "/live/read", {**GOOD, **change})[0] == status


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"null"])
def test_a_body_that_is_no_json_object(lab, body):
    assert ask(lab, "/live/read", body)[0] == 400


def test_a_body_too_large_and_one_that_another_site_could_send(lab):
    assert ask(lab, "/live/answer", b'{"text": "' + b"x" * 2**20 + b'"}')[0] == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert ask(lab, "/live/answer", GOOD, kind)[0] == 415


@pytest.mark.parametrize(
    "path",
    [
        "/live/file/../server.py",
        "/live/file/%2e%2e%2fserver.py",
        f"/live/file/{'0' * 32}.f16",
        "/live/code/0000000000000000/client.js",
        "/live/code/VERSION/../../server.py",
        "/live/code/VERSION/README.md",
        "/live/code/VERSION/supply.py",
        "/live/model",
    ],
)
def test_nothing_else_is_served(lab, path):
    assert ask(lab, path.replace("VERSION", supply.code_version()))[0] == 404


def test_the_code_is_served_under_its_version(lab):
    status, headers, content = ask(lab, routes.client_address())
    assert status == 200 and headers["Content-Type"].startswith("text/javascript")
    assert content == (Path(supply.CODE) / "client.js").read_bytes()


def test_only_so_many_are_answered_at_once(kept):
    busy = Supply(kept)
    for _ in range(supply.MOST_AT_ONCE):
        assert busy._answering.acquire(blocking=False)
    with pytest.raises(supply.Refused, match="others are being answered") as refused:
        busy.answer(GOOD)
    assert refused.value.status == 503
    busy._answering.release()
    assert busy.answer(GOOD)["probabilities"]


def test_without_npm_the_reason_is_said(kept, monkeypatch, tmp_path):
    monkeypatch.setenv(runtime.VARIABLE, str(tmp_path))
    facts = Supply(kept).model("sst2")
    assert facts["files"] is None and facts["why"] == "the lab was set up without npm"


def test_a_folder_that_cannot_be_written(web, monkeypatch, tmp_path):
    monkeypatch.setenv(runtime.VARIABLE, str(web))
    (tmp_path / "file").write_text("in the way")
    facts = Supply(Store(tmp_path / "file" / "below")).model("sst2")
    assert facts["files"] is None and facts["why"].startswith("the lab cannot write its cache folder")


def test_files_that_were_removed_are_made_again(kept, web, monkeypatch):
    monkeypatch.setenv(runtime.VARIABLE, str(web))
    serving = Supply(kept)
    facts = serving.model("sst2")
    (kept.folder / f"{facts['files']['graph']}.gz").unlink()
    assert serving.model("sst2") == facts
    assert kept.get(facts["files"]["graph"])


def test_the_store_makes_room_and_leaves_no_drafts(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MOST_BYTES", 3000)
    small = Store(tmp_path / "deep" / "cache")
    names = []
    for number in range(6):
        names.append(small.put(np.random.default_rng(number).bytes(900), "bin"))
        os.utime(small.folder / f"{names[-1]}.gz", (number, number))
    assert [bool(small.get(name)) for name in names] == [False, False, False, True, True, True]
    assert small.put(np.random.default_rng(5).bytes(900), "bin") == names[5]
    assert {file.suffix for file in small.folder.iterdir()} == {".gz"}
    monkeypatch.setattr(
        os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError, match="No space left"):
        small.put(b"more", "bin")
    assert {file.suffix for file in small.folder.iterdir()} == {".gz"}


def test_an_offer_is_small_and_for_shared_models_only():
    found = offer("sst2", Texts("a film"))
    assert found == {"client": routes.client_address(), "model": "sst2", "text": "a film", "pair": None}
    assert offer("/home/somebody/model", Texts("a film")) is None


def test_the_address_knows_the_path_that_the_lab_is_served_under(monkeypatch):
    options = {"server.baseUrlPath": "/class/"}
    monkeypatch.setattr(routes.config, "get_option", options.get)
    assert routes.client_address().startswith("/class/live/code/")


def test_shared_models_leave_out_a_visitors_own(monkeypatch):
    monkeypatch.setattr(models.st, "session_state", {models.OWN_MODELS: {"mine": None}})
    assert "mine" in models.offered() and "mine" not in models.shared()


def test_a_class_that_opens_at_once_holds_no_more_threads_than_one(lab, monkeypatch):
    most, now, lock = 0, 0, threading.Lock()

    def slowly(self, asked):
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.05)
        with lock:
            now -= 1
        return np.zeros((1, 2), dtype=np.float32) if isinstance(asked, dict) else {"files": None}

    monkeypatch.setattr(Supply, "model", slowly)
    monkeypatch.setattr(Supply, "embedded", slowly)
    for path, body, limit in (("/live/model?name=sst2", None, 1), ("/live/read", GOOD, routes.MOST_READ)):
        most = 0
        visitors = [threading.Thread(target=ask, args=(lab, path, body)) for _ in range(12)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        assert most == limit


@pytest.fixture
def explore(web, monkeypatch):
    """Explore on the shipped sst2, where a browser can be given it."""
    monkeypatch.setenv(runtime.VARIABLE, str(web))
    return lambda **query: open_view("explore", model="sst2", text=TEXT, **query)


def test_the_browser_is_a_device_that_times_both_runs(explore):
    page = explore(device="browser")
    assert page.selectbox(key="device").options == ["This browser", "CPU"]
    drawn = on_stage(page)
    assert (drawn["timing"], drawn["time"]) == ("usual", None)
    assert drawn["live"]["model"] == "sst2" and drawn["live"]["text"] == TEXT
    send(page, "timed", [[20.0, 10.0], [22.0, 11.0]] * 6)
    drawn = on_stage(page)
    assert drawn["timing"] is None and drawn["time"]["headline"].startswith("Pruning: 2.0× faster")
    assert "in this browser" in drawn["time"]["lines"][0]
    send(page, "measure")
    drawn = on_stage(page)
    assert (drawn["timing"], drawn["time"]) == ("longer", None)


def test_times_that_are_none_are_not_believed(explore):
    page = explore(device="browser")
    for nonsense in (None, "fast", [], [[1]], [[1, 2, 3]], [[1, 0]], [[1, -1]], [[1, "2"]], [[True, 1]]):
        send(page, "timed", nonsense)
        assert on_stage(page)["time"] is None, nonsense
    send(page, "timed", [[1, 1]] * 1001)
    assert on_stage(page)["time"] is None
    send(page, "timed", [[1, 1]] * 20)  # so a page that believes none would be seen
    assert on_stage(page)["time"] is not None


def test_the_servers_own_times_are_not_the_browsers(explore):
    page = explore(device="cpu")
    assert on_stage(page)["timing"] is None
    assert "CPU" in page.selectbox(key="device").options


def test_the_browser_is_no_device_where_it_cannot_run_the_model(monkeypatch, tmp_path):
    monkeypatch.setenv(runtime.VARIABLE, str(tmp_path))  # without npm
    page = open_view("explore", model="sst2", text=TEXT, device="browser")
    assert page.selectbox(key="device").options == ["CPU"]
    assert on_stage(page)["timing"] is None
    assert "There is no device “browser” here" in html(page)
    assert "on the server, also while you drag: the lab was set up without npm." in html(page)


def test_the_gear_says_what_runs_where(explore, monkeypatch):
    assert "While you drag, the model runs in this browser" in html(explore())
    large = PrunedModel.from_pretrained("sst2")
    monkeypatch.setattr("ltp_core.onnx.browser.MOST_BYTES", 1)
    monkeypatch.setattr("ltp_core.onnx.browser.graph_of", lambda model: None)
    assert what_runs_where("sst2", large).endswith("this model is too large for a browser.")
    assert "a preview without an answer" in what_runs_where("/home/somebody/model", large)
