"""What the pages ask of `ltp_core`: models, predictions, measured times. The only module that calls it.

A model is loaded once a process and shared by all visitors; thresholds go in with each call. Times are
measured one visitor at a time, and no batch of a data set runs meanwhile. A single text, or an explanation,
of another visitor may run while times are measured, and then slows them down.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st

from app.turns import Turns
from ltp_core import (
    CheckpointError,
    Dense,
    Prediction,
    PrunedModel,
    Thresholds,
    rising_thresholds,
)
from ltp_core.checkpoints import CONFIG_FILE, Settings, shipped_models
from ltp_core.data.sentences import own_sentences
from ltp_core.data.survey import LengthPoint, flops_by_length
from ltp_core.flops import LayerFlops, flops_by_layer
from ltp_core.model import Text
from ltp_core.speed.latency import Comparison, available_devices, compare
from ltp_core.why import contest, counterfactual
from ltp_core.why.agreement import Agreement, agreement
from ltp_core.why.attribution import Attribution, Batch, Method, attribute
from ltp_core.why.counterfactual import KeptToken, SmallestDrop, SmallestScale
from ltp_core.why.deletion import Deletion, deletion

MAX_CHARACTERS = 100_000  # in one text; the model reads the first few hundred tokens of it
MOST_RUNS = 4  # texts that run at once; more only slow each other down
LENGTHS = (16, 32, 64, 128, 192, 256, 384, 512)  # tokens
TEXTS_A_LENGTH = 2
MOST_EXPLAINED = 160  # tokens that Integrated Gradients, or a search for a flip, is run on
DRAWS = 5  # random deletions that LTP's own is set against
SEARCH_BUDGET = 500  # runs of the text, in a search for what flips its label
REST = 0.4  # seconds before a measurement: a browser on this machine draws its new figures meanwhile
LONGEST_WAIT = 20.0  # seconds in the queue for a run or a measurement
OPENS_WITH = "sst2"
MODELS_VARIABLE = "LTP_LAB_MODELS"
OWN_MODELS = "own_models"  # what this visitor has loaded, in the session
HAND_SET = 0.03  # the last threshold of a model that has learned none; the others rise evenly to it
NO_SHARES = (
    "The thresholds of “{}” are no shares of attention, which is all that the lab can show (it was trained "
    "with --length-exponent {:g}): choose another model, or run “ltp trace” on this one."
)
DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU (cuda)", "mps": "Apple GPU (mps)"}

_read_from: WeakKeyDictionary[PrunedModel, tuple[Path | str, Any]] = WeakKeyDictionary()
_measuring = Turns()  # nothing that holds it waits for another lock, except `data_set_turn`, which takes both
_surveying = Turns()  # in order, so that at most one batch is in line for `_measuring`
_running = threading.BoundedSemaphore(MOST_RUNS)
_explaining = threading.Lock()  # attributions and searches take hundreds of runs each: one at a time


class Busy(Exception):
    """Others have measured for too long; whoever asks again stands in line anew."""


class InputProblem(ValueError):
    """Something about the text that its writer can change, said in one line."""


@dataclass(frozen=True)
class Texts:
    """What a visitor typed: one text, or two for a model that compares."""

    first: str
    second: str | None = None

    @property
    def for_model(self) -> str | tuple[str, str]:
        """As `PrunedModel` takes it."""
        return self.first if self.second is None else (self.first, self.second)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to read yet."""
        return not self.first.strip() or (self.second is not None and not self.second.strip())


def models() -> dict[str, Path | str]:
    """The shared models, and the visitor's own: name -> source."""
    found = shared_models()
    for source in st.session_state.get(OWN_MODELS, ()):
        found.setdefault(source, source)
    return found


def shared_models() -> dict[str, Path | str]:
    """Shipped models and those in folders that LTP_LAB_MODELS names, which all visitors see: name -> source.

    The first is what the lab opens with: one sentence is easier to begin with than a pair.
    """
    shipped = shipped_models()
    first = {name: shipped[name] for name in (OPENS_WITH,) if name in shipped}
    found: dict[str, Path | str] = {**first, **shipped}
    for entry in filter(None, os.environ.get(MODELS_VARIABLE, "").split(os.pathsep)):
        folder = Path(entry).expanduser()
        if (folder / CONFIG_FILE).is_file():
            found.setdefault(folder.name, folder)
    return found


@dataclass(frozen=True)
class Card:
    """What is known of a shipped model.

    Attributes:
        name: as in the list of models.
        text: its model card, Markdown that a command of ours wrote.
        measured: rows of its task -> what `ltp evaluate` says on them.
    """

    name: str
    text: str
    measured: dict[str, dict[str, Any]]


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


@dataclass(frozen=True)
class Removal:
    """A word, the attention that it got, and what the model says without it.

    Attributes:
        word: as the model reads it.
        share: of the attention in the first layer, in multiples of the average.
        rank: among the tokens of the text by that share, 1 for the most.
        whole: the run on the text,
        without: and on the text without the word.
    """

    word: str
    share: float
    rank: int
    whole: Prediction
    without: Prediction

    @property
    def flips(self) -> bool:
        """Whether the label changes."""
        return self.whole.label != self.without.label


def remove_word(model: PrunedModel, text: str, word: str) -> Removal:
    """Take a word out of a text that has it once as a token of its own; raises as `predict` does."""
    whole = predict(model, Texts(text), start_thresholds(model))
    rest = " ".join(re.sub(rf"\b{re.escape(word)}\b", "", text, flags=re.IGNORECASE).split())
    without = predict(model, Texts(rest), start_thresholds(model))
    tokens = whole.trace.tokens
    shares = [share or 0.0 for share in whole.trace.layers[0].importance]
    share = shares[tokens.index(word.lower())]
    rank = 1 + sum(other > share for other in shares)
    return Removal(word, share * len(tokens), rank, whole, without)


def devices() -> tuple[str, ...]:
    """The devices of this machine, the preferred one last."""
    return tuple(available_devices())


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
    if exponent := model.settings.length_exponent:
        raise CheckpointError(NO_SHARES.format(name, exponent))
    _read_from[model] = source, stamp
    try:
        return model.to(device)
    except RuntimeError as error:
        raise CheckpointError(f"{name} does not fit onto {device}: {first_line(error)}") from None


def start_thresholds(model: PrunedModel) -> tuple[float, ...]:
    """A model's learned thresholds; hand-set ones that rise with depth if it has none."""
    if model.thresholds is not None:
        return model.thresholds
    rule = rising_thresholds(HAND_SET, model.layers)
    return tuple(rule.values)


def heads(model: PrunedModel) -> int:
    """Attention heads in a layer."""
    return int(model.hf_model.config.num_attention_heads)


def predict(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...] | None, attention_layer: int | None = None
) -> Prediction:
    """Run the model once; thresholds None means that nothing is pruned.

    Raises:
        InputProblem: if the text is too long for the lab, or has nothing that the model could read.
    """
    longest = max(len(texts.first), len(texts.second or ""))
    if longest > MAX_CHARACTERS:
        raise InputProblem(
            f"This text has {longest:,} characters; the lab takes {MAX_CHARACTERS:,}. Shorten it to go on."
        )
    with _slot(model):
        return model.predict(texts.for_model, rule=_rule(model, thresholds), attention_layer=attention_layer)


def predict_batch(
    model: PrunedModel, texts: Sequence[Text], thresholds: tuple[float, ...] | None
) -> list[Prediction]:
    """Run several texts as one packed batch; raises as `predict` does."""
    with _slot(model):
        return model.predict(list(texts), rule=_rule(model, thresholds))


def work_by_layer(model: PrunedModel, prediction: Prediction) -> list[LayerFlops]:
    """Paper FLOPs of a run, layer by layer and part by part."""
    return flops_by_layer(model.dimensions, len(prediction.trace.tokens), prediction.trace.alive)


def work_by_length(model: PrunedModel, thresholds: tuple[float, ...]) -> list[LengthPoint]:
    """Paper FLOPs of sentences of ours, joined and cut to several lengths; raises as `predict` does."""
    lengths = [length for length in LENGTHS if length <= model.max_tokens]
    with _slot(model):
        return flops_by_length(model, _rule(model, thresholds), lengths, TEXTS_A_LENGTH)


def rivals(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...], draws: int
) -> tuple[list[contest.Contender], list[Prediction]]:
    """All rules at nearly the FLOPs of these thresholds, and so many random draws; raises as `predict`."""
    with _slot(model):
        found = contest.contest(model, texts.for_model, _rule(model, thresholds))
        return found, contest.random_draws(model, texts.for_model, found[0].prediction, draws)


@dataclass(frozen=True)
class Explanation:
    """What the Attribution page draws.

    Attributes:
        attribution: of the dense and the pruned model.
        dense: agreement of the dense attributions with survival,
        pruned: and of the pruned ones.
        deletion: what happens when other tokens go in place of those that are pruned.
    """

    attribution: Attribution
    dense: Agreement
    pruned: Agreement
    deletion: Deletion


def classes(model: PrunedModel) -> tuple[str, ...]:
    """Names of the classes; none for a model that puts out a number."""
    count = model.dimensions.classes
    return () if count == 1 else tuple(model.config.id2label[index] for index in range(count))


def explain(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...], label: str | None, method: Method
) -> Explanation:
    """Attribute the answer to the tokens, and set that beside survival; raises as `predict` does."""
    with _one_at_a_time(), _slot(model):
        batch = Batch.of(model.encode([texts.for_model])[0])
        if method == "integrated_gradients":
            _short_enough(batch, "Shorten it, or choose Gradient × input, which takes any length.")
        found = attribute(model, texts.for_model, label, method, _rule(model, thresholds))
        kept = [layer.kept for layer in found.trace.layers]
        dense, pruned = (agreement(x.values, kept, found.words) for x in (found.dense, found.pruned))
        return Explanation(found, dense, pruned, deletion(model, batch, found, DRAWS))


def predict_pinned(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...], stay: Sequence[int], go: Sequence[int]
) -> Prediction:
    """Run with some tokens pinned, counted from 0; raises as `predict` does."""
    with _slot(model):
        return counterfactual.pinned(model, texts.for_model, stay, go, _rule(model, thresholds))


def keeping(model: PrunedModel, texts: Texts, thresholds: tuple[float, ...]) -> tuple[KeptToken, ...]:
    """What each dropped token would change if it stayed; raises as `predict` does."""
    with _one_at_a_time(), _slot(model):
        _short_enough(Batch.of(model.encode([texts.for_model])[0]))
        return counterfactual.what_keeping_changes(model, texts.for_model, _rule(model, thresholds))


def smallest_changes(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...]
) -> tuple[SmallestDrop, SmallestScale | None]:
    """The smallest changes that flip the label; no scale where all thresholds are 0. Raises as `predict`."""
    with _one_at_a_time(), _slot(model):
        _short_enough(Batch.of(model.encode([texts.for_model])[0]))
        rule = Thresholds(thresholds)
        drop = counterfactual.smallest_drop(model, texts.for_model, rule, SEARCH_BUDGET)
        scale = counterfactual.smallest_scale(model, texts.for_model, rule) if any(thresholds) else None
        return drop, scale


def company(model: PrunedModel, texts: Texts, size: int) -> list[Text]:
    """A batch of so many texts that begins with the visitor's; the others are sentences of ours."""
    return [texts.for_model, *own_texts(pairs=texts.second is not None)[: size - 1]]


def own_texts(pairs: bool) -> list[Text]:
    """The sentences that come with the project, two by two for a model that reads pairs."""
    ours = own_sentences()
    return list(zip(ours[::2], ours[1::2], strict=False)) if pairs else list(ours)


def measure(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...], each_round: Callable[[], None]
) -> Comparison:
    """Time this very text on the model's device: dense and pruned, in turn.

    Args:
        model: what to run.
        texts: the input.
        thresholds: one a layer.
        each_round: called between rounds and while waiting; may raise to stop.

    Raises:
        Busy: if others kept measuring for too long.
    """
    return measure_batch(model, [texts.for_model], thresholds, each_round)


def measure_batch(
    model: PrunedModel,
    texts: Sequence[Text],
    thresholds: tuple[float, ...],
    each_round: Callable[[], None],
) -> Comparison:
    """As `measure`, for several texts in one batch.

    It begins after a rest, in which the visitor may change something again. Drawing and measuring at once
    would slow each other down where both use the same cores.
    """
    rested = time.monotonic() + REST
    while time.monotonic() < rested:
        each_round()
        time.sleep(0.05)
    deadline = time.monotonic() + LONGEST_WAIT

    def wait() -> None:
        each_round()
        if time.monotonic() > deadline:
            raise Busy

    with _measuring.turn(wait):
        return compare(model, list(texts), rule=_rule(model, thresholds), on_round=each_round)


@contextmanager
def data_set_turn(meanwhile: Callable[[], object]) -> Iterator[None]:
    """For one batch of a data set: wait until nothing is measured, and let nothing be measured.

    Args:
        meanwhile: called while waiting; may raise to stop.
    """
    with _surveying.turn(meanwhile), _measuring.turn(meanwhile):
        yield


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _explaining.acquire(timeout=LONGEST_WAIT):
        raise InputProblem("Another visitor’s sentence is being explained. Press Run again in a moment.")
    try:
        yield
    finally:
        _explaining.release()


def _short_enough(batch: Batch, way_out: str = "Shorten it to go on.") -> None:
    tokens = batch.ids.shape[1]
    if tokens > MOST_EXPLAINED:
        raise ValueError(
            f"This text has {tokens} tokens; the lab does this for up to {MOST_EXPLAINED}. {way_out}"
        )


@contextmanager
def _slot(model: PrunedModel) -> Iterator[None]:
    """A place among the texts that run at once; what goes wrong inside is said in one line."""
    if not _running.acquire(timeout=LONGEST_WAIT):
        raise InputProblem("Too many visitors run a text right now. Press Run again in a moment.")
    try:
        yield
    except ValueError as error:
        raise InputProblem(str(error)) from None
    except RuntimeError as error:  # out of memory, a device that has gone
        raise InputProblem(f"This text could not be run on {model.device}: {first_line(error)}") from None
    finally:
        _running.release()


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _rule(model: PrunedModel, thresholds: tuple[float, ...] | None) -> Dense | Thresholds:
    return Dense() if thresholds is None else Thresholds(thresholds)


__all__ = [
    "Busy",
    "CheckpointError",
    "Comparison",
    "Explanation",
    "InputProblem",
    "Texts",
    "cards",
    "classes",
    "company",
    "data_set_turn",
    "devices",
    "explain",
    "heads",
    "keeping",
    "load",
    "measure",
    "measure_batch",
    "models",
    "own_texts",
    "predict",
    "predict_batch",
    "predict_pinned",
    "remove_word",
    "rivals",
    "smallest_changes",
    "start_thresholds",
    "work_by_layer",
    "work_by_length",
]
