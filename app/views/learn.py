"""Learn: five lessons on the live model. A teacher's link fixes what is seen."""

import streamlit as st

from app import blocks, header, lessons, runs, theme
from app.components.copy_link import copy_link
from app.figures.shares import MOST, share_bars
from app.header import View
from app.lessons import LESSONS, Lesson, Situation
from app.runs import InputProblem
from app.says import markup
from app.says.text import as_label
from app.turns import Busy
from app.visitor import session
from app.visitor.state import HIDEABLE
from ltp_core import Prediction
from ltp_core.speed.latency import TextTimes

HIDE_NAMES = {"text": "sentence", "model": "model", "thresholds": "thresholds", "lessons": "other lessons"}
REFUSED = "Nothing was measured, since many visitors measure right now: press “Measure now” to try again."


def page() -> None:
    """One lesson: teach, predict, reveal, do."""
    setup = header.open_page(
        "Learn by doing", "Five short lessons. Predict first, then look, then do it yourself."
    )
    if setup is None:
        return
    hidden = session.hidden()
    number = _lesson_number(hidden)
    lesson = LESSONS[number - 1]
    texts = header.inputs(setup)
    st.html(markup.heading(f"Lesson {number}: {lesson.title}"))
    view = header.run(setup, texts)
    if view is None:
        return
    st.html(markup.paragraph(lesson.teach))
    try:
        _lesson(view, number, lesson, hidden)
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    _teacher(view, number, hidden)


def _lesson_number(hidden: frozenset[str]) -> int:
    header.linked("lesson", 1, lessons.read_lesson)
    if "lessons" not in hidden:
        st.segmented_control(
            "Lesson",
            range(1, len(LESSONS) + 1),
            key="lesson",
            required=True,
            wrap=True,
            format_func=lambda n: f"{n} {LESSONS[n - 1].title}",
        )
    return int(st.session_state["lesson"])


def _lesson(view: View, number: int, lesson: Lesson, hidden: frozenset[str]) -> None:
    situation = _situation(view)
    if unfit := lesson.unfit(situation):
        st.html(markup.notice(unfit))
        return
    st.html(markup.heading("Predict", 3))
    choice = st.radio(
        lesson.question(situation),
        list(lesson.options(situation)),
        index=None,
        key=f"predict_{number}",
        format_func=as_label,  # tokens of the text, names of classes: nothing in them is Markdown
        horizontal=True,
    )
    if choice is None:
        st.html(markup.paragraph("Choose an answer: then you see what the model does.", "hint"))
        return
    st.html(markup.heading("Look", 3))
    right, said = lesson.answer(situation)
    if right:
        st.html(markup.paragraph(f"{'Right' if choice == right else f'It is: {right}'}. {said}"))
    else:
        st.html(markup.paragraph(said))
    _figure(view, number)
    if number == 4:
        st.button("Measure now", key="lesson_measure", on_click=_want_measure, args=(view.key,))
        if st.session_state.get("lesson_refused") == view.key:
            st.html(markup.notice(REFUSED))
    if not lesson.can_be_done(hidden):
        return
    st.html(markup.heading("Do", 3))
    st.html(markup.paragraph(lesson.task))
    if number == 1:
        position = st.pills(
            "Token",
            lessons.content(view.dense.trace),
            key="lesson_token",
            format_func=lambda i: as_label(lessons.named(view.dense.trace, i)),
        )
        situation = _situation(view, position)
    elif "thresholds" not in hidden:
        _thresholds(view)
    done, said = lesson.check(situation)
    icon = "✓ Done. " if done else "Not yet. "
    st.html(markup.notice(icon + said))


def _situation(view: View, chosen: int | None = None) -> Situation:
    def predict(thresholds: tuple[float, ...]) -> Prediction:
        key = (*view.key[:3], thresholds)
        return session.memory().keep(
            "lesson_run", key, lambda: runs.predict(view.model, view.texts, thresholds)
        )

    return Situation(
        view.settings.thresholds, view.choices.learned, view.dense, view.pruned, predict, chosen, _times(view)
    )


def _times(view: View) -> TextTimes | None:
    """Times of exactly this view, if the visitor has asked for them and was not refused."""
    if st.session_state.get("lesson_timed") != view.key:
        return None
    try:
        return session.memory().keep(
            "lesson_times",
            view.key,
            lambda: runs.measure(view.model, view.texts, view.settings.thresholds, session.stop_if_changed),
        )
    except Busy:  # and not again on the visitor's next click elsewhere: each try may wait in line
        st.session_state["lesson_timed"], st.session_state["lesson_refused"] = None, view.key
        return None


def _want_measure(key: object) -> None:
    st.session_state["lesson_timed"], st.session_state["lesson_refused"] = key, None
    session.memory().results.pop("lesson_times", None)


def _figure(view: View, number: int) -> None:
    """What lessons 1 to 3 and 5 look at: shares in the first layer, dense or under the thresholds."""
    if number == 4:
        return
    trace = view.dense.trace if number == 1 else view.trace
    received = lessons.shares(trace)
    threshold = 0.0 if number == 1 else view.settings.thresholds[0]
    figure = share_bars(trace.tokens, received, threshold, 1, theme.palette())
    total = len(trace.tokens)
    left = " → ".join(map(str, [total, *trace.alive]))
    finding = "Attention received in layer 1"
    if number != 1:
        finding = f"Under the thresholds as set: {left} tokens"
    if total > MOST:
        finding += f"; drawn are the first {MOST} of {total}"
    blocks.chart(
        figure,
        "lesson_shares",
        finding,
        lambda: {"token": trace.tokens, "share in layer 1": received},
        narrowest=220 + 18 * min(total, MOST),
    )


def _thresholds(view: View) -> None:
    """A number for each layer; the same settings as on Explore."""
    columns = st.columns(min(view.choices.layers, 6))
    for number in range(1, view.choices.layers + 1):
        with columns[(number - 1) % len(columns)]:
            st.number_input(
                f"Layer {number}, %",
                min_value=0.0,
                max_value=100.0,
                step=0.1,
                format="%.4g",
                key=f"t{number}",
            )
    layers = view.choices.layers
    with st.container(horizontal=True):
        st.button(
            "Start again", key="lesson_reset", on_click=session.set_thresholds, args=(view.choices.learned,)
        )
        st.button("All off", key="lesson_off", on_click=session.set_thresholds, args=((0.0,) * layers,))
        st.button("Layer 1’s for all", key="lesson_all", on_click=_first_for_all, args=(layers,))


def _first_for_all(layers: int) -> None:
    session.set_thresholds((round(st.session_state["t1"] / 100, 12),) * layers)


def _teacher(view: View, number: int, hidden: frozenset[str]) -> None:
    """A link with this lesson, sentence, model and thresholds; what it hides is the teacher's choice."""
    if hidden:
        return
    with st.expander("For teachers: a link to this lesson", key="teacher"):
        hide = st.multiselect(
            "Hide",
            HIDEABLE,
            key="teacher_hide",
            format_func=HIDE_NAMES.__getitem__,
            placeholder="nothing",
        )
        query = view.settings.to_query(view.choices) | {"lesson": str(number)}
        if hide:
            query["hide"] = ",".join(hide)
        st.html(
            markup.paragraph(
                "The link holds the sentence, the model, the thresholds and the lesson that you see now.",
                "hint",
            )
        )
        copy_link(query, "copy_lesson")


page()
