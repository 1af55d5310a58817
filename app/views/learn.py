"""Learn: lessons on the stage, the list of them, and a page for who teaches."""

import streamlit as st

from app import header, models
from app.header import Setup
from app.lessons import LESSONS, read_lesson
from app.says import markup
from app.sections import lesson as on_stage
from app.sections import teacher
from app.visitor import session
from app.visitor.state import read_choice

LEAD = "Predict, drag, see, and find out why: lessons on the stage, of five minutes each at most."
SHOWS = {"lessons": "Lessons", "teacher": "For teachers"}


def page() -> None:
    """The lesson that the address names, else the list of all."""
    named, _ = read_lesson(st.query_params.get("lesson", ""))
    if named and "text" not in st.query_params:  # a link that names a lesson alone
        st.query_params.update(
            on_stage.opening(LESSONS[named], list(models.offered())) | st.query_params.to_dict()
        )
    setup = header.open_page(*((LESSONS[named].title, "") if named else ("Learn on the stage", LEAD)))
    if setup is None:
        return
    header.linked("lesson", "", lambda text: read_lesson(text) if text else ("", None))
    if chosen := st.session_state["lesson"]:
        on_stage.section(setup, LESSONS[chosen])
        return
    header.linked("show", "lessons", lambda text: read_choice("section", text, list(SHOWS), "lessons"))
    if "lessons" not in session.hidden():
        st.segmented_control(
            "Show",
            SHOWS,
            key="show",
            required=True,
            format_func=SHOWS.__getitem__,
            label_visibility="collapsed",
        )
    if st.session_state["show"] == "teacher":
        teacher.section(setup)
    else:
        _list(setup)


def _list(setup: Setup) -> None:
    """All lessons with what they are about, and which are done."""
    finished = on_stage.done()
    st.html(markup.paragraph(f"{len(finished)} of {len(LESSONS)} done." if finished else "", "hint"))
    with st.container(key="lessons"):
        for number, (name, lesson) in enumerate(LESSONS.items(), start=1):
            with st.container(border=True, key=f"lesson_{name}"):
                st.html(markup.heading(f"{on_stage.mark(name, number)} {lesson.title}", 3))
                st.html(markup.paragraph(lesson.teaches))
                st.button(
                    f"{'Again' if name in finished else 'Begin'} ({lesson.minutes} min)",
                    key=f"begin_{name}",
                    on_click=session.follow,
                    args=(on_stage.opening(lesson, setup.models),),
                )


page()
