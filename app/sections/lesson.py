"""One lesson on the stage: what is asked, the stage that it is about, what was seen, and why."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app import header, models, runs
from app.components.copy_link import copy_link
from app.components.page_top import page_top
from app.components.stage import stage
from app.header import Setup, View
from app.lessons import LESSONS, after
from app.lessons.lab import Bench, situation
from app.lessons.lesson import Heights, Lesson, Look, Move, Situation
from app.live.offer import offer, runs_in_browser
from app.runs import InputProblem, Texts
from app.says import clocked, markup, questions
from app.says.text import as_label
from app.stage import Setting, stage_data
from app.turns import Busy
from app.visitor import session
from app.visitor.state import HIDEABLE
from ltp_core.checkpoints import USUAL_MODEL
from ltp_core.speed.latency import TextTimes

HIDE_NAMES = {"text": "sentence", "model": "model", "thresholds": "thresholds", "lessons": "other lessons"}
REFUSED = "Nothing was measured, since many visitors measure right now: press “Measure now” to try again."
MISSES = 2  # before a hint
MOST_GUESSED = 100  # numbers in an address


def section(setup: Setup, lesson: Lesson) -> None:
    """Draw a lesson from top to bottom; below it, what changes its sentence."""
    if "lessons" in session.hidden():
        st.html(markup.heading(lesson.title))
    else:
        _ways(lesson)
    texts = header.texts_of(setup)
    guess = _guess(setup, lesson, texts)
    view = _view(setup, lesson, texts, bool(guess))
    if view is not None and guess and not _is_answer(view, lesson, guess):
        st.html(markup.notice("What this link says of a prediction is no answer here: predict again."))
        st.session_state["guess"] = guess = []
        view = _view(setup, lesson, texts, predicted=False)
    if view is None:
        _own(setup)
        return
    coach = st.container(key="coach")
    _stage(view, bool(guess), lesson.measures)
    with coach:
        try:
            _coach(view, lesson, guess)
        except InputProblem as error:
            st.html(markup.notice(str(error)))
            _next(lesson, done=False)
    _own(setup)
    _link(view, lesson)


def _view(setup: Setup, lesson: Lesson, texts: Texts, predicted: bool) -> View | None:
    """What is asked about is what is drawn: before the prediction the stage stands as the question says."""
    if predicted:
        return header.run(setup, texts)
    start = setup.choices.learned if lesson.learned_lines else (0.0,) * setup.choices.layers
    return header.run(replace(setup, settings=replace(setup.settings, thresholds=start)), texts)


def _is_answer(view: View, lesson: Lesson, guess: list[int]) -> bool:
    """Whether a prediction, which may come with a link, is one of this lesson's on this text."""
    try:
        s = _situation(view, guess, None)
        if lesson.unfit(s):
            return True  # which is said instead
        known = s.content() if lesson.marks else range(len(lesson.options(s)))
        return len(guess) == lesson.wanted(s) and set(guess) <= set(known)
    except InputProblem:
        return True  # which is said, too


def opening(lesson: Lesson, offered: Sequence[str]) -> dict[str, str]:
    """The link that a lesson begins with."""
    model = {"model": USUAL_MODEL} if USUAL_MODEL in offered else {}
    return {**model, "text": lesson.text, "lesson": lesson.name}


def done() -> list[str]:
    """The lessons that this visitor has finished, as the address says."""
    names = st.query_params.get("done", "").split(".")
    return [name for name in LESSONS if name in names]


def mark(name: str, number: int) -> str:
    """A lesson's number, with a tick where it is finished."""
    return f"{number} ✓" if name in done() else str(number)


def _ways(lesson: Lesson) -> None:
    """The numbers of all lessons, and the way back to their list."""
    numbers = {name: number for number, name in enumerate(LESSONS, start=1)}
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="ways"):
        st.button("All lessons", key="all_lessons", on_click=session.put, args=("lesson", None))
        st.segmented_control(
            "Lesson",
            list(LESSONS),
            key="lesson",
            required=True,
            format_func=lambda name: mark(name, numbers[name]),
            label_visibility="collapsed",
            on_change=_to_chosen,
        )
        st.html(markup.heading(f"{numbers[lesson.name]} of {len(LESSONS)}: {lesson.title}"))


def _to_chosen() -> None:
    session.follow(opening(LESSONS[st.session_state["lesson"]], list(models.offered())))


def _guess(setup: Setup, lesson: Lesson, texts: Texts) -> list[int]:
    """What was predicted, as the address says; nothing once lesson, model or sentence are others."""
    own = texts.first in (lesson.text, *lesson.others.values())
    about = (lesson.name, setup.settings.model, lesson.name if own else texts)
    if st.session_state.get("guess_for", about) != about:
        st.session_state["guess"], st.session_state["misses"], st.session_state["seen"] = [], 0, None
    st.session_state["guess_for"] = about
    page_top(repr(about), "lesson_top")  # what is asked stands there, and the boxes at the foot
    header.linked("guess", [], _read_guess, lambda chosen: ".".join(map(str, chosen)))
    return list(st.session_state["guess"])


def _read_guess(text: str) -> tuple[list[int], str | None]:
    parts = text.split(".")
    if len(parts) <= MOST_GUESSED and all(
        part.isascii() and part.isdigit() and len(part) < 5 for part in parts
    ):
        return [int(part) for part in parts], None
    return [], "What this link says of a prediction cannot be read: predict again."


def _situation(view: View, guess: Sequence[int], measured: TextTimes | None) -> Situation:
    name = view.settings.model
    source = models.offered()[name]
    device = models.on_server(view.settings.device)
    known = session.memory().keep("lesson", (name, view.settings.device), dict)
    bench = Bench(view.model, lambda: models.in_int8(source, device), view.texts, known)
    return replace(situation(bench, view.settings.thresholds, guess), measured=measured)


def _coach(view: View, lesson: Lesson, guess: list[int]) -> None:
    """What is to be done now."""
    s = _situation(view, guess, _times(view) if lesson.measures and guess else None)
    if why := lesson.unfit(s):
        st.html(markup.notice(why))
        st.button(
            "Take the lesson’s own sentence",
            key="own_text",
            type="primary",
            on_click=session.follow,
            args=(opening(lesson, view.setup.models),),
        )
        _next(lesson, done=False)
        return
    options = list(lesson.options(s))
    if not guess:
        _head(lesson, 0)
        st.html(markup.paragraph(lesson.teaches))
        _predict(lesson, s, options)
        return
    look = lesson.check(s)
    if look.done:
        st.session_state["seen"] = lesson.name
    if look.done and lesson.name not in done():
        session.put("done", ".".join(name for name in LESSONS if name in (*done(), lesson.name)))
        st.rerun()  # its number, which is drawn already, gets a tick
    finished = st.session_state.get("seen") == lesson.name
    _head(lesson, 2 if finished else 1)
    said = None if lesson.marks else options[guess[0]]
    if finished:
        _see(lesson, s, look, said)
    else:
        _do(lesson, s, look, said)
    _acts(view, lesson, None if finished or not _needs_help() else lesson.solution(s))


def _head(lesson: Lesson, now: int) -> None:
    """Where one is in the lesson, and the way on, which is always there."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="coach_head"):
        st.html(_steps(lesson, now))
        _next(lesson, done=now > 1)


def _steps(lesson: Lesson, now: int) -> str:
    """The way through a lesson, with where the visitor is; seeing and the reason come at once."""
    names = ("Predict", lesson.action, "See", "Why")
    items = "".join(
        f"<li{' aria-current=step' if place == now or (now == 2 and place == 3) else ''}>{name}</li>"
        for place, name in enumerate(names)
    )
    return f'<ol class="steps">{items}</ol>'


def _predict(lesson: Lesson, s: Situation, options: list[str]) -> None:
    if not lesson.marks:
        st.radio(
            as_label(lesson.asks(s)),
            options,
            index=None,
            key=f"predict_{lesson.name}",
            format_func=as_label,  # tokens of the text, names of classes: nothing in them is Markdown
            horizontal=True,
            on_change=_predicted,
            args=(lesson, lesson.start(s), options),
        )
        return
    places, wanted = s.content(), lesson.wanted(s)
    chosen = st.pills(
        as_label(lesson.asks(s)),
        places,
        selection_mode="multi",
        key=f"predict_{lesson.name}",
        format_func=lambda place: as_label(options[places.index(place)]),
    )
    st.button(
        f"That is my guess ({len(chosen)} of {wanted})",
        key="marked",
        type="primary",
        disabled=len(chosen) != wanted,
        on_click=_predicted,
        args=(lesson, lesson.start(s), options),
    )


def _predicted(lesson: Lesson, start: Heights, options: list[str]) -> None:
    """Keep the prediction; the task begins at the lines that it was made on."""
    chosen = st.session_state[f"predict_{lesson.name}"]
    st.session_state["guess"] = sorted(chosen) if lesson.marks else [options.index(chosen)]
    st.session_state["misses"], st.session_state["seen"] = 0, None
    session.set_thresholds(start)


def _do(lesson: Lesson, s: Situation, look: Look, said: str | None) -> None:
    predicted = "" if said is None else f"You say: {said}. "
    st.html(markup.paragraph(f"{predicted}{lesson.task(s)}"))
    st.html(markup.notice(f"Not yet. {look.said}"))
    if _needs_help():
        fixed = "thresholds" in session.hidden()
        said = "The lines are fixed here: let it be shown." if fixed else f"Hint: {lesson.hint(s)}"
        st.html(markup.paragraph(said))


def _needs_help() -> bool:
    """After two misses, and where a teacher's link has fixed the lines."""
    return st.session_state.get("misses", 0) >= MISSES or "thresholds" in session.hidden()


def _see(lesson: Lesson, s: Situation, look: Look, said: str | None) -> None:
    right = lesson.answer(s)
    verdict = ""
    after = f" Gone by then: {right}" if lesson.marks else ""  # its last sign may be a full stop
    if right and not lesson.marks:
        verdict = (
            f"✓ You said “{said}”, and so it is. "
            if said == right
            else f"You said “{said}”; it is “{right}”. "
        )
    elif said is not None:
        verdict = f"You said “{said}”. "
    st.html(markup.notice(f"{verdict}{look.said}{after}"))
    st.html(markup.paragraph(f"Why? {lesson.why(s)}"))


def _move(move: Move) -> None:
    session.set_thresholds(move.lines)
    if move.text is not None:
        session.set_text(move.text, "")


def _acts(view: View, lesson: Lesson, way_out: Move | None) -> None:
    """The buttons that a task needs beside the stage; with a way out of it, if there is one."""
    with st.container(horizontal=True, gap="small"):
        if way_out is not None:
            st.button("Show me", key="show_me", on_click=_move, args=(way_out,))
        for number, (name, text) in enumerate(lesson.others.items()):
            if text != view.texts.first:
                st.button(name, key=f"other_{number}", on_click=session.set_text, args=(text, ""))
        if lesson.measures:
            st.button("Measure now", key="lesson_measure", on_click=_want_measure, args=(view.key,))
    if lesson.measures and st.session_state.get("lesson_refused") == view.key:
        st.html(markup.notice(REFUSED))


def _next(lesson: Lesson, done: bool) -> None:
    """The next lesson, or the list after the last."""
    if "lessons" in session.hidden():
        return
    following = after(lesson.name)
    if following is None:
        st.button("All lessons", key="next", type="primary" if done else "tertiary", on_click=_to_list)
        return
    st.button(
        f"{'Next' if done else 'Skip to'}: {as_label(following.title)}",
        key="next",
        type="primary" if done else "tertiary",
        on_click=session.follow,
        args=(opening(following, list(models.offered())),),
    )


def _to_list() -> None:
    session.put("lesson", None)


def _stage(view: View, moves: bool, measures: bool) -> None:
    """The stage; its lines can be moved once there is a prediction. A click on a word opens Why there."""
    setting = Setting.of(view.model, view.settings.thresholds, view.choices.learned)
    measured = _times(view) if measures and moves else None
    prunes = view.pruned.flops < view.dense.flops
    cell = stage(
        stage_data(
            setting,
            questions.question(view.model, view.settings.model),
            view.dense,
            view.pruned,
            time=None if measured is None else clocked.said(measured, view.setup.device, prunes),
            undo=moves and bool(session.memory().history),
            fixed=not moves or "thresholds" in session.hidden(),
            live=offer(view.settings.model, view.texts) if moves and not setting.several else None,
            curves=runs_in_browser(view.settings.model, view.model),
        ),
        "stage",
        on_release=_released,
        on_undo=session.undo,
        on_measure=lambda: _want_measure(view.key),
        on_timed=lambda rounds: None,
    )
    if cell is not None:
        lines = session.threshold_controls(view.settings.thresholds)
        session.open_page("views/why.py", **cell._asdict(), **lines)


def _released(lines: Heights) -> None:
    st.session_state["misses"] = st.session_state.get("misses", 0) + 1
    session.set_thresholds(lines)


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


def _own(setup: Setup) -> None:
    """Another sentence or model, unless a teacher's link has fixed both."""
    if not {"text", "model"} <= session.hidden():
        with st.expander("With a sentence of your own, or another model", key="own"):
            header.inputs(setup)


def _link(view: View, lesson: Lesson) -> None:
    """For teachers: a link to this lesson on this sentence; what it hides is the teacher's choice."""
    if session.hidden():
        return
    with st.expander("For teachers: a link to this lesson", key="teacher"):
        hide = st.multiselect(
            "Hide", HIDEABLE, key="teacher_hide", format_func=HIDE_NAMES.__getitem__, placeholder="nothing"
        )
        settings = replace(view.settings, thresholds=view.choices.learned)  # each lesson sets its own
        query = settings.to_query(view.choices) | {"lesson": lesson.name}
        if hide:
            query["hide"] = ",".join(hide)
        st.html(markup.paragraph("The link holds lesson, sentence and model, and no prediction.", "hint"))
        copy_link(query, "copy_lesson")
