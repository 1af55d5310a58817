"""A lesson in a real browser, from the list to the next one, by keyboard alone; and a teacher's link."""

from tests.browser.lab import reaches, settle, slider

SENTENCE = "I laughed twice, and both times at the wrong moment."


def focus_by_tab(page, target, most=80):
    """Press Tab until a locator has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate(
            "node => node === document.activeElement || node.contains(document.activeElement)"
        ):
            return
    raise AssertionError("the keyboard does not get there")


def test_a_lesson_is_walked_by_keyboard_from_the_list_to_the_next(visit):
    page = visit(path="learn")
    focus_by_tab(page, page.locator(".st-key-begin_share"))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="1 of 9: What a share of attention means").wait_for()
    settle(page)
    assert not page.locator(".st-key-stage [role=slider]").count()  # what is asked about stands still
    focus_by_tab(page, page.locator(".st-key-predict_share"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.locator(".notice", has_text="Not yet.").wait_for()
    settle(page)
    for number in range(60):
        slider(page, 1).press("ArrowUp")
        settle(page)
        if page.get_by_text("Why?").count():
            break
        if number >= 2:
            assert page.get_by_text("Hint:").count()
    assert page.locator(".notice", has_text="leave at").count()
    focus_by_tab(page, page.locator(".st-key-next"))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="2 of 9: One line, one layer").wait_for()
    settle(page)
    reaches(page, "done=share")
    assert "guess=" not in page.url
    page.go_back()
    page.get_by_role("heading", name="1 of 9").wait_for()


def test_a_teachers_link_shows_the_lesson_alone(visit):
    page = visit(path="learn", lesson="2", text=SENTENCE, hide="text,model,thresholds,lessons")
    assert page.get_by_role("heading", name="One line, one layer").count()
    assert not page.locator("textarea, .st-key-model, .st-key-ways, .st-key-next").count()


def test_the_link_of_a_lesson_can_be_copied(visit):
    page = visit({"permissions": ["clipboard-read", "clipboard-write"]}, path="learn", lesson="line")
    page.locator(".st-key-teacher summary").click()
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "lesson=line" in link and "/learn?" in link and "guess" not in link
