"""Your own file: whether it holds on many sentences."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from app import blocks, header, jobs, models, surveys, theme
from app.figures import groups
from app.figures import survey as figures
from app.figures.survey_tables import curve_table, kept_table, rows_table, words_table
from app.figures.tables import to_csv
from app.header import Setup
from app.says import findings, markup, words
from app.says.text import visible
from app.surveys import SurveyProblem
from app.visitor import session
from app.visitor.state import read_choice
from app.visitor.uploads import (
    FORMATS,
    MOST_CHARACTERS,
    MOST_MEGABYTES,
    MOST_ROWS,
    DataSet,
    names_of,
    read_upload,
    usual_columns,
)
from ltp_core.data.columns import Chosen, DataError
from ltp_core.data.survey import Row, Survey

SOURCES = {"ours": "Our sentences", "task": "Data of the task", "file": "A file of yours"}
SIZES = (50, 200, 500, 1000, 2000)
PREVIEW = 5  # rows of a file that are shown before it runs
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
OTHERS = "These are results of other texts than are chosen above. Press Run to see what happens to those."
CHANGED = "Model or thresholds have changed since this run. Press Run to see what they do now."
COLUMNS = (
    "Columns named sentence or text, or a pair as sentence1 and sentence2, are found; others you choose. A "
    "label is optional: a class by number or name; with it, answers are scored."
)


@dataclass
class LatestRun:
    """What this page remembers for one visitor.

    Attributes:
        job: the latest run, if there was one.
        about: what it was started for, in words.
        key: model and thresholds that it was started for.
        texts: what tells the texts that it read from others.
        whose: the thresholds of the run, in words; empty for a model that has learned none.
        classes: names of that model's classes, in order.
    """

    job: jobs.BackgroundJob | None = None
    about: str = ""
    key: tuple[Any, ...] = ()
    texts: tuple[Any, ...] = ()
    whose: str = ""
    classes: tuple[str, ...] = ()


def section(setup: Setup) -> None:
    """Choose texts, run them in the background, look at what came out."""
    latest = st.session_state.setdefault("data_set", LatestRun())
    if (known := jobs.here()) is not None:  # also after a reload, and in another tab
        latest = st.session_state["data_set"] = known.note
    texts = _choose(setup, latest)
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
        if texts is not None and texts != latest.texts:
            st.html(markup.notice(OTHERS))
        data, found = job.result
        _results(latest, data, found, outdated)


def _key(setup: Setup) -> tuple[Any, ...]:
    return setup.settings.model, setup.settings.thresholds


def _whose(setup: Setup) -> str:
    if not setup.choices.has_learned:
        return ""
    return "the learned ones" if setup.settings.thresholds == setup.choices.learned else "yours"


def _choose(setup: Setup, latest: LatestRun) -> tuple[Any, ...] | None:
    """Which texts; a file is read and shown before it can be run.

    Returns:
        What tells these texts from others, a file by what is in it; None if there are none to run.
    """
    left, right = st.columns([3, 1], gap="medium")
    with right:
        header.pickers(setup.models, setup.choices.devices)
    with left:
        names = [name for name in SOURCES if name != "task" or surveys.has_task_data(setup.model)]
        header.linked("source", "ours", lambda text: read_choice("source", text, names, "ours"))
        source = st.segmented_control(
            "Texts", names, key="source", required=True, wrap=True, format_func=SOURCES.__getitem__
        )
        texts: tuple[Any, ...] | None = (source,)
        data: Callable[[], DataSet] | None = partial(surveys.ours, setup.model)
        if source == "file":
            upload = st.file_uploader("CSV, JSONL or Parquet", type=list(FORMATS), key="upload")
            st.html(markup.paragraph(COLUMNS, "hint"))
            texts, data = (None, None) if upload is None else _file(setup, upload)
        elif source == "task":
            header.linked("rows", SIZES[1], lambda text: read_choice("rows", text, SIZES, SIZES[1]))
            rows = st.select_slider("Rows, chosen at random", SIZES, key="rows")
            texts, data = (source, rows), partial(surveys.task_sample, setup.model, rows)
        running = latest.job is not None and latest.job.state == "running"
        pressed = st.button(
            "Run", key="run_set", icon=":material/play_arrow:", disabled=running or data is None
        )
        if pressed and data is not None and texts is not None:
            _start(setup, data, SOURCES[str(source)], texts)
        st.html(markup.paragraph(LIMITS, "hint"))
    return texts


def _file(setup: Setup, upload: Any) -> tuple[tuple[Any, ...], Callable[[], DataSet]] | tuple[None, None]:
    """Choose columns, read the file, and show what will run; twice None, and why, if it cannot."""
    name, content = upload.name, upload.getvalue()
    inside = hashlib.sha256(content).hexdigest()  # another file may come under the same name
    try:
        chosen = _columns(setup, names_of(name, content), name)
        if chosen is None:
            return None, None
        data = session.memory().keep(
            "upload",
            (name, inside, chosen, setup.settings.model),
            lambda: read_upload(name, content, models.classes(setup.model), chosen=chosen),
        )
        surveys.check_texts(setup.model, data)
    except DataError as error:
        st.html(markup.notice(str(error)))
        return None, None
    labels = "without labels" if data.labels is None else "with labels"
    rows = f"{len(data.texts):,} row{'s' if len(data.texts) != 1 else ''}"
    st.html(markup.paragraph(f"{rows} {labels} will run. {data.note}".strip()))
    st.dataframe(_preview(data, models.classes(setup.model)), hide_index=True, key="preview")
    return ("file", inside, chosen), lambda: data


def _columns(setup: Setup, names: list[str], file: str) -> Chosen | None:
    """The columns to read: those with usual names at first; a model that compares needs two."""
    usual = usual_columns(names, file) or Chosen(())
    pair = setup.choices.pair is not None or (setup.model.settings.task is None and len(usual.texts) == 2)
    wanted = ["First text", "Second text"] if pair else ["Text"]
    chosen: list[str | None] = []
    these = hashlib.sha256(repr(names).encode()).hexdigest()[:12]  # what is chosen holds for these columns
    with st.container(horizontal=True, gap="small", key="columns"):
        for place, name in enumerate(wanted):
            at = names.index(usual.texts[place]) if place < len(usual.texts) else None
            key = f"column_{place}_{these}"
            chosen.append(st.selectbox(name, names, index=at, key=key, format_func=visible, width=200))
        at = None if usual.label is None else names.index(usual.label)
        label = st.selectbox(
            "Label (optional)", names, index=at, key=f"column_label_{these}", format_func=visible, width=200
        )
    texts = tuple(column for column in chosen if column is not None)
    if len(texts) < len(wanted):
        which = f"choose which column of {file} holds the {wanted[len(texts)].lower()}."
        pairs = f"This model reads pairs of texts: {which}"
        st.html(markup.notice(pairs if pair else which.capitalize()))
        return None
    if len({*texts, label}) <= len(texts):
        st.html(markup.notice("A column can be read as one thing only: choose another for text or label."))
        return None
    return Chosen(texts, label)


def _preview(data: DataSet, classes: Sequence[str]) -> dict[str, list[Any]]:
    """The first rows as they will be read."""
    first = data.texts[:PREVIEW]
    pairs = any(not isinstance(text, str) for text in first)
    shown: dict[str, list[Any]] = {"text": [text if isinstance(text, str) else text[0] for text in first]}
    if pairs:
        shown["second text"] = ["" if isinstance(text, str) else text[1] for text in first]
    if data.labels is not None:
        shown["label"] = [classes[int(label)] if classes else label for label in data.labels[:PREVIEW]]
    return shown


def _start(setup: Setup, data: Callable[[], DataSet], about: str, texts: tuple[Any, ...]) -> None:
    model, thresholds = setup.model, setup.settings.thresholds
    classes = models.classes(model)
    note = LatestRun(None, about, _key(setup), texts, _whose(setup), classes)
    try:
        note.job = jobs.start(
            lambda progress: surveys.run(model, thresholds, data, progress), SurveyProblem, note
        )
    except jobs.TooManyJobs as why:
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
        lambda: to_csv(rows_table(found, latest.classes)),
        "data_set.csv",
        "text/csv",
        key="rows_csv",
        on_click="ignore",
        icon=":material/download:",
    )
    _flipped(found, outdated)
    _groups(found, latest.classes)
    left, right = st.columns(2, gap="large")
    palette, layers = theme.palette(), len(found.kept_per_layer)
    with left:
        blocks.chart(
            figures.curve(found.curve, found.metric, len(found.rows), palette),
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
            lambda: rows_table(found, latest.classes),
            "One mark is one text.",
        )


def _groups(found: Survey, classes: tuple[str, ...]) -> None:
    """Where it holds and where not; a small group says little, so each share has its interval."""
    headers, lines = groups.known(("Length", *groups.HEADERS), groups.by_length(found.rows, classes))
    st.html(markup.table(headers, lines, "Results by length"))
    if classes:
        headers, lines = groups.known(("Class", *groups.HEADERS), groups.by_class(found.rows, classes))
        st.html(markup.table(headers, lines, "Results by class"))
    st.html(markup.paragraph("In brackets: the 95\u00a0% interval of a share, by Wilson’s method.", "hint"))


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
        return f"dense {words.number(row.dense.value or 0)}, pruned {words.number(row.pruned.value or 0)}"
    dense = f"dense: {row.dense.label} {words.probability(row.dense.probability or 0)}"
    return f"{dense}, pruned: {row.pruned.label} {words.probability(row.pruned.probability or 0)}"
