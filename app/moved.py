"""Old addresses: each page that was moved leads to its new place, with its parameters."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

MOVED = {  # old address -> the file of its new page, and what that page then shows
    "microscope": ("views/why.py", "steps"),
    "attribution": ("views/why.py", "matter"),
    "what_if": ("views/why.py", "what_if"),
    "dataset": ("views/evidence.py", "file"),
    "cost": ("views/evidence.py", "cost"),
}
RENAMED = {"part": "tokens"}  # a parameter of Attribution, which part of a long text was drawn


def pages() -> list[st.Page]:
    """Pages that are in no menu and only lead on."""
    return [st.Page(partial(_lead_on, old), title=old, url_path=old, visibility="hidden") for old in MOVED]


def target(old: str, query: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The file of the new page, and its parameters."""
    file, shows = MOVED[old]
    return file, {**{RENAMED.get(name, name): value for name, value in query.items()}, "show": shows}


def _lead_on(old: str) -> None:
    file, query = target(old, st.query_params.to_dict())
    st.switch_page(file, query_params=query)
