"""The model in the browser, measured: frames of a drag, answers a second, memory, a class that drags.

Part of `python -m tests.browser.lab_benchmark`.
"""

import asyncio
import math
import statistics
import time
from typing import Any
from urllib.parse import urlencode

from playwright.async_api import async_playwright
from playwright.sync_api import Browser, Page

from ltp_core.data.sentences import own_sentences
from tests.browser.lab import CHROMIUM, FLAGS, PATIENCE, settle, slider, type_text
from tests.browser.processes import busy, resident

WARM_FRAMES = 4  # answers of a drag, before those that count
WARM_UP = 4000  # ms: the first runs are slow, until the browser has compiled what is run often
PAUSE = 16  # ms between two moves of a drag: sixty a second
SLOW = 200  # ms between two moves of one visitor of a class
LOADED = "() => window.ltpStage().querySelector('.where').textContent.includes('in this browser')"

# Each move of the handle of layer 2, until the frame is painted that shows what the model in the browser says
# about just that threshold. A move that the next one has overtaken is not answered, and does not count.
WATCH = """() => {
  window.ltpStage = () =>
    document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]').shadowRoot;
  const answer = window.ltpStage().querySelector('[data-testid=stage-answer]');
  const handle = () => window.ltpStage().querySelector('[data-testid=stage-handle-2]');
  const percent = share => String(Number((share * 100).toPrecision(4)));
  window.ltpFrames = []; // [ms to the painted frame, ms of its run: 0 where that was known]
  let moves = [], at = null;
  document.addEventListener('pointermove', event => { if (event.buttons) at = event.timeStamp; }, true);
  document.addEventListener('ltp-preview', () =>
    at !== null && moves.push({began: at, value: handle().getAttribute('aria-valuenow')}));
  new MutationObserver(() => {
    if (answer.dataset.source !== 'browser' || !answer.dataset.thresholds) return;
    const value = percent(JSON.parse(answer.dataset.thresholds)[1]);
    const index = moves.findLastIndex(move => move.value === value);
    if (index < 0) return;
    const {began} = moves[index];
    moves = moves.slice(index + 1);
    const took = Number(answer.dataset.milliseconds);
    setTimeout(() => window.ltpFrames.push([performance.now() - began, took])); // after the frame's paint
  }).observe(answer, {attributes: true, attributeFilter: ['data-thresholds', 'data-source']});
}"""


def wait_until_live(page: Page) -> None:
    """Wait until the browser has the model and is warm, and note each frame that it answers."""
    page.evaluate(WATCH)
    page.wait_for_function(LOADED, timeout=PATIENCE)
    page.wait_for_timeout(WARM_UP)


def live_frames(page: Page, samples: int, mode: str) -> tuple[list[tuple[float, float]], float]:
    """One long drag of the handle of layer 2, alone ("one") or with all others ("linked").

    Returns:
        Of so many answered moves ms to the painted frame, and ms of the run that it shows: 0 where the same
        tokens stay as in a run that is known. And how many were answered a second.
    """
    page.locator(f".st-key-stage input[value={mode}]").check()
    handle = slider(page, 2)
    handle.evaluate("element => element.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(100)
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate("() => { window.ltpFrames = []; }")
    page.mouse.move(x, y)
    page.mouse.down()
    began = time.perf_counter()
    step = 0
    while page.evaluate("window.ltpFrames.length") < samples + WARM_FRAMES:
        if time.perf_counter() - began > 60:
            raise RuntimeError("the browser hardly answers")
        page.mouse.move(
            x, y + 12 * math.sin(step / 17) + 6 * math.sin(step / 7)
        )  # hardly twice the same height
        page.wait_for_timeout(PAUSE)
        step += 1
    took = time.perf_counter() - began
    found = page.evaluate("window.ltpFrames")
    page.mouse.up()
    settle(page)
    return found[WARM_FRAMES:], len(found) / took


def memory(browser: Browser, page: Page, sentences: int) -> dict[str, Any]:
    """Memory of the page's process after a tenth of so many sentences, and after all, in MB."""
    wait_until_live(page)
    ours = own_sentences()
    pid = _process_of(browser)
    after = {}
    for number in range(1, sentences + 1):
        type_text(page, f"{ours[number % len(ours)]} {ours[(7 * number + 3) % len(ours)]}")
        page.wait_for_function(LOADED, timeout=PATIENCE)
        slider(page, 2).press("ArrowUp")
        settle(page)
        if number in (max(1, sentences // 10), sentences):
            after[number] = round(resident(pid) / 2**20)
    early, late = after[max(1, sentences // 10)], after[sentences]
    return {"sentences": sentences, "mb": [early, late], "growth": round(late / early, 3)}


def _process_of(browser: Browser) -> int:
    """The process of the page that has the model: the largest of those that draw pages."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return max((each["id"] for each in processes if each["type"] == "renderer"), key=resident)


async def crowd(address: str, pid: int, visitors: int, seconds: float) -> dict[str, Any]:
    """So many visitors who drag at once, after as long a time in which none does.

    Returns:
        The server's load in cores, without and with dragging; frames of the visitors; what failed.
    """
    texts = own_sentences()
    errors: list[str] = []

    async def enter(browser: Any, number: int) -> Any:
        page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
        page.set_default_timeout(PATIENCE * 4)  # all load a model at once
        await page.goto(f"{address}/?{urlencode({'text': texts[number % len(texts)]})}")
        await page.locator(".st-key-stage .cell").first.wait_for()
        await page.evaluate(WATCH)
        await page.wait_for_function(LOADED)
        return page

    async def place(page: Any) -> tuple[float, float]:
        """The middle of the handle that is dragged."""
        box = await page.get_by_test_id("stage-handle-2").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def drag(page: Any, at: tuple[float, float], number: int, deadline: float) -> list[float]:
        x, y = at
        try:
            await page.evaluate("() => { window.ltpFrames = []; }")
            await page.mouse.move(x, y)
            await page.mouse.down()
            step = number
            while time.monotonic() < deadline:
                await page.mouse.move(x, y + (step % 24) - 12)
                await asyncio.sleep(SLOW / 1000)
                step += 1
            found: list[float] = await page.evaluate("window.ltpFrames.map(([frame]) => frame)")
            return found
        except Exception as error:  # each visitor reports, none stops the others
            errors.append(f"visitor {number}: {type(error).__name__}: {str(error).splitlines()[0]}")
            return []

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = [await enter(browser, number) for number in range(visitors)]
        await asyncio.sleep(5)  # measurements of the last ones end
        places = [
            await place(page) for page in pages
        ]  # now: once all drag, a page may wait long for its turn
        before = busy(pid)
        await asyncio.sleep(seconds)
        resting = (busy(pid) - before) / seconds
        before = busy(pid)
        end = time.monotonic() + seconds
        drags = (drag(page, places[number], number, end) for number, page in enumerate(pages))
        found = await asyncio.gather(*drags)
        dragging = (busy(pid) - before) / seconds  # nobody has let go yet: then the server's run is wanted
        await browser.close()
    frames = sorted(frame for each in found for frame in each)
    return {
        "visitors": visitors,
        "seconds": seconds,
        "server_cores_resting": round(resting, 3),
        "server_cores_dragging": round(dragging, 3),
        "answers_a_second": round(len(frames) / seconds, 1),
        "frame_p50": round(statistics.median(frames), 1) if frames else None,
        "frame_p95": round(frames[int(0.95 * (len(frames) - 1))], 1) if frames else None,
        "unanswered": sum(not each for each in found),
        "errors": errors[:10],
    }
