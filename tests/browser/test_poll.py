"""A class in browsers: a teacher's large view with a poll, and phones that vote."""

import re

import pytest

from tests.browser import lab
from tests.browser.lab import open_page, reaches, settle
from tests.browser.test_pages import serious_faults

TEXT = "Even though the script is a mess, the photography is lovely."
OTHER = "<img src=x onerror=alert(1)> **not** a film I'd see twice."
# Counts what changes in live regions, also inside of components.
WATCH = """() => {
    window.said = 0
    const inside = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
    const changes = {subtree: true, childList: true, characterData: true}
    for (const place of [document, ...inside])
        for (const region of place.querySelectorAll('[aria-live], [role=status], [role=alert]'))
            new MutationObserver(() => window.said += 1).observe(region, changes)
}"""
HEIGHT = "line => line.getBoundingClientRect().y"  # px of the screen
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def phone(browser, address):
    """Opens the poll's page as a new browser: ``phone(code)``."""
    contexts = []

    def open_it(code, options=None):
        context = browser.new_context(**{**PHONE, **(options or {})})
        contexts.append(context)
        page = context.new_page()
        page.hosts = set()
        page.on("request", lambda request: page.hosts.add(request.url.split("/")[2]))
        page.goto(f"{address}/poll/{code}")
        return page

    yield open_it
    for context in contexts:
        context.close()


def ask(page):
    """Open the poll; its code."""
    page.get_by_test_id("poll-ask").click()
    code = page.get_by_test_id("poll-code")
    code.wait_for()
    return code.inner_text()


def choose(page, *options):
    for option in options:
        page.get_by_label(option, exact=True).check()
    page.get_by_test_id("poll-vote").click()
    page.get_by_text("Your vote counts").wait_for()


def count(page, number):
    page.get_by_test_id("poll-count").filter(has_text=re.compile(rf"^{number}$")).wait_for()


def test_a_class_predicts_votes_and_sees_the_answer(visit, phone):
    teacher = visit(present="1", ask="answer", text=TEXT, model="sst2")
    assert teacher.get_by_test_id("stage").count() == 0  # nobody sees it before they have voted
    code = ask(teacher)
    first, second = phone(code), phone(code)
    first.get_by_label("positive", exact=True).wait_for()
    choose(first, "positive")
    count(teacher, 1)
    choose(second, "negative")
    count(teacher, 2)
    assert first.get_by_test_id("poll-vote").is_hidden()

    teacher.reload()  # and a phone, too
    count(teacher, 2)
    assert teacher.get_by_test_id("poll-code").inner_text() == code
    second.reload()
    second.get_by_text("Your vote counts").wait_for()
    assert second.get_by_label("negative", exact=True).is_checked()

    teacher.get_by_test_id("poll-reveal").click()
    teacher.get_by_test_id("stage").wait_for()
    settle(teacher)
    label = teacher.evaluate(
        "() => document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]').shadowRoot"
        ".querySelector('[data-testid=stage-answer]').innerText"
    )
    told = [first.locator("#verdict"), second.locator("#verdict")]
    for verdict in told:
        verdict.filter(has_text=re.compile("positive|negative")).wait_for(timeout=15_000)
    right = "positive" if "right" in told[0].inner_text() else "negative"
    assert right in label
    assert [("right" in verdict.inner_text()) for verdict in told] == [
        right == "positive",
        right == "negative",
    ]
    assert {host for page in (first, second) for host in page.hosts} == {teacher.url.split("/")[2]}

    teacher.once("dialog", lambda dialog: dialog.accept())
    teacher.get_by_role("button", name="End the poll").click()
    teacher.get_by_test_id("stage").wait_for(state="detached")  # the question may be asked again
    first.get_by_text("There is no poll with this code").wait_for(timeout=15_000)
    assert first.get_by_test_id("poll-code").input_value() == code


def test_the_next_text_is_the_next_question_and_html_in_it_is_text(visit, phone):
    teacher = visit(present="1", ask="words", text=TEXT, texts=f"{TEXT}\n{OTHER}", model="sst2")
    code = ask(teacher)
    student = phone(code)
    student.get_by_text("Which words has the model dropped").wait_for()
    student.get_by_test_id("poll-vote").click()  # nobody goes
    student.get_by_text("Your vote counts").wait_for()
    teacher.keyboard.press("ArrowRight")
    teacher.get_by_text("2 of 2").wait_for()
    settle(teacher)
    assert "onerror" in teacher.url
    assert ask(teacher) == code  # the same room
    student.get_by_text(OTHER).wait_for(timeout=15_000)
    assert student.locator("img").count() == 0 and student.get_by_test_id("poll-vote").is_enabled()
    assert student.evaluate("() => document.activeElement.id") == "asks"
    count(teacher, 0)
    teacher.keyboard.press("PageUp")  # as a presenter's remote does
    teacher.get_by_text("1 of 2").wait_for()


def test_a_phone_with_a_wrong_code_may_type_another(phone, visit):
    teacher = visit(present="1", ask="answer", text=TEXT, model="sst2")
    code = ask(teacher)
    student = phone("NONE5")
    student.get_by_text("There is no poll with this code, or it is over.").wait_for()
    box = student.get_by_test_id("poll-code")
    box.fill("   ")
    box.press("Enter")
    student.get_by_text("A code has five letters.").wait_for()
    box.fill(f" {'-'.join(code.lower())} ")
    box.press("Enter")
    student.get_by_label("positive", exact=True).wait_for()
    student = phone(" ".join(code))  # copied with its spaces
    student.get_by_label("positive", exact=True).wait_for()


def test_another_browser_is_not_the_teacher(visit):
    """The same address in another browser: it may open a room of its own, and sees nothing of the first."""
    query = {"present": "1", "ask": "answer", "text": TEXT, "model": "sst2"}
    code = ask(visit(**query))
    other = visit(**query)
    assert other.get_by_test_id("poll-reveal").is_hidden() and other.get_by_test_id("poll-ask").is_visible()
    assert code not in other.content()
    assert ask(other) != code


def test_by_keyboard_alone(visit, phone):
    teacher = visit(present="1", ask="answer", text=TEXT, model="sst2")
    teacher.get_by_test_id("poll-ask").focus()
    teacher.keyboard.press("Enter")
    teacher.get_by_test_id("poll-code").wait_for()
    student = phone(teacher.get_by_test_id("poll-code").inner_text(), {"is_mobile": False})
    student.get_by_label("negative", exact=True).wait_for()
    for key in ("Tab", "Space", "ArrowDown", "Tab", "Enter"):
        student.keyboard.press(key)
    student.get_by_text("Your vote counts").wait_for()
    teacher.get_by_test_id("poll-reveal").focus()
    teacher.keyboard.press("Enter")
    teacher.get_by_test_id("stage").wait_for()


def test_what_is_said_aloud_is_little(visit, phone):
    """While votes come in no live region changes, on the teacher's page or on a phone that has voted."""
    teacher = visit(present="1", ask="answer", text=TEXT, model="sst2")
    code = ask(teacher)
    waiting = phone(code)
    waiting.get_by_label("positive", exact=True).wait_for()
    choose(waiting, "positive")
    count(teacher, 1)
    for page in (teacher, waiting):
        page.evaluate(WATCH)
    for number in range(3):
        page = phone(code)
        page.get_by_label("negative", exact=True).wait_for()
        choose(page, "negative")
        count(teacher, number + 2)
    waiting.wait_for_timeout(6000)  # two looks
    assert [page.evaluate("() => window.said") for page in (teacher, waiting)] == [0, 0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_serious_fault_of_accessibility(visit, phone, scheme, width):
    size = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    teacher = visit(size, present="1", ask="words", text=TEXT, texts=f"{TEXT}\nA dull film.", model="sst2")
    found = [serious_faults(teacher)]
    code = ask(teacher)
    found.append(serious_faults(teacher))
    student = phone(code, size)
    student.get_by_text("Which words").wait_for()
    found.append(serious_faults(student))
    choose(student, "mess")
    found.append(serious_faults(student))
    teacher.get_by_test_id("poll-reveal").click()
    teacher.get_by_test_id("stage").wait_for()
    settle(teacher)
    student.get_by_text("The answer", exact=True).wait_for(timeout=15_000)
    found += [serious_faults(teacher), serious_faults(student)]
    student.goto(re.sub(r"/poll/.*", "/poll", student.url))
    student.get_by_test_id("poll-code").wait_for()
    assert [*found, serious_faults(student)] == [[]] * 7


def test_the_large_view_has_twice_the_type_and_no_menu(visit):
    """A word of the stage beside the same on Explore, in px of the screen."""
    size = {"viewport": {"width": 1920, "height": 1080}}
    text = "A film of rare beauty."
    heights = []
    for query in ({}, {"present": "1"}):
        page = visit(size, text=text, model="sst2", **query)
        heights.append(page.locator("[data-testid=stage-row-1] .word").nth(1).bounding_box()["height"])
        assert page.get_by_test_id("stHeader").is_visible() is (not query)
    assert heights[1] >= 1.9 * heights[0]


def test_a_line_is_dragged_in_the_large_view(visit):
    """As far as the pointer goes: the view is drawn at twice its size."""
    page = visit({"viewport": {"width": 1920, "height": 1080}}, text=TEXT, model="sst2", present="1")
    line = page.get_by_test_id("stage-row-2").locator(".threshold").first
    box, before = lab.slider(page, 2).bounding_box(), line.evaluate(HEIGHT)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 16, steps=4)
    page.wait_for_timeout(100)  # lines follow with the next frame
    assert line.evaluate(HEIGHT) == pytest.approx(before - 16, abs=5)
    page.mouse.up()
    settle(page)
    reaches(page, "t2=")


def test_the_stages_own_arrows_stay_its_own(visit):
    page = visit(text=TEXT, texts=f"{TEXT}\nA dull film.", model="sst2", present="1")
    lab.press(page, 2, "ArrowRight")
    reaches(page, "t2=")
    assert "1 of 2" in page.content()
    page.mouse.click(3, 3)
    page.keyboard.press("ArrowRight")
    page.get_by_text("2 of 2").wait_for()


def test_a_list_of_five_hundred(browser, address):
    """As a link that somebody made by hand."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    texts = "\n".join(f"<b>{number}</b>" for number in range(500))
    query = {"present": "1", "ask": "words", "text": "<b>3</b>", "texts": texts, "model": "sst2"}
    open_page(page, address, **query)
    assert "4 of 30" in page.content() and page.get_by_text("“<b>3</b>”").is_visible()
    page.keyboard.press("ArrowRight")
    page.get_by_text("“<b>4</b>”").wait_for()
    assert "5 of 30" in page.content()
    context.close()
