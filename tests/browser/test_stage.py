"""The stage under mouse, finger and keys, and the way to the microscope."""

import csv
import io
import itertools
import json
import re
from xml.etree import ElementTree

import pytest

from app.measured import settings_of
from ltp_core import PrunedModel, Thresholds
from tests.browser.lab import answers, kept, open_menu, press, reaches, settle, slider, type_text, words, work

SVG = "{http://www.w3.org/2000/svg}"

SENTENCE = "The plot is thin, but the two leads are so charming that I left the cinema smiling."
ALL_PASS = {f"t{layer}": "0" for layer in range(1, 7)}

# The stage's script waits until it is let go, as on a busy machine or a slow line.
LATE = """
  const Usual = window.Blob;
  window.ltpHeld = new Promise((go) => (window.ltpLetGo = go));
  window.Blob = class extends Usual {
    constructor(parts, options) {
      super(parts?.[0]?.includes?.("class Stage") ? ["await window.ltpHeld;", ...parts] : parts, options);
    }
  };
"""


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
    assert page.locator(".st-key-stage .stage:is(.previewing, .answering)").count() == 1
    assert "leave here" in slider(page, 2).get_attribute("aria-valuetext")
    assert preview[1] < before[1] and preview[0] == before[0]
    assert "t2" not in page.url
    page.mouse.up()
    settle(page)
    assert page.locator(".st-key-stage .stage:is(.previewing, .answering)").count() == 0
    assert kept(page)[1] == preview[1]  # this layer's importance was known
    reaches(page, "t2=")
    page.locator(".st-key-stage .undo").click()
    settle(page)
    assert kept(page) == before


def test_a_script_that_comes_after_two_results_lets_the_lines_be_moved(visit, address):
    page = visit(path="about")
    page.add_init_script(LATE)
    page.goto(f"{address}/?text=the+the+the+the&t1=0")
    page.locator(".st-key-stage").wait_for()
    for _ in range(2):  # until the text is measured, which changes what the stage was given first
        page.wait_for_timeout(500)
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    assert page.locator(".st-key-stage .cell").count() == 0
    page.evaluate("window.ltpLetGo()")
    page.locator(".st-key-stage .cell").first.wait_for()
    page.get_by_test_id("stage-time").locator(".detail").first.wait_for()
    assert page.locator(".st-key-stage [role=slider]").count() == 6
    press(page, 1, "End")
    assert kept(page)[0] == 1
    page.locator(".st-key-stage .undo").click()
    settle(page)
    assert kept(page)[0] == 6


def test_the_line_itself_can_be_dragged(visit):
    page = visit(text=SENTENCE)
    before = kept(page)
    _, y = centre(page, 2)
    rows = page.locator(".st-key-stage .drawing").bounding_box()
    x = rows["x"] + rows["width"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 40, steps=4)
    page.mouse.up()
    settle(page)
    assert kept(page)[1] == before[0]  # off: nobody leaves in this layer
    assert slider(page, 2).get_attribute("aria-valuetext").startswith("off")
    assert "/why" not in page.url


def test_a_setting_that_has_a_name_is_one_press(visit):
    """Those of settings.json that hold for these weights; what is learned is pressed when the page opens."""
    model = PrunedModel.from_pretrained("sst2")
    named = settings_of("sst2", model.thresholds)
    page = visit(text=SENTENCE, model="sst2")
    chips = page.locator(".st-key-stage .named button")
    assert chips.all_inner_texts() == ([one.name for one in named] or ["Learned"])
    assert [chip.get_attribute("aria-pressed") for chip in chips.all()].count("true") == 1
    for one in named:
        chips.get_by_text(one.name, exact=True).click()
        settle(page)
        alive = model.predict(SENTENCE, rule=Thresholds(one.thresholds, model.reference_length)).trace.alive
        assert kept(page) == list(alive)
        assert chips.get_by_text(one.name, exact=True).get_attribute("aria-pressed") == "true"


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
    page.locator(".st-key-stage").get_by_label("all equal").check()
    press(page, 3, "PageUp")
    page.wait_for_function(
        """() => {
          const place = document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]');
          const lines = [...place.shadowRoot.querySelectorAll('[role=slider]')];
          const values = lines.map(line => line.getAttribute('aria-valuenow'));
          return values.length === 6 && values[0] !== '0' && values.every(value => value === values[0]);
        }"""
    )


def drag_to(page, layer, share):
    """Drag a layer's handle to the height of a share of attention: 1 is the top of its row, 0 the foot."""
    x, y = centre(page, layer)
    row = page.get_by_test_id(f"stage-row-{layer}").bounding_box()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, row["y"] - 30 if share else row["y"] + row["height"] + 30, steps=5)
    page.mouse.up()
    settle(page)


def test_linked_lines_keep_their_proportions_through_both_ends(visit):
    page = visit(text=SENTENCE, t1="0.01", t2="0.02", t3="0.04", t4="0.02", t5="0.01", t6="0.01")

    def lines():
        return [float(slider(page, layer).get_attribute("aria-valuenow")) for layer in range(1, 7)]

    page.locator(".st-key-stage").get_by_label("all, linked").check()
    for end, reached in ((1, 100), (0, 0)):
        drag_to(page, 2, end)
        assert lines()[1] == reached
        press(page, 2, "ArrowUp" if reached == 0 else "PageDown", 5)
        first, second, third, *_ = lines()
        assert first > 0 and second == pytest.approx(2 * first, rel=0.02)
        assert third == pytest.approx(2 * second, rel=0.02)


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


@pytest.mark.parametrize("copies", [1, 5])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_two_handles_touch(visit, width, copies):
    phone = {"has_touch": True, "is_mobile": True} if width < 640 else {}
    text = " ".join([SENTENCE] * copies)
    page = visit(
        {"viewport": {"width": width, "height": 844}, **phone}, text=text, t1="0", t2="1", t3="0", t4="1"
    )
    boxes = [slider(page, layer).bounding_box() for layer in range(1, 7)]
    for above, below in itertools.pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"]
    for layer, box in enumerate(boxes, start=1):
        row = page.get_by_test_id(f"stage-row-{layer}").locator(".threshold").first.bounding_box()
        assert box["y"] <= row["y"] <= box["y"] + box["height"]  # its line still leads to it
        assert box["height"] >= 24


@pytest.mark.parametrize("view", [{}, {"present": "1"}])
def test_nothing_moves_while_a_line_is_dragged(visit, view):
    page = visit({"viewport": {"width": 1280, "height": 800}}, model="stsb", **view)
    page.get_by_test_id("stage-time").locator(":is(.speed, .noisy)").wait_for()
    settle(page)

    def places():
        return page.evaluate(
            """() => {
              const place = document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]');
              return ['.board', '.walk', '.foot', '.tools', '.track.dense'].map(part => {
                const {x, y, width, height} = place.shadowRoot.querySelector(part).getBoundingClientRect();
                return [x, y, width, height].map(Math.round);
              });
            }"""
        )

    before = places()
    x, y = centre(page, 2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 30, steps=4)
    page.locator("[data-testid=stage-answer]:is([data-source=server], [data-source=browser])").wait_for()
    assert places() == before
    page.mouse.up()


def test_rows_stay_where_they_are_on_a_phone_when_more_is_said_above_them(visit):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = visit(phone, text=SENTENCE)
    said, places = set(), []
    for layer, key in ((2, "PageUp"), (2, "Home"), (3, "End"), (1, "End")):
        slider(page, layer).evaluate("handle => handle.focus({preventScroll: true})")
        before = page.locator(".st-key-stage .board").bounding_box()["y"]
        press(page, layer, key)
        places.append(page.locator(".st-key-stage .board").bounding_box()["y"] - before)
        said.add(len(page.locator(".st-key-stage .head").inner_text()) // 40)
    assert len(said) > 1  # one line, and more
    assert places == pytest.approx([0] * 4, abs=1)


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
    page.locator(".st-key-stage .cell[data-layer='3'][data-token='4'] .bar").hover()
    assert page.locator(".st-key-stage .lit.on").count() == 1
    assert "token 4" in page.locator(".st-key-stage .tip").inner_text()
    light = page.locator(".st-key-attention_map .ltp-light")
    assert light.is_visible()
    chart = page.locator(".st-key-attention_map .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    page.locator(".st-key-stage .lit.on").wait_for(state="attached", timeout=10_000)


def test_a_clicked_cell_opens_the_microscope_there(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    page.locator(".st-key-stage .cell[data-layer='3'][data-token='4'] .bar").click()
    page.get_by_role("heading", name="Why did this word leave?").wait_for()
    settle(page)
    reaches(page, "/why", "layer=3", "token=4")
    assert page.locator(".step").count() == 5
    assert page.locator(".st-key-token input").input_value().startswith("4 · ")
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop") == 0


def test_the_words_are_walked_by_keys(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    walk = page.locator(".st-key-stage .walk")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        walk.press(key)
    assert "token 2" in page.locator(".st-key-stage .spoken").inner_text()
    walk.press("Enter")
    page.get_by_role("heading", name="Why did this word leave?").wait_for()
    reaches(page, "/why", "layer=2", "token=2")


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
    reaches(page, "t1=0")


def saved(page, kind):
    with page.expect_download() as started:
        page.locator(f".st-key-stage .save-{kind}").click()
    return started.value.path().read_bytes()


def test_the_stage_is_saved_in_the_browser_with_title_and_legend(visit):
    page = visit(text=SENTENCE)
    title = page.get_by_test_id("stage-headline").inner_text().replace("\u00a0", " ")
    drawing = saved(page, "svg").decode()
    assert drawing.startswith("<svg") and "charming" in drawing and "var(" not in drawing
    texts = [node.text for node in ElementTree.fromstring(drawing).iter(f"{SVG}text") if node.text]
    assert "Read on only" in texts[0] and {"stays", "leaves", "Layer 1"} <= set(texts)
    assert saved(page, "png").startswith(b"\x89PNG")
    trace = json.loads(saved(page, "json"))
    assert trace["title"].replace("\u00a0", " ") == title and "logarithmic" in trace["legend"]
    assert [sum(layer["kept"]) for layer in trace["layers"]] == kept(page)
    rows = list(csv.DictReader(io.StringIO(saved(page, "csv").decode())))
    assert [row["token"] for row in rows] == trace["tokens"]
    assert float(rows[1]["share of attention, layer 1"]) == trace["layers"][0]["importance"][1]
    assert rows[0]["title"] == trace["title"] and rows[0]["legend"] == trace["legend"]


def test_time_is_played_stepped_and_scrubbed(visit):
    page = visit({"reduced_motion": "reduce"}, text=SENTENCE)
    scrubber, play = page.get_by_test_id("stage-scrubber"), page.get_by_test_id("stage-play")
    future = page.locator(".st-key-stage .row.future")
    assert scrubber.input_value() == "6" and future.count() == 0
    whole = work(page)
    scrubber.focus()
    page.keyboard.press("ArrowLeft")
    assert future.count() == 1
    assert work(page)[1] < whole[1]  # the layers played so far
    page.keyboard.press("Home")
    assert future.count() == 6 and "nothing yet" in page.locator(".st-key-stage .work").inner_text()
    play.click()
    page.wait_for_function(
        "() => document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]')"
        ".shadowRoot.querySelector('.scrubber').value === '2'"
    )
    assert future.count() == 4
    moving = page.locator(".st-key-stage .row.now .word").first
    assert moving.evaluate("word => getComputedStyle(word).animationName") == "none"
    play.click()
    assert play.get_attribute("aria-label") == "Play the layers"
    assert work(page)[1] < whole[1]


def test_arcs_show_who_looks_at_the_word_under_the_pointer(visit):
    page = visit(text=SENTENCE)
    arcs = page.locator(".st-key-stage .arc")
    word = page.locator(".st-key-stage .cell[data-layer='2'][data-token='5'] .bar")
    page.get_by_test_id("stage-time").locator(".detail").first.wait_for()  # attention comes with the times
    settle(page)
    word.hover()
    assert arcs.count() > 2
    assert "most from" in page.locator(".st-key-stage .tip").inner_text()
    page.get_by_test_id("stage-headline").hover()
    assert arcs.count() == 0


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_the_whole_stage_is_in_view(visit, size):
    text = (
        "The plot is predictable and the jokes are tired, yet somehow nothing about this long and silly film "
        "feels wrong to me or to anybody else."
    )
    page = visit({"viewport": {"width": size[0], "height": size[1]}}, text=text)
    assert len(words(page)) <= 31
    page.get_by_test_id("stage-time").locator(".detail").first.wait_for()
    for part in (
        "[data-testid=stage-headline]",
        "[data-testid=stage-row-6]",
        "[data-testid=stage-time]",
        ".tools",
    ):
        box = page.locator(f".st-key-stage {part}").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1], part
    assert (
        page.locator(".st-key-stage .word").first.evaluate(
            "word => parseFloat(getComputedStyle(word).fontSize)"
        )
        >= 12
    )


def test_forty_words_wrap_into_systems_and_a_long_text_is_prose_with_the_rows_on_demand(visit):
    page = visit(text=" ".join([SENTENCE] * 2))
    heights = page.locator("[data-testid=stage-row-1] .word").evaluate_all(
        "words => [...new Set(words.map(word => word.getAttribute('y')))]"
    )
    assert len(heights) == 2 and not page.locator(".st-key-stage .prose").count()
    type_text(page, " ".join([SENTENCE] * 5))
    assert len(words(page)) > 60 and page.locator(".st-key-stage .prose").count()
    assert not page.locator("[data-testid=stage-row-1] .word").count()
    page.get_by_role("button", name="Words in the rows").click()
    assert page.locator("[data-testid=stage-row-1] .word").count() == len(words(page)) > 60


def test_the_focus_is_never_under_the_head_of_the_page(visit):
    page = visit({"viewport": {"width": 1280, "height": 420}}, text=SENTENCE)
    head = page.locator("[data-testid=stHeader]").bounding_box()["height"]
    page.locator(".st-key-stage .walk").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        box = page.evaluate(
            """() => {
              let at = document.activeElement
              while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
              const { top, bottom } = at.getBoundingClientRect()
              return { top, bottom }
            }"""
        )
        assert box["top"] >= head - 1 and box["bottom"] <= 421, box


def test_the_lab_opens_on_a_case_that_a_drag_flips(visit):
    page = visit()
    headline = page.get_by_test_id("stage-headline")
    assert "still says positive" in headline.inner_text()
    page.locator(".st-key-threshold_numbers summary").click()
    box = page.locator(".st-key-t2 input")
    box.fill("4.2")
    box.press("Enter")
    settle(page)
    assert "negative, not positive" in headline.inner_text()
    assert answers(page)[0].startswith("Another answer")


def test_a_surprise_is_a_link_that_opens_its_view(visit):
    page = visit()
    open_menu(page, "surprises")
    page.get_by_role("button", name="There and back").click()
    settle(page)
    reaches(page, "still+I+loved", "t1=0.055")
    assert page.get_by_text("How often does the answer change").first.is_visible()
    assert "negative" in page.get_by_test_id("stage-headline").inner_text()


def test_only_the_first_token_left_is_said_beside_what_the_model_says_to_nothing(visit):
    page = visit(text=SENTENCE, t1="0.4")
    assert "alone is left" in page.get_by_test_id("stage-headline").inner_text()
    assert "to an empty text it says" in page.locator(".st-key-stage .aside").inner_text()


def test_a_pair_shows_where_the_second_text_begins(visit):
    page = visit(model="mrpc")
    assert page.locator(".st-key-stage .caption").all_text_contents() == ["first text", "second text"]
    divide = float(page.locator(".st-key-stage .divide").get_attribute("x1"))
    second = words(page).index("[SEP]") + 1
    places = page.locator("[data-testid=stage-row-1] .word").evaluate_all(
        "words => words.map(word => Number(word.getAttribute('x')))"
    )
    assert places[second - 1] < divide < places[second]
    page.locator(".st-key-between .js-plotly-plot").wait_for()  # attention from the second text to the first


def test_a_regression_is_said_on_its_scale(visit):
    page = visit(model="stsb")
    _, (dense, _) = answers(page)
    assert re.match(r"\d\.\d\d of 5", dense)
    assert "from 0 to 5" in page.get_by_test_id("stage-answer").inner_text()


def test_a_text_too_long_offers_the_model_for_it(visit):
    page = visit(text=" ".join([SENTENCE] * 9))
    page.get_by_role("button", name="Read it with imdb").click()
    settle(page)
    reaches(page, "model=imdb")
    assert "a review of a film" in page.get_by_test_id("stage-answer").inner_text()
