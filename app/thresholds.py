"""The thresholds: the board, buttons for all layers, and number inputs that do the same without the board."""

from typing import Any

import streamlit as st

from app.components.threshold_board import board_data, threshold_board
from app.header import View
from app.visitor import session
from app.visitor.state import Choices, PageSettings

_RENARD = (1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9)
_TENFOLD = (round(step * size, 6) for size in (0.001, 0.01, 0.1) for step in _RENARD)
STEPS = (0.0, 0.0005, 0.0007, *_TENFOLD, 1.0)  # shares of attention, a step of about 12 % each


def buttons(settings: PageSettings, choices: Choices) -> None:
    """Learned, off, undo; nothing where a teacher's link hides the thresholds."""
    if "thresholds" in session.hidden():
        return
    off = (0.0,) * choices.layers
    with st.container(horizontal=True, gap="small", key="threshold_buttons"):
        usual = "Learned" if choices.has_learned else "Start values"
        for name, key, values in ((usual, "learned", choices.learned), ("Off", "off", off)):
            st.button(
                name,
                key=key,
                on_click=session.set_thresholds,
                args=(values,),
                disabled=settings.thresholds == values,
            )
        st.button("Undo", key="undo", on_click=session.undo, disabled=not session.memory().history)


def board(view: View) -> None:
    """Draw the board; a click on a cell opens the microscope there."""
    choices = view.choices
    data = board_data(
        view.pruned,
        view.dense,
        view.settings.thresholds,
        choices.learned if choices.has_learned else None,
        STEPS,
        fixed="thresholds" in session.hidden(),
    )
    if cell := threshold_board(data, "board", session.set_thresholds):
        session.open_page("views/microscope.py", **cell)


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
