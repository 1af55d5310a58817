"""A page that opens shows its shapes at once, and what has been drawn stays where it is."""

import pytest

from tests.browser.lab import PATIENCE, open_page, serve, settle

LEAST = 0.02  # of the screen's area times the distance moved; "good" is 0.1 (web.dev/articles/cls)
WATCH = """
window.ltpShifts = [];
new PerformanceObserver(list => {
  for (const { value, startTime, sources } of list.getEntries()) {
    const moved = sources.map(({ node, previousRect, currentRect }) =>
      `${node?.className} ${previousRect.y} -> ${currentRect.y}`);
    window.ltpShifts.push({ value, startTime, moved });
  }
}).observe({ type: 'layout-shift', buffered: true });
window.ltpSeen = {};
const see = (name, there) => {  // the moment when it has been painted: the next frame begins
  if (there) requestAnimationFrame(() => { window.ltpSeen[name] ??= performance.now(); });
};
const look = () => {
  see('shapes', document.querySelector('.skeleton'));
  see('title', document.querySelector('.stHtml h1'));
  const root = document.documentElement;
  see('style', root && getComputedStyle(root).getPropertyValue('--ltp-ground'));
  requestAnimationFrame(look);
};
look();
"""


@pytest.fixture
def opened(browser, address):
    """Opens Explore under watch: ``opened(width, height)``."""
    contexts = []

    def open_it(width, height):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        context.add_init_script(WATCH)
        return open_page(context.new_page(), address)

    yield open_it
    for context in contexts:
        context.close()


def moved_since(page, start):
    """How far things moved after a moment, and what."""
    shifts = [shift for shift in page.evaluate("ltpShifts") if shift["startTime"] > start]
    return sum(shift["value"] for shift in shifts), shifts


@pytest.mark.parametrize("size", [(390, 844), (1280, 900), (1920, 1080)])
def test_a_page_stands_still_once_it_has_style_and_title(opened, size):
    page = opened(*size)
    seen = page.evaluate("ltpSeen")
    distance, shifts = moved_since(page, max(seen["style"], seen["title"]))
    assert distance <= LEAST, shifts
    assert not page.locator(".skeleton").count()


def test_nothing_moves_when_another_page_is_opened(opened):
    page = opened(1280, 900)
    for title, place in (("Evidence", "frontier"), ("Compare", "rules_map_0"), ("Explore", "stage")):
        start = page.evaluate("performance.now()")
        page.get_by_test_id("stTopNavLink").filter(has_text=title).first.click()
        page.locator(f".st-key-{place}").wait_for()
        settle(page)
        distance, shifts = moved_since(page, start)
        assert distance <= LEAST, (title, shifts)
        assert not page.locator(".skeleton").count()


def test_the_first_visit_to_a_server_sees_shapes_at_once(browser):
    with serve() as (address, _):  # it imports torch and loads the model only now
        context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(address)
        shapes = page.locator(".skeleton")
        shapes.wait_for(state="attached")
        assert shapes.evaluate("shapes => getComputedStyle(shapes).animationName") == "none"
        page.locator(".stHtml h1").wait_for(timeout=PATIENCE)
        settle(page)
        seen = page.evaluate("ltpSeen")
        assert seen["shapes"] < seen["title"]
        distance, shifts = moved_since(page, seen["shapes"])
        assert distance <= LEAST, shifts
        context.close()
