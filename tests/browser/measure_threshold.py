"""Time under a moving threshold: to the preview in a drag, and from the release to the exact figures.

    python -m tests.browser.measure_threshold [--tokens 128] [--changes 20] [--address URL]

Prints one line of JSON with milliseconds: median, 95th percentile, all. The clocks run in the browser.
Preview: from a pointer's movement to the first frame after the stage has changed. Release: from the key
that moves a threshold to the first frame after the stage shows the model's result in place of the preview.
"""

import argparse
import json
import statistics
from contextlib import nullcontext
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser.lab import launch, open_page, server, settle, slider

WATCH = """
() => {
  const host = document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]');
  const exactly = () => host.shadowRoot.querySelector('.answer').dataset.source === 'exact';
  window.releases = [];
  window.previews = [];
  let moved = null;
  const painted = report => requestAnimationFrame(() => requestAnimationFrame(report));
  document.addEventListener('pointermove', () => { moved = performance.now(); }, true);
  document.addEventListener('ltp-preview', () => {
    const start = moved;
    moved = null;
    if (start !== null) painted(() => window.previews.push(performance.now() - start));
  });
  document.addEventListener('keydown', event => {
    if (!event.key.startsWith('Arrow')) return;
    const start = performance.now();
    const done = () => window.releases.push(performance.now() - start);
    const exact = () => exactly() ? painted(done) : requestAnimationFrame(exact);
    const preview = () => exactly() ? requestAnimationFrame(preview) : exact();
    preview();
  }, true);
}
"""


def measure(page: Page, changes: int) -> list[float]:
    """Change one threshold so many times, up and down -> milliseconds from key to exact figures."""
    handle = slider(page, 2)
    for number in range(changes):
        handle.press("ArrowLeft" if number % 2 else "ArrowRight")
        page.wait_for_function(f"window.releases.length > {number}", timeout=60_000)
        settle(page)
    return page.evaluate("window.releases.splice(0)")


def measure_drag(page: Page, moves: int) -> list[float]:
    """Drag one threshold up and down -> milliseconds from each movement to its preview."""
    handle = slider(page, 2)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for number in range(moves):
        page.mouse.move(x, y - 24 * (number % 2) - number % 3 - 1)
        page.wait_for_timeout(40)
    page.mouse.up()
    settle(page)
    return page.evaluate("window.previews.splice(0)")


def spread(times: list[float]) -> dict[str, Any]:
    """Median, 95th percentile, and all of them, rounded."""
    return {
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(statistics.quantiles(times, n=20, method="inclusive")[-1], 1),
        "all_ms": [round(time, 1) for time in times],
    }


def prepare(page: Page, address: str, tokens: int) -> None:
    """Open Explore on a text of so many tokens, nearly all of which are drawn to the end."""
    thresholds = {"t1": "0", "t2": "0.004", "t3": "0", "t4": "0", "t5": "0", "t6": "0"}
    text = " ".join(["good film"] * ((tokens - 2) // 2))
    open_page(page, address, text=text, **thresholds)
    page.evaluate(WATCH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--address", help="a lab that is already running")
    options = parser.parse_args()
    with (
        nullcontext(options.address) if options.address else server() as address,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        prepare(page, address, options.tokens)
        measure(page, 2)  # warm
        released = spread(measure(page, options.changes))
        dragged = spread(measure_drag(page, 2 * options.changes))
        browser.close()
    print(json.dumps({"tokens": options.tokens, **released, "drag_preview": dragged}))


if __name__ == "__main__":
    main()
