"""What if: what would change the answer?"""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import streamlit as st

from app import blocks, header, runs, theme
from app.figures import attribution
from app.header import View
from app.runs import InputProblem
from app.says import findings, markup, reasons, words
from app.says.text import as_label, shorten
from app.visitor import session
from app.visitor.state import read_positions
from ltp_core import Prediction
from ltp_core.why.counterfactual import SmallestDrop, SmallestScale

MOST_PINS = 96  # tokens that can be pinned
MOST_KEPT = 24  # dropped tokens in the picture: those that would change most


def page() -> None:
    """Pins and what they do; the smallest change that flips; what one dropped word would do."""
    view = header.view(
        "What would change the answer?",
        "Hold a word that the model drops, or take one away: does it still answer the same?",
    )
    if view is None:
        return
    stay, go = _pins(view)
    try:
        pinned = session.memory().keep(
            "pinned",
            (view.key, stay, go),
            lambda: runs.predict_pinned(view.model, view.texts, view.settings.thresholds, stay, go),
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    _effect(view, pinned, bool(stay or go))
    if view.pruned.label is not None:
        _smallest(view)
    _kept(view)


def _pins(view: View) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which tokens stay and which go, by clicking or by keyboard."""
    tokens = view.trace.tokens
    shown = range(1, min(len(tokens), MOST_PINS))
    about = (view.settings.model, view.texts)
    other_text = st.session_state.get("pins_for", about) != about
    st.session_state["pins_for"] = about
    for name in ("stay", "go"):
        if other_text:
            st.session_state[name] = []
        header.linked(
            name,
            [],
            partial(read_positions, name, shown=shown),
            lambda chosen: ",".join(map(str, sorted(chosen))),
        )

    labels = _labels(tokens)

    with st.container(key="pins"):
        stay = st.pills(
            "Must stay in every layer",
            shown,
            selection_mode="multi",
            key="stay",
            format_func=labels.__getitem__,
        )
        go = st.pills(
            "Must go in the first layer",
            shown,
            selection_mode="multi",
            key="go",
            format_func=labels.__getitem__,
        )
    if len(tokens) > MOST_PINS:
        st.html(markup.notice(f"The first {MOST_PINS} of {len(tokens)} tokens can be pinned."))
    both = set(stay) & set(go)
    if both:
        names = ", ".join(f"“{tokens[position]}”" for position in sorted(both))
        st.html(markup.notice(f"{names}: to stay and to go is too much to ask; here it stays."))
    return tuple(sorted(stay)), tuple(sorted(set(go) - both))


def _labels(tokens: Sequence[str]) -> list[str]:
    """Tokens as labels, equal ones with their places: Streamlit knows an option by its label alone."""
    names = [shorten(token, 24) for token in tokens]
    often = {name for name, count in Counter(names).items() if count > 1}
    return [
        as_label(f"{name} ({place})" if name in often else name) for place, name in enumerate(names, start=1)
    ]


def _effect(view: View, pinned: Prediction, has_pins: bool) -> None:
    runs = {"Dense": view.dense, "Your thresholds": view.pruned}
    if has_pins:
        runs["With your pins"] = pinned
        finding = reasons.pins(view.pruned, pinned)
    else:
        finding = "Nothing is pinned yet: choose words above"
    st.html(markup.heading(finding))
    pruned = {name: run.trace for name, run in runs.items() if name != "Dense"}
    blocks.rules_lines("rules_map_pins", finding, pruned, MOST_PINS)
    st.html(markup.paragraph("A number is the layer in which the token leaves.", "hint"))
    st.html(
        markup.table(
            ("Run", "Answer", "FLOPs", "Tokens left, layer by layer"),
            [
                (name, findings.answer(run), words.flops(run.flops), " ".join(map(str, run.trace.alive)))
                for name, run in runs.items()
            ],
            "With and without your pins",
        )
    )


def _smallest(view: View) -> None:
    st.html(markup.heading("What is the smallest change that flips the answer?"))
    asked = session.memory().keep(
        "flips_asked", view.key, dict
    )  # forgotten when the text or a threshold changes
    if st.button("Look for it", key="look", icon=":material/search:"):
        asked["now"] = True
    if not asked:
        st.html(
            markup.paragraph(
                f"This runs the sentence up to {runs.SEARCH_BUDGET} times without some of its words, and "
                "under higher and higher thresholds.",
                "hint",
            )
        )
        return
    try:
        with st.spinner("Looking …"):
            drop, scale = session.memory().keep(
                "flips",
                view.key,
                lambda: runs.smallest_changes(view.model, view.texts, view.settings.thresholds),
            )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    _found_drop(drop)
    _found_scale(view, scale)


def _found_drop(drop: SmallestDrop) -> None:
    st.html(markup.heading(reasons.smallest_drop(drop), 3))
    st.html(markup.paragraph(reasons.how_dropped(drop), "hint"))
    if drop.positions is None:
        return
    if any(position >= MOST_PINS for position in drop.positions):  # a part of a set need not flip anything
        st.html(
            markup.notice(
                f"These words cannot be pinned together: only the first {MOST_PINS} tokens can be pinned."
            )
        )
    else:
        st.button("Pin these words to go", key="pin_drop", on_click=_want_to_go, args=(list(drop.positions),))


def _want_to_go(positions: list[int]) -> None:
    st.session_state["stay"] = []
    st.session_state["go"] = positions


def _found_scale(view: View, scale: SmallestScale | None) -> None:
    if scale is None:
        return
    st.html(markup.heading(reasons.smallest_scale(scale), 3))
    st.html(
        markup.paragraph(
            "From nothing pruned upwards, all thresholds times one factor; 1 is where they are now. "
            f"{scale.passes} runs.",
            "hint",
        )
    )
    if scale.factor is not None and "thresholds" not in session.hidden():  # else there is no way back
        values = tuple(min(1.0, theta * scale.factor) for theta in view.settings.thresholds)
        st.button(
            "Set the thresholds there", key="set_scale", on_click=session.set_thresholds, args=(values,)
        )


def _kept(view: View) -> None:
    try:
        found = session.memory().keep(
            "keeping",
            view.key,
            lambda: runs.keeping(view.model, view.texts, view.settings.thresholds),
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    if not found:
        st.html(markup.heading("No word is dropped, so none could be kept"))
        return
    most = sorted(sorted(found, key=lambda token: -abs(token.change))[:MOST_KEPT], key=lambda t: t.position)
    label = view.pruned.label
    size = view.model.dimensions
    blocks.chart(
        attribution.if_kept(most, theme.palette(), reasons.unit(label)),
        "if_kept",
        reasons.kept(found, label),
        lambda: {
            "position": [token.position + 1 for token in found],
            "token": [token.token for token in found],
            "leaves in layer": [token.leaves for token in found],
            "answer if it stays": [token.label for token in found],
            "change if it stays": [token.change for token in found],
        },
        "One dropped word at a time stays in all layers, and the sentence is run again. To the right it "
        "would speak for the answer that the model gives now, to the left against it."
        + reasons.without_bars(most, size.layers, size.reads_first_token, view.trace.tokens[0]),
    )


page()
