"""A view on the stage, with what is measured and fetched for it once all is drawn."""

import streamlit as st

from app import models, runs, surprises
from app.components.stage import stage
from app.header import View
from app.live.offer import offer, runs_in_browser
from app.measured import settings_of
from app.says import clocked, notes, questions, words
from app.stage import MOST_ARCS, Setting, stage_data
from app.turns import Busy
from app.visitor import session
from ltp_core import Prediction

REFUSED = "Not measured, since many visitors measure right now: press Run to try again"


def draw(view: View) -> None:
    """The stage; a click on a word opens Why there."""
    named = settings_of(view.settings.model, view.model.thresholds)
    setting = Setting.of(view.model, view.settings.thresholds, view.choices.learned, named)
    seen, what = session.memory(), timed(view)
    cell = stage(
        stage_data(
            setting,
            questions.question(view.model, view.settings.model),
            view.dense,
            view.pruned,
            nothing=_to_nothing(view),
            time=_time(view),
            attention=seen.known("attention_of_all", view.key),
            undo=bool(seen.history),
            fixed="thresholds" in session.hidden(),
            note=words.collapse(view.trace) or _question(view),
            live=None if setting.several else offer(view.settings.model, view.texts),
            curves=runs_in_browser(view.settings.model, view.model),
            timing=_timing(view),
        ),
        "stage",
        on_release=session.set_thresholds,
        on_undo=session.undo,
        on_measure=_measure_longer,
        on_timed=lambda rounds: seen.put("measured", what, rounds),
    )
    if cell is not None:
        session.open_page("views/why.py", **cell._asdict())


def _question(view: View) -> str:
    """What to find out about this text, if it is one of the surprises; else what can be done."""
    case = surprises.about(view.settings.model, view.texts.first, view.texts.second or "")
    return notes.STAGE if case is None else f"{case.name}: {case.question}".replace(" %", f"{words.NBSP}%")


def _to_nothing(view: View) -> Prediction | None:
    """What the model says to an empty text, where it is left with nearly one: after layer 1."""
    if view.trace.alive[0] != 1:
        return None
    key = (view.settings.model, view.settings.device, view.texts.second is None)
    return session.memory().keep("nothing", key, lambda: runs.predict_nothing(view.model, view.texts))


def _time(view: View) -> clocked.TimeSaid | None:
    """What has been measured so far."""
    seen = session.memory()
    if seen.known("refused", view.key):
        return clocked.TimeSaid(REFUSED, (), False)
    measured = seen.known("measured", timed(view))
    prunes = view.pruned.flops < view.dense.flops
    if in_browser(view):
        return measured and clocked.said_of_browser(measured, prunes)
    return measured and clocked.said(measured, view.setup.device, prunes)


def in_browser(view: View) -> bool:
    """Whether the visitor wants times of this browser."""
    return view.settings.device == models.BROWSER


def _timing(view: View) -> str | None:
    """Whether the browser has to measure, and for how long."""
    if not in_browser(view) or session.memory().known("measured", timed(view)) is not None:
        return None
    return "longer" if timed(view)[1] else "usual"


def timed(view: View) -> tuple[object, bool]:
    """What a measurement is of: these two runs, and whether a longer one was asked for."""
    return view.key, session.memory().known("longer", None) == view.key


def _measure_longer() -> None:
    """Measure again, for longer: what was measured is not what is asked for any more."""
    seen = session.memory()
    measured = seen.results.get("measured")
    if measured is not None:
        seen.results["longer"] = (None, measured[0][0])


def look_closer(view: View) -> None:
    """Measure times and fetch everybody's attention, once all is drawn; then the page shows them."""
    seen = session.memory()
    if seen.known("refused", view.key):
        del seen.results["refused"]  # the visitor has been told; the next run tries again
        return
    arcs = len(view.trace.tokens) <= MOST_ARCS and seen.known("attention_of_all", view.key) is None
    measures = not in_browser(view) and seen.known("measured", timed(view)) is None
    if not arcs and not measures:
        return
    seconds = runs.LONGER_SECONDS if timed(view)[1] else runs.USUAL_SECONDS
    try:
        if measures:
            seen.keep(
                "measured",
                timed(view),
                lambda: runs.measure(
                    view.model, view.texts, view.settings.thresholds, session.stop_if_changed, seconds
                ),
            )
        if arcs:
            seen.keep(
                "attention_of_all",
                view.key,
                lambda: runs.attention_of_all(view.model, view.texts, view.settings.thresholds),
            )
    except Busy:
        seen.keep("refused", view.key, lambda: True)
    st.rerun()
