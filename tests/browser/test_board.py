"""The threshold board and the microscope under mouse, finger and keys."""

import pytest

from app.components.threshold_board import script
from tests.browser.lab import kept, press, settle, slider

SENTENCE = "The plot is thin, but the two leads are so charming that I left the cinema smiling."
ALL_PASS = {f"t{layer}": "0" for layer in range(1, 7)}

# Five tokens, three layers, worked out by hand: token 2 leaves in layer 1, token 4 in layer 2.
WORKED = """
const data = {
  tokens: ["[CLS]", "a", "very", "b", "[SEP]"],
  protected: [0],
  scale: [1, 1, 1],
  importance: [[0.4, 0.2, 0.05, 0.25, 0.1], [0.1, 0.25, null, 0.5, 0.15], [0.6, 0.1, null, 0.3, null]],
  dense: [[0.4, 0.2, 0.05, 0.25, 0.1], [0.1, 0.2, 0.1, 0.4, 0.2], [0.5, 0.1, 0.1, 0.2, 0.1]],
  kept: [[1, 1, 0, 1, 1], [1, 1, 0, 1, 0], [1, 1, 0, 1, 0]],
};
"""


def works_out(browser, expression):
    """The value of an expression over the hand-worked example, in the board's own scripts."""
    page = browser.new_page()
    found = page.evaluate(f"() => {{ {script('scale.js', 'preview.js')} {WORKED} return {expression}; }}")
    page.close()
    return found


def test_the_preview_repeats_the_decision_and_follows_the_threshold(browser):
    exact = [[0, 0, 1, 0, 0], [0, 0, 2, 0, 1], [0, 0, 2, 0, 2]]
    assert works_out(browser, "exactStates(data)") == exact
    assert works_out(browser, "previewStates(data, [0.1, 0.2, 0])") == exact
    raised = works_out(browser, "previewStates(data, [0.22, 0.2, 0])")  # "a" would go in layer 1, too
    assert raised == [[0, 1, 1, 0, 1], [0, 2, 2, 0, 2], [0, 2, 2, 0, 2]]
    # "very" goes on: its importance in layer 2 is known from the dense run
    lowered = works_out(browser, "previewStates(data, [0.0, 0.2, 0])")
    assert lowered == [[0, 0, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 2, 0, 2]]


def test_keys_follow_a_grid_and_linked_thresholds_keep_their_proportions(browser):
    steps = "[0, 0.01, 0.02, 0.05, 1]"
    assert works_out(browser, f"[1, -1, 5, -5].map(by => stepped(0.02, {steps}, by))") == [0.05, 0.01, 1, 0]
    assert works_out(browser, f"[1, -1].map(by => stepped(0.03, {steps}, by))") == [0.05, 0.02]
    assert works_out(browser, "moved([0.01, 0.02, 0], 0, 0.02, 'linked')") == [0.02, 0.04, 0]
    assert works_out(browser, "moved([0.01, 0.02, 0], 1, 0.5, 'same')") == [0.5] * 3
    assert works_out(browser, "moved([0.01, 0.02, 0], 1, 0.5, 'one')") == [0.01, 0.5, 0]


def test_heights_and_shares_are_each_others_inverse(browser):
    shares = [0.0123, 0.05, 0.5, 1]
    found = works_out(
        browser, f"{shares}.map(s => {{ const l = new LogScale(0.001, 90, 9); return l.share(l.y(s)); }})"
    )
    assert found == pytest.approx(shares, rel=0.01)


def centre(page, layer):
    handle = slider(page, layer)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_drag_shows_a_preview_and_then_the_exact_result(visit):
    page = visit(text=SENTENCE)
    before = kept(page)
    x, y = centre(page, 2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 20, steps=4)
    preview = kept(page)
    assert page.locator(".st-key-board .board.previewing").count() == 1
    assert "would leave here" in slider(page, 2).get_attribute("aria-valuetext")
    assert preview[1] < before[1] and preview[0] == before[0]
    assert "t2" not in page.url
    page.mouse.up()
    settle(page)
    assert page.locator(".st-key-board .board.previewing").count() == 0
    assert kept(page)[1] == preview[1]  # this layer's importance was known
    assert "t2" in page.url
    page.locator(".st-key-undo button").click()
    settle(page)
    assert kept(page) == before


def test_the_line_itself_can_be_dragged(visit):
    page = visit(text=SENTENCE)
    before = kept(page)
    _, y = centre(page, 2)
    lanes = page.locator(".st-key-board .lanes").bounding_box()
    x = lanes["x"] + lanes["width"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 60, steps=4)
    page.mouse.up()
    settle(page)
    assert kept(page)[1] == before[0]  # off: nobody leaves in this layer
    assert slider(page, 2).get_attribute("aria-valuetext").startswith("off")
    assert "/microscope" not in page.url


def test_keys_set_a_threshold_and_say_it(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    everybody = kept(page)
    press(page, 1, "End")
    assert slider(page, 1).get_attribute("aria-valuenow") == "100"
    assert kept(page)[0] == 1
    press(page, 1, "Home")
    assert kept(page) == everybody
    press(page, 1, "PageUp")
    assert slider(page, 1).get_attribute("aria-valuetext").startswith("0.125")


def test_all_thresholds_move_together(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    page.locator(".st-key-board").get_by_label("all to one value").check()
    press(page, 3, "PageUp")
    values = {slider(page, layer).get_attribute("aria-valuenow") for layer in range(1, 7)}
    assert len(values) == 1 and values != {"0"}


def test_a_finger_drags_the_handle(visit):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = visit(phone, text=SENTENCE)
    before = kept(page)
    x, y = centre(page, 2)
    touch = page.context.new_cdp_session(page)
    for kind, height in (("touchStart", y), ("touchMove", y - 10), ("touchMove", y - 25), ("touchEnd", None)):
        points = [] if height is None else [{"x": x, "y": height}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    settle(page)
    assert kept(page)[1] < before[1]


def test_a_number_does_the_same_as_a_drag(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    page.locator(".st-key-threshold_numbers summary").click()
    box = page.locator(".st-key-t2 input")
    box.fill("5")
    box.press("Enter")
    settle(page)
    assert slider(page, 2).get_attribute("aria-valuenow") == "5"
    assert kept(page)[1] < kept(page)[0]


def test_a_token_under_the_pointer_is_lit_everywhere(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    page.locator(".st-key-board .cell[data-layer='3'][data-token='4']").hover()
    assert page.locator(".st-key-board .hover.lit").count() == 1
    assert "token 4" in page.locator(".st-key-board .tip").inner_text()
    light = page.locator(".st-key-attention_map .ltp-light")
    assert light.is_visible()
    chart = page.locator(".st-key-attention_map .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    page.locator(".st-key-board .cursor.lit").wait_for(state="attached", timeout=10_000)


def test_a_clicked_cell_opens_the_microscope_there(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    page.locator(".st-key-board .cell[data-layer='3'][data-token='4']").click()
    page.get_by_role("heading", name="Why did this token go?").wait_for()
    settle(page)
    assert "/microscope" in page.url and "layer=3" in page.url and "token=4" in page.url
    assert page.locator(".step").count() == 5
    assert page.locator(".st-key-token input").input_value().startswith("4 · ")


def test_the_map_is_walked_by_keys(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    walk = page.locator(".st-key-board .map-keys")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        walk.press(key)
    assert "token 2" in page.locator(".st-key-board .spoken").inner_text()
    walk.press("Enter")
    page.get_by_role("heading", name="Why did this token go?").wait_for()
    assert "layer=2" in page.url and "token=2" in page.url


def test_the_microscope_works_from_its_link_alone(visit, address):
    page = visit(text=SENTENCE)
    page.goto(f"{address}/microscope?text=the+the+the+the&layer=2&token=3&head=2&t1=0")
    page.locator(".step").nth(4).wait_for()
    settle(page)
    assert page.locator(".st-key-text textarea").input_value() == "the the the the"
    assert page.get_by_text("Head 2 gives “the”").is_visible()
    page.get_by_role("link", name="Explore").click()
    page.get_by_role("heading", name="What happens to my sentence?").wait_for()
    settle(page)
    assert page.locator(".st-key-text textarea").input_value() == "the the the the"
    assert "t1=0" in page.url


@pytest.mark.parametrize("figure", ["map", "lanes"])
def test_figures_are_saved_in_the_browser(visit, figure):
    page = visit(text=SENTENCE)
    with page.expect_download() as started:
        page.locator(f".st-key-board .save-{figure}-svg").click()
    drawing = started.value.path().read_text(encoding="utf-8")
    assert drawing.startswith("<svg") and "charming" in drawing and "var(" not in drawing
    with page.expect_download() as started:
        page.locator(f".st-key-board .save-{figure}-png").click()
    assert started.value.path().read_bytes().startswith(b"\x89PNG")
