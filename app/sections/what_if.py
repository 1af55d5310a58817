"""What if: a sentence whose words are held or taken away, and the smallest change that flips its answer."""

from functools import partial

import streamlit as st

from app import blocks, header, runs, theme
from app.components.word_states import word_states
from app.figures import attribution
from app.header import View
from app.runs import InputProblem
from app.says import findings, markup, reasons, words
from app.visitor import session
from app.visitor.state import read_positions
from ltp_core import Prediction
from ltp_core.why.counterfactual import SmallestDrop, SmallestScale

MOST_SHOWN = 96  # tokens in the picture of the runs; the sentence has all
MOST_KEPT = 24  # dropped tokens in the picture: those that would change most
HOW = (
    "Press a word: it always stays; again: it always goes, in the first layer; again: it is free. "
    "The arrow keys lead from word to word. Below each stands the layer in which it leaves."
)


def section(view: View) -> None:
    """The sentence and what its states do; the smallest change that flips; what one dropped word would do."""
    place = st.container(key="what_if")
    stay, go = _states(view)
    try:
        found = session.memory().keep(
            "pinned",
            (view.key, stay, go),
            lambda: runs.predict_pinned(view.model, view.texts, view.settings.thresholds, stay, go),
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    with place:
        _sentence(view, found, stay, go)
    if view.pruned.label is not None:
        _smallest(view)
    _effect(view, found, bool(stay or go))
    _kept(view)


def _states(view: View) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which tokens always stay and which always go, as the address says and the sentence changes it."""
    tokens = view.trace.tokens
    about = (view.settings.model, view.texts)
    other_text = st.session_state.get("pins_for", about) != about
    st.session_state["pins_for"] = about
    for name in ("stay", "go"):
        if other_text:
            st.session_state[name] = []
        header.linked(
            name,
            [],
            partial(read_positions, name, shown=range(1, len(tokens))),
            lambda chosen: ",".join(map(str, sorted(chosen))),
        )
    stay, go = set(st.session_state["stay"]), set(st.session_state["go"])
    if both := stay & go:
        names = ", ".join(f"“{tokens[position]}”" for position in sorted(both))
        st.html(markup.notice(f"{names}: to stay and to go is too much to ask; here it stays."))
    return tuple(sorted(stay)), tuple(sorted(go - stay))


def _set_states(stay: list[int], go: list[int]) -> None:
    st.session_state["stay"], st.session_state["go"] = stay, go


def _sentence(view: View, found: Prediction, stay: tuple[int, ...], go: tuple[int, ...]) -> None:
    """What the states do, in words; and the sentence."""
    free = not stay and not go
    finding = (
        "Hold a word, or take it away: does the answer change?" if free else reasons.pins(view.pruned, found)
    )
    st.html(markup.heading(finding))
    st.html(markup.paragraph(HOW, "hint"))
    leaves = words.leaves(found.trace.survived, view.choices.layers)
    word_states(view.trace.tokens, leaves, stay, go, "word_states", _set_states)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Free all words", key="free", on_click=_set_states, args=([], []), disabled=free)


def _effect(view: View, found: Prediction, has_pins: bool) -> None:
    all_runs = {"Dense": view.dense, "Your thresholds": view.pruned}
    if has_pins:
        all_runs["With your words"] = found
    finding = "Who leaves when" + (", with and without your words" if has_pins else "")
    st.html(markup.heading(finding, 3))
    pruned = {name: run.trace for name, run in all_runs.items() if name != "Dense"}
    blocks.rules_lines("rules_map_pins", finding, pruned, MOST_SHOWN)
    hint = "A number is the layer in which the token leaves."
    if len(view.trace.tokens) > MOST_SHOWN:
        hint += f" The first {MOST_SHOWN} tokens are drawn."
    st.html(markup.paragraph(hint, "hint"))
    st.html(
        markup.table(
            ("Run", "Answer", "FLOPs", "Tokens left, layer by layer"),
            [
                (name, findings.answer(run), words.flops(run.flops), " ".join(map(str, run.trace.alive)))
                for name, run in all_runs.items()
            ],
            "With and without your words",
        )
    )


def _smallest(view: View) -> None:
    st.html(markup.heading("What is the smallest change that flips the answer?", 3))
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
    st.html(markup.heading(reasons.smallest_drop(drop), 4))
    st.html(markup.paragraph(reasons.how_dropped(drop), "hint"))
    if drop.positions is None:
        return
    st.button("Take these words away", key="pin_drop", on_click=_set_states, args=([], list(drop.positions)))


def _found_scale(view: View, scale: SmallestScale | None) -> None:
    if scale is None:
        return
    st.html(markup.heading(reasons.smallest_scale(scale), 4))
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
