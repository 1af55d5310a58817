"""Begin what is new at the page's top: Streamlit keeps the place where the page before was left."""

from pathlib import Path

import streamlit as st

_top = st.components.v2.component(
    "page_top",
    html="<span></span>",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def page_top(shown: str, key: str = "page_top") -> None:
    """Scroll to the top when something else is shown than at the last run; takes no room."""
    _top(key=key, data={"shown": shown, "key": key}, height="content")
