"""Keys that page through a list: arrows, Page Up and Page Down (which a presenter's remote sends)."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app.components.modules import bundle

_paging = st.components.v2.component(
    "paging",
    html="<span></span>",
    js=bundle(Path(__file__).with_suffix(".js")),
)


def paging(key: str, on_page: Callable[[int], None]) -> None:
    """Listen; takes no room.

    Args:
        key: of the component on the page.
        on_page: called with 1 for the next and -1 for the one before.
    """

    def paged() -> None:
        value = st.session_state[key].get("page")
        if isinstance(value, dict) and value.get("step") in (1, -1):
            on_page(int(value["step"]))

    _paging(key=key, height="content", on_page_change=paged)
