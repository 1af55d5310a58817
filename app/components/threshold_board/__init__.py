"""The threshold board: a lane a layer, a mark a token, a line to drag; and the survival map under it.

Streamlit components v2, plain JavaScript and SVG: the files beside this one are put together as they are.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app.says import words
from app.says.text import visible
from ltp_core import Prediction

_HERE = Path(__file__).parent
_SCRIPTS = ("scale.js", "preview.js", "export.js", "lanes.js", "map.js", "board.js")
_LEVELS = "\n".join(
    f".i{level} .fill {{ fill: var(--ltp-i{level}) }} i.i{level} {{ background: var(--ltp-i{level}) }}"
    for level in range(10)
)


def script(*names: str) -> str:
    """Scripts of this folder as one module."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_board = st.components.v2.component(
    "threshold_board",
    html=(_HERE / "board.html").read_text(encoding="utf-8"),
    css=(_HERE / "board.css").read_text(encoding="utf-8").replace("LEVELS", _LEVELS),
    js=script(*_SCRIPTS),
)


def threshold_board(
    data: dict[str, Any], key: str, on_release: Callable[[tuple[float, ...]], None]
) -> dict[str, int] | None:
    """Draw the board.

    Args:
        data: what `board_data` returns.
        key: of this board on the page.
        on_release: called with the new thresholds when a line has been moved.

    Returns:
        ``{"layer": …, "token": …}``, counted from 1, if a cell has just been clicked.
    """

    def released() -> None:
        values = _thresholds(st.session_state[key].get("release"), len(data["thresholds"]))
        if values is not None:
            on_release(values)

    result = _board(key=key, data=data, on_release_change=released, on_open_change=lambda: None)
    return _cell(result.open, len(data["thresholds"]), len(data["tokens"]))


def board_data(
    pruned: Prediction,
    dense: Prediction,
    thresholds: tuple[float, ...],
    learned: tuple[float, ...] | None,
    steps: tuple[float, ...],
    fixed: bool = False,
) -> dict[str, Any]:
    """What the browser needs: plain numbers, and tokens as they are shown.

    Args:
        pruned: the run under the thresholds,
        dense: and the run with nothing pruned, for a preview of tokens that have left.
        thresholds: as set, one a layer.
        learned: the learned ones, if there are some.
        steps: where the arrow keys go.
        fixed: whether the lines only show, and cannot be moved.
    """
    trace = pruned.trace
    return {
        "tokens": [visible(token) for token in trace.tokens],
        "segments": list(trace.segments),
        "protected": [0],  # what the classifier reads never leaves
        "importance": [_short(layer.importance) for layer in trace.layers],
        "dense": [_short(layer.importance) for layer in dense.trace.layers],
        "kept": [[int(kept) for kept in layer.kept] for layer in trace.layers],
        "thresholds": list(thresholds),
        "learned": None if learned is None else list(learned),
        "steps": list(steps),
        "fixed": fixed,
        "finding": words.map_finding(trace),
        "outcome": words.outcome(dense, pruned),
    }


def _short(shares: tuple[float | None, ...]) -> list[float | None]:
    """Seven digits, as single precision has: what JSON adds to them is noise."""
    return [None if share is None else float(f"{share:.7g}") for share in shares]


def _thresholds(value: Any, layers: int) -> tuple[float, ...] | None:
    """The browser's answer, if it is one share a layer."""
    if not isinstance(value, list) or len(value) != layers:
        return None
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in value):
        return None
    return tuple(float(share) for share in value)


def _cell(value: Any, layers: int, tokens: int) -> dict[str, int] | None:
    if not isinstance(value, dict):
        return None
    layer, token = value.get("layer"), value.get("token")
    if not isinstance(layer, int) or not isinstance(token, int):
        return None
    return {"layer": layer, "token": token} if 1 <= layer <= layers and 1 <= token <= tokens else None
