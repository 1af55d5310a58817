"""How fast the lab is in a real browser, against the budgets of the design; and many visitors at once.

    python -m tests.browser.lab_benchmark [--only PART,…] [--samples 20] [--visitors 10] [--draggers 30]
                                          [--output FILE]

The clock runs in the browser, from the input event until the new content is drawn. On stdout comes one
JSON object: times, what many visitors saw, the memory of the tab; `--output` keeps it, with the machine. All
of it takes some nine minutes; `--only` measures parts, which take the place of theirs in the file. Each part
says when it was measured, at which commit. The exit code is 1, with a line for each fault, when a budget is
missed, a visitor saw an error or somebody else's result, memory grew, or the server works more when a class
drags.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.async_api import async_playwright
from playwright.sync_api import Browser, Page, sync_playwright

from app.live.runtime import web_runtime
from ltp_core import PrunedModel, Thresholds
from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.results import stamp, write_json
from tests.browser import lab_live
from tests.browser.lab import CHROMIUM, FLAGS, PATIENCE, launch, serve, settle, slider
from tests.browser.processes import busy, resident

MODEL = "sst2"
TOKENS = 128
UNPRUNED = {"layer": "6", "t1": "0", "t2": "0.02", "t3": "0", "t4": "0", "t5": "0", "t6": "0"}  # nearly
LIVE: dict[str, tuple[int, dict[str, str]]] = {  # tokens, and lines where they are not the learned ones
    "live_frame_25": (25, {}),
    "live_frame_128": (128, {}),
}
BUDGETS = {  # ms, at 128 tokens but for a live frame, warm, on two cores
    "live_frame_25": 50,
    "live_frame_128": 120,
    "drag_preview": 50,
    "threshold_release": 700,
    "new_sentence": 1500,
    "page_switch": 1000,
    "cold_start": 15_000,
}
COLD_STARTS = 3
WARM_MOVES = 4  # of a drag, before those that count
GROWTH = 1.15  # of the server's memory under load, after a first quarter to warm up
TAB_GROWTH = 1.3  # of the tab's, after a first tenth of the sentences
CLASS_SECONDS = 30  # without, and as long with dragging
MORE_CORES = 0.1  # that the server may take when a class drags

# In the page: note when an input event happens, and wait for a condition, to the frame after it.
CLOCK = """() => {
  for (const name of ['pointerup', 'keydown', 'click'])
    document.addEventListener(name, () => (window.ltpStart = performance.now()), true);
  window.ltpStage = () =>
    document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]')?.shadowRoot;
  window.ltpChart = () => document.querySelector('.st-key-attention_map .js-plotly-plot');
  window.ltpSeen = () => {
    const stage = window.ltpStage(), chart = window.ltpChart();
    const answer = stage?.querySelector('[data-testid=stage-answer]');
    return {
      exact: Boolean(stage?.querySelector('.cell')) && answer?.dataset.source === 'exact',
      thresholds: answer?.dataset.thresholds ?? '',
      words: [...(stage?.querySelectorAll('.word') ?? [])].map(word => word.textContent).join(' '),
      chart: JSON.stringify(chart?.layout?.xaxis?.ticktext ?? null),
    };
  };
  window.ltpWait = condition => new Promise((resolve, reject) => {
    const limit = performance.now() + 60000;
    const look = () => {
      if (condition()) requestAnimationFrame(() => resolve(performance.now() - window.ltpStart));
      else if (performance.now() > limit) reject(new Error('nothing new on the screen'));
      else requestAnimationFrame(look);
    };
    look();
  });
}"""

# Each move of a dragged handle, until the frame that shows what would go has been painted.
PREVIEWS = """() => {
  window.ltpPreviews = [];
  let start = null, top = null;
  const handle = () => window.ltpStage().querySelector("[role=slider][data-layer='2']");
  document.addEventListener('pointermove', event => {
    if (event.buttons && start === null) { start = event.timeStamp; top = handle().style.top; }
  }, true);
  document.addEventListener('ltp-preview', () => {
    const began = start;
    start = null;
    if (began === null || handle().style.top === top) return; // a move that changes nothing shows nothing
    setTimeout(() => window.ltpPreviews.push(performance.now() - began)); // after the frame's paint
  });
}"""

RELEASED = """before => window.ltpWait(() => {
  const now = window.ltpSeen();
  return now.exact && now.thresholds !== before.thresholds && now.chart !== before.chart;
})"""
EXACT = "() => window.ltpWait(() => window.ltpSeen().exact)"
READ = """before => window.ltpWait(() => {
  const now = window.ltpSeen();
  return now.exact && now.words !== before.words && now.chart !== before.chart;
})"""
PAGES = {  # in the menu: what is on the screen when the page can be used
    "Evidence": ".st-key-frontier .xtick text",
    "About": ".table tbody tr",
    "Compare": "[class*=st-key-rules_map] .xtick text",
    "Explore": ".st-key-stage",
}
SWITCHED = """([title, wanted]) => window.ltpWait(() => {
  const heading = document.querySelector('.stHtml h1')?.textContent;
  const there = title === 'Explore'
      ? window.ltpStage()?.querySelector('.cell') : document.querySelector(wanted);
  return heading && heading !== window.ltpHeading && there;
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--visitors", type=int, default=10, help="0 leaves the load check out")
    parser.add_argument("--seconds", type=float, default=120, help="of the load check")
    parser.add_argument("--draggers", type=int, default=30, help="a class that drags; 0 leaves it out")
    parser.add_argument("--sentences", type=int, default=100, help="after which the tab's memory is read")
    parser.add_argument("--output", type=Path, help="a file of results to write, too")
    parser.add_argument("--only", type=parts, default=PARTS, help=f"some of {', '.join(PARTS)}")
    options = parser.parse_args()
    measured = measure(options)
    document = {**kept(options), "command": "make lab-benchmark"}
    for name, found in measured.items():
        place = document.setdefault("milliseconds", {}) if name in BUDGETS else document
        place[name] = found
    print(json.dumps(document))
    if options.output:
        write_json(options.output, document)
    wrong = faults(measured)
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


def parts(text: str) -> tuple[str, ...]:
    """What `--only` names."""
    names = tuple(text.split(","))
    if unknown := set(names) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return names


def kept(options: argparse.Namespace) -> dict[str, Any]:
    """What a file holds of other parts; nothing where all are measured, or on another machine."""
    now = {key: value for key, value in stamp().items() if key in ("machine", "versions")}
    if not options.output or not options.output.is_file() or options.only == PARTS:
        return now
    before: dict[str, Any] = json.loads(options.output.read_text(encoding="utf-8"))
    return {**before, **now} if before.get("machine") == now["machine"] else now


def when() -> dict[str, Any]:
    """Which commit was measured, and when that ended."""
    return {key: value for key, value in stamp().items() if key in ("commit", "measured")}


def measure(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The parts that are wanted, one after the other."""
    model = PrunedModel.from_pretrained(MODEL)
    texts = inputs_of_length(model.tokenizer, own_sentences(), TOKENS, 2 * (options.samples + 2))
    live = web_runtime() is not None
    if not live:
        print("onnxruntime-web is not here: nothing is measured of the model in the browser", file=sys.stderr)
    result: dict[str, dict[str, Any]] = {}

    def note(name: str, found: dict[str, Any]) -> None:
        result[name] = {**found, **when()}
        print(name, found, file=sys.stderr)

    with sync_playwright() as playwright:
        browser = launch(playwright)
        if "cold_start" in options.only:
            note("cold_start", summary("cold_start", [cold_start(browser) for _ in range(COLD_STARTS)]))
        with serve() as (address, _):
            for name, moves in MEASUREMENTS.items():
                if name in options.only:
                    page = visit(browser, address, texts[0], UNPRUNED)
                    if live and name == "drag_preview":
                        lab_live.wait_until_live(page)
                    note(name, summary(name, moves(page, texts, options.samples)))
                    page.context.close()
            for name, (tokens, lines) in LIVE.items():
                if live and name in options.only:
                    text = inputs_of_length(model.tokenizer, own_sentences(), tokens, 1)[0]
                    page = visit(browser, address, text, lines)
                    lab_live.wait_until_live(page)
                    note(name, live_summary(name, page, 10 * options.samples))
                    page.context.close()
            if live and options.sentences and "tab_memory" in options.only:
                page = visit(browser, address, own_sentences()[0], {})
                note("tab_memory", lab_live.memory(browser, page, options.sentences))
                page.context.close()
        browser.close()
    if live and options.draggers and "class" in options.only:
        with serve() as (address, process):
            note("class", asyncio.run(lab_live.crowd(address, process.pid, options.draggers, CLASS_SECONDS)))
    if options.visitors and "load" in options.only:
        with serve() as (address, process):
            note("load", asyncio.run(load(address, process.pid, model, options.visitors, options.seconds)))
    return result


def faults(found: dict[str, dict[str, Any]]) -> list[str]:
    """What is not as it should be, in lines."""
    lines = [
        f"{name}: {one['p95']} ms (p95), more than {one['budget']}"
        for name, one in found.items()
        if name in BUDGETS and one["p95"] > one["budget"]
    ]
    if (tab := found.get("tab_memory")) and tab["growth"] > TAB_GROWTH:
        lines.append(f"tab_memory: grows to {tab['growth']} times")
    if crowd := found.get("class"):
        lines += [f"class: {error}" for error in crowd["errors"]]
        if crowd["server_cores_dragging"] > crowd["server_cores_resting"] + MORE_CORES:
            lines.append("class: the server works more when a class drags")
    if many := found.get("load"):
        lines += [f"load: {error}" for error in many["errors"]]
        if not many["moves"]:
            lines.append("load: nobody moved anything")
        if many["memory_growth"] > GROWTH:
            lines.append(f"load: memory grows to {many['memory_growth']} times")
    return lines


def summary(name: str, milliseconds: list[float]) -> dict[str, Any]:
    """Median and 95th percentile; of three samples the latter is nearly the slowest."""
    return {
        "p50": round(statistics.median(milliseconds), 1),
        "p95": round(percentile(milliseconds), 1),
        "budget": BUDGETS[name],
        "samples": len(milliseconds),
    }


def live_summary(name: str, page: Page, samples: int) -> dict[str, Any]:
    """Frames of a drag of one line, which have the budget; and of all lines, where more are run anew."""
    found: dict[str, dict[str, Any]] = {}
    for mode in ("one", "linked"):
        frames, a_second = lab_live.live_frames(page, samples, mode)
        every = summary(name, [frame for frame, _ in frames])
        ran = summary(name, [frame for frame, run in frames if run] or [0.0])
        found[mode] = {**every, "ran": {key: ran[key] for key in ("p50", "p95", "samples")}}
        found[mode]["answers_a_second"] = round(a_second, 1)
    del found["linked"]["budget"]
    return {**found["one"], "linked": found["linked"]}


def percentile(values: list[float]) -> float:
    """The 95th; the slowest of a few."""
    return max(values) if len(values) < 20 else statistics.quantiles(values, n=20, method="inclusive")[-1]


def visit(browser: Browser, address: str, text: str, lines: dict[str, str]) -> Page:
    """Explore on a text, with these lines in its address."""
    query = {"text": text, **lines}
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/?{urlencode(query)}")
    page.locator(".st-key-stage .cell").first.wait_for()
    settle(page)
    page.evaluate(CLOCK)
    return page


def cold_start(browser: Browser) -> float:
    """From starting the server to a stage on the screen, in ms."""
    start = time.perf_counter()
    with serve() as (address, _):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.locator(".st-key-stage .cell").first.wait_for()
        took = (time.perf_counter() - start) * 1000
        context.close()
    return took


def grip(page: Page) -> tuple[float, float]:
    """Where the handle of layer 2 is, scrolled to the middle of the screen."""
    handle = slider(page, 2)
    handle.evaluate("element => element.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(100)
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag_preview(page: Page, texts: list[str], samples: int) -> list[float]:
    """Milliseconds of each move of a handle, in one long drag."""
    page.evaluate(PREVIEWS)
    x, y = grip(page)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(2 * samples + WARM_MOVES):
        page.mouse.move(x, y - 3 * (1 + step % 12))
        page.wait_for_timeout(40)
    found = page.evaluate("window.ltpPreviews")
    page.mouse.up()
    settle(page)
    if len(found) < samples + WARM_MOVES:
        raise RuntimeError(f"only {len(found)} of {samples + WARM_MOVES} moves showed a preview")
    return found[WARM_MOVES:]


def threshold_release(page: Page, texts: list[str], samples: int) -> list[float]:
    """Milliseconds from letting a handle go to new figures."""
    times = []
    for number in range(samples + 2):
        before = page.evaluate("window.ltpSeen()")
        x, y = grip(page)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + (60 if number % 2 else -60), steps=4)  # far enough that other tokens stay
        page.mouse.up()
        times.append(page.evaluate(RELEASED, before))
        settle(page)
    return times[2:]


def new_sentence(page: Page, texts: list[str], samples: int) -> list[float]:
    """Milliseconds from Control+Enter to the stage and figures of another text."""
    box, times = page.locator(".st-key-text textarea"), []
    for text in texts[1 : samples + 3]:
        before = page.evaluate("window.ltpSeen()")
        box.fill(text)
        box.press("Control+Enter")
        times.append(page.evaluate(READ, before))
        settle(page)
    return times[2:]


def page_switch(page: Page, texts: list[str], samples: int) -> list[float]:
    """Milliseconds from a click in the menu to a page that can be used."""
    times: list[float] = []
    names = list(PAGES)
    for number in range(samples + len(PAGES)):  # the first round imports what a page needs
        name = names[number % len(names)]
        page.evaluate("window.ltpHeading = document.querySelector('.stHtml h1').textContent")
        page.get_by_test_id("stTopNavLink").filter(has_text=name).first.click()
        times.append(page.evaluate(SWITCHED, [name, PAGES[name]]))
        settle(page)
    return times[len(PAGES) :]


MEASUREMENTS: dict[str, Callable[[Page, list[str], int], list[float]]] = {
    "drag_preview": drag_preview,
    "threshold_release": threshold_release,
    "new_sentence": new_sentence,
    "page_switch": page_switch,
}
PARTS = ("cold_start", *MEASUREMENTS, *LIVE, "tab_memory", "class", "load")


async def load(address: str, pid: int, model: PrunedModel, visitors: int, seconds: float) -> dict[str, Any]:
    """So many visitors move thresholds at once; each checks what it sees against a call of its own.

    A move is done when the model's result is on the stage. The page then measures how fast the text runs,
    one visitor after the other: `rest_p95` is when that is done, too.
    """
    texts = own_sentences()[:visitors]
    times: list[float] = []
    rests: list[float] = []
    errors: list[str] = []
    memory: list[int] = []

    async def enter(browser: Any, number: int) -> Any:
        page = await (await browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
        page.set_default_timeout(PATIENCE)
        await page.goto(f"{address}/?{urlencode({'text': texts[number], 'model': MODEL})}")
        await page.locator(".st-key-stage .cell").first.wait_for()
        await page.evaluate(CLOCK)
        await still(page)
        return page

    async def one(page: Any, number: int, deadline: float) -> None:
        try:
            step = 0
            while time.monotonic() < deadline:
                layer = 1 + (number + step // 6) % model.layers
                key = "ArrowUp" if (step // 3) % 2 == 0 else "ArrowDown"
                await page.get_by_test_id(f"stage-handle-{layer}").press(key)
                times.append(await page.evaluate(EXACT))
                await still(page)
                rests.append(await page.evaluate("performance.now() - window.ltpStart"))
                if fault := await difference(page, model, texts[number]):
                    errors.append(f"visitor {number}, step {step}: {fault}")
                step += 1
        except Exception as error:  # each visitor reports, none stops the others
            errors.append(f"visitor {number}: {type(error).__name__}: {str(error).splitlines()[0]}")

    async def watch(deadline: float) -> None:
        while time.monotonic() < deadline:
            memory.append(resident(pid))
            await asyncio.sleep(2)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = await asyncio.gather(*(enter(browser, number) for number in range(visitors)))
        end_of_moves = time.monotonic() + seconds
        before = busy(pid)
        moving = (one(page, number, end_of_moves) for number, page in enumerate(pages))
        await asyncio.gather(watch(end_of_moves), *moving)
        server = busy(pid) - before
        await browser.close()
    quarter = max(len(memory) // 4, 1)
    warm, end = statistics.mean(memory[quarter : 2 * quarter]), statistics.mean(memory[-quarter:])
    return {
        "visitors": visitors,
        "seconds": seconds,
        "moves": len(times),
        "p50": round(statistics.median(times)) if times else None,
        "p95": round(percentile(times)) if times else None,
        "rest_p95": round(percentile(rests)) if rests else None,
        "server_ms_per_move": round(1000 * server / len(times)) if times else None,
        "errors": errors[:10],
        "memory_mb": [round(warm / 2**20), round(end / 2**20)],
        "memory_growth": round(end / warm, 3),
    }


async def still(page: Any) -> None:
    """Wait until the exact result is on the stage and no script runs."""
    await page.wait_for_timeout(150)
    await page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    await page.wait_for_function("() => window.ltpSeen().exact")


async def difference(page: Any, model: PrunedModel, text: str) -> str | None:
    """What on the screen is not what the model says about these thresholds; None if all is."""
    if await page.locator("[data-testid=stException]").count():
        return "an exception is on the page"
    query = parse_qs(urlsplit(page.url).query)
    if query["text"] != [text]:
        return f"the text is {query['text']}"
    values = [
        float(query.get(f"t{n}", [usual])[0]) for n, usual in enumerate(model.thresholds or (), start=1)
    ]
    expected = await asyncio.to_thread(model.predict, text, Thresholds(values, model.reference_length))
    layers = await page.locator(".st-key-stage .cell.stays").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.layer))"
    )
    seen = tuple(layers.count(layer) for layer in range(1, model.layers + 1))
    if seen != expected.trace.alive:
        return f"tokens left {seen}, not {expected.trace.alive} at {values}"
    said = page.get_by_test_id("stage-answer")
    answer = await said.locator(".value").last.text_content()
    if expected.label and expected.label in answer:
        return None
    source, line = await said.get_attribute("data-source"), await said.locator(".verdict").text_content()
    return f"{expected.label} is not in {answer!r} ({source}: {line}) at {values}"


if __name__ == "__main__":
    main()
