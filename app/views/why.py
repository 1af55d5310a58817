"""Why: why did this word leave, did it matter, and what if it had stayed?"""

import streamlit as st

from app import header
from app.header import View
from app.says import lecture
from app.sections import matter, steps, what_if
from app.visitor.state import read_choice

SECTIONS = {"steps": steps.section, "matter": matter.section, "what_if": what_if.section}
NAMES = {"steps": "Step by step", "matter": "Did it matter?", "what_if": "What if?"}


def page() -> None:
    """One of three ways to ask about the word that was clicked, else about one that left."""
    view = header.view(
        "Why did this word leave?",
        "See its layer decide, ask whether it mattered, and try what happens if it stays.",
        attention=True,
    )
    if view is None:
        return
    _look_at_a_word(view)
    header.linked("show", "steps", lambda text: read_choice("section", text, list(NAMES), "steps"))
    shown = st.segmented_control(
        "Ask", NAMES, key="show", required=True, format_func=NAMES.__getitem__, label_visibility="collapsed"
    )
    SECTIONS[shown or "steps"](view)


def _look_at_a_word(view: View) -> None:
    """Choose a token that left, where none is chosen."""
    settings = view.settings
    if 1 <= settings.token <= len(view.trace.tokens):
        return
    layer, token = lecture.opening(view.trace, settings.layer, view.model.tokenizer.all_special_tokens)
    st.session_state["token"] = token + 1
    if layer != settings.layer:  # the trace holds the attention of another layer
        st.session_state["layer"] = layer
        st.rerun()


page()
