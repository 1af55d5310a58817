"""Who looks at whom: the attention of one layer, of all heads, and what has come of it layer by layer."""

from collections.abc import Sequence

import streamlit as st

from app import theme
from app.blocks import chart, numbers
from app.figures import attention_heatmap, attention_overview
from app.figures.tables import FigureTable, attention_table
from app.header import View
from app.says import markup, notes, words
from app.visitor import session
from ltp_core import AttentionTrace
from ltp_core.why.rollout import rollout

OVERVIEW = (
    "A row is a layer, a column a head. Named is the token that gets most of the head’s attention; the "
    "colour says how much."
)
OVERVIEW_TURNED = (
    "A row is a head, a column a layer. Named, where there is room, is the token that gets most of the "
    "head’s attention; the colour says how much."
)
ROLLOUT = (
    "Rollout: attention followed back to the input. Half of a token stays what it was, half comes from what "
    "it looks at, layer after layer; a word that has left keeps what it had given. It shows where attention "
    "leads, not what the model made of it."
)
BETWEEN = (
    "Of the attention that the words of one text give, how much goes to the words of the other. Special "
    "tokens take the rest."
)
NARROWEST = 640  # px: names in 12 columns


def section(view: View, everybodys: Sequence[AttentionTrace] | None) -> None:
    """Draw it below the stage.

    Args:
        view: the sentence and its runs; the trace of the pruned one holds the attention of the chosen layer.
        everybodys: the attention of every layer, once it is there.
    """
    _one_layer(view)
    if everybodys is None:
        return
    trace, palette, keep = view.trace, theme.palette(), session.memory().keep
    key, narrow = (view.key, palette), theme.is_phone()
    figure = keep(
        "overview", key, lambda: attention_overview.heads_overview(everybodys, trace.tokens, palette, narrow)
    )
    chart(
        figure,
        "heads_overview",
        _favourites(everybodys, trace.tokens),
        lambda: _overview_table(everybodys, trace.tokens),
        OVERVIEW_TURNED if narrow else OVERVIEW,
        NARROWEST,
    )
    reached = keep("reached", view.key, lambda: rollout(everybodys, len(trace.tokens)))  # [L, n]
    first = trace.tokens[0]
    figure = keep(
        "rollout", key, lambda: attention_overview.rollout_map(reached, trace.tokens, first, palette, narrow)
    )
    best = max(range(1, len(trace.tokens)), key=lambda token: reached[-1, token])
    chart(
        figure,
        "rollout",
        f"After the last layer {first} has drawn most from “{trace.tokens[best]}”, beside itself",
        lambda: (
            {"token": trace.tokens}
            | {f"after layer {layer}": row.tolist() for layer, row in enumerate(reached, start=1)}
        ),
        ROLLOUT,
        160 + 17 * min(len(trace.tokens), attention_overview.MOST_NAMED),
    )
    if 1 in trace.segments:
        _between(view, everybodys)


def _one_layer(view: View) -> None:
    choices, trace, palette = view.choices, view.trace, theme.palette()
    left, right = st.columns([3, 8], gap="medium")
    with left:
        st.html(markup.heading("Who looks at whom?"))
        st.segmented_control("Layer", range(1, choices.layers + 1), key="layer", required=True, wrap=True)
        layer = view.settings.layer  # which the control holds, and the trace is of
        head = st.selectbox("Head", range(choices.heads + 1), key="head", format_func=words.head)
        st.html(markup.paragraph(notes.ATTENTION, "hint"))
    with right:
        token, share = attention_heatmap.most_attended(trace, head or None)
        heads = "mean of the heads" if head == 0 else f"head {head}"
        finding = words.attention_finding(layer, heads, token, share)
        st.html(markup.heading(finding))
        # Who is there to look at whom depends on the thresholds before this layer alone.
        figure = session.memory().keep(
            "attention_map",
            (*view.key[:-1], view.settings.thresholds[: layer - 1], layer, head, palette),
            lambda: attention_heatmap.attention_heatmap(trace, head or None, palette, theme.is_phone()),
        )
        narrowest = attention_heatmap.narrowest(trace)
        tokens = words.attention_of(trace).tokens
        theme.figure(figure, "attention_map", f"Attention heatmap: {finding}", narrowest, tokens)
        numbers("attention_numbers", lambda: attention_table(trace, head or None), "attention.csv")


def _between(view: View, everybodys: Sequence[AttentionTrace]) -> None:
    """Of a pair: the attention from one text to the other."""
    trace = view.trace
    special = _special(view)
    shares = [attention_overview.blocks(layer, trace.segments, special) for layer in everybodys]
    back = [row[2] for row in shares]  # second to first
    layer = max(range(len(back)), key=lambda index: back[index] if back[index] == back[index] else -1.0)
    chart(
        attention_overview.between(shares, theme.palette()),
        "between",
        f"The second text looks most at the first in layer {layer + 1}, with {words.percent(back[layer])} of "
        "its attention",
        lambda: {
            "layer": list(range(1, len(shares) + 1)),
            **{name: [row[at] for row in shares] for at, name in enumerate(attention_overview.DIRECTIONS)},
        },
        BETWEEN,
    )


def _special(view: View) -> list[int]:
    names = set(getattr(view.model.tokenizer, "all_special_tokens", ()))
    return [index for index, token in enumerate(view.trace.tokens) if token in names]


def _favourites(everybodys: Sequence[AttentionTrace], tokens: Sequence[str]) -> str:
    """How many heads look most at the first token: it is where attention goes that looks at nothing."""
    best = [index for layer in everybodys for index in attention_overview.favourite(layer)[0]]
    return f"{best.count(0)} of {len(best)} heads look most at {tokens[0]}"


def _overview_table(everybodys: Sequence[AttentionTrace], tokens: Sequence[str]) -> FigureTable:
    rows = [
        (layer.layer, head, tokens[token], share)
        for layer in everybodys
        for head, (token, share) in enumerate(zip(*attention_overview.favourite(layer), strict=True), start=1)
    ]
    names = ("layer", "head", "token that gets most", "share of the head’s attention")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}
