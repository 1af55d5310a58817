"""The teacher's side of a poll: ask, see votes come in, reveal.

It talks to `app/poll` by itself, so that votes run no page; the page hears only which question's answer is
out. The key to the room stays in the teacher's browser, where a reload finds it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.modules import bundle

_HERE = Path(__file__).parent

_poll = st.components.v2.component(
    "poll",
    html=(_HERE / "poll.html").read_text(encoding="utf-8"),
    css=(_HERE / "poll.css").read_text(encoding="utf-8"),
    js=bundle(_HERE / "poll.js"),
)


def poll(
    place: str,
    origin: str,
    name: str,
    asks: str,
    about: str,
    options: Sequence[str],
    right: Sequence[int],
    several: bool,
    key: str,
) -> bool:
    """Draw it.

    Args:
        place: the poll's address, from the root of the server.
        origin: the server as phones reach it, say ``http://192.168.1.20:8501``.
        name: of the question, for a reload: same name, same votes.
        asks: the question.
        about: the text that the question is about.
        options: what there is to choose from.
        right: the options that are right, counted from 0.
        several: whether any number may be chosen, or one.
        key: of this poll on the page.

    Returns:
        Whether the answer to this question is out.
    """
    question: dict[str, Any] = {
        "name": name,
        "asks": asks,
        "about": about,
        "options": list(options),
        "right": list(right),
        "several": several,
    }
    result = _poll(
        key=key,
        data={"place": place, "origin": origin, "question": question},
        on_revealed_change=lambda: None,
        height="content",
    )
    return bool(result.revealed == name)
