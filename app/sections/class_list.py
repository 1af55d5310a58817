"""For a class: a list of texts to go through, the large view, its QR code."""

import streamlit as st

from app.components.copy_link import copy_link
from app.header import View
from app.says import markup
from app.says.text import as_label
from app.sections import present
from app.visitor import listed, session
from app.visitor.listed import MOST, Entry
from app.visitor.state import LONGEST_LINK

LEAD = (
    "The large view shows the stage alone, for a projector. Add texts to a list, and go through it there "
    "with the arrow keys. There you can ask the class first, too: phones vote, votes come in, you reveal."
)
SHOWN = 90  # characters of a text in the list
FULL = f"The list is full: it holds {MOST} texts, of {LONGEST_LINK:,} characters together."


def section(view: View) -> None:
    """Draw it, closed: what is in it is made when someone opens it. Not for a class that follows a link."""
    if session.hidden():
        return
    box = st.expander(
        "For a class: large view, list of texts, QR code, poll", key="class_list", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        st.html(markup.paragraph(LEAD, "hint"))
        found = present.entries()
        here = listed.entry(view.texts.first, view.texts.second or "")
        longer = (*found, here)
        full = len(longer) > MOST or len(listed.write(longer)) > LONGEST_LINK
        with st.container(gap=None):
            for number, each in enumerate(found):
                _line(found, number, each)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                "Add this text",
                key="list_add",
                disabled=here in found or full,
                on_click=_keep,
                args=(longer,),
            )
            st.button("Open the large view", key="present_open", on_click=session.put, args=("present", "1"))
            query = view.settings.to_query(view.choices) | {"present": "1"}
            copy_link(query | ({"texts": listed.write(found)} if found else {}), "copy_present")
        if full and here not in found:
            st.html(markup.notice(FULL))
        present.code(present.link(view.setup), "this view")


def _line(found: tuple[Entry, ...], number: int, each: Entry) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            as_label(" / ".join(filter(None, each)), SHOWN),
            key=f"list_{number}",
            type="tertiary",
            on_click=session.set_text,
            args=each,
        )
        st.button(
            "Remove",
            key=f"list_remove_{number}",
            type="tertiary",
            on_click=_keep,
            args=((*found[:number], *found[number + 1 :]),),
        )


def _keep(entries: tuple[Entry, ...]) -> None:
    session.put("texts", listed.write(entries) or None)
