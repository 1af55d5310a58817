"""Data set: does it hold on many sentences?"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app import blocks, header, jobs, models, surveys, theme
from app.figures import survey as figures
from app.figures.survey_tables import curve_table, kept_table, rows_table, words_table
from app.figures.tables import to_csv
from app.header import Setup
from app.says import findings, markup, words
from app.surveys import SurveyProblem
from app.visitor import session
from app.visitor.state import read_choice
from app.visitor.uploads import FORMATS, MOST_CHARACTERS, MOST_MEGABYTES, MOST_ROWS, DataSet, read_upload
from ltp_core.data.rows import DataError
from ltp_core.data.survey import Row, Survey

SOURCES = {"ours": "Our sentences", "task": "Data of the task", "file": "A file of yours"}
SIZES = (50, 200, 500, 1000, 2000)
SHOWN = 20  # sentences in the list; the file has all
LIMITS = (
    f"Limits: {MOST_MEGABYTES} MB, {MOST_ROWS:,} rows, {MOST_CHARACTERS:,} characters in a text, fewer rows "
    "where texts are long; one run at a time for each visitor, who all take turns. A file is read in memory, "
    "for you alone, and never stored. A reload finds the run again; closing the page stops it after a minute."
)
LEFT = (
    f"This run stopped because your browser was not connected for {jobs.LONGEST_ABSENCE:.0f} seconds. "
    "Nothing was kept; press Run to start again."
)
CHANGED = "Model or thresholds have changed since this run. Press Run to see what they do now."
COLUMNS = (
    "Columns: sentence or text, or a pair: sentence1 and sentence2, question and sentence, question1 and "
    "question2, premise and hypothesis. label is optional: a class by number or name; with it, answers are "
    "scored."
)


@dataclass
class LatestRun:
    """What this page remembers for one visitor.

    Attributes:
        job: the latest run, if there was one.
        about: what it was started for, in words.
        key: model and thresholds that it was started for.
        whose: these thresholds, in words; empty for a model that has learned none.
    """

    job: jobs.BackgroundJob | None = None
    about: str = ""
    key: tuple[Any, ...] = ()
    whose: str = ""


def page() -> None:
    """Choose texts, run them in the background, look at what came out."""
    setup = header.open_page(
        "Does it hold on many sentences?",
        "One sentence is an anecdote. Run a whole set, dense and pruned, and see where the answers change.",
    )
    if setup is None:
        return
    latest = st.session_state.setdefault("data_set", LatestRun())
    if (known := jobs.here()) is not None:  # also after a reload, and in another tab
        latest = st.session_state["data_set"] = known.note
    _choose(setup, latest)
    job = latest.job
    if job is None:
        st.html(markup.paragraph("Choose texts and press Run: the results appear here.", "hint"))
    elif job.state == "running":
        jobs.watch(job, latest.about)
    elif job.state == "stopped":
        st.html(markup.notice("Cancelled. Nothing was kept; press Run to start again."))
    elif job.state == "left":
        st.html(markup.notice(LEFT))
    elif job.state == "failed":
        st.html(markup.notice(job.error))
    else:
        outdated = latest.key != _key(setup)
        if outdated:
            st.html(markup.notice(CHANGED))
        data, found = job.result
        _results(latest, data, found, outdated)


def _key(setup: Setup) -> tuple[Any, ...]:
    return setup.settings.model, setup.settings.thresholds


def _whose(setup: Setup) -> str:
    if not setup.choices.has_learned:
        return ""
    return "the learned ones" if setup.settings.thresholds == setup.choices.learned else "yours"


def _choose(setup: Setup, latest: LatestRun) -> None:
    left, right = st.columns([3, 1], gap="medium")
    with right:
        header.pickers(setup.models, setup.choices.devices)
    with left:
        names = [name for name in SOURCES if name != "task" or surveys.has_task_data(setup.model)]
        header.linked("source", "ours", lambda text: read_choice("source", text, names, "ours"))
        source = st.segmented_control(
            "Texts", names, key="source", required=True, wrap=True, format_func=SOURCES.__getitem__
        )
        upload = None
        rows = SIZES[1]
        if source == "file":
            upload = st.file_uploader("CSV, JSONL or Parquet", type=list(FORMATS), key="upload")
            st.html(markup.paragraph(COLUMNS, "hint"))
        elif source == "task":
            header.linked("rows", rows, lambda text: read_choice("rows", text, SIZES, SIZES[1]))
            rows = st.select_slider("Rows, chosen at random", SIZES, key="rows")
        running = latest.job is not None and latest.job.state == "running"
        ready = source != "file" or upload is not None
        if st.button("Run", key="run_set", icon=":material/play_arrow:", disabled=running or not ready):
            data = _source(setup, str(source), rows, upload)
            if data is not None:
                _start(setup, data, SOURCES[str(source)])
        st.html(markup.paragraph(LIMITS, "hint"))


def _source(setup: Setup, source: str, rows: int, upload: Any) -> Callable[[], DataSet] | None:
    """How to get the texts; a file is read now, so that what is wrong with it is said at once."""
    if source == "task":
        return partial(surveys.task_sample, setup.model, rows)
    if source == "ours":
        return partial(surveys.ours, setup.model)
    try:
        data = read_upload(upload.name, upload.getvalue(), models.classes(setup.model))
        surveys.check_texts(setup.model, data)
    except DataError as error:
        st.html(markup.notice(str(error)))
        return None
    return lambda: data


def _start(setup: Setup, data: Callable[[], DataSet], about: str) -> None:
    model, thresholds = setup.model, setup.settings.thresholds
    note = LatestRun(about=about, key=_key(setup), whose=_whose(setup))
    try:
        note.job = jobs.start(
            lambda progress: surveys.run(model, thresholds, data, progress), SurveyProblem, note
        )
    except jobs.Refused as why:
        st.html(markup.notice(str(why)))
        return
    st.session_state["data_set"] = note
    st.rerun()


def _results(latest: LatestRun, data: DataSet, found: Survey, outdated: bool) -> None:
    """What came out, under the model and thresholds of the run: the page's own may have changed by now."""
    st.html(markup.heading(findings.survey(found)))
    said = [f"Run: {data.name}.", f"Model: {latest.key[0]}."]
    if latest.whose:
        said.append(f"Thresholds: {latest.whose}.")
    if found.truncated:
        said.append(f"{found.truncated:,} texts were too long for the model, and their ends were cut.")
    st.html(markup.paragraph(" ".join(filter(None, [*said, data.note])), "hint"))
    st.download_button(
        "Download all rows as CSV",
        lambda: to_csv(rows_table(found)),
        "data_set.csv",
        "text/csv",
        key="rows_csv",
        on_click="ignore",
        icon=":material/download:",
    )
    _flipped(found, outdated)
    left, right = st.columns(2, gap="large")
    palette, layers = theme.palette(), len(found.kept_per_layer)
    with left:
        blocks.chart(
            figures.curve(found.curve, found.metric, palette),
            "set_curve",
            findings.curve(found),
            lambda: curve_table(found),
            _curve_hint(found),
        )
    with right:
        blocks.chart(
            figures.kept(found.kept_per_layer, palette),
            "set_kept",
            findings.kept(found.kept_per_layer),
            lambda: kept_table(found),
            "Tokens left after each layer, over all tokens of all texts, special ones included.",
        )
    left, right = st.columns(2, gap="large")
    with left:
        chosen = figures.chosen_words(found.fates)
        blocks.chart(
            figures.words(chosen, layers, palette),
            "set_words",
            findings.words_that_go(chosen, layers),
            lambda: words_table(found),
            f"Tokens that occur {figures.FEWEST} times or more, as the model reads them: those that go first "
            "and those that stay longest.",
        )
    with right:
        blocks.chart(
            figures.work(found, palette),
            "set_work",
            findings.work_of_texts(found),
            lambda: rows_table(found),
            "One mark is one text.",
        )


def _curve_hint(found: Survey) -> str:
    if len(found.curve) == 2:
        return "Raise the thresholds on Explore to see what they do to these texts."
    hint = "All thresholds times one factor: " + ", ".join(f"{p.factor:g}" for p in found.curve) + "."
    scored = found.curve[0].score is not None
    if len(found.rows) < 200 and scored and found.metric == "accuracy":  # no other score counts texts
        hint += f" With {len(found.rows)} texts, one text is {100 / len(found.rows):.1f} points."
    return hint


def _flipped(found: Survey, outdated: bool) -> None:
    """Sentences whose label changed, or values that moved most; each opens in Explore under its settings.

    Where a teacher has fixed the sentence none does: there would be no way back to it.
    """
    can_open = "text" not in session.hidden()
    if found.curve[0].agreement is None:
        rows = sorted(found.rows, key=lambda row: row.moved, reverse=True)[:SHOWN]
        title = "Texts whose value moved most"
    else:
        rows = found.flipped[:SHOWN]
        count = len(found.flipped)
        changed = f"{count:,} of {len(found.rows):,} texts change their answer"
        title = changed if count else "No text changes its answer"
        if count > SHOWN:
            title += f"; the {SHOWN} that the dense run was surest of"
    st.html(markup.heading(title))
    if not rows:
        st.html(markup.paragraph("Raise the thresholds on Explore, or run more texts, to find some.", "hint"))
    for number, row in enumerate(rows):
        with st.container(horizontal=True, vertical_alignment="center", key=f"flip_{number}"):
            if can_open and st.button(
                "Open in Explore", key=f"open_{number}", disabled=outdated, help=CHANGED if outdated else None
            ):
                first, second = (row.text, "") if isinstance(row.text, str) else row.text
                session.open_page("views/explore.py", text=first, pair=second)
            st.html(markup.paragraph(figures.one_line(row.text)) + markup.paragraph(_change(row), "hint"))


def _change(row: Row) -> str:
    if row.dense.label is None:
        return f"dense {row.dense.value:.2f}, pruned {row.pruned.value:.2f}"
    dense = f"dense: {row.dense.label} {words.probability(row.dense.probability or 0)}"
    return f"{dense}, pruned: {row.pruned.label} {words.probability(row.pruned.probability or 0)}"


page()
