"""Begin each page at its top: Streamlit keeps the place where the page before was left."""

from pathlib import Path

import streamlit as st

_top = st.components.v2.component(
    "page_top",
    html="<span></span>",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def page_top(page: str) -> None:
    """Scroll to the top when this is another page than at the last run; takes no room."""
    _top(key="page_top", data={"page": page}, height="content")
