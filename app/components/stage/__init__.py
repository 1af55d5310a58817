"""The stage: a row a layer, the words still alive over bars, thresholds to drag, the answer of both runs.

README.md beside this file says what is where.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app.components.modules import bundle

_HERE = Path(__file__).parent
MOST_ROUNDS = 1000  # of a measurement that a browser sends

Rounds = tuple[tuple[float, float], ...]

_stage = st.components.v2.component(
    "stage",
    html=(_HERE / "stage.html").read_text(encoding="utf-8"),
    css=(_HERE / "stage.css").read_text(encoding="utf-8"),
    js=bundle(_HERE / "stage.js"),
)


class Cell(NamedTuple):
    """A word in a layer, both counted from 1."""

    layer: int
    token: int


def stage(
    data: dict[str, Any],
    key: str,
    on_release: Callable[[tuple[float, ...]], None],
    on_undo: Callable[[], None],
    on_measure: Callable[[], None],
    on_timed: Callable[[Rounds], None],
) -> Cell | None:
    """Draw the stage.

    Args:
        data: what `app.stage.stage_data` returns.
        key: of this stage on the page.
        on_release: called with the new thresholds when a line has been moved.
        on_undo: called when the visitor wants the last thresholds back.
        on_measure: called when a longer measurement is asked for.
        on_timed: called with dense and pruned milliseconds of each turn when the browser has timed them.

    Returns:
        The word that has just been clicked, if one was.
    """
    layers = len(data["thresholds"])

    def released() -> None:
        values = _thresholds(st.session_state[key].get("release"), layers)
        if values is not None:
            on_release(values)

    def timed() -> None:
        rounds = _rounds(st.session_state[key].get("timed"))
        if rounds is not None:
            on_timed(rounds)

    result = _stage(
        key=key,
        data=data,
        on_release_change=released,
        on_undo_change=on_undo,
        on_measure_change=on_measure,
        on_timed_change=timed,
        on_open_change=lambda: None,
    )
    return _cell(result.open, layers, len(data["tokens"]))


def _thresholds(value: Any, layers: int) -> tuple[float, ...] | None:
    """The browser's answer, if it is one share a layer."""
    if not isinstance(value, list) or len(value) != layers:
        return None
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in value):
        return None
    return tuple(float(share) for share in value)


def _rounds(value: Any) -> Rounds | None:
    """Milliseconds of some turns, if that is what the browser has sent."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_ROUNDS:
        return None
    if not all(isinstance(turn, list) and len(turn) == 2 for turn in value):
        return None
    if not all(type(ms) in (int, float) and 0 < ms < math.inf for turn in value for ms in turn):
        return None
    return tuple((float(dense), float(pruned)) for dense, pruned in value)


def _cell(value: Any, layers: int, tokens: int) -> Cell | None:
    if not isinstance(value, dict):
        return None
    layer, token = value.get("layer"), value.get("token")
    if not isinstance(layer, int) or not isinstance(token, int):
        return None
    return Cell(layer, token) if 1 <= layer <= layers and 1 <= token <= tokens else None
