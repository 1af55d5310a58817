"""Which models the lab offers, and loading them: once a process, shared by all visitors."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st

from app.serving import memory
from ltp_core import CheckpointError, PrunedModel, rising_thresholds
from ltp_core.checkpoints import (
    CONFIG_FILE,
    USUAL_MODEL,
    Settings,
    absent_bases,
    shipped_models,
    usable_models,
)
from ltp_core.speed.latency import available_devices
from ltp_core.speed.precision import dynamic_int8
from ltp_core.weights.pretrained import in_float32

memory.keep()  # torch and transformers are here from now on, and hardly a visitor yet

MODELS_VARIABLE = "LTP_LAB_MODELS"
OWN_MODELS = "own_models"  # what this visitor has loaded, in the session
HAND_SET = 0.03  # the last threshold of a model that has learned none; the others rise evenly to it
BROWSER = "browser"  # a device of the visitor's: the server's own runs go on where it prefers
DEVICE_NAMES = {BROWSER: "This browser", "cpu": "CPU", "cuda": "GPU (cuda)", "mps": "Apple GPU (mps)"}

_read_from: WeakKeyDictionary[PrunedModel, tuple[Path | str, Any]] = WeakKeyDictionary()
_stored_in: WeakKeyDictionary[PrunedModel, str] = WeakKeyDictionary()  # those in half precision


def offered() -> dict[str, Path | str]:
    """The shared models, and the visitor's own: name -> source."""
    found = shared()
    for source in st.session_state.get(OWN_MODELS, ()):
        found.setdefault(source, source)
    return found


def shared() -> dict[str, Path | str]:
    """Shipped models and those in folders that LTP_LAB_MODELS names, which all visitors see: name -> source.

    The first is what the lab opens with: one sentence is easier to begin with than a pair. A shipped model
    whose base is not on this machine is none of them, see `absent`.
    """
    shipped = usable_models()
    first = {name: shipped[name] for name in (USUAL_MODEL,) if name in shipped}
    found: dict[str, Path | str] = {**first, **shipped}
    for entry in filter(None, os.environ.get(MODELS_VARIABLE, "").split(os.pathsep)):
        folder = Path(entry).expanduser()
        if (folder / CONFIG_FILE).is_file():
            found.setdefault(folder.name, folder)
    return found


def absent() -> dict[str, str]:
    """Shipped models that are not offered: name -> one line that says why, and what would bring them."""
    return {name: f"“{name}” is not offered: {base.absence}." for name, base in absent_bases().items()}


@dataclass(frozen=True)
class Card:
    """What is known of a shipped model.

    Attributes:
        name: as in the list of models.
        text: the model card, Markdown that a command of ours wrote.
        measured: rows of its task -> what `ltp evaluate` says on them.
    """

    name: str
    text: str
    measured: Mapping[str, dict[str, Any]]


def cards() -> list[Card]:
    """The shipped models with their cards, as the commands have written them."""
    found = []
    for name, folder in shipped_models().items():
        results = Settings.read(folder).results
        file = folder / "README.md"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        text = text.split("---\n", 2)[-1] if text.startswith("---\n") else text
        rows = {rows: said for rows, said in results.items() if "pruned" in said}
        found.append(Card(name, text, rows))
    return found


def devices() -> tuple[str, ...]:
    """The devices of this machine, the preferred one last."""
    return tuple(available_devices())


def on_server(device: str) -> str:
    """Where the server runs a model for a visitor who has chosen this device."""
    return devices()[-1] if device == BROWSER else device


def _stamp(source: Path | str) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of a folder's settings and weights; nothing for a model of the Hub."""
    try:
        files = [file for kind in ("*.json", "*.safetensors") for file in Path(source).glob(kind)]
        return tuple(sorted((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files))
    except OSError:  # no file system takes such a name, or the folder is written right now
        return ()


def _is_current(model: PrunedModel) -> bool:
    """Whether a model's folder is as it was when it was read: it may have been trained anew since."""
    source, stamp = _read_from[model]
    return _stamp(source) == stamp


@st.cache_resource(show_spinner=False, max_entries=8, validate=_is_current)
def load(source: Path | str, device: str) -> PrunedModel:
    """Load a model onto a device, once for all visitors, and again when its folder has changed.

    Raises:
        CheckpointError: one line that says what is wrong with it, or with the device, or why the lab cannot
            show it.
    """
    name = source.name if isinstance(source, Path) else source
    stamp = _stamp(source)  # before it is read: what is written meanwhile is then seen the next time
    model = PrunedModel.from_pretrained(source)
    model.name = name  # pages name it as the menu does, and never by a folder of the server
    _read_from[model] = source, stamp
    if model.tokenizer is None:
        raise CheckpointError(f"{name} has no tokenizer: put the files of the one it was trained with there")
    if stored := in_float32(model.hf_model):
        _stored_in[model] = stored
    try:
        return model.to(device)
    except RuntimeError as error:
        raise CheckpointError(f"{name} does not fit onto {device}: {first_line(error)}") from None


def stored_in(model: PrunedModel) -> str | None:
    """The half precision in which a model is stored, while the lab computes in float32; None for others."""
    return _stored_in.get(model)


@st.cache_resource(show_spinner=False, max_entries=1, validate=_is_current)
def in_int8(source: Path | str, device: str) -> PrunedModel:
    """The same model with 8-bit weights, made once for all visitors, on the processor."""
    exact = load(source, device)
    rounded = dynamic_int8(exact if exact.device.type == "cpu" else load(source, "cpu"))
    _read_from[rounded] = _read_from[exact]
    return rounded


def start_thresholds(model: PrunedModel) -> tuple[float, ...]:
    """A model's learned thresholds; hand-set ones that rise with depth if it has none."""
    if model.thresholds is not None:
        return model.thresholds
    rule = rising_thresholds(HAND_SET, model.layers, model.reference_length)
    return tuple(rule.values)


def heads(model: PrunedModel) -> int:
    """Attention heads in a layer."""
    return int(model.hf_model.config.num_attention_heads)


def classes(model: PrunedModel) -> tuple[str, ...]:
    """Names of the classes in order; none for a model that puts out a number."""
    return model.classes


def first_line(error: Exception) -> str:
    """What a library's error says first: the rest is of no use to a visitor."""
    return str(error).strip().partition("\n")[0]
