"""Pictures of every page of the lab, in both themes and at three widths; a few of them for the README.

python -m tests.browser.screenshots --output /tmp/shots        # all, to look at
python -m tests.browser.screenshots --readme                   # the small set in assets/screenshots
"""

import argparse
from contextlib import nullcontext
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.lab import PATIENCE, ROOT, launch, server, settle

PAGES = ROOT / "app" / "views"
WIDTHS = {390: 844, 1280: 900, 1920: 1080}  # px: a phone, a laptop, a projector; and their heights
PHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"
)
README = [("", "light", 800), ("", "dark", 800), ("why", "light", 900), ("compare", "light", 900)]
CURVES = ".st-key-stage .curve >> nth=5"  # beside the last of six handles, once the browser has the model


def paths() -> list[str]:
    """Where the pages are served: the first one at the root, the others by their file's name."""
    names = sorted(file.stem for file in PAGES.glob("*.py") if not file.stem.startswith("_"))
    return ["", *(name for name in names if name != "explore")]


def shoot(
    browser: Browser,
    address: str,
    path: str,
    theme: str,
    width: int,
    file: Path,
    height: int | None = None,
    last: str | None = None,
) -> None:
    """Open a page, wait until it stands still, and take its picture: so many px of it, or all.

    `last` is what is drawn last, where that is after the page stands still.
    """
    phone = {"is_mobile": True, "has_touch": True, "user_agent": PHONE} if width < 600 else {}
    context = browser.new_context(
        viewport={"width": width, "height": height or WIDTHS[width]}, color_scheme=theme, **phone
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/{path}")
    page.locator("h1, h2").first.wait_for()
    settle(page)
    if last is not None:
        page.locator(last).wait_for(state="attached")
    if height is None:  # Streamlit scrolls inside its own element, which a picture of the page does not see
        height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight + 80")
        page.set_viewport_size({"width": width, "height": min(int(height), 8000)})
        settle(page)
    page.screenshot(path=file)
    context.close()
    print(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("/tmp/shots"))
    parser.add_argument("--address", help="a lab that is already running")
    parser.add_argument("--pages", help="only these, separated by commas; 'explore' is the first")
    parser.add_argument("--query", default="", help="what follows the ? in the address: text=…&lesson=2")
    parser.add_argument("--readme", action="store_true", help="only the set in assets/screenshots")
    options = parser.parse_args()
    folder = ROOT / "assets" / "screenshots" if options.readme else options.output
    folder.mkdir(parents=True, exist_ok=True)
    chosen = None if options.pages is None else {p.replace("explore", "") for p in options.pages.split(",")}
    with (
        nullcontext(options.address) if options.address else server() as address,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        if options.readme:
            for path, theme, height in README:
                file = folder / f"{path or 'explore'}-{theme}.png"
                shoot(browser, address, path, theme, 1280, file, height, None if path else CURVES)
            return
        for path in paths():
            if chosen is not None and path not in chosen:
                continue
            for theme in ("light", "dark"):
                for width in WIDTHS:
                    file = folder / f"{path or 'explore'}-{theme}-{width}.png"
                    shoot(browser, address, f"{path}?{options.query}", theme, width, file)


if __name__ == "__main__":
    main()
