"""Compare: which rule is best on this sentence, and who reads what under two settings or models?"""

import streamlit as st

from app import examples, header
from app.header import Setup
from app.sections import rules, side_by_side
from app.visitor import session


def page() -> None:
    """All rules on one text; then two models or settings on it."""
    setup = header.open_page(
        "Which rule is best on this sentence?",
        "Rules that decide who stays, each at the setting that comes nearest to the same FLOPs.",
    )
    if setup is None:
        return
    _open_where_rules_differ(setup)
    view = header.run(setup, header.inputs(setup))
    if view is None:
        return
    rules.section(view)
    side_by_side.section(view)


def _open_where_rules_differ(setup: Setup) -> None:
    """In place of the text that every page opens with, unless somebody has chosen it."""
    untouched = setup.settings.text == setup.choices.text and "text" not in st.query_params
    example = examples.where_rules_differ(setup.model.settings.task)
    if untouched and example is not None and "text" not in session.hidden():
        session.set_text(example.text, example.pair)
        st.rerun()


page()
