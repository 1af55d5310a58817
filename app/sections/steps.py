"""Why a word leaves: one layer step by step, as in a lecture."""

import streamlit as st

from app import theme
from app.blocks import numbers
from app.figures import attention_heatmap, steps
from app.figures.tables import attention_table, importance_table, received_table
from app.header import View
from app.says import lecture, markup, words
from app.says.lecture import Case
from app.visitor import session


def section(view: View) -> None:
    """The pickers, and from who looks at whom to the decision."""
    case = _choose(view)
    if case.entered:
        _steps(view, case)
    else:
        st.html(markup.notice(lecture.gone(case)))
        left_in = lecture.left_in(case)
        st.button(f"Go to layer {left_in}", key="go_back", on_click=_set_layer, args=(left_in,))


def _choose(view: View) -> Case:
    """The pickers, and what they point at."""
    trace, settings = view.trace, view.settings
    columns = st.columns([5, 4, 3], gap="medium", vertical_alignment="bottom")
    with columns[0]:
        st.segmented_control(
            "Layer", range(1, view.choices.layers + 1), key="layer", required=True, wrap=True
        )
    with columns[1]:
        token = st.selectbox(
            "Token",
            range(1, len(trace.tokens) + 1),
            key="token",
            format_func=lambda number: lecture.option(trace, number),
        )
    with columns[2]:
        st.selectbox("Head", range(view.choices.heads + 1), key="head", format_func=words.head)
    return Case(trace, settings.layer, token - 1)


def _steps(view: View, case: Case) -> None:
    trace, token, palette = view.trace, case.token, theme.palette()
    head, wide, narrow = view.settings.head, steps.narrowest(case.at), theme.is_phone()
    with st.container(key="step1"):
        _title(1, lecture.heads_title(case, head))
        most = steps.MOST_IN_MOSAIC
        cut = f" The first {most} tokens are drawn." if len(case.entering) > most else ""
        st.html(markup.paragraph(lecture.HEADS + cut, "hint"))
        if head:
            figure = attention_heatmap.attention_heatmap(trace, head, palette, narrow)
            figure, narrowest = (
                steps.frame_column(figure, trace, token, palette),
                attention_heatmap.narrowest(trace),
            )
        else:
            columns = 2 if narrow else 4
            figure, narrowest = steps.heads_mosaic(trace, token, palette, columns), 320
        theme.figure(figure, "heads", f"Attention heads: {lecture.heads_title(case, head)}", narrowest)
        st.html(lecture.head_shares(case))
        numbers("heads_numbers", lambda: received_table(trace), "heads.csv")
    with st.container(key="step2"):
        _title(2, lecture.mean_title(case))
        st.html(markup.paragraph(lecture.MEAN, "hint"))
        figure = attention_heatmap.attention_heatmap(trace, None, palette, narrow)
        figure = steps.frame_column(figure, trace, token, palette)
        tokens = words.attention_of(trace).tokens
        narrowest = attention_heatmap.narrowest(trace)
        theme.figure(figure, "mean_map", f"Mean over heads: {lecture.mean_title(case)}", narrowest, tokens)
        numbers("mean_numbers", lambda: attention_table(trace, None), "mean-attention.csv")
    with st.container(key="step3"):
        _title(3, lecture.importance_title(case))
        st.html(markup.paragraph(lecture.IMPORTANCE, "hint"))
        figure = steps.importance_bars(trace, case.at, token, palette, decided=False, narrow=narrow)
        theme.figure(
            figure, "importance", f"Importance: {lecture.importance_title(case)}", wide, case.entering
        )
        st.html(lecture.column_sum(case))
        numbers("importance_numbers", lambda: importance_table(trace, case.layer), "importance.csv")
    with st.container(key="step4"):
        _title(4, lecture.compare_title(case))
        acts = lecture.acting(case, view.settings.thresholds[case.layer - 1])
        st.html(markup.paragraph(lecture.COMPARE + acts, "hint"))
        figure = steps.importance_bars(trace, case.at, token, palette, decided=True, narrow=narrow)
        theme.figure(figure, "compare", f"Threshold: {lecture.compare_title(case)}", wide, case.entering)
    with st.container(key="step5"):
        _title(5, lecture.decision_title(case))
        st.html(lecture.sentence(case))
        with st.container(horizontal=True, gap="small"):
            if case.layer > 1:
                st.button(
                    f"← Layer {case.layer - 1}", key="before", on_click=_set_layer, args=(case.layer - 1,)
                )
            if case.layer < view.choices.layers:
                st.button(
                    f"Layer {case.layer + 1} →", key="after", on_click=_set_layer, args=(case.layer + 1,)
                )
            if st.button("Move its threshold on Explore", key="to_explore"):
                session.open_page("views/explore.py")


def _title(number: int, text: str) -> None:
    st.html(markup.step(number, text))


def _set_layer(layer: int) -> None:
    st.session_state["layer"] = layer
