"""The large view for a class, `?present=1`: the stage alone, a list of texts, a poll before the stage."""

import hashlib
import json
from urllib.parse import urlencode

import streamlit as st

from app import header, models
from app.components.paging import paging
from app.components.poll import poll
from app.header import Setup, View
from app.poll.routes import address
from app.runs import Texts
from app.says import asking, markup, questions
from app.says.asking import Asked, NothingToAsk
from app.says.qr import qr
from app.sections import on_stage
from app.serving.reach import origin
from app.visitor import listed, session
from app.visitor.listed import Entry
from app.visitor.state import read_choice

ASKS = {"stage": "Stage", "answer": "Ask: the answer", "words": "Ask: the words"}
TOO_LONG = (
    "The link to this view is too long for a QR code that a phone can read: use fewer or shorter texts."
)


def wanted() -> bool:
    """Whether the address asks for the large view."""
    return st.query_params.get("present") == "1"


def page() -> None:
    """Draw it."""
    with st.container(key="present"):
        setup = header.open_page("What happens to my sentence?", "")
        if setup is None:
            return
        texts = Texts(setup.settings.text, setup.settings.pair if setup.choices.pair is not None else None)
        view = header.run(setup, texts)
        if view is not None:
            _stage_or_poll(view)
        _bar(setup, texts)
    if view is not None and st.session_state["ask"] == "stage":
        on_stage.look_closer(view)


def home() -> str:
    """The lab as phones open it, with a slash at its end."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{for_phones()[0]}/{base}/" if base else f"{for_phones()[0]}/"


def link(setup: Setup) -> str:
    """The address of the large view as phones open it."""
    query = setup.settings.to_query(setup.choices) | {"present": "1"}
    texts = st.query_params.get("texts")
    return f"{home()}?{urlencode(query | ({'texts': texts} if texts else {}))}"


def code(address_for_phones: str, what: str) -> None:
    """An address as a QR code, with what to know about it; `what` it leads to is said aloud."""
    notice, picture = for_phones()[1], qr(address_for_phones)
    if picture is None:
        st.html(markup.notice(TOO_LONG))
        return
    if notice:
        st.html(markup.notice(notice))
    st.html(markup.picture(picture, f"QR code: {what} at {for_phones()[0]}", "qr"))


def entries() -> tuple[Entry, ...]:
    """The list of texts in the address; what is too much of it is said here."""
    found, notice = listed.read(st.query_params.get("texts", ""))
    if notice:
        st.html(markup.notice(notice))
    return found


def _stage_or_poll(view: View) -> None:
    """Where the class is asked first, the stage comes with the answer."""
    header.linked("ask", "stage", lambda text: read_choice("question", text, list(ASKS), "stage"))
    asks = st.session_state["ask"]
    if asks == "stage" or _poll(view, asks):
        on_stage.draw(view)


def _poll(view: View, asks: str) -> bool:
    """The poll; whether its answer is out, or there is nothing to ask."""
    texts = [text for text in (view.texts.first, view.texts.second) if text]
    try:
        asked = _asked(view, asks, texts)
    except NothingToAsk as why:
        st.html(markup.notice(str(why)))
        return True
    phones, notice = for_phones()
    if notice:
        st.html(markup.notice(notice))
    st.html(markup.paragraph(" ".join(f"“{text}”" for text in texts), "sentence"))
    name = hashlib.sha256(
        json.dumps([asks, view.settings.model, texts, view.settings.thresholds]).encode()
    ).hexdigest()[:16]
    return poll(address(), phones, name, **vars(asked), key="poll")


def _asked(view: View, asks: str, texts: list[str]) -> Asked:
    if asks == "answer":
        question = questions.question(view.model, view.settings.model)
        return asking.answer(question, view.pruned, models.classes(view.model), texts)
    special = frozenset(getattr(view.model.tokenizer, "all_special_tokens", ()))
    return asking.words(view.trace, special, texts)


def _bar(setup: Setup, texts: Texts) -> None:
    """What a teacher needs, in one line under the stage."""
    found = entries()
    here = listed.entry(texts.first, texts.second or "")
    at = found.index(here) if here in found else None

    def turn(step: int) -> None:
        to = (0 if step > 0 else len(found) - 1) if at is None else at + step
        if 0 <= to < len(found):
            session.set_text(*found[to])

    with st.container(key="present_bar", horizontal=True, vertical_alignment="center", gap="small"):
        if found:
            place = "–" if at is None else str(at + 1)
            st.button(
                "◀", key="previous", help="The text before (←)", disabled=at == 0, on_click=turn, args=(-1,)
            )
            st.html(markup.paragraph(f"{place} of {len(found)}", "hint"), width="content")
            last = at == len(found) - 1
            st.button("▶", key="next", help="The next text (→)", disabled=last, on_click=turn, args=(1,))
        st.segmented_control(
            "What the class sees",
            list(ASKS),
            key="ask",
            format_func=ASKS.__getitem__,
            label_visibility="collapsed",
            required=True,
            wrap=True,
        )
        box = st.popover("QR code", key="present_qr", on_change="rerun")
        if box.open:
            with box:
                code(link(setup), "this view")
        st.button("Leave the large view", key="leave", on_click=session.put, args=("present", None))
    if found:
        paging("paging", turn)


def for_phones() -> tuple[str, str | None]:
    """The beginning of an address that phones can open, and a notice if there is none."""
    return origin(
        st.context.url or "http://localhost",
        st.get_option("server.address") or "",
        st.get_option("browser.serverAddress") or "",
    )
