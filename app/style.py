"""The page's style sheet, and quiet shapes in the places of its contents until they come."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from app.components.theme_watch import theme_watch
from app.figures.colours import css_variables

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
SHAPES = (
    '<div class="skeleton" aria-hidden="true"><div class="title"><i></i><i></i></div>'
    '<div class="inputs"><i></i><i></i><i></i></div>'
    '<div class="results"><i></i><i></i><i></i><i></i><i></i></div></div>'
)


def apply() -> None:
    """Add the style sheet, and draw the page again when the theme changes.

    As Markdown, since a browser has to fetch a script before it shows `st.html`: by then there would be
    contents, without style.
    """
    # What Streamlit draws beside the app, as a popover, has no scheme of its own.
    scheme = f":root {{ color-scheme: {'dark' if st.context.theme.type == 'dark' else 'light'} }}"
    st.markdown(f"<style>{scheme}\n{css_variables()}\n{STYLE}</style>", unsafe_allow_html=True)
    theme_watch()


@contextmanager
def skeleton(opened: bool) -> Iterator[None]:
    """Show the shapes of a page while it is drawn for the first time.

    They lie under its contents and move nothing; the style sheet takes each away when what it stands for is
    there. They need no model, so they are on the screen while the first visit imports torch.

    Args:
        opened: whether this run opens the page.
    """
    place = st.empty()
    if opened:
        place.markdown(SHAPES, unsafe_allow_html=True)
    try:
        # One pixel high, until the style sheet is there and opens it.
        with st.container(key="page", height=1, border=False, autoscroll=False):
            yield
    finally:
        place.empty()
