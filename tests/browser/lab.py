"""The lab in a real browser: start the server, open Chromium, wait until a page has finished."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Locator, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # ms: the first page imports torch and loads the model

# A page with a stage has a Plotly figure, which comes after it; lessons, and the large view, have none.
DRAWN = """() => {
    const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
    const place = document.querySelector('.st-key-stage')
    const stage = place?.querySelector('[data-testid=stBidiComponentIsolated]')?.shadowRoot
    if (place && !stage?.querySelector('.cell')) return false
    const inked = chart => chart.querySelector('.xtick text, .annotation-text')
    const alone = document.querySelector('.st-key-present, .st-key-coach')
    return charts.length >= (place && !alone ? 1 : 0) && charts.every(inked)
}"""


@contextmanager
def server(shelf: Path | None = None) -> Iterator[str]:
    """Serve the lab on a free port of this machine, with a model in this folder; yields its address."""
    with serve(shelf) as (address, _):
        yield address


@contextmanager
def serve(shelf: Path | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same; yields its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    folders = [folder for folder in (os.environ.get("LTP_LAB_MODELS"), shelf and str(shelf)) if folder]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/server.py", *options],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "LTP_LAB_MODELS": os.pathsep.join(folders)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"{address}/_stcore/health", process)
        yield address, process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:  # a busy machine
            process.kill()
            process.wait()


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


def open_page(page: Page, address: str, **query: str) -> Page:
    """Open a page of the lab with these query parameters and wait until it stands still."""
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}?{urlencode(query)}" if query else address)
    page.locator(".stHtml h1").first.wait_for()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until no script runs, also not one that a change a moment ago will start, and all is drawn."""
    for _ in range(2):  # the first rest may be the moment before a run that a component asks for
        page.wait_for_timeout(300)
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=PATIENCE)
        page.wait_for_function(DRAWN, timeout=PATIENCE)


def reaches(page: Page, *parts: str) -> None:
    """Wait until the address has all of these: a script's run writes it after what it draws."""
    page.wait_for_url(lambda url: all(part in url for part in parts), timeout=PATIENCE)


def press(page: Page, layer: int, key: str, times: int = 1) -> None:
    """Press a key on a layer's threshold."""
    handle = slider(page, layer)
    for _ in range(times):
        handle.press(key)
    settle(page)


def slider(page: Page, layer: int) -> Locator:
    """The handle of a layer's threshold on the stage."""
    return page.get_by_test_id(f"stage-handle-{layer}")


def kept(page: Page) -> list[int]:
    """Tokens left after each layer, counted in the rows of the stage themselves."""
    layers = page.locator(".st-key-stage .cell.stays").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.layer))"
    )
    return [layers.count(layer) for layer in range(1, page.locator(".st-key-stage .row").count() + 1)]


def words(page: Page) -> list[str]:
    """The words of the stage: of its first row, or of the text above the rows."""
    prose = page.locator(".st-key-stage .prose .word").all_text_contents()
    return prose or page.locator("[data-testid=stage-row-1] .word").all_text_contents()


def answers(page: Page) -> tuple[str, list[str]]:
    """What is said about both answers, and the answers: dense, pruned."""
    box = page.get_by_test_id("stage-answer")
    return box.locator(".verdict").inner_text(), box.locator(".value").all_inner_texts()


def work(page: Page) -> tuple[float, float]:
    """The work that the stage names, dense and pruned, in FLOPs."""
    line = page.locator(".st-key-stage .work").inner_text()
    units = {"k": 1e3, "M": 1e6, "G": 1e9}
    found = re.findall(r"([\d.,]+)\s([kMG])FLOPs", line)
    dense, pruned = (float(number.replace(",", "")) * units[unit] for number, unit in found)
    return dense, pruned


def open_menu(page: Page, key: str) -> None:
    """Open one of the menus beside the sentence: "model_chip", "surprises", "gear"."""
    page.locator(f".st-key-{key} button").first.click()
    page.locator("[data-testid=stPopoverBody]").wait_for()


def type_text(page: Page, text: str) -> None:
    """Replace the sentence and run it."""
    box = page.locator(".st-key-text textarea")
    box.fill(text)
    box.press("Control+Enter")
    settle(page)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the lab did not start")
