"""The page's look: its style sheet, and figures in the colours of the visitor's theme."""

from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from app.components.theme_watch import theme_watch
from app.figures.colours import DARK, LIGHT, Palette
from app.figures.survival_map import COLUMNS

PHONE_COLUMNS = 12
STYLE = Path(__file__).with_name("style.css")
CHART_CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg"},
    "scrollZoom": False,
    "doubleClick": False,
}


def apply() -> None:
    """Add the style sheet, and draw the page again when the theme changes."""
    st.html(STYLE)
    theme_watch()


def palette() -> Palette:
    """The colours for the visitor's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def columns() -> int:
    """How many tokens go into one line of a map: fewer on a phone, which says so in its requests."""
    return PHONE_COLUMNS if "Mobi" in (st.context.headers.get("User-Agent") or "") else COLUMNS


def figure(figure: go.Figure, key: str, finding: str, narrowest: int) -> None:
    """Draw a figure; on a screen narrower than that many px it scrolls sideways."""
    st.html(f"<style>.st-key-{key} [data-testid=stElementContainer] {{ min-width: {narrowest}px }}</style>")
    with st.container(key=key):
        st.plotly_chart(figure, theme=None, config=CHART_CONFIG, alt=finding, key=f"{key}_chart")
