"""Time from a key press on a threshold to the new survival map on the screen.

    python -m tests.browser.measure_threshold [--tokens 128] [--changes 20] [--address URL]

Prints one line of JSON with milliseconds: median, 95th percentile, all. The clock runs in the browser, from
the key press to the first frame after Plotly has taken over the new figure.
"""

import argparse
import json
import statistics
from contextlib import nullcontext

from playwright.sync_api import Page, sync_playwright

from tests.browser.lab import launch, open_page, server, settle

WATCH = """
() => {
  const shown = () => {
    const chart = document.querySelector('.st-key-survival_map .js-plotly-plot');
    return chart && chart.data ? JSON.stringify(chart.data.map(trace => trace.customdata)) : null;
  };
  window.changes = [];
  document.addEventListener('keydown', event => {
    if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
    const start = performance.now(), before = shown();
    const done = () => window.changes.push(performance.now() - start);
    const look = () => {
      const now = shown();
      requestAnimationFrame(now !== null && now !== before ? done : look);
    };
    look();
  }, true);
}
"""


def measure(page: Page, changes: int) -> list[float]:
    """Change one threshold so many times, up and down -> milliseconds."""
    slider = page.locator(".st-key-t2").get_by_role("slider")
    for number in range(changes):
        slider.press("ArrowLeft" if number % 2 else "ArrowRight")
        page.wait_for_function(f"window.changes.length > {number}", timeout=60_000)
        settle(page)
    return page.evaluate("window.changes.splice(0)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--address", help="a lab that is already running")
    options = parser.parse_args()
    thresholds = {"t1": "0", "t2": "0.004", "t3": "0", "t4": "0", "t5": "0", "t6": "0"}  # most is drawn
    text = " ".join(["good film"] * ((options.tokens - 2) // 2))
    with (
        nullcontext(options.address) if options.address else server() as address,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        page = open_page(
            browser.new_page(viewport={"width": 1280, "height": 900}), address, text=text, **thresholds
        )
        page.evaluate(WATCH)
        measure(page, 2)  # warm
        times = measure(page, options.changes)
        browser.close()
    result = {
        "tokens": options.tokens,
        "median_ms": round(statistics.median(times)),
        "p95_ms": round(statistics.quantiles(times, n=20, method="inclusive")[-1]),
        "all_ms": [round(time) for time in times],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
