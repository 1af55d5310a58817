"""What it costs: where the saving comes from, and whether it is real."""

import streamlit as st

from app import blocks, measured, published, runs, theme
from app.figures import growth, latency, speed, work
from app.figures.tables import FigureTable
from app.header import View
from app.runs import InputProblem
from app.says import findings, markup, words
from app.says.dots import Speed
from app.says.timed import Timed
from app.turns import Busy
from app.visitor import session
from ltp_core import Prediction
from ltp_core.data.survey import LengthPoint
from ltp_core.flops import LayerFlops
from ltp_core.model import Text
from ltp_core.speed.latency import TextTimes

BATCH = 8  # texts that are timed together
WORK = (
    "FLOPs of the matrix products, as in the paper. A token that leaves in a layer still takes part in its "
    "attention; its FFN is the first thing saved. Attention grows with the square of the tokens, the FFN "
    "with their number."
)
LENGTH = (
    "Sentences of ours, joined and cut to each length. A threshold is a share of all attention, so it leaves "
    "room for fewer tokens than a long text has: the same thresholds remove more of it."
)
TIME = (
    "Timed just now on this {device}, in turns after a warm-up; bars are medians, whiskers the middle half. "
    "Hugging Face runs its own forward pass, with padding where texts differ in length. FLOPs do not count "
    "what also takes time: reading weights, sorting out who stays, small matrices."
)
BEFORE = (
    "Measured by “ltp benchmark” on machines that did nothing else; each dot is one length, batch size and "
    "factor on the thresholds. On the line, time falls as FLOPs do. Stars are what others have published: "
    "FLOPs are not given there."
)


def section(view: View) -> None:
    """The counts first, then what has to be measured, then what was measured before."""
    st.html(markup.paragraph(f"{words.outcome(view.dense, view.pruned)}."))
    if collapsed := words.collapse(view.trace):
        st.html(markup.notice(collapsed))
    left, right = st.columns(2, gap="large")
    with left:
        _by_layer(view)
    with right:
        _by_length(view)
    _times(view)
    _before(view)


def _by_layer(view: View) -> None:
    dense, pruned = (runs.work_by_layer(view.model, run) for run in (view.dense, view.pruned))
    figure = work.by_layer(dense, pruned, theme.palette())
    blocks.chart(
        figure, "work_by_layer", findings.work(dense, pruned), lambda: _layer_table(dense, pruned), WORK
    )


def _by_length(view: View) -> None:
    key = (view.settings.model, view.settings.device, view.settings.thresholds)
    try:
        points = session.memory().keep(
            "by_length", key, lambda: runs.work_by_length(view.model, view.settings.thresholds)
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    tokens = len(view.trace.tokens)
    figure = work.by_length(points, theme.palette(), tokens, view.dense.flops, view.pruned.flops)
    blocks.chart(figure, "work_by_length", findings.lengths(points), lambda: _length_table(points), LENGTH)


def _times(view: View) -> None:
    """Time the text alone and in a batch; both places are there from the start."""
    batch = runs.company(view.texts, BATCH)
    try:
        together = session.memory().keep(
            "together",
            view.key,
            lambda: [runs.predict_batch(view.model, batch, t) for t in (None, view.settings.thresholds)],
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return
    cases = (
        ("This text alone", "time_alone", batch[:1], ([view.dense], [view.pruned])),
        (f"In a batch of {BATCH} texts", "time_batch", batch, (together[0], together[1])),
    )
    places = []
    for column, (name, key, *_) in zip(st.columns(2, gap="large"), cases, strict=True):
        with column:
            place = st.container(key=f"place_{key}").empty()
        with place.container():
            st.html(markup.heading(f"{name}: measuring …"))
        places.append(place)
    st.html(markup.paragraph(TIME.format(device=view.setup.device), "hint"))
    st.html(markup.paragraph("The batch holds your text and sentences of ours of other lengths.", "hint"))
    for place, (name, key, texts, both) in zip(places, cases, strict=True):
        with place.container():
            _measured(view, name, key, texts, both)


def _measured(view: View, name: str, key: str, texts: list[Text], both: tuple[list[Prediction], ...]) -> None:
    try:
        times = session.memory().keep(
            key,
            view.key,
            lambda: runs.measure_batch(view.model, texts, view.settings.thresholds, session.stop_if_changed),
        )
    except Busy:
        st.html(
            markup.notice(
                f"{name}: not measured, since many visitors measure right now. Press Run to try again."
            )
        )
    else:
        _show(_timed(name, times, *both), key)


def _show(timed: Timed, key: str) -> None:
    figure = latency.latency_bars(timed, theme.palette())
    hint = findings.control(timed) if timed.flops_reduction > 1 else ""
    blocks.chart(figure, key, findings.time(timed), lambda: latency.latency_table([timed]), hint)


def _timed(name: str, times: TextTimes, dense: list[Prediction], pruned: list[Prediction]) -> Timed:
    def reduction(count: str) -> float:
        return float(sum(getattr(run, count) for run in dense) / sum(getattr(run, count) for run in pruned))

    return Timed(name, times, reduction("flops"), reduction("executed_flops"))


def _before(view: View) -> None:
    """What was measured on machines that did nothing else: time against FLOPs, growth, peers."""
    name = view.settings.model
    found = measured.runs_of(name)
    if found:
        finding = findings.measured(found)
        points = [run for run in found if run.against == "sdpa"]
        blocks.chart(
            speed.speed_against_flops(points, published.TIME, theme.palette()),
            "speed_against_flops",
            finding,
            lambda: speed.table(found),
            BEFORE,
        )
    if raced := measured.races_of(name):
        st.html(
            markup.table(
                ("Tokens", "Batch", "Fastest without pruning", "Fastest pruned", "Speedup"),
                [speed.race(one) for one in raced],
                "What one would pick instead, of all ways that were timed in turns",
            )
        )
    peers = [run for run in found if run.against != "sdpa"]
    if peers:
        with st.expander(f"All {len(peers)} measurements against stronger peers", key="peers"):
            st.html(
                markup.table(
                    ("Against", "Tokens", "Batch", "Peer, dense", "Ours, pruned", "Speedup", "FLOPs"),
                    [speed.line(run) for run in sorted(peers, key=_place)],
                    "Each on the same dense model, measured in turns",
                )
            )
    rows = measured.growth_of(name)
    if rows:
        blocks.chart(
            growth.growth_curves(rows, "length", "milliseconds", theme.palette()),
            "growth",
            findings.growth(rows),
            lambda: growth.table(rows),
            "One text at a time, thresholds scaled to the same reduction of FLOPs at each length.",
        )


def _place(run: Speed) -> tuple[int, int, str, float]:
    """Short texts first, one at a time first."""
    return run.batch, run.length, run.against, run.reduction


def _layer_table(dense: list[LayerFlops], pruned: list[LayerFlops]) -> FigureTable:
    return {
        "layer": [layer.layer for layer in dense],
        "dense: attention (FLOPs)": [layer.attention for layer in dense],
        "dense: FFN (FLOPs)": [layer.feed_forward for layer in dense],
        "pruned: attention (FLOPs)": [layer.attention for layer in pruned],
        "pruned: FFN (FLOPs)": [layer.feed_forward for layer in pruned],
    }


def _length_table(points: list[LengthPoint]) -> FigureTable:
    return {
        "tokens": [point.length for point in points],
        "dense (FLOPs)": [point.dense for point in points],
        "pruned (FLOPs)": [point.pruned for point in points],
        "dense / pruned": [point.dense / point.pruned for point in points],
        "tokens left, layer by layer": [" ".join(f"{left:g}" for left in point.left) for point in points],
    }
