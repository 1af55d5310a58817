"""What a visitor of the other pages does and sees, and that axe-core finds no serious fault on any page."""

import pytest

from tests.browser.lab import settle

SENTENCE = "I laughed twice, and both times at the wrong moment."
VIEWS = ("", "microscope", "compare", "cost", "dataset", "attribution", "what_if", "learn", "about")


@pytest.fixture
def open_view(visit, address):
    """Opens a page by its own address: ``open_view("cost", text="…")``."""
    from urllib.parse import urlencode

    def open_it(path, options=None, **query):
        page = visit(options, text=SENTENCE)
        page.goto(f"{address}/{path}?{urlencode({'text': SENTENCE, **query})}")
        page.locator("h1").first.wait_for()
        settle(page)
        return page

    return open_it


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_of_accessibility(open_view, path, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_view(path, {"color_scheme": scheme})
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [
        (violation["id"], [node["html"][:120] for node in violation["nodes"][:3]])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
    assert not serious


def test_cost_measures_both_cases(open_view):
    page = open_view("cost")
    page.locator(".st-key-time_batch .js-plotly-plot").wait_for()
    assert page.get_by_role("heading", name="This text alone:").is_visible()


def test_compare_saves_two_settings_in_its_link(open_view):
    page = open_view("compare", t1="0", t2="0", t3="0", t4="0", t5="0", t6="0")
    page.locator(".st-key-save_a button").click()
    settle(page)
    page.locator(".st-key-save_b button").click()
    settle(page)
    assert "&a=" in page.url and "&b=" in page.url
    assert page.get_by_role("heading", name="A and B give the same answer").is_visible()


def test_a_file_runs_and_a_run_can_be_cancelled(open_view):
    page = open_view("dataset")
    page.locator(".st-key-source").get_by_text("A file of yours").click()
    settle(page)
    rows = "sentence,label\n" + "A dull film.,negative\nA moving film.,positive\n" * 400
    page.locator("input[type=file]").set_input_files(
        {"name": "rows.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    settle(page)
    page.locator(".st-key-run_set button").click()
    page.locator(".st-key-cancel_job button").click()
    page.locator(".notice", has_text="Cancelled").wait_for()


def test_a_teachers_link_shows_the_lesson_alone(open_view):
    page = open_view("learn", lesson="2", hide="text,model,thresholds,lessons")
    assert page.get_by_role("heading", name="Lesson 2: One threshold, one layer").is_visible()
    assert not page.locator("textarea, .st-key-model, .st-key-t1").count()


def test_a_lesson_is_done_by_doing(open_view):
    page = open_view("learn", lesson="1")
    page.locator("[class*=st-key-predict_1] label").nth(2).click()
    settle(page)
    page.locator(".st-key-lesson_token input").fill("times")
    page.keyboard.press("Enter")
    settle(page)
    assert page.locator(".notice", has_text="Done.").is_visible()


def test_the_link_of_a_lesson_can_be_copied(open_view):
    page = open_view("learn", {"permissions": ["clipboard-read", "clipboard-write"]}, lesson="3")
    page.locator("[class*=st-key-predict_3] label").nth(2).click()
    settle(page)
    page.locator(".st-key-teacher summary").click()
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "lesson=3" in link and "/learn?" in link
