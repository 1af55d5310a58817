"""The top of every page: title, texts, pickers; and what the model makes of them.

A page on one sentence needs three lines:

    view = header.view("Where does the saving come from?", "FLOPs, layer by layer.")
    if view is not None:
        draw(view.dense, view.pruned, view.settings.thresholds)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from app import examples, models, runs
from app.runs import InputProblem, Texts
from app.says import markup, words
from app.visitor import own_models, session
from app.visitor.state import LONGEST_LINK, Choices, PageSettings
from ltp_core import CheckpointError, Prediction, PrunedModel, Trace

HAND_SET = (
    "This model has learned no thresholds. It starts with ones set by hand, which rise evenly to {} in the "
    "last layer; “ltp calibrate” finds better ones, “ltp train” learns them."
)


@dataclass(frozen=True)
class Setup:
    """What a page works with, once a model is loaded.

    Attributes:
        models: names of all models that can be chosen.
        choices: what this model and machine offer.
        settings: what the visitor has set, on this page or another.
        model: the model, on the chosen device.
    """

    models: tuple[str, ...]
    choices: Choices
    settings: PageSettings
    model: PrunedModel

    @property
    def device(self) -> str:
        """Name of the device, for people."""
        return models.DEVICE_NAMES.get(self.settings.device, self.settings.device)


@dataclass(frozen=True)
class View:
    """A sentence and its two runs.

    Attributes:
        setup: model and settings.
        texts: what was read.
        dense: the run with nothing pruned,
        pruned: and the one under the thresholds.
    """

    setup: Setup
    texts: Texts
    dense: Prediction
    pruned: Prediction

    @property
    def model(self) -> PrunedModel:
        """The model, on the chosen device."""
        return self.setup.model

    @property
    def settings(self) -> PageSettings:
        """What the visitor has set."""
        return self.setup.settings

    @property
    def choices(self) -> Choices:
        """What this model and machine offer."""
        return self.setup.choices

    @property
    def trace(self) -> Trace:
        """What happened to every token in the pruned run."""
        return self.pruned.trace

    @property
    def key(self) -> tuple[str, str, Texts, tuple[float, ...]]:
        """What the two runs depend on: a key for `session.memory().keep`."""
        return self.settings.model, self.settings.device, self.texts, self.settings.thresholds


def view(title: str, lead: str, attention: bool = False) -> View | None:
    """Draw the top of a page on one sentence, and run the model.

    Args:
        title: the page's question.
        lead: one sentence under it.
        attention: keep the attention of layer `settings.layer` in the pruned run's trace.

    Returns:
        What to draw; None if there is nothing, which the page then already says.
    """
    setup = open_page(title, lead)
    return None if setup is None else run(setup, inputs(setup), attention)


def open_page(title: str, lead: str) -> Setup | None:
    """Draw title and notices, load the model, read the settings; None if no model can be loaded."""
    with st.container(key="top"):
        st.html(markup.heading(title, 1) + markup.paragraph(lead))
    own_models.offer_link()
    offered = models.offered()
    if not offered:
        st.html(markup.notice("There is no model here: assets/models is empty."))
        return None
    names = tuple(offered)
    name = session.choose_model(list(names))
    try:
        with st.spinner("Loading the model …"):
            choices = _choices(name, offered[name])
    except CheckpointError as error:
        st.html(markup.notice(str(error)))
        st.session_state["model"] = name
        pickers(names, models.devices())
        return None
    settings = session.settings_of_run(choices, list(names))
    try:
        model = models.load(offered[name], settings.device)
    except CheckpointError as error:
        st.html(markup.notice(str(error)))
        pickers(names, choices.devices)
        return None
    session.memory().use(model)
    for text in session.memory().notices:
        st.html(markup.notice(text))
    if not choices.has_learned:
        st.html(markup.notice(HAND_SET.format(words.threshold(models.HAND_SET))))
    return Setup(names, choices, settings, model)


def inputs(setup: Setup) -> Texts:
    """The text box or boxes with examples, and the pickers beside, without what a teacher's link hides."""
    if "model" in session.hidden():
        return _texts(setup)
    left, right = st.columns([3, 1], gap="medium")
    with left:
        texts = _texts(setup)
    with right:
        pickers(setup.models, setup.choices.devices)
    return texts


def _texts(setup: Setup) -> Texts:
    """The boxes; in their place the sentence alone where a teacher has fixed it."""
    is_pair = setup.choices.pair is not None
    if "text" in session.hidden():
        texts = Texts(setup.settings.text, setup.settings.pair if is_pair else None)
        for text in filter(None, (texts.first, texts.second)):
            st.html(markup.paragraph(f"“{text}”", "fixed"))
        return texts
    first = st.text_area("First text" if is_pair else "Your sentence", key="text", height=92)
    second = st.text_area("Second text", key="pair", height=92) if is_pair else None
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="examples"):
        st.button("Run", key="run", icon=":material/play_arrow:", on_click=session.run_again)
        for number, example in enumerate(examples.examples_for(setup.model.settings.task)):
            st.button(
                example.name,
                key=f"example_{number}",
                type="tertiary",
                on_click=session.set_text,
                args=(example.text, example.pair),
            )
    if len(first or "") + len(second or "") > LONGEST_LINK:
        st.html(markup.notice("This text is too long for a link: the address keeps everything except it."))
    return Texts(first or "", second if second is None else second or "")


def linked(
    name: str, usual: Any, read: Callable[[str], tuple[Any, str | None]], write: Callable[[Any], str] = str
) -> None:
    """As `session.linked`; what the address asks for in vain is said here."""
    if notice := session.linked(name, usual, read, write):
        st.html(markup.notice(notice))


def pickers(names: Sequence[str], devices: Sequence[str]) -> None:
    """Model and device, unless a teacher's link hides them."""
    if "model" in session.hidden():
        return
    st.selectbox("Model", names, key="model")
    st.selectbox(
        "Device", devices, key="device", format_func=lambda name: models.DEVICE_NAMES.get(name, name)
    )
    own_models.picker()


def run(setup: Setup, texts: Texts, attention: bool = False) -> View | None:
    """Both runs, repeated only when something they depend on has changed; None if there is no text to run."""
    if texts.blank:
        st.html(markup.notice("Type a sentence above, or choose an example, and press Run."))
        return None
    settings, keep = setup.settings, session.memory().keep
    about = (settings.model, settings.device, texts)
    layer = settings.layer if attention else None
    try:
        dense = keep("dense", about, lambda: runs.predict(setup.model, texts, None))
        pruned = keep(
            "pruned",
            (*about, settings.thresholds, layer),
            lambda: runs.predict(setup.model, texts, settings.thresholds, layer),
        )
    except InputProblem as error:
        st.html(markup.notice(str(error)))
        return None
    trace = pruned.trace
    if trace.truncated_tokens:
        st.html(
            markup.notice(
                f"Too long for this model: it reads {len(trace.tokens)} tokens, so the last "
                f"{words.tokens(trace.truncated_tokens)} were cut."
            )
        )
    return View(setup, texts, dense, pruned)


def _choices(name: str, folder: Path | str) -> Choices:
    devices = models.devices()
    model = models.load(folder, devices[-1])
    task = model.settings.task
    first = examples.examples_for(task)[0]
    return Choices(
        model=name,
        devices=devices,
        layers=model.layers,
        heads=models.heads(model),
        learned=models.start_thresholds(model),
        has_learned=model.thresholds is not None,
        text=first.text,
        pair=first.pair if examples.is_pair_task(task) else None,
    )
