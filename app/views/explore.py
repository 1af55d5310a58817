"""Explore: what happens to my sentence?"""

import math
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app import about, header, markup, services, session, theme, thresholds, verdict, words
from app.figures import attention_heatmap, survival_map
from app.figures.tables import Table, attention_table, survival_table, to_csv
from app.header import View
from app.services import Comparison
from app.state import Choices
from ltp_core import Trace

MOST_IN_PICTURE = 96  # tokens on one map; longer inputs come in parts


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
    with st.container(key="board"):
        left, right = st.columns([3, 8], gap="medium")
        with left:
            st.html(markup.heading("Thresholds"))
            st.html(markup.paragraph(about.THRESHOLDS, "hint"))
            thresholds.board(settings, choices, trace)
        with right:
            _map(trace)
    _attention(choices, trace)
    with st.expander("How answer, work and time are counted", key="counted"):
        for text in about.numbers(view.dense, view.pruned, device, model.max_tokens):
            st.html(markup.paragraph(text))

    measured = session.memory().keep(
        "measured",
        view.key,
        lambda: services.measure(model, view.texts, settings.thresholds, session.stop_if_changed),
    )
    show(measured, "not measured: too many visitors at once")


def _map(trace: Trace) -> None:
    finding = words.map_finding(trace)
    st.html(markup.heading(finding))
    start, stop = _part(len(trace.tokens))
    columns = theme.columns()
    figure = survival_map.survival_map(trace, theme.palette(), start, stop, columns)
    narrowest = survival_map.narrowest(stop - start, columns)
    theme.figure(figure, "survival_map", f"Survival map: {finding}", narrowest)
    if collapsed := words.collapse(trace):
        st.html(markup.notice(collapsed))
    pieces = about.PIECES if any(token.startswith("##") for token in trace.tokens) else ""
    st.html(markup.paragraph(about.MAP + pieces, "hint"))
    _numbers("map_numbers", lambda: survival_table(trace), "survival.csv", trace)


def _part(total: int) -> tuple[int, int]:
    parts = math.ceil(total / MOST_IN_PICTURE)
    if parts == 1:
        return 0, total
    size = math.ceil(total / parts)
    if st.session_state.get("part", 1) > parts:
        st.session_state["part"] = 1
    part = st.segmented_control(
        "Tokens shown",
        range(1, parts + 1),
        key="part",
        required=True,
        format_func=lambda number: f"{(number - 1) * size + 1}–{min(number * size, total)}",
    )
    return (part - 1) * size, min(part * size, total)


def _attention(choices: Choices, trace: Trace) -> None:
    left, right = st.columns([3, 8], gap="medium")
    with left:
        st.html(markup.heading("Who looks at whom?"))
        layer = st.segmented_control(
            "Layer", range(1, choices.layers + 1), key="layer", required=True, wrap=True
        )
        head = st.selectbox(
            "Head",
            range(choices.heads + 1),
            key="head",
            format_func=lambda number: f"mean of all {choices.heads}" if number == 0 else f"head {number}",
        )
        st.html(markup.paragraph(about.ATTENTION, "hint"))
    with right:
        token, share = attention_heatmap.most_attended(trace, head or None)
        heads = "mean of the heads" if head == 0 else f"head {head}"
        finding = words.attention_finding(layer, heads, token, share)
        st.html(markup.heading(finding))
        figure = attention_heatmap.attention_heatmap(trace, head or None, theme.palette())
        narrowest = attention_heatmap.narrowest(trace)
        theme.figure(figure, "attention_map", f"Attention heatmap: {finding}", narrowest)
        _numbers("attention_numbers", lambda: attention_table(trace, head or None), "attention.csv")


@st.fragment
def _numbers(key: str, table: Callable[[], Table], file_name: str, trace: Trace | None = None) -> None:
    """The numbers behind a figure, made only when someone opens them."""
    box = st.expander("Numbers behind this figure", key=key, on_change="rerun")
    if not box.open:
        return
    with box:
        numbers = table()
        st.dataframe(numbers, hide_index=True, height=300)
        with st.container(horizontal=True):
            st.download_button(
                "Download as CSV",
                lambda: to_csv(numbers),
                file_name,
                "text/csv",
                key=f"{key}_csv",
                on_click="ignore",
            )
            if trace is not None:
                st.download_button(
                    "Download the trace as JSON",
                    replace(trace, attention=None).to_json,  # large, and in a table of its own
                    "trace.json",
                    "application/json",
                    key=f"{key}_json",
                    on_click="ignore",
                )


page()
