"""Figures in the colours of the visitor's theme."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from app.components.figure_tools import figure_tools
from app.figures.colours import DARK, LIGHT, Palette
from app.figures.layout import COLUMNS

PHONE_COLUMNS = 12
PHONE_ROOM = 320  # px that a figure has there, at least
LEGEND_LINE = 22  # px
CHART_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def palette() -> Palette:
    """The colours for the visitor's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def is_phone() -> bool:
    """Whether the visitor's browser says in its requests that it is one of a phone."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def columns() -> int:
    """How many tokens go into one line of a map: fewer on a phone."""
    return PHONE_COLUMNS if is_phone() else COLUMNS


def figure(
    figure: go.Figure,
    key: str,
    finding: str,
    narrowest: int,
    columns: Sequence[int] | None = None,
    clickable: bool = False,
) -> None:
    """Draw a figure with buttons that save it as SVG and PNG.

    Args:
        figure: what to draw.
        key: name of the figure on the page, and as a file.
        finding: what it shows, in words.
        narrowest: on a screen narrower than that many px it scrolls sideways; on a phone none does.
        columns: for each column, the token that it stands for, counted from 0: lit with the other figures.
        clickable: whether a press on a point runs the page; what was pressed is then in the session's state.
    """
    figure = _higher(figure) if is_phone() else figure
    narrowest = min(narrowest, PHONE_ROOM) if is_phone() else narrowest
    size = f"min-width: {narrowest}px; min-height: {figure.layout.height}px"  # free until Plotly is there
    st.html(
        f"<style>.st-key-{key} {{ overflow-x: auto }} "
        f".st-key-{key} [data-testid=stElementContainer] {{ {size} }}</style>"
    )
    with st.container(key=key):
        st.plotly_chart(
            figure,
            theme=None,
            config=CHART_CONFIG,
            alt=finding,
            key=f"{key}_chart",
            on_select="rerun" if clickable else "ignore",
            selection_mode="points",
        )
    figure_tools(key, finding, columns)


def _higher(figure: go.Figure) -> go.Figure:
    """On a phone each name of a legend takes a line of its own: the plot does not lose by it."""
    names = sum(bool(trace.name) and trace.showlegend is not False for trace in figure.data)
    if not figure.layout.showlegend or names < 3:
        return figure
    return go.Figure(figure).update_layout(height=figure.layout.height + LEGEND_LINE * (names - 2))
