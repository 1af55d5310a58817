"""Explore: what happens to my sentence?"""

from urllib.parse import urlencode

import streamlit as st

from app import attention, header, models, runs, surprises, thresholds
from app.blocks import numbers
from app.components.stage import stage
from app.figures.tables import survival_table
from app.header import View
from app.live.offer import offer
from app.report import report
from app.says import cautions, clocked, markup, notes, questions, words
from app.stage import MOST_ARCS, Setting, stage_data
from app.turns import Busy
from app.visitor import session
from ltp_core import Prediction

REFUSED = "Not measured, since many visitors measure right now: press Run to try again"


def page() -> None:
    """Draw the page from top to bottom; the measurement, which takes longest, comes last."""
    view = header.view("What happens to my sentence?", "", attention=True)
    if view is not None:
        _results(view)


def _results(view: View) -> None:
    _cautions(view)
    _stage(view)
    thresholds.numbers(view.choices)
    numbers("map_numbers", lambda: survival_table(view.trace), "survival.csv", view.trace)
    attention.section(view, session.memory().known("attention_of_all", view.key))
    _report(view)
    _look_closer(view)


def _cautions(view: View) -> None:
    """What to know about this text before believing its answer."""
    with st.container(key="notes"):
        texts = [view.texts.first, view.texts.second or ""]
        for number, found in enumerate(
            cautions.cautions(view.model, view.trace, texts, view.setup.models), start=1
        ):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.html(markup.notice(found.text))
                if found.model is not None:
                    st.button(
                        f"Read it with {found.model}",
                        key=f"instead_{number}",
                        on_click=session.follow,
                        args=({"model": found.model, "text": view.texts.first},),
                    )


def _stage(view: View) -> None:
    """The stage; a click on a word opens Why there."""
    setting = Setting.of(view.model, view.settings.thresholds, view.choices.learned)
    seen, timed = session.memory(), _timed(view)
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
            timing=_timing(view),
        ),
        "stage",
        on_release=session.set_thresholds,
        on_undo=session.undo,
        on_measure=_measure_longer,
        on_timed=lambda rounds: seen.put("measured", timed, rounds),
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
    measured = seen.known("measured", _timed(view))
    prunes = view.pruned.flops < view.dense.flops
    if _in_browser(view):
        return measured and clocked.said_of_browser(measured, prunes)
    return measured and clocked.said(measured, view.setup.device, prunes)


def _in_browser(view: View) -> bool:
    """Whether the visitor wants times of this browser."""
    return view.settings.device == models.BROWSER


def _timing(view: View) -> str | None:
    """Whether the browser has to measure, and for how long."""
    if not _in_browser(view) or session.memory().known("measured", _timed(view)) is not None:
        return None
    return "longer" if _timed(view)[1] else "usual"


def _timed(view: View) -> tuple[object, bool]:
    """What a measurement is of: these two runs, and whether a longer one was asked for."""
    return view.key, session.memory().known("longer", None) == view.key


def _measure_longer() -> None:
    """Measure again, for longer: what was measured is not what is asked for any more."""
    seen = session.memory()
    measured = seen.results.get("measured")
    if measured is not None:
        seen.results["longer"] = (None, measured[0][0])


def _look_closer(view: View) -> None:
    """Measure times and fetch everybody's attention, once all is drawn; then the page shows them."""
    seen = session.memory()
    if seen.known("refused", view.key):
        del seen.results["refused"]  # the visitor has been told; the next run tries again
        return
    arcs = len(view.trace.tokens) <= MOST_ARCS and seen.known("attention_of_all", view.key) is None
    measures = not _in_browser(view) and seen.known("measured", _timed(view)) is None
    if not arcs and not measures:
        return
    seconds = runs.LONGER_SECONDS if _timed(view)[1] else runs.USUAL_SECONDS
    try:
        if measures:
            seen.keep(
                "measured",
                _timed(view),
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


def _report(view: View) -> None:
    settings, choices, device = view.settings, view.choices, view.setup.device
    counted = notes.numbers(view.dense, view.pruned, device, view.model.max_tokens, choices.has_learned)
    with st.expander("How answer, work and time are counted", key="counted"):
        for text in counted:
            st.html(markup.paragraph(text))

    def write() -> str:
        times = None if _in_browser(view) else session.memory().known("measured", _timed(view))
        link = [
            ("Model", settings.model),
            ("Device", device),
            ("Settings", urlencode(settings.to_query(choices))),
        ]
        return report(view.texts, link, view.dense, view.pruned, settings.thresholds, times, device, counted)

    st.download_button(
        "Download this view as a report (HTML)",
        write,
        "ltp-lab-report.html",
        "text/html",
        key="report",
        on_click="ignore",
    )


page()
