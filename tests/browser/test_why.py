"""Attribution and What if in a real browser, by keyboard."""

import re

import pytest

from tests.browser.lab import PATIENCE, settle

SENTENCE = "The plot is thin, but the two leads are so charming that I left the cinema smiling."


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def test_a_word_is_pinned_by_keyboard_and_the_link_keeps_it(page, address):
    page.goto(f"{address}/what_if?text={SENTENCE}")
    page.get_by_text("Nothing is pinned yet").wait_for()
    settle(page)
    page.locator(".st-key-go button").filter(has_text="charming").focus()
    page.keyboard.press("Space")
    page.get_by_role("heading", name=re.compile("Your pins")).wait_for()
    settle(page)
    assert "go=12" in page.url
    page.reload()
    page.get_by_role("heading", name=re.compile("Your pins")).wait_for()
    page.locator(".st-key-look button").press("Enter")
    page.get_by_text(re.compile(r"runs of \d+")).wait_for()
    settle(page)
    assert page.get_by_role("heading", name=re.compile("becomes|was found")).first.is_visible()


def test_attributions_are_complete_and_for_the_chosen_class(page, address):
    page.goto(f"{address}/attribution?text={SENTENCE}&class=negative")
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
    assert survived[0] == 6 and min(survived) < 6
