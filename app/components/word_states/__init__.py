"""A sentence whose words have three states: free, always stays, always goes. A click or a key takes the next.

Streamlit components v2, plain JavaScript: words are buttons, so they work by keyboard and touch.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.says.text import visible

_HERE = Path(__file__).parent

_words = st.components.v2.component(
    "word_states",
    html='<div class="words" role="group"></div>',
    css=(_HERE / "words.css").read_text(encoding="utf-8"),
    js=(_HERE / "words.js").read_text(encoding="utf-8"),
)


def word_states(
    tokens: Sequence[str],
    leaves: Sequence[int | None],
    stay: Sequence[int],
    go: Sequence[int],
    key: str,
    on_change: Callable[[list[int], list[int]], None],
) -> None:
    """Draw the sentence.

    Args:
        tokens: of the text; the first is what the classifier reads, and has no state.
        leaves: for each, the layer in which it leaves under these states, from 1; None if it stays.
        stay: positions of the words that always stay, counted from 0.
        go: positions of the words that always go.
        key: of this sentence on the page.
        on_change: called with both lists when a state has changed.
    """

    def changed() -> None:
        answer = read(st.session_state[key].get("states"), len(tokens))
        if answer is not None:
            on_change(*answer)

    data = {
        "tokens": [visible(t) for t in tokens],
        "leaves": list(leaves),
        "stay": list(stay),
        "go": list(go),
    }
    _words(key=key, data=data, on_states_change=changed, height="content")


def read(answer: Any, tokens: int) -> tuple[list[int], list[int]] | None:
    """The browser's answer: positions that stay and that go; None if it is none of ours."""
    if not isinstance(answer, dict):
        return None
    stay, go = (_positions(answer.get(name), tokens) for name in ("stay", "go"))
    return None if stay is None or go is None or set(stay) & set(go) else (stay, go)


def _positions(given: Any, tokens: int) -> list[int] | None:
    if not isinstance(given, list) or not all(type(p) is int and 0 < p < tokens for p in given):
        return None
    return sorted(set(given))
