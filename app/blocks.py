"""A figure with what belongs to it: the finding above, a hint below, its numbers behind a button."""

from collections.abc import Callable
from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from app import markup, theme
from app.figures.tables import Table, to_csv
from ltp_core import Trace


def chart(
    figure: go.Figure,
    key: str,
    finding: str,
    table: Callable[[], Table],
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


@st.fragment
def numbers(key: str, table: Callable[[], Table], file_name: str, trace: Trace | None = None) -> None:
    """The numbers behind a figure, made only when someone opens them; with a trace, that as JSON, too."""
    box = st.expander("Numbers behind this figure", key=key, on_change="rerun")
    if not box.open:
        return
    with box:
        found = table()
        st.dataframe(found, hide_index=True, height=300)
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
