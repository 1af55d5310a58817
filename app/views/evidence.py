"""Evidence: does it hold on many sentences, and is the saving real?"""

import streamlit as st

from app import header
from app.header import Setup
from app.sections import cost, frontier, own_file
from app.visitor.state import read_choice

NAMES = {"curves": "Accuracy against FLOPs", "file": "Your own file", "cost": "What it costs"}


def page() -> None:
    """One of three kinds of evidence about the chosen model."""
    setup = header.open_page(
        "Does it hold up?",
        "What was measured on whole sets, what you can measure on texts of yours, and what it costs.",
    )
    if setup is None:
        return
    header.linked("show", "curves", lambda text: read_choice("section", text, list(NAMES), "curves"))
    shown = st.segmented_control(
        "Show",
        NAMES,
        key="show",
        required=True,
        wrap=True,
        format_func=NAMES.__getitem__,
        label_visibility="collapsed",
    )
    if shown == "file":
        own_file.section(setup)
    elif shown == "cost":
        _cost(setup)
    else:
        with st.container(horizontal=True, gap="small", key="evidence_pickers"):
            header.pickers(setup.models, setup.choices.devices)
        frontier.section(setup)


def _cost(setup: Setup) -> None:
    view = header.run(setup, header.inputs(setup))
    if view is not None:
        cost.section(view)


page()
