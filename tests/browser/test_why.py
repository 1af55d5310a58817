"""Attribution and What if in a real browser, by keyboard."""

import re

import pytest

from tests.browser.lab import PATIENCE, reaches, settle

SENTENCE = "The plot is thin, but the two leads are so charming that I left the cinema smiling."


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def test_a_word_is_pinned_by_keyboard_and_the_link_keeps_it(page, address):
    page.goto(f"{address}/what_if?text={SENTENCE}")  # an old address
    page.get_by_text("Hold a word, or take it away").wait_for()
    reaches(page, "/why?", "show=what_if")
    settle(page)
    word = page.locator(".st-key-word_states button").filter(has_text="charming")
    assert word.get_attribute("aria-label").startswith("charming: free, ")
    word.focus()
    page.keyboard.press("Space")  # always stays
    page.get_by_role("heading", name=re.compile("Your words")).wait_for()
    settle(page)
    reaches(page, "stay=12")
    page.keyboard.press("Space")  # always goes; the focus has stayed where it was
    reaches(page, "go=12")
    settle(page)
    assert "stay=" not in page.url
    assert word.get_attribute("aria-label") == "charming: always goes, leaves in layer 1"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**stay=13**")
    settle(page)
    page.reload()
    page.get_by_role("heading", name=re.compile("Your words")).wait_for()
    settle(page)
    reaches(page, "go=12", "stay=13")
    page.locator(".st-key-look button").press("Enter")
    page.get_by_text(re.compile(r"runs of \d+")).wait_for()
    settle(page)
    assert page.get_by_role("heading", name=re.compile("becomes|was found")).first.is_visible()


def test_attributions_are_complete_and_for_the_chosen_class(page, address):
    page.goto(f"{address}/why?show=matter&text={SENTENCE}&class=negative")
    page.get_by_role("heading", name=re.compile("speaks (for|against) negative")).wait_for()
    settle(page)
    assert page.get_by_text("(converged)").first.is_visible()
    bars = page.evaluate(
        """() => {
          const chart = document.querySelector('.st-key-attributions .js-plotly-plot');
          return chart.data.map(bar => Array.from(bar.x));
        }"""
    )
    dense, pruned, survived = bars
    assert len(dense) == len(pruned) == len(survived) == 21 and dense[0] == 0
    assert survived[0] == 7 and min(survived) < 7  # the layer in which each leaves; 7 is beyond the last
