"""Which rule is best on this sentence: all of them at nearly the same FLOPs."""

import streamlit as st

from app import blocks, runs
from app.figures.tables import FigureTable
from app.header import View
from app.runs import InputProblem
from app.says import findings, markup, words
from app.says.words import leaves
from app.visitor import session
from ltp_core import Prediction
from ltp_core.why.contest import Contender

DRAWS = 20  # random choices that are counted
MOST_TOKENS = 96  # in the picture; the table has all
SAME_WEIGHTS = (
    "All rules run on the same weights, which were trained with learned thresholds. The others were not "
    "trained here, so this shows what they do to this model, not how good they could be."
)
NO_TRAINING = "All rules run on the same weights. This model was not trained with any of them."


def section(view: View) -> None:
    """The map of rules, their answers, and what chance does."""
    try:
        contenders, draws = session.memory().keep(
            "rivals",
            view.key,
            lambda: runs.rivals(view.model, view.texts, view.settings.thresholds, DRAWS),
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    _rules(view, contenders, draws)


def _rules(view: View, contenders: list[Contender], draws: list[Prediction]) -> None:
    finding = findings.contest(contenders)
    names = [contender.kind.title for contender in contenders]
    traces = [contender.prediction.trace for contender in contenders]
    st.html(markup.heading(finding))
    if view.pruned.flops == view.dense.flops:
        st.html(
            markup.notice(
                "Your thresholds prune nothing here. Raise them on Explore, or choose a longer text."
            )
        )
    st.html(markup.paragraph(SAME_WEIGHTS if view.choices.has_learned else NO_TRAINING))
    blocks.rules_lines("rules_map", finding, dict(zip(names, traces, strict=True)), MOST_TOKENS)
    hint = "A number is the layer in which the token leaves."
    if len(traces[0].tokens) > MOST_TOKENS:
        hint += f" The first {MOST_TOKENS} tokens are shown; the numbers below have all."
    st.html(markup.paragraph(hint, "hint"))
    st.html(
        markup.table(
            ("Rule", "Answer", "FLOPs", "against yours", "Tokens in the last layer", "shared with yours"),
            [_row(contender, contenders[0]) for contender in contenders],
            "What each rule does to this text",
        )
    )
    st.html(markup.paragraph(findings.chance(contenders[0].prediction, draws), "hint"))
    blocks.numbers("rules_numbers", lambda: _table(names, contenders), "rules.csv")
    with st.expander("What the rules are", key="rules_what"):
        for contender in contenders:
            setting = f" {_setting(contender)}" if contender.setting is not None else ""
            st.html(markup.paragraph(f"{contender.kind.title}: {contender.kind.how}{setting}"))


def _row(contender: Contender, yours: Contender) -> tuple[str, ...]:
    found = contender.prediction
    gap = f"{words.signed(100 * contender.gap, 1)}{words.NBSP}%"
    if abs(contender.gap) < 0.0005:
        gap = "the same"
    return (
        contender.kind.title,
        findings.answer(found),
        words.flops(found.flops),
        "" if contender is yours else gap,
        f"{len(contender.kept)} of {len(found.trace.tokens)}",
        "" if contender is yours else f"{len(contender.kept & yours.kept)} of {len(yours.kept)}",
    )


def _setting(contender: Contender) -> str:
    return f"On this text: {contender.kind.says.format(contender.setting)}.".replace("%", f"{words.NBSP}%")


def _table(names: list[str], contenders: list[Contender]) -> FigureTable:
    trace = contenders[0].prediction.trace
    depth = len(trace.layers)
    fates = {n: leaves(c.prediction.trace.survived, depth) for n, c in zip(names, contenders, strict=True)}
    return {
        "position": list(range(1, len(trace.tokens) + 1)),
        "token": trace.tokens,
        **{f"{name}: leaves in layer": fate for name, fate in fates.items()},
    }
