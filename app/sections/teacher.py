"""For who teaches: plans, what each lesson asks and what the model answers, what to expect, what comes up."""

from itertools import accumulate
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from app import models
from app.header import Setup
from app.lessons import LESSONS
from app.lessons.lab import Bench, opened
from app.lessons.lesson import Lesson
from app.lessons.plans import PLACES, PLANS, QUESTIONS, Part, Place
from app.runs import InputProblem, Texts
from app.says import markup
from app.says.text import as_html
from app.sections import present
from app.sections.lesson import opening
from app.visitor import session
from ltp_core import PrunedModel

BEFORE = (
    "A browser for every student or pair; nobody programs. Open each lesson once before class, so that the "
    "model is loaded. A lesson’s link, at the bottom of each lesson, fixes its sentence and hides what you "
    "choose. “ltp handout --output handout.pdf” writes a page to print, with a run of the model on it."
)
HOME = (
    "What they take home: a model may drop most of its tokens and keep its answer; what is dropped is "
    "measured, not guessed; saved work is not saved time; and attention is not an explanation."
)


def section(setup: Setup) -> None:
    """Plans first; the answers to a lesson are computed when it is opened."""
    st.html(markup.paragraph(BEFORE) + markup.paragraph(HOME))
    _way_in()
    for title, plan in PLANS.items():
        st.html(markup.heading(title) + _plan(title, plan, setup))
    st.html(markup.heading("Questions and answers"))
    source = models.offered()[setup.settings.model]
    st.html(
        markup.paragraph(f"As “{setup.settings.model}” answers, computed when you open a lesson.", "hint")
    )
    for number, lesson in enumerate(LESSONS.values(), start=1):
        _answers(number, lesson, setup.model, source, models.on_server(setup.settings.device))
    st.html(markup.heading("What comes up"))
    for question, answer in QUESTIONS:
        st.html(markup.heading(question, 3) + markup.paragraph(answer))


def _way_in() -> None:
    """Where students find the lessons, for the board and for phones."""
    _, notice = present.for_phones()
    if notice:
        st.html(markup.notice(notice))
        return
    lessons = f"{present.home()}learn"
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="way_in"):
        st.html(
            markup.paragraph(f"Students open {lessons} and choose the lesson by its name."), width="content"
        )
        box = st.popover("QR code", key="way_in_qr", on_change="rerun")
        if box.open:
            with box:
                present.code(lessons, "the lessons")


def _plan(title: str, plan: tuple[Part, ...], setup: Setup) -> str:
    """A table with the minutes from the first, and a link to each lesson or page."""
    ends = list(accumulate(part.minutes for part in plan))
    rows = "".join(
        f'<tr><th scope="row">{end - part.minutes}–{end}</th><td>{as_html(part.what)}</td>'
        f"<td>{', '.join(_link(name, setup) for name in part.places)}</td></tr>"
        for part, end in zip(plan, ends, strict=True)
    )
    return (
        f'<div class="table" role="region" aria-label="{as_html(title)}" tabindex="0"><table><thead><tr>'
        '<th scope="col">minutes</th><th scope="col">what happens</th><th scope="col">where</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _link(name: str, setup: Setup) -> str:
    if name in LESSONS:
        place = Place(LESSONS[name].title, "learn", opening(LESSONS[name], setup.models))
    else:
        place = PLACES[name]
    query = f"?{urlencode(place.query)}" if place.query else ""
    return f'<a href="{as_html(place.path + query)}">{as_html(place.title)}</a>'


@st.fragment
def _answers(number: int, lesson: Lesson, model: PrunedModel, source: Path | str, device: str) -> None:
    """What a lesson asks and what the model answers, on the lesson's own sentence."""
    box = st.expander(f"{number} {lesson.title}", key=f"answers_{lesson.name}", on_change="rerun")
    if not box.open:
        return
    with box:
        try:
            lines = session.memory().keep(
                f"answers_{lesson.name}", (model.name, device), lambda: _said(lesson, model, source, device)
            )
        except InputProblem as error:
            lines = {"": str(error)}
        for name, said in lines.items():
            st.html(markup.paragraph(f"{name}: {said}" if name else said))


def _said(lesson: Lesson, model: PrunedModel, source: Path | str, device: str) -> dict[str, str]:
    """Question, answer, task and reason, from runs of the model."""
    s = opened(lesson, Bench(model, lambda: models.in_int8(source, device), Texts(lesson.text)))
    if why := lesson.unfit(s):
        return {"With this model": why, "Expect": lesson.expects}
    return {
        "Sentence": f"“{lesson.text}”",
        "Asks": lesson.asks(s),
        "Answer": lesson.answer(s) or "measured in class",
        "Task": lesson.task(s),
        "Solved by": lesson.hint(s),
        "Why": lesson.why(s),
        "Expect": lesson.expects,
    }
