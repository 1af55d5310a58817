"""One server and one Chromium for all browser tests of a worker; a fresh visitor for each test."""

import os

import pytest

from ltp_core.checkpoints import shipped_models
from tests.browser import lab

REASON = None
if lab.CHROMIUM is None:
    REASON = "no Chromium on this machine (Debian: apt-get install chromium)"
elif not shipped_models() and "LTP_LAB_MODELS" not in os.environ:
    REASON = "no shipped model in assets/models yet"


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            if REASON:
                item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """Where the lab looks for a model of twelve layers, once a test has asked for it."""
    return tmp_path_factory.mktemp("models") / "twelve"


@pytest.fixture(scope="session")
def address(shelf):
    """Where the lab is served."""
    with lab.server(shelf) as served:
        yield served


@pytest.fixture(scope="session")
def twelve(shelf):
    """Name of a model with twelve layers and random weights."""
    from tests.browser.twelve import write

    write(shelf)
    return shelf.name


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = lab.launch(playwright)
        yield started
        started.close()


@pytest.fixture
def visit(browser, address):
    """Opens a page as a new visitor: ``visit(text="…", t2="0.1")``, ``visit(path="cost")``.

    Other hosts are out of reach.
    """
    contexts = []

    def open_lab(options=None, path="", **query):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **(options or {})})
        contexts.append(context)
        page = context.new_page()
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        return lab.open_page(page, f"{address}/{path}", **query)

    yield open_lab
    for context in contexts:
        context.close()
