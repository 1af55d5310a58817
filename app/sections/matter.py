"""Did it matter: what each word adds to the answer, beside the layer in which it leaves."""

import math

import streamlit as st

from app import blocks, header, models, runs, theme
from app.figures import attribution
from app.header import View
from app.runs import Explanation, InputProblem
from app.says import markup, reasons
from app.says.text import visible
from app.visitor import session
from app.visitor.state import read_choice
from ltp_core.why.attribution import AttributionMethod

MOST_IN_PICTURE = 64  # tokens in one figure; longer inputs come in parts
METHODS: dict[AttributionMethod, str] = {
    "integrated_gradients": "Integrated Gradients",
    "gradient_x_input": "Gradient × input (fast)",
}


def section(view: View) -> None:
    """The controls, attributions beside survival, and three ways to ask whether they agree."""
    label, method = _controls(view)
    try:
        with st.spinner("Following the gradients …"):
            found = session.memory().keep(
                "explanation",
                (view.key, label, method),
                lambda: runs.explain(view.model, view.texts, view.settings.thresholds, label, method),
            )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    if 1 <= view.settings.token <= len(view.trace.tokens):
        st.html(markup.paragraph(reasons.word(found.attribution, view.settings.token - 1)))
    _attributions(found)
    _agreement(found)
    _deletion(found)


def _controls(view: View) -> tuple[str | None, AttributionMethod]:
    """The class and the method."""
    names = models.classes(view.model)
    label = None
    with st.container(horizontal=True, gap="medium"):
        if names:
            said = view.dense.label or names[0]
            header.linked("class", said, lambda text: read_choice("class", text, names, said))
            label = st.selectbox("Class to explain", names, key="class", format_func=visible, width=260)
        usual, *_ = METHODS
        header.linked("method", usual, lambda text: read_choice("method", text, list(METHODS), usual))
        method = st.selectbox("Method", METHODS, format_func=METHODS.__getitem__, key="method", width=280)
    return label, method


def _attributions(found: Explanation) -> None:
    total = len(found.attribution.trace.tokens)
    parts = math.ceil(total / MOST_IN_PICTURE)
    size = math.ceil(total / parts)
    part = 1
    if parts > 1:
        numbers = range(1, parts + 1)
        header.linked("tokens", 1, lambda text: read_choice("tokens", text, numbers, 1))
        chosen = st.segmented_control(
            "Tokens shown",
            numbers,
            key="tokens",
            required=True,
            format_func=lambda number: f"{(number - 1) * size + 1}–{min(number * size, total)}",
        )
        part = chosen or 1
    start, stop = (part - 1) * size, min(part * size, total)
    blocks.chart(
        attribution.beside_survival(
            found.attribution, theme.palette(), reasons.unit(found.attribution.label), start, stop
        ),
        "attributions",
        reasons.attribution(found.attribution),
        lambda: attribution.table(found.attribution),
        reasons.how(found.attribution, METHODS[found.attribution.method]),
    )


def _agreement(found: Explanation) -> None:
    blocks.chart(
        attribution.by_layer(found.dense, found.pruned, theme.palette()),
        "agreement",
        reasons.agreement(found.dense),
        lambda: attribution.agreement_table(found.dense, found.pruned),
        "Take one word that is left after a layer and one that is gone: how often has the first the larger "
        "attribution, whatever its sign? 1 is always, 0.5 is chance. A layer without a point keeps all "
        "words, or none. On one sentence this rests on few words: the interval is where it lies in 95 % of "
        "samples of them.",
    )


def _deletion(found: Explanation) -> None:
    effects = found.deletion
    st.html(markup.heading(reasons.deletion(effects, found.attribution.trace)))
    st.html(
        markup.table(
            ("Who goes", reasons.fall(found.attribution.label), "Answer changes"),
            [
                (
                    reasons.CHOICES[choice],
                    reasons.moves(effect),
                    reasons.flips(effect.flips, choice, effects.draws),
                )
                for choice, effect in effects.when_pruned.items()
            ],
            "As many words in each layer, chosen in four ways; against the run with nothing pruned. "
            f"At random: the mean of {effects.draws} draws",
        )
    )
