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

from app import examples, models, runs, surprises
from app.live.offer import runs_in_browser, what_runs_where
from app.runs import InputProblem, Texts
from app.says import markup, questions, text, words
from app.visitor import own_models, session
from app.visitor.state import LONGEST_LINK, Choices, PageSettings
from ltp_core import CheckpointError, Prediction, PrunedModel, Trace

HAND_SET = (
    "This model has learned no thresholds. It starts with ones set by hand, which rise evenly to {} in the "
    "last layer; “ltp calibrate” finds better ones, “ltp train” learns them."
)

HALF = "This model is stored in {}. The lab computes in float32, in which attributions come out."


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
        """Name of the device that the server runs it on, for people."""
        device = models.on_server(self.settings.device)
        return models.DEVICE_NAMES.get(device, device)


@dataclass(frozen=True)
class View:
    """A sentence and its two runs.

    Attributes:
        setup: model and settings.
        texts: what was read.
        dense: the run with nothing pruned.
        pruned: the run under the thresholds.
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
        lead: one sentence under it; "" where the page's picture says both: the title is then only spoken.
        attention: keep the attention of layer `settings.layer` in the pruned run's trace.

    Returns:
        What to draw; None if there is nothing, which the page then already says.
    """
    setup = open_page(title, lead)
    return None if setup is None else run(setup, inputs(setup), attention)


def open_page(title: str, lead: str) -> Setup | None:
    """Draw title and notices, load the model, read the settings; None if no model can be loaded."""
    with st.container(key="top" if lead else "spoken_top"):
        st.html(markup.heading(title, 1) + (markup.paragraph(lead) if lead else ""))
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
        model = models.load(offered[name], models.on_server(settings.device))
    except CheckpointError as error:
        st.html(markup.notice(str(error)))
        pickers(names, choices.devices)
        return None
    session.memory().use(model)
    for line in session.memory().notices:
        st.html(markup.notice(line))
    if not choices.has_learned:
        st.html(markup.notice(HAND_SET.format(words.threshold(models.HAND_SET))))
    if stored := models.stored_in(model):
        st.html(markup.notice(HALF.format(stored)))
    return Setup(names, choices, settings, model)


def inputs(setup: Setup) -> Texts:
    """In one line the sentence, model, surprises and device, without what a teacher's link hides."""
    hidden = session.hidden()
    with st.container(key="inputs", horizontal=True, gap="small", vertical_alignment="top"):
        texts = _texts(setup)
        if "text" not in hidden:
            st.button("Run", key="run", help="Read it again", on_click=session.run_again)
        if "model" not in hidden:
            with st.popover(text.as_label(_chip(setup)), key="model_chip"):
                pick_model(setup.models)
        if "text" not in hidden:
            with st.popover("Surprises", key="surprises"):
                _surprises(setup)
        if "model" not in hidden:
            with st.popover(":material/settings:", key="gear", help="Where it runs"):
                pick_device(setup.choices.devices)
                st.html(markup.paragraph(what_runs_where(setup.settings.model, setup.model), "hint"))
    if len(texts.first) + len(texts.second or "") > LONGEST_LINK:
        st.html(markup.notice("This text is too long for a link: the address keeps everything except it."))
    return texts


def _chip(setup: Setup) -> str:
    name = setup.settings.model
    about = questions.question(setup.model, name).name
    return name if about == name else f"{about} · {name}"


def texts_of(setup: Setup) -> Texts:
    """What the settings say, where no boxes are drawn, or further down."""
    return Texts(setup.settings.text, setup.settings.pair if setup.choices.pair is not None else None)


def _texts(setup: Setup) -> Texts:
    """The boxes; in their place the sentence alone where a teacher has fixed it."""
    is_pair = setup.choices.pair is not None
    if "text" in session.hidden():
        texts = texts_of(setup)
        quoted = (f"“{each}”" for each in filter(None, (texts.first, texts.second)))
        st.html(markup.paragraph(" ".join(quoted), "fixed"))
        return texts
    box: dict[str, Any] = {"height": 68, "label_visibility": "collapsed"}
    if not is_pair:
        return Texts(st.text_area("Your sentence", key="text", placeholder="Type a sentence", **box) or "")
    first = st.text_area("First text", key="text", placeholder="First text", **box)
    second = st.text_area("Second text", key="pair", placeholder="Second text", **box)
    return Texts(first or "", second or "")


def _surprises(setup: Setup) -> None:
    """Cases to puzzle over, and sentences to start from."""
    for number, case in enumerate(surprises.offered(setup.models)):
        question = case.question[0].upper() + case.question[1:]
        st.button(
            f"**{text.as_label(case.name)}**  \n{text.as_label(question)}",
            key=f"surprise_{number}",
            type="tertiary",
            on_click=session.follow,
            args=(case.query,),
        )
    st.html(markup.paragraph("Or just a sentence:", "hint"))
    with st.container(horizontal=True, gap="small", key="examples"):
        for number, example in enumerate(examples.examples_for(setup.model.settings.task)):
            st.button(
                example.name,
                key=f"example_{number}",
                type="tertiary",
                on_click=session.set_text,
                args=(example.text, example.pair),
            )


def linked(
    name: str, usual: Any, read: Callable[[str], tuple[Any, str | None]], write: Callable[[Any], str] = str
) -> None:
    """As `session.linked`; what the address asks for in vain is said here."""
    if notice := session.linked(name, usual, read, write):
        st.html(markup.notice(notice))


def pickers(names: Sequence[str], devices: Sequence[str]) -> None:
    """Model and device, unless a teacher's link hides them."""
    if "model" not in session.hidden():
        pick_model(names)
        pick_device(devices)


def pick_model(names: Sequence[str]) -> None:
    """The list of models, and the way to one of the visitor's own."""
    st.selectbox("Model", names, key="model")
    own_models.picker()


def pick_device(devices: Sequence[str]) -> None:
    """Where it runs."""
    st.selectbox(
        "Device", devices, key="device", format_func=lambda name: models.DEVICE_NAMES.get(name, name)
    )


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
    first = surprises.opening(name) or examples.examples_for(task)[0]
    return Choices(
        model=name,
        devices=(models.BROWSER, *devices) if runs_in_browser(name, model) else devices,
        layers=model.layers,
        heads=models.heads(model),
        learned=models.start_thresholds(model),
        has_learned=model.thresholds is not None,
        text=first.text,
        pair=first.pair if examples.is_pair_task(task) else None,
    )
