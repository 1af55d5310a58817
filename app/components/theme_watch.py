"""Run the page again when the visitor switches between light and dark."""

from pathlib import Path

import streamlit as st

_watch = st.components.v2.component(
    "theme_watch",
    html='<div class="probe"></div>',
    css=".probe { background-color: var(--st-background-color); transition: background-color 1ms }",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def theme_watch() -> None:
    """Watch for a change of the theme; takes no room on the page."""
    _watch(key="theme_watch", height="content", on_changed_change=lambda: None)
