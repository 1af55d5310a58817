"""Back leads to where the visitor was: what follows from one act is one entry of the browser's history."""

from pathlib import Path

import streamlit as st

_one_entry = st.components.v2.component(
    "one_entry",
    html="<span></span>",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def one_entry() -> None:
    """See to it, from the first page on; takes no room."""
    _one_entry(key="one_entry", height="content")
