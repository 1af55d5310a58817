"""Compare: which rule is best on this sentence, at equal FLOPs?"""

import streamlit as st

from app import blocks, header, models, runs
from app.examples import is_pair_task
from app.figures.tables import Table
from app.header import View
from app.runs import InputProblem
from app.says import findings, markup, words
from app.visitor import session
from app.visitor.saved import NAMES, Saved, read_saved
from ltp_core import CheckpointError, Prediction, PrunedModel, Trace
from ltp_core.why.contest import Contender

DRAWS = 20  # random choices that are counted
MOST_TOKENS = 96  # in the picture; the table has all
SAME_WEIGHTS = (
    "All rules run on the same weights, which were trained with learned thresholds. The others were not "
    "trained here, so this shows what they do to this model, not how good they could be."
)
NO_TRAINING = "All rules run on the same weights. This model was not trained with any of them."


def page() -> None:
    """All rules on one text; then two saved settings on it."""
    view = header.view(
        "Which rule is best on this sentence?",
        "Rules that decide who stays, each at the setting that comes nearest to the same FLOPs.",
    )
    if view is None:
        return
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
    _two_settings(view)


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
    _map("rules_map", finding, names, traces)
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
    gap = "the same" if contender.gap == 0 else f"{contender.gap:+.1%}".replace("%", f"{words.NBSP}%")
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


def _map(key: str, finding: str, names: list[str], traces: list[Trace]) -> None:
    """What each rule does to each token."""
    blocks.rules_lines(key, finding, dict(zip(names, traces, strict=True)), MOST_TOKENS)
    hint = "A number is the layer in which the token leaves."
    if len(traces[0].tokens) > MOST_TOKENS:
        hint += f" The first {MOST_TOKENS} tokens are shown; the numbers below have all."
    st.html(markup.paragraph(hint, "hint"))


def _table(names: list[str], contenders: list[Contender]) -> Table:
    trace = contenders[0].prediction.trace
    layers = {name: c.prediction.trace.survived for name, c in zip(names, contenders, strict=True)}
    return {
        "position": list(range(1, len(trace.tokens) + 1)),
        "token": trace.tokens,
        **{f"{name}: layers survived": survived for name, survived in layers.items()},
    }


def _two_settings(view: View) -> None:
    """A and B live in the address, also on the way to other pages and back."""
    st.html(markup.heading("Two settings side by side"))
    now = Saved(view.settings.model, view.settings.thresholds)
    with st.container(horizontal=True, vertical_alignment="center"):
        for name in NAMES:
            if st.button(f"Save the current settings as {name.upper()}", key=f"save_{name}"):
                session.put(name, now.to_query())
    saved, notices = read_saved(st.query_params)
    for text in notices:
        st.html(markup.notice(text))
    found: dict[str, Prediction] = {}
    for name, settings in saved.items():
        try:
            found[name] = _run(view, name, settings)
        except (CheckpointError, InputProblem) as error:
            st.html(markup.notice(f"{name.upper()}: {error}"))
    if set(found) != set(NAMES):
        st.html(
            markup.paragraph(
                "Save the thresholds of now as A. Change them on Explore, or choose another model, "
                "come back and save them as B: both then run on the sentence above, and the address of this "
                "page is a link to the comparison.",
                "hint",
            )
        )
        return
    _against(saved, found)


def _run(view: View, name: str, settings: Saved) -> Prediction:
    offered = models.offered()
    if settings.model not in offered:
        raise CheckpointError(f"there is no model “{settings.model}” here; save it anew.")
    model = models.load(offered[settings.model], view.settings.device)
    if len(settings.thresholds) != model.layers:
        raise CheckpointError(f"“{settings.model}” has {model.layers} layers; save it anew.")
    if _question(model) != _question(view.model):
        raise CheckpointError(
            f"“{settings.model}” answers another question than {view.settings.model}: other labels, or "
            "another number of texts. Save one that answers the same."
        )
    key = (settings, view.settings.device, view.texts)
    return session.memory().keep(
        f"saved_{name}", key, lambda: runs.predict(model, view.texts, settings.thresholds)
    )


def _question(model: PrunedModel) -> tuple[bool, tuple[str, ...]]:
    """What a model is asked: about one text or two, and with which labels it answers."""
    return is_pair_task(model.settings.task), models.classes(model)


def _against(saved: dict[str, Saved], found: dict[str, Prediction]) -> None:
    finding = findings.two(found["a"], found["b"])
    st.html(markup.heading(finding, 3))
    if found["a"].trace.tokens == found["b"].trace.tokens:
        same_depth = len({len(run.trace.layers) for run in found.values()}) == 1
        if same_depth:
            _map("rules_map_ab", finding, ["A", "B"], [found["a"].trace, found["b"].trace])
    st.html(
        markup.table(
            ("", "Model", "Thresholds", "Answer", "FLOPs", "Tokens left, layer by layer"),
            [
                (
                    name.upper(),
                    saved[name].model,
                    " ".join(words.threshold(t) for t in saved[name].thresholds),
                    findings.answer(run),
                    words.flops(run.flops),
                    " ".join(map(str, run.trace.alive)),
                )
                for name, run in found.items()
            ],
            "A and B on the sentence above",
        )
    )


page()
