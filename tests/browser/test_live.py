"""The model in a real browser: what it says is what the engine says, and what happens when it cannot."""

import math
import random

import pytest

from app.live import runtime
from app.live.routes import client_address
from ltp_core import PrunedModel, Thresholds
from ltp_core.data.sentences import own_sentences
from tests.some import some

pytestmark = pytest.mark.skipif(
    runtime.web_runtime() is None, reason="no onnxruntime-web here: npm ci fetches it"
)

LONGEST = 120_000  # ms until a browser has loaded a model, on a busy machine

OPEN = """async ([client, model, text, pair]) => {
  const {open} = await import(client);
  window.live?.close();
  window.live = open({client, model, text, pair});
}"""
READY = "() => window.live.state.where === 'browser' && window.live.ready"
ANSWER = "thresholds => window.live.answer(thresholds)"


@pytest.fixture
def live(visit):
    """A page whose browser answers: ``live(model, text, pair)``."""

    def open_live(model="sst2", text="A moving, funny film.", pair=None, wait=True):
        page = visit(path="about")
        page.evaluate(OPEN, [client_address(), model, text, pair])
        if wait:
            page.wait_for_function(READY, timeout=LONGEST)
        return page

    return open_live


def read(page, model, text, pair=None):
    page.evaluate("offer => window.live.read(offer)", {"model": model, "text": text, "pair": pair})
    page.wait_for_function(READY, timeout=LONGEST)


def agrees(found, expected):
    """The same tokens and probabilities to 0.01; up to a token on the edge of its threshold."""
    for layer, kept in zip(expected.trace.layers, found["kept"], strict=True):
        for at, (mine, theirs) in enumerate(zip(kept, layer.kept, strict=True)):
            if mine != theirs:
                assert abs(layer.importance[at] - layer.threshold) < 1e-4
                return False
    probabilities = list(expected.probabilities.values())
    assert found["probabilities"] == pytest.approx(probabilities, abs=0.01)
    return True


def test_it_says_what_the_engine_says(live):
    model, chance = PrunedModel.from_pretrained("sst2"), random.Random(3)
    page, exact, pruned = live(), 0, 0
    texts = [" ".join(chance.sample(own_sentences(), 1 + number % 4)) for number in range(16)]
    for text in texts:
        read(page, "sst2", text)
        for _ in range(3):
            thresholds = [min(1.0, theta * chance.uniform(0, 3)) for theta in model.thresholds]
            found = page.evaluate(ANSWER, thresholds)
            assert found["source"] == "browser" and found["thresholds"] == thresholds
            expected = model.predict(text, Thresholds(thresholds, model.reference_length))
            exact += agrees(found, expected)
            pruned += expected.trace.alive[-2] < len(expected.trace.tokens)
            for layer, shares in zip(expected.trace.layers, found["importance"], strict=True):
                for mine, theirs in some(zip(shares, layer.importance, strict=True)):
                    assert (mine is None) == (theirs is None) or not agrees(found, expected)
                    assert mine is None or theirs is None or math.isclose(mine, theirs, abs_tol=1e-3)
    assert exact >= 46 and pruned >= 40


def test_another_model_takes_the_place_of_the_first(live):
    page = live()
    read(page, "stsb", "A dog runs over a field.", "A cat sleeps on the sofa.")
    model = PrunedModel.from_pretrained("stsb")
    found = page.evaluate(ANSWER, list(model.thresholds))
    expected = model.predict(("A dog runs over a field.", "A cat sleeps on the sofa."))
    assert found["probabilities"] is None and found["value"] == pytest.approx(expected.value, abs=0.02)
    read(page, "sst2", "A moving, funny film.")
    found = page.evaluate(ANSWER, [0] * 6)
    assert agrees(
        found, PrunedModel.from_pretrained("sst2").predict("A moving, funny film.", Thresholds([0] * 6))
    )


def test_a_curve_is_what_the_engine_says_on_each_step(live):
    text = "The predictable jokes are tired, yet somehow nothing about it feels wrong."
    page, model = live(text=text), PrunedModel.from_pretrained("sst2")
    points = page.evaluate("t => window.live.curve(3, t)", list(model.thresholds))
    starts = [point["from"] for point in points]
    assert starts[0] == 0 and starts == sorted(starts) and len(points) > 5
    for point, end in zip(points[1:], [*starts[2:], 1.0], strict=True):
        inside = (point["from"] + end) / 2
        values = [*model.thresholds[:2], inside, *model.thresholds[3:]]
        expected = model.predict(text, Thresholds(values, model.reference_length))
        assert point["left"] == expected.trace.alive[2]
        assert point["probabilities"] == pytest.approx(list(expected.probabilities.values()), abs=0.01)


def test_no_other_host_is_asked_and_files_are_fetched_once(live):
    page = live()
    hosts = {url.split("/")[2] for url in page.requests if url.startswith("http")}
    assert len(hosts) == 1
    files = [url for url in page.requests if "/live/file/" in url]
    assert len(files) == len(set(files)) == 4


def test_a_worker_that_dies_in_a_drag_leaves_the_server(live):
    page = live()
    assert page.evaluate(ANSWER, [0] * 6)["source"] == "browser"
    (worker,) = page.workers
    worker.evaluate("() => self.close()")  # it is gone without a word, as one that has run out of memory
    found = page.evaluate(ANSWER, [0, 0, 0.02, 0.02, 0.02, 0.02])
    assert found["source"] == "server" and found["probabilities"]
    state = page.evaluate("() => window.live.state")
    assert state["where"] == "server" and "stopped" in state["why"]


@pytest.mark.parametrize("broken", ["**/live/file/*.onnx", "**/live/file/*.wasm", "**/live/code/*/worker.js"])
def test_what_does_not_load_leaves_the_server(live, broken):
    page = live(wait=False)
    page.evaluate("() => window.live.close()")
    page.route(
        broken, lambda route: route.fulfill(status=200, content_type="text/plain", body="no such thing")
    )
    page.evaluate(OPEN, [client_address(), "sst2", "A moving, funny film.", None])
    page.wait_for_function("() => /could not start/.test(window.live.state.why)", timeout=LONGEST)
    assert page.evaluate(ANSWER, [0] * 6)["source"] == "server"


def test_a_visitor_who_is_offline_after_load_goes_on(live):
    page = live()
    page.context.set_offline(True)
    found = page.evaluate(ANSWER, [0, 0, 0.02, 0.02, 0.02, 0.02])
    assert found["source"] == "browser"
    page.evaluate("() => window.live.read({model: 'sst2', text: 'Another film.', pair: null})")
    assert page.evaluate(ANSWER, [0] * 6) is None
    assert page.evaluate("() => window.live.state.where") == "nowhere"
    page.context.set_offline(False)
    assert page.evaluate(ANSWER, [0] * 6)["source"] == "server"
    page.wait_for_function(READY, timeout=LONGEST)  # and the browser is back, too


def test_where_the_browser_asks_to_save_data_nothing_large_is_fetched(live):
    page = live(wait=False)
    page.evaluate("() => window.live.close()")
    page.evaluate("() => Object.defineProperty(navigator, 'connection', {value: {saveData: true}})")
    page.requests.clear()
    page.evaluate(OPEN, [client_address(), "sst2", "A moving, funny film.", None])
    page.wait_for_function("() => /save data/.test(window.live.state.why)", timeout=LONGEST)
    assert page.evaluate(ANSWER, [0] * 6)["source"] == "server"
    assert not [url for url in page.requests if "/live/file/" in url]
