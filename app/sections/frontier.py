"""Accuracy against FLOPs: every rule measured on this model's task, and the sentences behind a dot."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import blocks, header, measured, published, runs, theme
from app.figures import frontier
from app.figures.survey import one_line
from app.header import Setup
from app.runs import InputProblem
from app.says import findings, markup, words
from app.visitor import session
from app.visitor.state import read_choice
from ltp_core import Prediction
from ltp_core.checkpoints import shipped_models
from ltp_core.model import Text
from ltp_core.pictures.dots import Dot, dots
from ltp_core.results import RESULTS, lost_text, read_rows
from ltp_core.rules import names as rules
from ltp_core.rules.table import CALIBRATED, LTP, trained_rules

USUAL = (*trained_rules(), CALIBRATED.name)
NOTHING = (
    "No accuracy against FLOPs was measured for this model. “ltp compare” does it for a task’s data, and the "
    "other sections of this page for your own."
)
HOW = (
    "Each dot is one rule at one FLOPs target, measured on the development set and set against the dense "
    "baseline of the same recipe; above the line nothing is lost. The band is one standard error to either "
    "side. Rules called “trained”, and the learned thresholds, have weights tuned for them; the others run "
    "on the baseline. A star is what others have published, of another model: only its place beside its own "
    "baseline can be compared. Press a dot, or choose it below."
)
CLOCK = (
    "A dotted line leads from a dot to what pruning alone gave in measured time at those FLOPs: our dense "
    "run over our pruned run, one text at a time, on a machine that did nothing else."
)
PADDED = (
    "Some published reductions are against a dense run that also computes padding. Ours, and the paper’s, "
    "count real tokens alone. For such work, what it removes of the real tokens says what can be compared: "
    "1 ÷ (1 − the share removed)."
)
OTHER_WEIGHTS = (
    "This dot was measured on weights that do not ship, or on the baseline’s: no sentence can be shown on "
    "the stage under them. The dots of “Learned thresholds” open theirs."
)


def section(setup: Setup) -> None:
    """The curves; then what was measured at one dot, and which of our sentences flip there."""
    found = dots(_rows(setup))
    if not found:
        st.html(markup.notice(NOTHING))
        return
    kinds = list(dict.fromkeys(dot.rule for dot in found))
    chosen_rules = st.pills(
        "Rules",
        kinds,
        selection_mode="multi",
        default=[kind for kind in kinds if kind in USUAL],
        key="curve_rules",
        format_func=rules.name,
    )
    shown = [dot for dot in found if dot.rule in chosen_rules] or found
    _choose_clicked(shown)
    usual = next((dot for dot in shown if dot.rule == LTP.name and dot.target > 2), shown[0])
    by_name = {dot.name: dot for dot in shown}
    header.linked("dot", usual.name, lambda text: read_choice("dot", text, list(by_name), usual.name))
    dot = by_name.get(st.session_state["dot"], usual)
    finding = findings.frontier(found)
    st.html(markup.heading(finding))
    timed = measured.clocked(shown, measured.runs_of(setup.settings.model))
    figure = frontier.frontier(shown, rules.name, published.FLOPS, dot.name, theme.palette(), timed)
    theme.figure(figure, "frontier", finding, 320, clickable=True)
    st.html(markup.paragraph(HOW + (f" {CLOCK}" if timed else ""), "hint"))
    blocks.numbers(
        "frontier_numbers",
        lambda: frontier.table(shown, rules.name),
        f"{setup.settings.model}-curves.csv",
    )
    with st.expander("Others count padding, too", key="padded"):
        st.html(markup.paragraph(PADDED, "hint"))
        st.html(
            markup.table(
                ("Task", "Published", "Share removed", "Without padding", "Score"),
                [
                    (
                        each.task,
                        words.times(each.counted),
                        f"{100 * each.sparsity:.0f}{words.NBSP}%",
                        words.times(each.without_padding),
                        f"{each.score:.1f}",
                    )
                    for each in published.TOP
                ],
                published.TOP_SOURCE,
            )
        )
    st.selectbox(
        "Look at",
        list(by_name),
        key="dot",
        format_func=lambda name: _label(by_name[name]) if name in by_name else name,
    )
    _dot(setup, dot)


def _rows(setup: Setup) -> list[dict[str, Any]]:
    """What `ltp compare` wrote for this model: its own file, else its task's where it has that name."""
    name, task = setup.settings.model, setup.model.settings.task
    if name not in shipped_models():
        return []
    return read_rows(RESULTS / f"compare-{name}.json") or (
        read_rows(RESULTS / f"compare-{task}.json") if name == task else []
    )


def _choose_clicked(shown: Sequence[Dot]) -> None:
    """Let a press on a dot set the list below: the list is the control that the address knows."""
    points = st.session_state.get("frontier_chart", {}).get("selection", {}).get("points", [])
    name = points[0].get("customdata") if points else None
    name = name[0] if isinstance(name, list) and name else name
    if name != st.session_state.get("frontier_pressed"):
        st.session_state["frontier_pressed"] = name
        if name in {dot.name for dot in shown}:
            st.session_state["dot"] = name


def _label(dot: Dot) -> str:
    return f"{rules.name(dot.rule)} at {words.times(dot.reduction)}"


def _dot(setup: Setup, dot: Dot) -> None:
    row = dot.rows[0]
    metric = row["metric"]
    st.html(
        markup.table(
            (
                "Seed",
                "Score",
                "Baseline",
                "Points lost",
                "Paper FLOPs",
                "Executed FLOPs",
                "Left, layer by layer",
            ),
            [
                (
                    str(row["seed"]),
                    findings.score(row["pruned_score"], metric),
                    findings.score(row["baseline_score"], metric),
                    words.with_minus(lost_text(row["points_lost"], row.get("points_lost_error") or 0)),
                    f"{words.times(row['flops_reduction'])} fewer",
                    f"{words.times(row['executed_flops_reduction'])} fewer",
                    " ".join(f"{100 * share:.0f}" for share in row["kept_per_layer"]) + f"{words.NBSP}%",
                )
                for row in dot.rows
            ],
            f"{_label(dot)}: {row['examples']:,} rows of {row['task']}, measured {row['measured'][:10]} "
            f"at commit {row['commit']}",
        )
    )
    thresholds = _shipped_thresholds(setup, dot)
    if thresholds is None:
        st.html(markup.paragraph(OTHER_WEIGHTS, "hint"))
        return
    try:
        flipped, total = session.memory().keep(
            "frontier_flips",
            (setup.settings.model, setup.settings.device, thresholds),
            lambda: _flips(setup, thresholds),
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    _show_flips(flipped, total, thresholds)


def _shipped_thresholds(setup: Setup, dot: Dot) -> tuple[float, ...] | None:
    """The thresholds of a dot whose weights are those of the model on this page, which one seed has."""
    if dot.rule != LTP.name:
        return None
    learned = setup.choices.learned
    for row in dot.rows:
        values = tuple(row["thresholds"] or ())
        if len(values) == len(learned) and _is_multiple(values, learned):
            return values
    return None


def _is_multiple(values: Sequence[float], learned: Sequence[float]) -> bool:
    """Whether all thresholds are the learned ones times one factor, as `ltp compare` scales them."""
    factors = [value / theta for value, theta in zip(values, learned, strict=True) if theta and value < 1]
    zeros = all(not value for value, theta in zip(values, learned, strict=True) if not theta)
    return zeros and bool(factors) and max(factors) - min(factors) <= 1e-4 * max(factors)


def _flips(
    setup: Setup, thresholds: tuple[float, ...]
) -> tuple[list[tuple[Text, Prediction, Prediction]], int]:
    """Our sentences whose answer changes; for a regression those whose value moves most."""
    texts = runs.own_texts(pairs=setup.choices.pair is not None)
    dense = runs.predict_batch(setup.model, texts, None)
    pruned = runs.predict_batch(setup.model, texts, thresholds)
    both = list(zip(texts, dense, pruned, strict=True))
    if dense[0].label is None:
        both.sort(key=lambda one: -abs((one[1].value or 0) - (one[2].value or 0)))
        return both[:5], len(texts)
    return [one for one in both if one[1].label != one[2].label], len(texts)


def _show_flips(
    flipped: list[tuple[Text, Prediction, Prediction]], total: int, thresholds: tuple[float, ...]
) -> None:
    number = bool(flipped) and flipped[0][1].label is None
    said = (
        f"Of our {total} texts, these move most there"
        if number
        else f"{len(flipped) or 'None'} of our {total} texts {_change(len(flipped))} the answer there"
    )
    st.html(markup.heading(said, 3))
    can_open = "text" not in session.hidden()
    for place, (text, dense, pruned) in enumerate(flipped):
        with st.container(horizontal=True, vertical_alignment="center", key=f"frontier_flip_{place}"):
            if can_open and st.button("Open on the stage", key=f"frontier_open_{place}"):
                first, second = (text, "") if isinstance(text, str) else text
                session.open_page(
                    "views/explore.py", text=first, pair=second, **session.threshold_controls(thresholds)
                )
            st.html(
                markup.paragraph(one_line(text))
                + markup.paragraph(
                    f"dense: {findings.answer(dense)}, pruned: {findings.answer(pruned)}", "hint"
                )
            )


def _change(count: int) -> str:
    return "changes" if count == 1 else "change"
