"""The stage with the model behind it: what a drag shows is what the model says, and it never dies."""

import json

import pytest

from app.live import runtime
from ltp_core import PrunedModel, Thresholds
from tests.browser.lab import answers, kept, open_page, reaches, settle, slider

pytestmark = pytest.mark.skipif(
    runtime.web_runtime() is None, reason="no onnxruntime-web here: npm ci fetches it"
)

SENTENCE = "The plot is thin, but the two leads are so charming that I left the cinema smiling."
LONGEST = 120_000  # ms until a browser has loaded a model, on a busy machine


def where(page):
    return page.locator(".st-key-stage .where")


def wait_for(page, words):
    page.wait_for_function(
        """words => document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]')
          .shadowRoot.querySelector('.where').textContent.includes(words)""",
        arg=words,
        timeout=LONGEST,
    )


def drag(page, layer, by):
    """Take a handle and move it, without letting go."""
    handle = slider(page, layer)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + by, steps=4)


def answered(page, source):
    """Wait until an answer from there is on the stage for the thresholds of this frame; returns these."""
    box = page.get_by_test_id("stage-answer")
    page.wait_for_function(
        """source => {
          const place = document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]');
          const root = place.shadowRoot;
          const {dataset} = root.querySelector('[data-testid=stage-answer]');
          const sliders = [...root.querySelectorAll('[role=slider]')];
          const set = sliders.map(slider => slider.getAttribute('aria-valuenow'));
          const said = dataset.thresholds && JSON.parse(dataset.thresholds);
          const percent = share => String(Number((share * 100).toPrecision(4)));
          return dataset.source === source && said && said.every((share, at) => percent(share) === set[at]);
        }""",
        arg=source,
        timeout=LONGEST,
    )
    return json.loads(box.get_attribute("data-thresholds"))


def shown_is_the_models(page, thresholds):
    model = PrunedModel.from_pretrained("sst2")
    expected = model.predict(SENTENCE, Thresholds(thresholds, model.reference_length))
    label = expected.label
    _, (_, pruned) = answers(page)
    assert label in pruned
    share = float(pruned.split()[-2].replace(",", "."))
    assert share == pytest.approx(100 * expected.probabilities[label], abs=1)
    assert kept(page) == list(expected.trace.alive)


def test_a_drag_shows_what_the_model_says_about_that_frame(visit):
    page = visit(text=SENTENCE)
    wait_for(page, "in this browser")
    for layer, by in ((2, -6), (3, 8), (1, -4)):
        drag(page, layer, by)
        thresholds = answered(page, "browser")
        shown_is_the_models(page, thresholds)
        assert "Answered in this browser" in page.get_by_test_id("stage-time").inner_text()
        page.mouse.up()
        settle(page)
        exact = answered(page, "exact")
        assert exact == pytest.approx(thresholds, abs=1e-6)
        shown_is_the_models(page, exact)
    hosts = {url.split("/")[2] for url in page.requests if url.startswith("http")}
    assert len(hosts) == 1


def test_a_worker_that_dies_in_a_drag_leaves_a_living_stage(visit):
    page = visit(text=SENTENCE)
    wait_for(page, "in this browser")
    page.locator(".st-key-stage").get_by_label(
        "all, linked"
    ).check()  # so that no run of the drag is known before
    drag(page, 2, -4)
    answered(page, "browser")
    page.workers[0].evaluate("() => self.close()")
    box = slider(page, 2).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 8, steps=3)
    thresholds = answered(page, "server")
    shown_is_the_models(page, thresholds)
    wait_for(page, "on the server")
    page.mouse.up()
    settle(page)
    answered(page, "exact")


def test_a_graph_that_does_not_load_leaves_a_stage_that_the_server_answers(visit, address):
    page = visit(path="about")
    page.route("**/live/file/*.onnx", lambda route: route.fulfill(status=200, body="no such thing"))
    open_page(page, address, text=SENTENCE)
    wait_for(page, "on the server")
    assert "could not start" in where(page).get_attribute("title")
    drag(page, 2, -6)
    thresholds = answered(page, "server")
    shown_is_the_models(page, thresholds)
    assert "Answered by the server" in page.get_by_test_id("stage-time").inner_text()
    page.mouse.up()
    settle(page)
    assert answered(page, "exact") == pytest.approx(thresholds, abs=1e-6)


class Line:
    """The visitor's network, which can be cut."""

    def __init__(self, page):
        self.page, self.whole, self.sockets = page, True, []
        page.route_web_socket("**/_stcore/stream", self._connect)

    def _connect(self, socket):
        if not self.whole:
            return socket.close()
        socket.connect_to_server()
        return self.sockets.append(socket)

    def cut(self):
        self.whole = False
        self.page.context.set_offline(True)
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()

    def mend(self):
        self.whole = True
        self.page.context.set_offline(False)


@pytest.mark.parametrize("source", ["browser", "preview"])
def test_a_visitor_who_goes_offline_is_told_and_is_answered_when_the_network_is_back(visit, address, source):
    page = visit(path="about")
    line = Line(page)
    if source == "preview":
        page.route("**/live/file/**", lambda route: route.abort())
    open_page(page, address, text=SENTENCE)
    wait_for(page, "in this browser" if source == "browser" else "on the server")
    settle(page)
    line.cut()
    drag(page, 2, -6)
    page.locator(f"[data-testid=stage-answer][data-source={source}]").wait_for()
    page.mouse.up()
    said = (
        page.get_by_test_id("stage-time") if source == "browser" else page.locator(".st-key-stage .verdict")
    )
    said.filter(has_text="the lab cannot be reached").wait_for()
    assert "t2" not in page.url
    line.mend()
    thresholds = answered(page, "exact")
    shown_is_the_models(page, thresholds)
    reaches(page, "t2=")


def test_without_answers_a_drag_shows_a_preview_and_then_the_exact_result(visit):
    page = visit(text=SENTENCE, path="about")
    page.route("**/live/code/**", lambda route: route.abort())
    page.get_by_test_id("stTopNavLink").filter(has_text="Explore").first.click()
    settle(page)
    drag(page, 2, -6)
    page.locator("[data-testid=stage-answer][data-source=preview]").wait_for()
    page.mouse.up()
    settle(page)
    answered(page, "exact")


def test_curves_stand_beside_the_handles(visit):
    page = visit(text=SENTENCE)
    page.locator(".st-key-stage .curve").nth(5).wait_for(state="attached", timeout=LONGEST)
    assert page.locator(".st-key-stage .curve").count() == 6
    page.locator(".st-key-stage .curve-ground").nth(1).hover(position={"x": 4, "y": 4})  # beside its lines
    assert (
        "layer 2: the answer for each height of its line" in page.locator(".st-key-stage .tip").inner_text()
    )


def test_this_browser_is_a_device(visit):
    page = visit(text=SENTENCE, device="browser")
    time = page.get_by_test_id("stage-time")
    page.wait_for_function(
        """() => document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]')
          .shadowRoot.querySelector('[data-testid=stage-time]').textContent.includes('browser, on')""",
        timeout=LONGEST,
    )
    assert "Pruning" in time.inner_text() and "Hugging Face" not in time.inner_text()
    reaches(page, "device=browser")


def test_where_the_server_answers_no_room_is_kept_for_curves(visit, browser, address):
    def gap(page):  # between the handles and what a layer's work is
        handle = slider(page, 1).bounding_box()
        return (
            page.locator(".st-key-stage .dense-work").first.bounding_box()["x"]
            - handle["x"]
            - handle["width"]
        )

    page = visit(text=SENTENCE)
    wait_for(page, "browser")
    assert gap(page) > 60
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        context.add_init_script("delete window.WebAssembly")
        page = open_page(context.new_page(), address, text=SENTENCE)
        wait_for(page, "server")
        settle(page)
        assert gap(page) < 30
        assert not page.locator(".st-key-stage .of-curves").is_visible()
    finally:
        context.close()
