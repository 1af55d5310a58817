"""Pages in Streamlit's own test harness, each opened by itself as a link does."""

import json
from pathlib import Path

from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import InitialValue

VIEWS = Path(__file__).resolve().parents[2] / "app" / "views"


def open_view(name, **query):
    """Open one page on the model "tiny", with these query parameters."""
    page = AppTest.from_file(VIEWS / f"{name}.py", default_timeout=60)
    for key, value in {"model": "tiny", **query}.items():
        page.query_params[key] = value
    return run(page)


def open_main(**query):
    """The same by main.py, which every page of a served lab goes through: it opens Explore."""
    page = AppTest.from_file(VIEWS.parent / "main.py", default_timeout=60)
    for key, value in {"model": "tiny", **query}.items():
        page.query_params[key] = value
    return run(page)


def run(page):
    """Run it once more; no traceback may be on it."""
    page.run()
    assert not page.exception
    return page


class Browser:
    """Runs a page with the labels that a browser sends: AppTest's own are those of the last run.

    A browser goes on sending the label that a selectbox had when it was last chosen or set, even when the
    server has since drawn the box with other labels.
    """

    def __init__(self, page):
        self.page = page
        self.labels = {}
        self._look()

    def run(self):
        """As `run`."""
        states = self.page._tree.get_widget_states()
        chosen = {box.id for box in self.page.selectbox if not isinstance(box._value, InitialValue)}
        for state in states.widgets:
            if state.id in chosen:
                self.labels[state.id] = state.string_value
            elif state.id in self.labels:
                state.string_value = self.labels[state.id]
        self.page._run(states)
        assert not self.page.exception
        self._look()
        return self.page

    def label(self, key):
        """What a box shows."""
        return self.labels[self.page.selectbox(key=key).id]

    def _look(self):
        for box in self.page.selectbox:
            usual = self.labels.get(box.id, box.options[box.proto.default])
            self.labels[box.id] = box.proto.raw_value if box.proto.set_value else usual


def on_stage(page):
    """What the browser gets to draw; None where there is no stage."""
    element = _stage(page)
    return None if element is None else json.loads(element.proto.json)


def send(page, event, value=True):
    """Let the stage send an event, as a browser does, and run the page."""
    states = page._tree.get_widget_states()
    state = states.widgets.add()
    state.id = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{_stage(page).proto.id}__events"
    state.json_trigger_value = json.dumps([{"event": event, "value": value}])
    page._run(states)
    assert not page.exception
    return page


def _stage(page):
    return next((element for element in page.get("bidi_component") if element.key == "stage"), None)


def html(page):
    """All that the page wrote as HTML."""
    return "\n".join(element.proto.body for element in page.get("html")).replace("\u00a0", " ")


def set_task(folder, task):
    """Say that a saved model was trained on this task."""
    config = folder / "ltp_config.json"
    config.write_text(config.read_text().replace('"task": null', f'"task": "{task}"'), encoding="utf-8")
