"""The page's look: its style sheet, and figures whose colours follow the theme in the browser.

Streamlit tells Python the theme only when the page runs, so a visitor who switches to dark would keep
the light figures until the next click. Streamlit's own charts solve this with stand-in colours that the
browser replaces by the theme's; we use the same ones. Their values are `chart…Colors` in
`.streamlit/config.toml`, and are those of `figures.colours` (a test compares them).
"""

from pathlib import Path

import plotly.graph_objects as go
import streamlit as st
from streamlit.elements.lib import streamlit_plotly_theme as stand_in

from app.figures.colours import Palette

STYLE = Path(__file__).with_name("style.css")


def _ten(name: str) -> tuple[str, ...]:
    return tuple(getattr(stand_in, f"{name}_{step}") for step in range(10))


FOLLOWS_THEME = Palette(
    text=stand_in.CATEGORY_5,
    line=stand_in.CATEGORY_6,
    dropped=stand_in.CATEGORY_7,
    importance=_ten("DIVERGING"),
    attention=_ten("SEQUENTIAL"),
)

CHART_CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg"},
    "scrollZoom": False,
    "doubleClick": False,
}


def apply_style() -> None:
    """Add the style sheet to the page."""
    st.html(STYLE)


def figure(figure: go.Figure, key: str, finding: str, narrowest: int) -> None:
    """Draw a figure; on a screen narrower than that many px it scrolls sideways."""
    st.html(f"<style>.st-key-{key} [data-testid=stElementContainer] {{ min-width: {narrowest}px }}</style>")
    with st.container(key=key):
        st.plotly_chart(figure, config=CHART_CONFIG, alt=finding, key=f"{key}_chart")
