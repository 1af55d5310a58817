"""Thresholds as numbers, for those who type them."""

from typing import Any

import streamlit as st

from app.visitor import session
from app.visitor.state import Choices


def numbers(choices: Choices) -> None:
    """One number a layer, in percent, and one for all; nothing where a teacher's link hides them."""
    if "thresholds" in session.hidden():
        return
    limits: dict[str, Any] = {"min_value": 0.0, "max_value": 100.0, "step": 0.1, "format": "%.4g"}
    with st.expander("The same thresholds as numbers", key="threshold_numbers"):
        with st.container(horizontal=True, gap="small"):
            for number in range(1, choices.layers + 1):
                st.number_input(f"Layer {number}, %", key=f"t{number}", width=130, **limits)
        st.number_input(
            "All layers, %",
            key="all",
            value=None,
            width=130,
            on_change=_set_all,
            args=(choices.layers,),
            **limits,
        )


def _set_all(layers: int) -> None:
    if (value := st.session_state["all"]) is not None:
        session.set_thresholds((round(value / 100, 12),) * layers)
