"""Two models, or two settings of one, on the same sentence: who reads what."""

from pathlib import Path

import streamlit as st

from app import blocks, header, models, runs
from app.examples import is_pair_task
from app.header import View
from app.measured import Named, settings_of
from app.runs import InputProblem
from app.says import findings, markup, words
from app.says.text import visible
from app.visitor import session
from app.visitor.saved import NAMES, Saved, read_saved
from ltp_core import CheckpointError, Prediction, PrunedModel
from ltp_core.checkpoints import CONFIG_FILE, Settings

MOST_TOKENS = 96  # in a picture
FACTORS = {
    1.0: "learned thresholds",
    0.5: "half of the learned thresholds",
    2.0: "twice the learned thresholds",
    0.0: "nothing pruned",
}
HOW = (
    "A and B are in the address of this page, so a link brings them along. Other thresholds: set them on "
    "Explore, come back and save them here."
)


def section(view: View) -> None:
    """The choice of both, and what they do to the sentence."""
    st.html(markup.heading("Two models or settings side by side"))
    now = Saved(view.settings.model, thresholds=view.settings.thresholds)
    with st.container(horizontal=True, vertical_alignment="center"):
        for name in NAMES:
            if st.button(f"Save the current settings as {name.upper()}", key=f"save_{name}"):
                session.put(name, now.to_query())
    chosen = _choose(view, now)
    found: dict[str, Prediction] = {}
    for name, saved in chosen.items():
        try:
            found[name] = _run(view, name, saved)
        except (CheckpointError, InputProblem) as error:
            st.html(markup.notice(f"{name.upper()}: {error}"))
    if set(found) == set(NAMES):
        _against(chosen, found)


def _choose(view: View, now: Saved) -> dict[str, Saved]:
    """What A and B are: chosen from the list, saved, or read from the address."""
    usual = _usual(view, now)
    presets = [Saved(model, factor=factor) for model in _of_same_task(view) for factor in FACTORS]
    named = {Saved(now.model, factor=one.factor).to_query(): one.name for one in _named(view)}
    chosen = {}

    def label(text: str) -> str:
        return f"{_label(text)} ({named[text].lower()})" if text in named else _label(text)

    with st.container(horizontal=True, gap="medium", key="sides"):
        for name in NAMES:
            first = usual[name].to_query()

            def read(text: str, name: str = name, first: str = first) -> tuple[str, str | None]:
                saved, notices = read_saved({name: text})
                return (text, None) if saved else (first, notices[0])

            header.linked(name, first, read)
            given = st.session_state[name]
            options = list(dict.fromkeys([first, given, *(preset.to_query() for preset in presets), *named]))
            st.selectbox(name.upper(), options, key=name, format_func=label)
            saved, _ = read_saved({name: st.session_state[name]})
            chosen[name] = saved[name]
    st.html(markup.paragraph(HOW, "hint"))
    return chosen


def _named(view: View) -> list[Named]:
    """The careful and the fast setting of this model, where they are not the learned one."""
    return [one for one in settings_of(view.settings.model, view.model.thresholds) if one.factor != 1]


def _usual(view: View, now: Saved) -> dict[str, Saved]:
    """A is what is set now; B another model that answers the same, else this one at twice its thresholds."""
    learned = view.choices.learned
    others = [model for model in _of_same_task(view) if model != now.model]
    if others:
        other = Saved(others[0], factor=1.0)
    else:
        other = Saved(now.model, factor=2.0 if view.settings.thresholds == learned else 1.0)
    return {"a": Saved(now.model, factor=1.0) if view.settings.thresholds == learned else now, "b": other}


def _of_same_task(view: View) -> list[str]:
    """The model of this page, and others that were trained on its task."""
    task = view.model.settings.task
    others = [
        name
        for name, source in models.offered().items()
        if task is not None and name != view.settings.model and _task_of(source) == task
    ]
    return [view.settings.model, *others]


def _task_of(source: Path | str) -> str | None:
    """The task that a folder was trained on; None for one of the Hub, which is not read for that."""
    folder = Path(source)
    try:
        return Settings.read(folder).task if (folder / CONFIG_FILE).is_file() else None
    except CheckpointError:
        return None


def _label(text: str) -> str:
    saved, _ = read_saved({"a": text})
    one = saved["a"]
    if one.factor is not None:
        return visible(f"{one.model} · {FACTORS.get(one.factor, f'learned thresholds × {one.factor:g}')}")
    return visible(f"{one.model} · {', '.join(words.threshold(theta) for theta in one.thresholds)}")


def _run(view: View, name: str, saved: Saved) -> Prediction:
    offered = models.offered()
    if saved.model not in offered:
        raise CheckpointError(f"there is no model “{saved.model}” here; save it anew.")
    model = models.load(offered[saved.model], view.settings.device)
    thresholds = _thresholds(model, saved)
    if len(thresholds) != model.layers:
        raise CheckpointError(f"“{saved.model}” has {model.layers} layers; save it anew.")
    if _question(model) != _question(view.model):
        raise CheckpointError(
            f"“{saved.model}” answers another question than {view.settings.model}: other labels, or "
            "another number of texts. Save one that answers the same."
        )
    key = (saved, view.settings.device, view.texts)
    return session.memory().keep(f"saved_{name}", key, lambda: runs.predict(model, view.texts, thresholds))


def _thresholds(model: PrunedModel, saved: Saved) -> tuple[float, ...]:
    if saved.factor is None:
        return saved.thresholds
    return tuple(min(1.0, saved.factor * theta) for theta in models.start_thresholds(model))


def _question(model: PrunedModel) -> tuple[bool, tuple[str, ...]]:
    """What a model is asked: about one text or two, and with which labels it answers."""
    return is_pair_task(model.settings.task), models.classes(model)


def _against(saved: dict[str, Saved], found: dict[str, Prediction]) -> None:
    finding = findings.two(found["a"], found["b"])
    st.html(markup.heading(finding, 3))
    traces = {name.upper(): run.trace for name, run in found.items()}
    one, other = traces.values()
    if one.tokens == other.tokens and len(one.layers) == len(other.layers):
        blocks.rules_lines("rules_map_ab", finding, traces, MOST_TOKENS)
    else:  # other layers, or other pieces of words: each has a scale of its own
        for name, trace in traces.items():
            blocks.rules_lines(f"rules_map_{name.lower()}", f"{name}: {finding}", {name: trace}, MOST_TOKENS)
    st.html(markup.paragraph("A number is the layer in which the token leaves.", "hint"))
    st.html(
        markup.table(
            ("", "What", "Answer", "FLOPs", "Layers", "Tokens left, layer by layer"),
            [
                (
                    name.upper(),
                    _label(saved[name].to_query()),
                    findings.answer(run),
                    words.flops(run.flops),
                    str(len(run.trace.layers)),
                    " ".join(map(str, run.trace.alive)),
                )
                for name, run in found.items()
            ],
            "A and B on the sentence above",
        )
    )
