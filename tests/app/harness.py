"""Pages in Streamlit's own test harness, each opened by itself as a link does."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

VIEWS = Path(__file__).resolve().parents[2] / "app" / "views"


def open_view(name, **query):
    """Open one page on the model "tiny", with these query parameters."""
    page = AppTest.from_file(VIEWS / f"{name}.py", default_timeout=60)
    for key, value in {"model": "tiny", **query}.items():
        page.query_params[key] = value
    return run(page)


def run(page):
    """Run it once more; no traceback may be on it."""
    page.run()
    assert not page.exception
    return page


def html(page):
    """All that the page wrote as HTML."""
    return "\n".join(element.proto.body for element in page.get("html")).replace("\u00a0", " ")


def set_task(folder, task):
    """Say that a saved model was trained on this task."""
    config = folder / "ltp_config.json"
    config.write_text(config.read_text().replace('"task": null', f'"task": "{task}"'), encoding="utf-8")
