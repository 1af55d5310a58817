"""Explore: what happens to my sentence?"""

from urllib.parse import urlencode

import streamlit as st

from app import attention, header, thresholds
from app.blocks import numbers
from app.figures.tables import survival_table
from app.header import View
from app.report import report
from app.says import cautions, markup, notes
from app.sections import class_list, on_stage, present
from app.visitor import session


def page() -> None:
    """Draw the page from top to bottom; the measurement, which takes longest, comes last."""
    if present.wanted():
        present.page()
        return
    view = header.view("What happens to my sentence?", "", attention=True)
    if view is not None:
        _results(view)


def _results(view: View) -> None:
    _cautions(view)
    on_stage.draw(view)
    thresholds.numbers(view.choices)
    numbers("map_numbers", lambda: survival_table(view.trace), "survival.csv", view.trace)
    attention.section(view, session.memory().known("attention_of_all", view.key))
    _report(view)
    class_list.section(view)
    on_stage.look_closer(view)


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


def _report(view: View) -> None:
    settings, choices, device = view.settings, view.choices, view.setup.device
    counted = notes.numbers(view.dense, view.pruned, device, view.model.max_tokens, choices.has_learned)
    with st.expander("How answer, work and time are counted", key="counted"):
        for text in counted:
            st.html(markup.paragraph(text))

    def write() -> str:
        times = (
            None if on_stage.in_browser(view) else session.memory().known("measured", on_stage.timed(view))
        )
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
