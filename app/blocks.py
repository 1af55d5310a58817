"""A figure with what belongs to it: the finding above, a hint below, its numbers behind a button."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from app import theme
from app.figures import rules_map
from app.figures.tables import FigureTable, to_csv, to_show
from app.says import markup
from ltp_core import Trace


def chart(
    figure: go.Figure,
    key: str,
    finding: str,
    table: Callable[[], FigureTable],
    hint: str = "",
    narrowest: int = 280,
) -> None:
    """Draw a figure under its finding.

    Args:
        figure: what to draw.
        key: names its place, and its files.
        finding: what it shows, in a sentence; also what a screen reader says.
        table: makes its numbers, when someone asks.
        hint: how to read it.
        narrowest: the width in px below which it scrolls sideways.
    """
    st.html(markup.heading(finding))
    theme.figure(figure, key, finding, narrowest)
    if hint:
        st.html(markup.paragraph(hint, "hint"))
    numbers(f"{key}_numbers", table, f"{key}.csv")


def rules_lines(key: str, finding: str, traces: Mapping[str, Trace], most: int) -> None:
    """What rules do to the tokens of one text: lines of equal length, one figure a line.

    Args:
        key: names the figures.
        finding: what the lines show, in a sentence.
        traces: name of a rule -> what happened under it.
        most: tokens that are drawn; the rest is left out.
    """
    names, shown = list(traces), list(traces.values())
    total = min(len(shown[0].tokens), most)
    lines = math.ceil(total / theme.columns())
    width = math.ceil(total / lines)
    for start in range(0, total, width):
        stop = min(start + width, total)
        figure = rules_map.rules_map(names, shown, theme.palette(), start, stop, bar=stop == total)
        theme.figure(figure, f"{key}_{start}", finding, rules_map.narrowest(width))


@st.fragment
def numbers(key: str, table: Callable[[], FigureTable], file_name: str, trace: Trace | None = None) -> None:
    """The numbers behind a figure, made only when someone opens them; with a trace, that as JSON, too."""
    box = st.expander("Numbers behind this figure", key=key, on_change="rerun")
    if not box.open:
        return
    with box:
        found = table()
        st.dataframe(to_show(found), hide_index=True, height=300)
        with st.container(horizontal=True):
            st.download_button(
                "Download as CSV",
                lambda: to_csv(found),
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
