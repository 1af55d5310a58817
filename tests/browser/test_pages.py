"""What a visitor of the other pages does and sees, and that axe-core finds no serious fault on any page."""

import re
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.lab import reaches, settle
from tests.some import some

SENTENCE = "I laughed twice, and both times at the wrong moment."
VIEWS = (
    ("", {}),
    ("why", {"show": "steps"}),
    ("why", {"show": "matter"}),
    ("why", {"show": "what_if"}),
    ("compare", {}),
    ("evidence", {"show": "curves"}),
    ("evidence", {"show": "file"}),
    ("evidence", {"show": "cost"}),
    ("learn", {}),
    ("learn", {"lesson": "share"}),
    ("learn", {"lesson": "breaks", "guess": "1"}),
    ("learn", {"show": "teacher"}),
    ("about", {}),
)
PAGES = tuple({path: (path, shown) for path, shown in reversed(VIEWS)}.values())  # each once
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SERIOUS = ("serious", "critical")


@pytest.fixture
def open_view(visit):
    """Opens a page by its own address: ``open_view("cost", text="…")``."""

    def open_it(path, options=None, **query):
        return visit(options, path, **{"text": SENTENCE, **query})

    return open_it


@pytest.mark.parametrize(
    ("path", "shown", "device"), [*((*v, {}) for v in VIEWS), *((*v, PHONE) for v in PAGES)]
)
def test_no_serious_fault_of_accessibility(open_view, path, shown, device):
    page = open_view(path, {"color_scheme": "light", **device}, **shown)
    found = serious_faults(page)
    ground = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {ground} !== light", arg=light)
    settle(page)
    found += serious_faults(page, ["color-contrast"])  # the theme changes nothing but colours
    assert not found


def serious_faults(page, rules=None):
    """Rules of axe-core that are broken, all or of these, with the first elements that break them."""
    only = {} if rules is None else {"runOnly": {"type": "rule", "values": rules}}
    found = Axe().run(page, options={"resultTypes": ["violations"], **only}).response["violations"]
    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"][:3]])
        for fault in found
        if fault["impact"] in SERIOUS
    ]


BORDERS = """buttons => buttons.map(button => {
  const style = getComputedStyle(button), {left, right, top} = button.getBoundingClientRect();
  const colours = ['Left', 'Right', 'Top', 'Bottom'].map(side => style[`border${side}Color`]);
  return {left, right, top, whole: colours.every(colour => !/, 0\\)$|^transparent$/.test(colour))};
})"""


def test_a_switch_that_wraps_on_a_phone_has_whole_buttons(open_view):
    page = open_view("evidence", PHONE, show="file")
    buttons = page.locator(".st-key-show button").evaluate_all(BORDERS)
    assert len({button["top"] for button in buttons}) > 1  # it wraps
    assert all(button["whole"] and button["right"] <= 390 for button in some(buttons))
    for one, two in pairwise(buttons):
        assert one["top"] != two["top"] or two["left"] > one["right"]


@pytest.mark.parametrize(
    ("old", "query", "new", "has"),
    [
        ("microscope", {"layer": "2", "token": "3", "t1": "0"}, "/why?", ".st-key-step1"),
        ("attribution", {"class": "negative"}, "/why?", ".st-key-attributions"),
        ("what_if", {"go": "2"}, "/why?", ".st-key-word_states"),
        ("cost", {"t6": "0.5"}, "/evidence?", ".st-key-work_by_layer"),
        ("dataset", {"source": "file"}, "/evidence?", ".st-key-upload"),
    ],
)
def test_an_old_address_leads_to_its_new_place_with_its_parameters(open_view, old, query, new, has):
    page = open_view(old, **query)
    page.locator(has).first.wait_for()
    settle(page)
    given = [f"{name}={value}" for name, value in some(query.items())]
    reaches(page, new, *given, f"text={SENTENCE.split()[0]}")
    assert page.get_by_text("Page not found").count() == 0
    menu = page.get_by_test_id("stTopNavLink").all_inner_texts()
    assert menu == ["Explore", "Why", "Compare", "Evidence", "Learn", "About"]


def test_each_page_begins_at_its_top(open_view):
    page = open_view("why", layer="2", token="3", t1="0")
    main = page.locator(".stMain")
    main.evaluate("element => element.scrollTo(0, element.scrollHeight)")
    assert main.evaluate("element => element.scrollTop") > 500
    page.locator(".st-key-after button").click()  # the same page: where a reader is stays
    settle(page)
    assert main.evaluate("element => element.scrollTop") > 500
    page.get_by_test_id("stTopNavLink").filter(has_text="Compare").first.click()
    title = page.get_by_role("heading", name="Which rule is best")
    title.wait_for()
    settle(page)
    assert main.evaluate("element => element.scrollTop") < 10
    menu = page.get_by_test_id("stHeader").bounding_box()
    assert title.bounding_box()["y"] >= menu["y"] + menu["height"]  # and nothing lies over it


def test_a_dot_of_the_curves_opens_the_sentences_that_flip_there(open_view):
    page = open_view("evidence")
    # What others published has a point each, and lies under the lines.
    line = page.locator(".st-key-frontier .trace:has(.points path:nth-child(4))").first
    line.locator(".points path").nth(3).click(force=True)
    page.wait_for_url("**dot=ltp%402.5**")
    settle(page)
    page.locator(".st-key-frontier_open_0 button").click()
    page.get_by_role("heading", name="What happens to my sentence?").wait_for()
    settle(page)
    reaches(page, "text=", "t6=")
    assert SENTENCE.split()[0] not in page.url.split("text=")[1][:12]


def test_back_leads_to_where_the_visitor_was_and_forward_to_what_was_opened(open_view):
    page = open_view("evidence", dot="ltp@2.5")
    page.locator(".st-key-frontier_open_0 button").click()
    page.get_by_role("heading", name="What happens to my sentence?").wait_for()
    settle(page)
    opened, box = page.url, page.locator(".st-key-text textarea")
    sentence = box.input_value()
    page.get_by_test_id("stage-row-1").locator(".cell").nth(2).click()
    page.locator(".st-key-step5").wait_for()
    settle(page)
    for _ in range(2):
        page.go_back()
        settle(page)
        if "/evidence" not in page.url:
            assert page.url == opened and box.input_value() == sentence
    page.locator(".st-key-frontier_open_0").wait_for()
    reaches(page, "/evidence", "dot=ltp%402.5")
    page.go_forward()
    page.get_by_test_id("stage-row-1").wait_for()
    settle(page)
    assert page.url == opened and box.input_value() == sentence


@pytest.mark.parametrize("path", ["why", "compare"])
def test_figures_wider_than_a_phone_scroll_by_keyboard(open_view, path):
    page = open_view(path, {"viewport": {"width": 390, "height": 844}})
    page.locator(
        "[class*=st-key-][role=group][tabindex='0']"
    ).first.wait_for()  # its size is seen a frame later
    assert not serious_faults(page, ["scrollable-region-focusable"])


@pytest.mark.parametrize("path", ["", "why"])
def test_a_button_that_saves_a_figure_says_which(open_view, path):
    page = open_view(path)
    buttons = page.get_by_role("button", name=re.compile("^(SVG|PNG)"))
    names = [buttons.nth(number).get_attribute("aria-label") for number in range(buttons.count())]
    assert len(names) > 4 and len(set(names)) == len(names)


def test_a_token_is_followed_from_layer_to_layer_as_its_fate_changes(open_view):
    page = open_view("why", layer="2", token="3", t1="0", t2="1")
    said = page.locator(".st-key-step5 h2")
    assert "leaves" in said.text_content()
    for button, verb in (("before", "stays"), ("after", "leaves"), ("before", "stays")):
        page.locator(f".st-key-{button} button").click()
        settle(page)
        assert verb in said.text_content()
    reaches(page, "token=3")


def test_cost_measures_both_cases(open_view):
    page = open_view("evidence", show="cost")
    page.locator(".st-key-time_batch .js-plotly-plot").wait_for()
    assert page.get_by_role("heading", name="This text alone:").is_visible()


def test_compare_saves_two_settings_in_its_link(open_view):
    page = open_view("compare", t1="0", t2="0", t3="0", t4="0", t5="0", t6="0")
    page.locator(".st-key-save_a button").click()
    settle(page)
    page.locator(".st-key-save_b button").click()
    settle(page)
    reaches(page, "&a=", "&b=")
    assert page.get_by_role("heading", name="A and B give the same answer").is_visible()


def test_a_file_runs_and_a_run_can_be_cancelled(open_view):
    page = open_view("evidence", show="file")
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


def test_hidden_controls_are_on_no_page(open_view):
    page = open_view("", hide="text,model,thresholds")
    assert (
        page.locator(".st-key-stage .cell").count()
        and not page.locator(".st-key-stage [role=slider]").count()
    )
    assert not page.locator("textarea, .st-key-model, .st-key-t1, fieldset").filter(visible=True).count()
    page.get_by_test_id("stTopNavLink").filter(has_text="Why").first.click()
    page.locator(".st-key-step5").wait_for()
    settle(page)
    reaches(page, "hide=")
    assert not page.locator("textarea, .st-key-model").count()
