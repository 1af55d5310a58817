"""Buttons under a Plotly figure: SVG and PNG, made in the browser; its columns are linked to the stage."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.components.modules import bundle

_tools = st.components.v2.component(
    "figure_tools",
    html='<p><button class="svg">SVG</button><button class="png">PNG</button></p>',
    css="""
    p { display: flex; gap: 0.4rem; justify-content: flex-end; margin: 0 }
    button { font: 400 0.85rem/1.4 "Source Sans", sans-serif; color: var(--ltp-muted); background: none;
      border: 1px solid var(--ltp-grid); border-radius: 5px; padding: 0.1rem 0.6rem; cursor: pointer }
    button:hover { color: var(--ltp-text); border-color: var(--ltp-muted) }
    button:focus-visible { outline: 3px solid var(--ltp-kept); outline-offset: 2px }
    """,
    js=bundle(Path(__file__).parent / "tools.js"),
)


def figure_tools(name: str, title: str, columns: Sequence[int] | None = None) -> None:
    """Draw the buttons.

    Args:
        name: key of the container that holds the figure; also the file's name.
        title: what the figure shows.
        columns: for each column of the figure, the token it stands for, counted from 0; None if its
            columns are no tokens.
    """
    _tools(
        key=f"{name}_tools",
        data={"name": name, "title": title, "columns": None if columns is None else list(columns)},
    )
