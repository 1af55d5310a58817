"""Models that a visitor brings: a folder on this machine, or an id on the Hugging Face Hub.

To name a folder is to make the server read it, and an id makes it download. So this is off unless who starts
the lab asks for it, by `ltp lab --own-models` or LTP_LAB_OWN_MODELS=on: from a connection it cannot be told
who is there, as a proxy on this machine is on this machine. Models for everybody belong into LTP_LAB_MODELS
instead, see `models`.
"""

import os

import streamlit as st

from app import models
from app.says import markup
from app.visitor import session
from ltp_core import CheckpointError

VARIABLE = "LTP_LAB_OWN_MODELS"
LONGEST = 500  # characters of a name
ASK = "Folder or Hugging Face id"
HELP = (
    "A folder that “ltp train” or save_pretrained wrote, or the id of a model with a classification head on "
    "the Hugging Face Hub. Only safetensors are read, and no code that comes with a model is run."
)


def allowed() -> bool:
    """Whether visitors may name folders and ids."""
    return os.environ.get(VARIABLE, "").strip().lower() in ("on", "1", "yes", "true")


def remembered() -> list[str]:
    """What this visitor has loaded, the latest last."""
    return list(st.session_state.get(models.OWN_MODELS, ()))


def add(source: str) -> str | None:
    """Load a model and remember it -> None, or one line that says why not."""
    source = source.strip()
    if not source:
        return "Name a folder or an id first."
    if len(source) > LONGEST or not source.isprintable():
        return "This is no name of a folder or of a model."
    if not allowed():
        return "This server loads only the models in the list."
    try:
        models.load(source, models.devices()[-1])
    except CheckpointError as error:
        return str(error)
    except Exception as error:  # transformers raises many kinds for what it cannot make sense of
        return f"{source} cannot be loaded: {models.first_line(error)}"
    if source not in models.offered():
        st.session_state[models.OWN_MODELS] = [*remembered(), source]
    return None


def offer_link() -> None:
    """Ask before the model that the address names is loaded.

    Who follows a link has not read it: alone it may neither make the server read a folder nor download.
    """
    name = st.query_params.get("model", "")
    if not name or name in models.offered() or not allowed():
        return
    if len(name) > LONGEST or not name.isprintable():
        return
    said = f"This link names the model {name}."
    if _is_on_another_machine(name):
        st.html(markup.notice(f"{said} It is a folder on another machine: load it by “Another model …”."))
        return
    with st.container(horizontal=True, vertical_alignment="center", key="link_model"):
        st.html(markup.notice(said))
        st.button("Load", key="link_model_load", on_click=_load_link, args=(name,))
    if why := st.session_state.pop("link_model_why", None):
        st.html(markup.notice(why))


def _is_on_another_machine(name: str) -> bool:
    """Whether Windows takes a name for a shared folder: to look there tells its owner who is looking."""
    return name.strip().replace("\\", "/").startswith("//")


def _load_link(name: str) -> None:
    st.session_state["link_model_why"] = why = add(name)
    if why is None:
        st.session_state["model"] = name
        session.memory().settings = None  # the address is read anew: it may hold thresholds for this model


def picker() -> None:
    """A field that opens; what cannot be loaded says why, and the model of now stays."""
    if not allowed():
        return
    with st.expander("Another model …", key="own_model"):
        st.text_input(ASK, key="own_model_name", help=HELP)
        st.button("Load", key="own_model_load", on_click=_load)
    if why := st.session_state.pop("own_model_why", None):
        st.html(markup.notice(why))


def _load() -> None:
    source = st.session_state.get("own_model_name", "").strip()
    st.session_state["own_model_why"] = why = add(source)
    if why is None:
        st.session_state["model"] = source
