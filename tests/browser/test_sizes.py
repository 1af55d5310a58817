"""Six layers and twelve, on Explore and in the large view: all rows and the answer are in view."""

from itertools import pairwise

import pytest

from tests.browser.lab import kept, reaches, settle, slider
from tests.browser.twelve import SENTENCE
from tests.some import some

LAPTOP, PROJECTOR = (1280, 800), (1920, 1080)
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def boxes(page, *selectors):
    """Where parts of the stage stand, all of each: selector -> boxes."""
    stage = page.locator(".st-key-stage")
    return {
        selector: [each.bounding_box() for each in stage.locator(selector).all()] for selector in selectors
    }


@pytest.mark.parametrize("present", [False, True], ids=["explore", "large"])
@pytest.mark.parametrize("size", [LAPTOP, PROJECTOR], ids=["laptop", "projector"])
@pytest.mark.parametrize("layers", [6, 12])
def test_all_rows_and_the_answer_are_in_view(visit, twelve, layers, size, present):
    query = {"model": "sst2" if layers == 6 else twelve, "text": SENTENCE}
    viewport = {"viewport": {"width": size[0], "height": size[1]}}
    page = visit(viewport, **query, **({"present": "1"} if present else {}))
    page.get_by_test_id("stage-time").locator(".speed, .noisy").first.wait_for()
    settle(page)
    found = boxes(page, ".headline", ".layer", ".slider", ".meters", ".verdict", ".play")
    assert len(found[".layer"]) == len(found[".slider"]) == layers
    end = page.locator(".st-key-present_bar").bounding_box()["y"] if present else size[1]
    for selector, places in found.items():
        for place in some(places):
            assert place["y"] >= 0 and place["y"] + place["height"] <= end + 1, selector
    handles = sorted(place["y"] for place in found[".slider"])
    assert all(two - one >= 12 for one, two in some(pairwise(handles)))
    words = page.locator("[data-testid=stage-row-1] .word")
    assert words.count() > 20  # in the rows, not as prose
    heights = [word.bounding_box()["height"] for word in words.all()[:3]]
    assert min(heights) >= (18 if present else 14)


def test_a_sentence_of_three_lines_is_read_whole_and_the_stage_stays_in_view(visit):
    text = "The plot is thin.\nThe leads are charming.\nI left the cinema smiling."
    page = visit({"viewport": {"width": 1280, "height": 800}}, text=text)
    box = page.locator(".st-key-text textarea")
    assert box.evaluate("box => box.scrollHeight - box.clientHeight") <= 1
    assert box.evaluate("box => box.clientHeight") >= 3 * 20

    def end():
        foot = page.locator(".st-key-stage .foot").bounding_box()  # the answer, the last that must be in view
        return foot["y"] + foot["height"]

    page.wait_for_timeout(1000)  # the rows are fitted again once the box has grown
    assert end() <= 800
    box.fill(text + "\nAgain.")  # not read yet: the rows give way already
    page.wait_for_timeout(1000)
    assert box.evaluate("box => box.scrollHeight - box.clientHeight") <= 1 and end() <= 800
    box.fill("\n".join([text] * 9))
    assert page.locator(".st-key-text").bounding_box()["height"] <= 120


def test_what_is_said_beside_two_rows_of_words_is_not_cut(visit):
    page = visit({"viewport": {"width": 1280, "height": 800}}, text=" ".join([SENTENCE] * 2), t1="0")
    picture = page.locator(".st-key-stage .drawing").bounding_box()
    shares = boxes(page, ".share")[".share"]
    assert len(shares) == 6 and page.locator(".st-key-stage .share").first.text_content() == "work 100 %"
    for each in some(shares):
        assert each["x"] + each["width"] <= picture["x"] + picture["width"]


def test_a_text_that_does_not_fit_scrolls_and_its_answer_stays(visit, twelve):
    viewport = {"viewport": {"width": 1280, "height": 800}}
    page = visit(viewport, present="1", model=twelve, text=" ".join([SENTENCE] * 15))
    bar = page.locator(".st-key-present_bar").bounding_box()["y"]
    answer = page.locator(".st-key-stage .verdict")
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("main => main.scrollHeight > main.clientHeight + 50")
    for share in (0, 0.5):
        main.evaluate(
            "(main, share) => main.scrollTo(0, share * (main.scrollHeight - main.clientHeight))", share
        )
        box = answer.bounding_box()
        assert box["y"] > 0 and box["y"] + box["height"] <= bar + 1


@pytest.mark.parametrize("layers", [6, 12])
def test_in_a_short_window_the_answer_stays_while_the_rows_scroll(visit, twelve, layers):
    viewport = {"viewport": {"width": 1280, "height": 560}}
    page = visit(viewport, model="sst2" if layers == 6 else twelve, text=SENTENCE)
    answer = page.locator(".st-key-stage .verdict")
    for layer in (1, layers):
        handle = slider(page, layer)
        handle.focus()
        place, foot = handle.bounding_box(), page.locator(".st-key-stage .foot").bounding_box()
        assert place["y"] >= 0 and place["y"] + place["height"] <= foot["y"] + 1
        box = answer.bounding_box()
        assert box["y"] > 0 and box["y"] + box["height"] <= 561
        page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 0)")


def test_twelve_layers_on_a_phone_are_read_from_top_to_bottom(visit, twelve):
    page = visit(PHONE, model=twelve, text=SENTENCE)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    handles = sorted(box["y"] for box in boxes(page, ".slider")[".slider"])
    assert len(handles) == 12
    for box in boxes(page, ".layer", ".share", ".slider").values():
        assert all(each["x"] >= 0 and each["x"] + each["width"] <= 390 for each in some(box))


def swipe(page, start, end, steps=12):
    """Move one finger over the glass, as the browser sees it."""
    glass = page.context.new_cdp_session(page)

    def touch(kind, points):
        glass.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(30)

    touch("touchStart", [{"x": start[0], "y": start[1]}])
    for step in range(1, steps + 1):
        x, y = (one + (other - one) * step / steps for one, other in zip(start, end, strict=True))
        touch("touchMove", [{"x": x, "y": y}])
    touch("touchEnd", [])


def test_a_finger_on_a_handle_drags_and_elsewhere_it_scrolls(visit):
    page = visit(PHONE, text=SENTENCE)
    main, handle = page.locator("[data-testid=stMain]"), slider(page, 2)
    handle.scroll_into_view_if_needed()
    scrolled, before = main.evaluate("main => main.scrollTop"), kept(page)
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    swipe(page, (x, y), (x, y - 30))
    settle(page)
    reaches(page, "t2=")
    assert kept(page)[1] < before[1] and kept(page)[0] == before[0]
    assert main.evaluate("main => main.scrollTop") == scrolled

    address, value = page.url, handle.get_attribute("aria-valuenow")
    row = page.get_by_test_id("stage-row-3").bounding_box()
    x, y = row["x"] + 0.4 * row["width"], row["y"] + row["height"] / 2
    swipe(page, (x, y), (x, y - 200))
    settle(page)
    assert main.evaluate("main => main.scrollTop") > scrolled
    assert page.url == address and handle.get_attribute("aria-valuenow") == value
