"""Explore: what happens to my sentence?"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from app import about, examples, markup, services, session, theme, thresholds, verdict, words
from app.figures import attention_heatmap, survival_map
from app.figures.tables import Table, attention_table, survival_table, to_csv
from app.services import CheckpointError, Comparison, InputProblem, Texts
from app.state import LONGEST_LINK, Choices, Settings
from ltp_core import Prediction, PrunedModel, Trace

MOST_IN_PICTURE = 96  # tokens on one map; longer inputs come in parts


def page() -> None:
    """Draw the page from top to bottom; the measurement, which takes longest, comes last."""
    theme.apply()
    st.html(markup.heading("What happens to my sentence?", 1))
    st.html(
        markup.paragraph(
            "The model reads it layer by layer, and removes the words that get too little attention."
        )
    )
    models = services.models()
    if not models:
        st.html(markup.notice("There is no model here: assets/models is empty."))
        return
    name = session.choose_model(list(models))
    try:
        with st.spinner("Loading the model …"):
            model, choices = _load(name, models[name])
    except CheckpointError as error:
        st.html(markup.notice(str(error)))
        st.session_state["model"] = name
        _pickers(list(models), services.devices())
        return
    settings = session.settings_of_run(choices, list(models))
    try:
        model = services.load(models[name], settings.device)
    except CheckpointError as error:
        st.html(markup.notice(str(error)))
        _pickers(list(models), services.devices())
        return
    for text in session.memory().notices:
        st.html(markup.notice(text))
    texts = _input(settings, choices, model, list(models))
    if texts.blank:
        st.html(markup.notice("Type a sentence above, or choose an example, and press Run."))
        thresholds.board(settings, choices, None)
        return
    try:
        dense, pruned = _predict(model, settings, texts)
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        thresholds.board(settings, choices, None)
        return
    _results(model, settings, choices, texts, dense, pruned)


def _load(name: str, folder: Path) -> tuple[PrunedModel, Choices]:
    devices = services.devices()
    model = services.load(folder, devices[-1])
    task = model.settings.task
    first = examples.examples_for(task)[0]
    return model, Choices(
        model=name,
        devices=devices,
        layers=model.layers,
        heads=services.heads(model),
        learned=services.learned_thresholds(model),
        has_learned=model.thresholds is not None,
        text=first.text,
        pair=first.pair if examples.is_pair_task(task) else None,
    )


def _input(settings: Settings, choices: Choices, model: PrunedModel, models: list[str]) -> Texts:
    """The text box or boxes with examples, and the pickers beside."""
    left, right = st.columns([3, 1], gap="medium")
    with left:
        is_pair = choices.pair is not None
        first = st.text_area("First text" if is_pair else "Your sentence", key="text", height=92)
        second = st.text_area("Second text", key="pair", height=92) if is_pair else None
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button("Run", key="run", icon=":material/play_arrow:", on_click=session.run_again)
            for number, example in enumerate(examples.examples_for(model.settings.task)):
                st.button(
                    example.name,
                    key=f"example_{number}",
                    type="tertiary",
                    on_click=session.set_text,
                    args=(example.text, example.pair),
                )
    with right:
        _pickers(models, choices.devices)
    if len(first or "") + len(second or "") > LONGEST_LINK:
        st.html(markup.notice("This text is too long for a link: the address keeps everything except it."))
    return Texts(first or "", second if second is None else second or "")


def _pickers(models: list[str], devices: tuple[str, ...]) -> None:
    st.selectbox("Model", models, key="model")
    st.selectbox(
        "Device", devices, key="device", format_func=lambda name: services.DEVICE_NAMES.get(name, name)
    )


def _predict(model: PrunedModel, settings: Settings, texts: Texts) -> tuple[Prediction, Prediction]:
    """The dense and the pruned run; repeated only when something they depend on has changed."""
    mem = session.memory()
    about = (settings.model, settings.device, texts)
    dense = mem.keep("dense", about, lambda: services.predict(model, texts, None))
    pruned = mem.keep(
        "pruned",
        (*about, settings.thresholds, settings.layer),
        lambda: services.predict(model, texts, settings.thresholds, settings.layer),
    )
    return dense, pruned


def _results(
    model: PrunedModel,
    settings: Settings,
    choices: Choices,
    texts: Texts,
    dense: Prediction,
    pruned: Prediction,
) -> None:
    trace = pruned.trace
    if trace.truncated_tokens:
        st.html(
            markup.notice(
                f"Too long for this model: it reads {len(trace.tokens)} tokens, so the last "
                f"{words.tokens(trace.truncated_tokens)} were cut."
            )
        )
    strip = st.container(key="verdict").empty()
    device = services.DEVICE_NAMES.get(settings.device, settings.device)

    def show(measured: Comparison | None, waiting: str = "measuring how fast …") -> None:
        strip.html(verdict.strip(dense, pruned, measured, waiting, device))

    show(None)
    with st.container(key="board"):
        left, right = st.columns([3, 8], gap="medium")
        with left:
            st.html(markup.heading("Thresholds"))
            st.html(markup.paragraph(about.THRESHOLDS, "hint"))
            thresholds.board(settings, choices, trace)
        with right:
            _map(trace)
    _attention(choices, trace)
    with st.expander("How answer, work and time are counted", key="counted"):
        for text in about.numbers(dense, pruned, device, model.max_tokens):
            st.html(markup.paragraph(text))

    timing_key = (settings.model, settings.device, texts, settings.thresholds)
    measured = session.memory().keep(
        "measured",
        timing_key,
        lambda: services.measure(model, texts, settings.thresholds, session.stop_if_changed),
    )
    show(measured, "not measured: too many visitors at once")


def _map(trace: Trace) -> None:
    finding = words.map_finding(trace)
    st.html(markup.heading(finding))
    start, stop = _part(len(trace.tokens))
    columns = theme.columns()
    figure = survival_map.survival_map(trace, theme.palette(), start, stop, columns)
    narrowest = survival_map.narrowest(stop - start, columns)
    theme.figure(figure, "survival_map", f"Survival map: {finding}", narrowest)
    if collapsed := words.collapse(trace):
        st.html(markup.notice(collapsed))
    pieces = about.PIECES if any(token.startswith("##") for token in trace.tokens) else ""
    st.html(markup.paragraph(about.MAP + pieces, "hint"))
    _numbers("map_numbers", lambda: survival_table(trace), "survival.csv", trace)


def _part(total: int) -> tuple[int, int]:
    parts = math.ceil(total / MOST_IN_PICTURE)
    if parts == 1:
        return 0, total
    size = math.ceil(total / parts)
    if st.session_state.get("part", 1) > parts:
        st.session_state["part"] = 1
    part = st.segmented_control(
        "Tokens shown",
        range(1, parts + 1),
        key="part",
        required=True,
        format_func=lambda number: f"{(number - 1) * size + 1}–{min(number * size, total)}",
    )
    return (part - 1) * size, min(part * size, total)


def _attention(choices: Choices, trace: Trace) -> None:
    left, right = st.columns([3, 8], gap="medium")
    with left:
        st.html(markup.heading("Who looks at whom?"))
        layer = st.segmented_control(
            "Layer", range(1, choices.layers + 1), key="layer", required=True, wrap=True
        )
        head = st.selectbox(
            "Head",
            range(choices.heads + 1),
            key="head",
            format_func=lambda number: f"mean of all {choices.heads}" if number == 0 else f"head {number}",
        )
        st.html(markup.paragraph(about.ATTENTION, "hint"))
    with right:
        token, share = attention_heatmap.most_attended(trace, head or None)
        heads = "mean of the heads" if head == 0 else f"head {head}"
        finding = words.attention_finding(layer, heads, token, share)
        st.html(markup.heading(finding))
        figure = attention_heatmap.attention_heatmap(trace, head or None, theme.palette())
        narrowest = attention_heatmap.narrowest(trace)
        theme.figure(figure, "attention_map", f"Attention heatmap: {finding}", narrowest)
        _numbers("attention_numbers", lambda: attention_table(trace, head or None), "attention.csv")


@st.fragment
def _numbers(key: str, table: Callable[[], Table], file_name: str, trace: Trace | None = None) -> None:
    """The numbers behind a figure, made only when someone opens them."""
    box = st.expander("Numbers behind this figure", key=key, on_change="rerun")
    if not box.open:
        return
    with box:
        numbers = table()
        st.dataframe(numbers, hide_index=True, height=300)
        with st.container(horizontal=True):
            st.download_button(
                "Download as CSV",
                lambda: to_csv(numbers),
                file_name,
                "text/csv",
                key=f"{key}_csv",
                on_click="ignore",
            )
            if trace is not None:
                st.download_button(
                    "Download the trace as JSON",
                    replace(trace, attention=None).to_json,  # large, and in a table of its own
                    "trace.json",
                    "application/json",
                    key=f"{key}_json",
                    on_click="ignore",
                )


page()
