"""One visitor's settings between two runs of a page, and from page to page: address, controls, undo.

The controls hold the truth. They are set from the address when a page opens and when the visitor goes
back or follows a link; whatever the controls change is written to the address. The menu opens a page
without an address, which then gets the settings of the page before. A page links controls of its own to
its address with `linked`.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.visitor.state import Choices, PageSettings, cut, is_own, read_hidden, read_model, read_query

MEMORY = "visitor"
# A teacher's link, lessons done, a class's list and large view, and what Compare has saved hold on all pages.
LASTING = ("hide", "lesson", "done", "a", "b", "texts", "present")
MOST_UNDO = 50


@dataclass
class Memory:
    """What is remembered for one visitor.

    Attributes:
        page: the page of the last run; None before the first.
        opened: whether this is its first run; its controls are new then and take no old values.
        wanted: controls that the next page opens with: key -> value.
        settings: as of the last run.
        query: the address as of the last run.
        linked: controls of this page alone, as of the last run: key -> (text in the address, value).
        cut: what is said of an address that was too long.
        notices: what is said of what an address asked for in vain.
        history: earlier thresholds, the latest last.
        undoing: whether the thresholds of the next run come from the history.
        results: what was computed for the current settings: name -> (what for, result).
        model: what computed it, while it is loaded.
    """

    page: str | None = None
    opened: bool = False
    wanted: dict[str, Any] = field(default_factory=dict)
    settings: PageSettings | None = None
    query: dict[str, str] = field(default_factory=dict)
    linked: dict[str, tuple[str | None, Any]] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    history: list[tuple[float, ...]] = field(default_factory=list)
    undoing: bool = False
    results: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    model: Callable[[], Any] = lambda: None

    def use(self, model: Any) -> None:
        """Forget what another model has computed: one that was trained anew has the name of the old one."""
        if self.model() is not model:
            self.results.clear()
            self.model = weakref.ref(model)

    def keep(self, name: str, key: Any, compute: Callable[[], Any]) -> Any:
        """The last result of this name if it was computed for the same key, else compute it."""
        if name not in self.results or self.results[name][0] != key:
            self.results.pop(name, None)
            self.results[name] = (key, compute())
        return self.results[name][1]

    def put(self, name: str, key: Any, result: Any) -> None:
        """Keep a result that somebody else has computed, in place of the last of this name."""
        self.results[name] = (key, result)

    def known(self, name: str, key: Any) -> Any:
        """The last result of this name if it was computed for the same key, else None."""
        found = self.results.get(name)
        return found[1] if found is not None and found[0] == key else None


def memory() -> Memory:
    """This visitor's memory."""
    if MEMORY not in st.session_state:
        st.session_state[MEMORY] = Memory()
    return st.session_state[MEMORY]


def enter(page: str, said: str | None = None) -> None:
    """Begin a run of a page; `main.py` calls this before the page draws anything.

    Args:
        page: address of the page.
        said: a notice for the first run of a session.
    """
    mem = memory()
    first = mem.page is None
    mem.opened = page != mem.page
    kept, mem.cut = cut(st.query_params.to_dict())
    if mem.cut:
        st.query_params.from_dict(kept)
    if first and said:
        mem.cut.append(said)
    if mem.opened:
        mem.linked = {}
    if mem.opened and mem.settings is not None and not any(map(is_own, st.query_params)):
        kept = {name: value for name, value in mem.query.items() if is_own(name) or name in LASTING}
        mem.query = {**kept, **st.query_params.to_dict()}
        st.query_params.from_dict(mem.query)
    mem.page = page
    for key, value in mem.wanted.items():
        st.session_state[key] = value
    mem.wanted = {}


def hidden() -> frozenset[str]:
    """The controls that a teacher's link hides, on this page and on those opened from it."""
    return read_hidden(st.query_params.get("hide"))


def open_page(path: str, **settings: Any) -> None:
    """Go to another page, say ``open_page("views/why.py", layer=2, token=5)``; never returns."""
    memory().wanted = settings
    st.switch_page(path)


def choose_model(models: list[str]) -> str:
    """The model of this run: what the control says, unless the address says otherwise."""
    mem = memory()
    if mem.settings is None or not _navigated(mem):
        chosen = st.session_state.get("model", mem.settings.model if mem.settings else None)
        if chosen in models:
            return str(chosen)
    name, _ = read_model(st.query_params, models)
    return name


def settings_of_run(choices: Choices, models: list[str]) -> PageSettings:
    """Read the settings of this run, from the address or the controls, and set the controls to them."""
    mem = memory()
    navigated = _navigated(mem)
    if mem.settings is None or navigated:
        settings = _from_address(mem, choices, models)
    else:
        settings = _from_controls(mem.settings, choices)
        if settings != mem.settings:
            _changed(mem, mem.settings, settings, choices)
    mem.settings = settings
    for key, value in _controls(settings).items():
        # Of another sentence the same token has another label. Else leave it: it may be typed into now.
        if mem.opened or navigated or st.session_state.get(key) != value:
            st.session_state[key] = value
    return settings


def linked(
    name: str, usual: Any, read: Callable[[str], tuple[Any, str | None]], write: Callable[[Any], str] = str
) -> str | None:
    """Set a control of this page alone to what the address says, after writing there what it was moved to.

    Call it before the control is drawn.

    Args:
        name: key of the control, and of the parameter in the address.
        usual: the control's value where the address says nothing, which is how that value is written.
        read: text in the address -> value, and a notice if the text cannot be used.
        write: the other way.

    Returns:
        The notice, if there is one.
    """
    mem = memory()
    text, control = st.query_params.get(name), st.session_state.get(name)
    last = mem.linked.get(name)
    if last is not None and last[0] == text and control is not None and control != last[1]:
        text = None if control == usual else write(control)
        put(name, text)
    value, notice = (usual, None) if text is None else read(text)
    if last is None or control != value:
        st.session_state[name] = value
    mem.linked[name] = (text, value)
    return notice


def put(name: str, text: str | None) -> None:
    """Write a parameter of this page into the address, or take it out."""
    for query in (st.query_params, memory().query):
        if text is not None:
            query[name] = text
        elif name in query:
            del query[name]


def follow(query: dict[str, str]) -> None:
    """Go where a link of this page leads: the address changes, and the settings are read from it."""
    lasting = {name: value for name, value in st.query_params.to_dict().items() if name in LASTING}
    st.query_params.from_dict(lasting | query)


def set_text(text: str, pair: str) -> None:
    """Put an example into the boxes."""
    st.session_state["text"] = text
    st.session_state["pair"] = pair


def set_thresholds(values: tuple[float, ...]) -> None:
    """Set every layer's control."""
    st.session_state.update(_percentages(values))


def threshold_controls(values: tuple[float, ...]) -> dict[str, float]:
    """Thresholds as the controls of `open_page`."""
    return _percentages(values)


def undo() -> None:
    """Go back to the thresholds before the last change."""
    mem = memory()
    if mem.history:
        set_thresholds(mem.history.pop())
        mem.undoing = True


def run_again() -> None:
    """Forget what was computed and measured, so that it is done again."""
    memory().results.clear()


def stop_if_changed() -> None:
    """End this run here if the visitor has changed something: Streamlit looks at each use of its state."""
    _ = MEMORY in st.session_state


def _navigated(mem: Memory) -> bool:
    """Whether the page has just been opened, or the address changed while no control did."""
    if mem.settings is None:
        return True
    if _shared(st.query_params.to_dict()) == _shared(mem.query):
        return False
    return all(st.session_state.get(key, value) == value for key, value in _controls(mem.settings).items())


def _shared(query: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if is_own(name)}


def _from_address(mem: Memory, choices: Choices, models: list[str]) -> PageSettings:
    """Read the address anew; earlier thresholds are forgotten."""
    reading = read_query(st.query_params, choices)
    from app.models import absent  # imports torch: not before the page stands

    _, wrong_model = read_model(st.query_params, models, absent())
    mem.notices = [*mem.cut, *filter(None, [wrong_model]), *reading.notices]
    mem.query = st.query_params.to_dict()
    mem.history = []
    return reading.settings


def _changed(mem: Memory, before: PageSettings, settings: PageSettings, choices: Choices) -> None:
    """Note a change for undo, and write it to the address beside parameters that are not ours."""
    mem.notices = []
    if settings.model != before.model:
        mem.history = []
    elif settings.thresholds != before.thresholds and not mem.undoing:
        mem.history = [*mem.history[1 - MOST_UNDO :], before.thresholds]
    mem.undoing = False
    foreign = {name: value for name, value in st.query_params.to_dict().items() if not is_own(name)}
    mem.query = {**settings.to_query(choices), **foreign}
    st.query_params.from_dict(mem.query)


def _controls(settings: PageSettings) -> dict[str, Any]:
    """Key of each control -> its value."""
    names = ("model", "device", "text", "pair", "layer", "head", "token")
    return {**{name: getattr(settings, name) for name in names}, **_percentages(settings.thresholds)}


def _percentages(thresholds: tuple[float, ...]) -> dict[str, float]:
    """Key of each threshold's control -> what it shows: people read shares in percent."""
    return {f"t{number}": _percentage(value) for number, value in enumerate(thresholds, start=1)}


def _percentage(threshold: float) -> float:
    return round(threshold * 100, 10)


def _share(percentage: float | None, known: tuple[float, ...]) -> float:
    """What a threshold's control says; the first known value if it is not on the page.

    A control rounds. A known value that it shows is meant to the last digit: else thresholds set back to the
    learned ones would not be the learned ones.
    """
    if percentage is None:
        return known[0]
    shown = (value for value in known if _percentage(value) == percentage)
    return next(shown, round(percentage / 100, 12))


def _from_controls(before: PageSettings, choices: Choices) -> PageSettings:
    """What the controls say; a control that is not on the page keeps its last value."""

    def value(name: str) -> Any:
        found = st.session_state.get(name)
        return getattr(before, name) if found is None else found

    def number(name: str) -> int:  # a label that is in no list any more comes as it is
        found = value(name)
        return found if isinstance(found, int) else getattr(before, name)

    device = value("device")
    pair = value("pair") if choices.pair is not None else ""
    if choices.model != before.model:
        return PageSettings(choices.model, device, value("text"), pair or choices.pair or "", choices.learned)
    text = value("text")
    new_text = text != before.text or pair != before.pair
    thresholds = tuple(
        _share(st.session_state.get(f"t{number}"), (usual, learned))
        for number, (usual, learned) in enumerate(
            zip(before.thresholds, choices.learned, strict=True), start=1
        )
    )
    token = 0 if new_text else number("token")
    return PageSettings(choices.model, device, text, pair, thresholds, number("layer"), number("head"), token)
