"""A button that copies a link to this page, with the parameters it is given, to the visitor's clipboard."""

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

_copy = st.components.v2.component(
    "copy_link",
    html='<button type="button"></button>',
    css="""button { font: inherit; color: var(--st-text-color); background: transparent; cursor: pointer;
        border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
        padding: 0.4rem 0.8rem; }
        button:hover, button:focus-visible { border-color: var(--st-primary-color); }""",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def copy_link(query: dict[str, str], key: str) -> None:
    """Draw the button; the link points to the page it is on."""
    _copy(key=key, data={"query": urlencode(query)}, height="content")
