"""The threshold controls: one slider a layer, and buttons for all of them."""

import streamlit as st

from app import session, words
from app.state import Choices, Settings
from ltp_core import Trace

_RENARD = (1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9)
_TENFOLD = (round(step * size, 6) for size in (0.001, 0.01, 0.1) for step in _RENARD)
STEPS = (0.0, 0.0005, 0.0007, *_TENFOLD, 1.0)  # shares of attention, a step of about 12 % each


def board(settings: Settings, choices: Choices, trace: Trace | None) -> None:
    """Draw the controls; with a trace, each layer also says what it did."""
    _buttons(settings, choices)
    for number, (value, learned) in enumerate(
        zip(settings.thresholds, choices.learned, strict=True), start=1
    ):
        st.select_slider(
            _label(number, trace),
            options=sorted({*STEPS, learned, value}),
            format_func=lambda share, learned=learned: _shown(share, learned, choices.has_learned),
            key=f"t{number}",
        )


def _buttons(settings: Settings, choices: Choices) -> None:
    off = (0.0,) * choices.layers
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Learned",
            key="learned",
            on_click=session.set_thresholds,
            args=(choices.learned,),
            disabled=not choices.has_learned or settings.thresholds == choices.learned,
        )
        st.button(
            "Off",
            key="off",
            on_click=session.set_thresholds,
            args=(off,),
            disabled=settings.thresholds == off,
        )
        st.button("Undo", key="undo", on_click=session.undo, disabled=not session.memory().history)
        with st.popover("One for all layers", key="one_for_all"):
            st.select_slider(
                "The same threshold in every layer",
                options=STEPS,
                format_func=lambda share: _shown(share, None, False),
                key="all",
                on_change=lambda: session.set_thresholds((st.session_state["all"],) * choices.layers),
            )


def _label(number: int, trace: Trace | None) -> str:
    if trace is None:
        return f"Layer {number}"
    before = words.entering(trace)[number - 1]
    after = trace.alive[number - 1]
    return f"Layer {number}: {before} → {after} · average {words.percent(1 / before)}"


def _shown(share: float, learned: float | None, has_learned: bool) -> str:
    if share == 0:
        return "off"
    return words.threshold(share) + (" (learned)" if has_learned and share == learned else "")
