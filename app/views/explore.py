"""Explore: what happens to my sentence?"""

from urllib.parse import urlencode

import streamlit as st

from app import header, runs, theme, thresholds
from app.blocks import numbers
from app.figures import attention_heatmap
from app.figures.tables import attention_table, survival_table
from app.header import View
from app.report import report
from app.says import markup, notes, verdict, words
from app.turns import Busy
from app.visitor import session
from ltp_core.speed.latency import Comparison


def page() -> None:
    """Draw the page from top to bottom; the measurement, which takes longest, comes last."""
    view = header.view(
        "What happens to my sentence?",
        "The model reads it layer by layer, and removes the words that get too little attention.",
        attention=True,
    )
    if view is not None:
        _results(view)


def _results(view: View) -> None:
    model, settings, choices, trace = view.model, view.settings, view.choices, view.trace
    strip = st.container(key="verdict").empty()
    device = view.setup.device

    def show(measured: Comparison | None, waiting: str = "measuring how fast …") -> None:
        strip.html(verdict.strip(view.dense, view.pruned, measured, waiting, device))

    show(None)
    st.html(markup.heading(notes.BOARD_TITLE))
    st.html(markup.paragraph(notes.THRESHOLDS, "hint"))
    thresholds.buttons(settings, choices)
    with st.container():  # always there: else all that follows is put in anew when the notice comes or goes,
        if collapsed := words.collapse(trace):  # and the old figures stay until the measurement has ended
            st.html(markup.notice(collapsed))
    thresholds.board(view)
    pieces = notes.PIECES if any(token.startswith("##") for token in trace.tokens) else ""
    st.html(markup.paragraph(notes.MAP + pieces, "hint"))
    thresholds.numbers(choices)
    numbers("map_numbers", lambda: survival_table(trace), "survival.csv", trace)
    _attention(view)
    counted = notes.numbers(view.dense, view.pruned, device, model.max_tokens, choices.has_learned)
    with st.expander("How answer, work and time are counted", key="counted"):
        for text in counted:
            st.html(markup.paragraph(text))
    measurements = session.memory().results  # filled below; the button reads it when it is pressed

    def write() -> str:
        found = measurements.get("measured")
        times = found[1] if found is not None and found[0] == view.key else None
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

    try:
        measured = session.memory().keep(
            "measured",
            view.key,
            lambda: runs.measure(model, view.texts, settings.thresholds, session.stop_if_changed),
        )
    except Busy:
        show(None, "not measured, since many visitors measure right now: press Run to try again")
    else:
        show(measured)


def _attention(view: View) -> None:
    choices, trace, palette = view.choices, view.trace, theme.palette()
    left, right = st.columns([3, 8], gap="medium")
    with left:
        st.html(markup.heading("Who looks at whom?"))
        layers = range(1, choices.layers + 1)
        st.segmented_control("Layer", layers, key="layer", required=True, wrap=True)
        layer = view.settings.layer  # which the control holds, and the trace is of
        head = st.selectbox("Head", range(choices.heads + 1), key="head", format_func=words.head)
        st.html(markup.paragraph(notes.ATTENTION, "hint"))
    with right:
        token, share = attention_heatmap.most_attended(trace, head or None)
        heads = "mean of the heads" if head == 0 else f"head {head}"
        finding = words.attention_finding(layer, heads, token, share)
        st.html(markup.heading(finding))
        # Who is there to look at whom depends on the thresholds before this layer alone.
        figure = session.memory().keep(
            "attention_map",
            (*view.key[:-1], view.settings.thresholds[: layer - 1], layer, head, palette),
            lambda: attention_heatmap.attention_heatmap(trace, head or None, palette),
        )
        narrowest = attention_heatmap.narrowest(trace)
        tokens = words.attention_of(trace).tokens
        theme.figure(figure, "attention_map", f"Attention heatmap: {finding}", narrowest, tokens)
        numbers("attention_numbers", lambda: attention_table(trace, head or None), "attention.csv")


page()
