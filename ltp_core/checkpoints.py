"""Where weights are found, and what is checked before they are used. Only safetensors, never remote code."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from ltp_core.architectures import family_of
from ltp_core.bases import BASES, KNOWN, WEIGHTS, Base, CheckpointError, base_folder, is_here, sha256
from ltp_core.files.places import ROOT
from ltp_core.files.whole import write_whole
from ltp_core.flops import Dimensions
from ltp_core.importance import checked_queries
from ltp_core.rules.base import Rule
from ltp_core.rules.thresholds import Dense, Thresholds, checked_reference_length
from ltp_core.weights import deltas
from ltp_core.weights.pretrained import (
    check_folder,
    class_names,
    has_tokenizer,
    load_classifier,
    load_config,
    load_tokenizer,
    read_header,
    read_json,
    reason,
)

SHIPPED = ROOT / "assets" / "models"
CONFIG_FILE = "ltp_config.json"
THRESHOLDS_FILE = "ltp.safetensors"
BASELINE_FOLDER = "baseline"
USUAL_MODEL = "sst2"  # where none is named
VARIANTS = ("ltp", "baseline")  # of a model: the pruned one's, and those of the dense one beside it
MOST_THRESHOLDS = 2**20  # bytes of the file
LONGEST = 2**14  # tokens; no encoder that is known reads more


@dataclass(frozen=True)
class Settings:
    """What `ltp_config.json` holds: how to read the thresholds, and where the model comes from.

    Attributes:
        reference_length: N, up to which a threshold is a share of attention, see `Thresholds`; None for no
            limit.
        importance_queries: how many queries the importance is averaged over, see `ltp_core.importance`; None
            for all.
        temperature: T of the soft gates, in the unit of the importance.
        task: the name of the task it was trained on.
        base: name of the base in `BASES`, if the weights are stored as differences.
        files: SHA-256 of each file of a shipped model.
        training: how it was trained, for the model card.
        results: what was measured on it, for the model card.
    """

    reference_length: float | None = None
    importance_queries: int | None = None
    temperature: float = 0.004
    task: str | None = None
    base: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be computed with."""
        checked_reference_length(self.reference_length)
        checked_queries(self.importance_queries)
        if not isinstance(self.temperature, int | float) or not 0 < self.temperature < math.inf:
            raise TypeError(f"temperature must be a number above 0, got {self.temperature!r}")
        if not all(isinstance(getattr(self, name), str | None) for name in ("task", "base")):
            raise TypeError("task and base must be names")
        if not all(isinstance(getattr(self, name), dict) for name in ("files", "training", "results")):
            raise TypeError("files, training and results must be objects")
        if not all(isinstance(self.training.get(name, {}), dict) for name in ("dense", "pruned", "pruning")):
            raise TypeError("the training's dense, pruned and pruning must be objects")
        length = self.trained_length
        if length is not None and (type(length) is not int or not 0 < length <= LONGEST):
            raise TypeError(f"the training's max_tokens must be a number of tokens, got {length!r}")

    @property
    def trained_length(self) -> int | None:
        """Where the pruning stages cut their rows, in tokens; None if that is not known."""
        length: int | None = self.training.get("pruned", {}).get("max_tokens")
        return length

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Read them from a folder; the defaults if it has none."""
        path = folder / CONFIG_FILE
        if not path.is_file():
            return cls()
        try:
            data = read_json(path)
            refuse_exponent(data)
            return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})
        except CheckpointError:
            raise
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{path} is not readable: {error}") from None

    def write(self, folder: Path) -> None:
        """Write them into a folder."""
        write_whole(folder / CONFIG_FILE, json.dumps(asdict(self), indent=2) + "\n")


def refuse_exponent(settings: dict[str, Any]) -> None:
    """Refuse what was trained with the length exponent that earlier versions had, unless it was 0, for none.

    It compared ``n^alpha s`` with theta where n were the tokens alive in that layer. A reference length goes
    by the tokens of the input, the same in all layers, so no N gives the kept sets of an alpha, 1 included.

    Raises:
        ValueError: one line that says what to do.
    """
    alpha = settings.get("length_exponent", 0)
    if not isinstance(alpha, int | float) or not math.isfinite(alpha):
        raise ValueError(f"length_exponent must be a number, got {alpha!r}")
    if alpha != 0:
        raise ValueError(
            f"trained with length_exponent {alpha:g}, which went by the tokens still alive and has no "
            "equal here: train again with --reference-length"
        )
    if "length_exponent" in settings and settings.get("reference_length") is not None:
        raise ValueError("it has both a length_exponent and a reference_length, of which one can hold")


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a `PrunedModel` is made from."""

    name: str
    model: Any
    tokenizer: Any
    thresholds: tuple[float, ...] | None
    settings: Settings


def shipped_models() -> dict[str, Path]:
    """The models that come with the project: name -> folder."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob(f"*/{CONFIG_FILE}"))}


def absent_bases() -> dict[str, Base]:
    """The shipped models that cannot be loaded here: name -> the base that is not on this machine.

    A folder that is not readable is none of them: loading it says what is wrong.
    """
    found: dict[str, Base] = {}
    here: dict[str, bool] = {}
    for name, folder in shipped_models().items():
        try:
            base = BASES.get(Settings.read(folder).base or "")
        except CheckpointError:
            continue
        if base is None:
            continue
        if base.name not in here:
            here[base.name] = is_here(base)
        if not here[base.name]:
            found[name] = base
    return found


def usable_models() -> dict[str, Path]:
    """The shipped models whose base is on this machine: name -> folder."""
    absent = absent_bases()
    return {name: folder for name, folder in shipped_models().items() if name not in absent}


def load_checkpoint(source: str | Path, weights: str = "ltp") -> Checkpoint:
    """Load a model by the name of a shipped one, a folder, or an id on the Hub.

    Args:
        source: what to load; a `Path` is a folder, even where a shipped model has the same name.
        weights: "ltp" for the pruned model's weights, "baseline" for the separately tuned dense model
            that lies beside them.

    Raises:
        CheckpointError: if it cannot be found, read or trusted.
    """
    if weights not in VARIANTS:
        raise CheckpointError(f"weights must be {' or '.join(map(repr, VARIANTS))}, got {weights!r}")
    name, folder = str(source), _folder(source)
    settings = Settings.read(folder)
    _check_files(folder, settings)
    thresholds = read_thresholds(folder, settings.reference_length) if weights == "ltp" else None
    if settings.base is not None:
        model, tokenizer = _from_difference(folder, settings, weights)
    else:
        if weights == "baseline":
            own, folder = (folder / CONFIG_FILE).is_file(), folder / BASELINE_FOLDER
            if not folder.is_dir():
                raise CheckpointError(f"{name} has no baseline weights beside it")
            if not own:  # `train --method dense` has put nothing beside it: it says itself how it was trained
                settings = Settings.read(folder)
        model, tokenizer = _from_folder(folder)
    return Checkpoint(name, model, tokenizer, thresholds, settings)


class Described:
    """What can be said of a model without its weights, from its configuration, settings and thresholds.

    Attributes:
        settings: how thresholds are read, and where the model comes from.
        thresholds: the learned ones, one a layer; None if there are none.
    """

    settings: Settings
    thresholds: tuple[float, ...] | None

    @property
    def config(self) -> Any:
        """The Hugging Face config."""
        raise NotImplementedError

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by number; none for a regression."""
        return class_names(self.config)

    @property
    def multi_label(self) -> bool:
        """Whether each label is answered by itself (sigmoid), so that an answer is a set of labels."""
        several = getattr(self.config, "problem_type", None) == "multi_label_classification"
        return several and len(self.classes) > 1

    @property
    def dimensions(self) -> Dimensions:
        """The sizes that FLOPs depend on."""
        return family_of(self.config).dimensions(self.config)

    @property
    def max_tokens(self) -> int:
        """The longest input, in tokens, special ones included."""
        return family_of(self.config).max_tokens(self.config)

    @property
    def learned_rule(self) -> Rule:
        """The learned thresholds as a rule; `Dense` if there are none."""
        return Dense() if self.thresholds is None else self.hand_set(self.thresholds)

    def hand_set(self, values: Sequence[float]) -> Thresholds:
        """Thresholds, one a layer, read as this model reads its own."""
        return Thresholds(values, self.reference_length)

    @property
    def reference_length(self) -> float | None:
        """N, up to which a threshold is a share of attention, see `Thresholds`; None for no limit."""
        return self.settings.reference_length


class Description(Described):
    """A model that has not been loaded: commands check data and options against it.

    Attributes:
        folder: where the model lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.settings = folder, Settings.read(folder)
        if self.settings.base is None:
            check_folder(folder)
        self.thresholds = read_thresholds(folder, self.reference_length)
        self._config = load_config(folder)
        self.learned_rule.check(self.layers)
        _ = self.classes  # says so, if their names are not usable

    @property
    def config(self) -> Any:
        """The Hugging Face config."""
        return self._config

    @property
    def layers(self) -> int:
        """Number of encoder layers."""
        return self.dimensions.layers

    @property
    def bytes(self) -> int:
        """What its files take: about what a copy of the model does."""
        return sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())


def describe(source: str | Path) -> Description:
    """Read what a model is for, which takes no time. Arguments and errors as for `load_checkpoint`."""
    folder = _folder(source)
    try:
        return Description(folder)
    except CheckpointError:
        raise
    except Exception as error:  # transformers raises many kinds
        raise CheckpointError(f"{folder} is not readable: {reason(error)}") from None


def save_thresholds(folder: Path, thresholds: tuple[float, ...]) -> None:
    """Write the learned thresholds into a folder."""
    save_file({"thresholds": torch.tensor(thresholds, dtype=torch.float64)}, folder / THRESHOLDS_FILE)


def save_difference(file: Path, model: Any, base: Base, store: deltas.Packing) -> None:
    """Write a model as its difference to a base, stored as `deltas.rounded` or `deltas.low_rank` do."""
    origin = _base_weights(base)
    prefix = model.base_model_prefix + "."
    tuned = {name.removeprefix(prefix): weight for name, weight in model.state_dict().items()}
    save_file(deltas.encode(tuned, origin, store), file)


def _check_files(folder: Path, settings: Settings) -> None:
    """Compare a folder with the hashes in its settings: a shipped model is used whole or not at all."""
    for name, expected in settings.files.items():
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder / name} is missing")
        if sha256(folder / name) != expected:
            raise CheckpointError(f"{folder / name} was altered: its SHA-256 is not the one in {CONFIG_FILE}")


def has_baseline(source: str | Path) -> bool:
    """Whether a model has a separately tuned dense one beside it."""
    folder = _place(source)
    return "baseline.delta.safetensors" in Settings.read(folder).files or (folder / BASELINE_FOLDER).is_dir()


def _place(source: str | Path) -> Path:
    """Where a model lies, if it is here: `Path("sst2")` is a folder, "sst2" the shipped model."""
    shipped = shipped_models().get(source) if isinstance(source, str) else None
    return shipped or Path(source)


def _base_weights(base: Base) -> dict[str, Tensor]:
    return load_file(base_folder(base) / WEIGHTS)


def read_thresholds(folder: Path, reference_length: float | None = None) -> tuple[float, ...] | None:
    """The learned thresholds in a folder; None if it holds none.

    Raises:
        CheckpointError: if they are no shares of attention, on any input that can be read.
    """
    path = folder / THRESHOLDS_FILE
    if not path.is_file():
        return None
    if path.stat().st_size > MOST_THRESHOLDS:
        raise CheckpointError(f"{path} has {path.stat().st_size:,} bytes: those are no thresholds")
    read_header(path)
    try:
        values = load_file(path)["thresholds"]
    except (SafetensorError, KeyError) as error:
        raise CheckpointError(f"{path} is not readable: {error}") from None
    if values.dim() != 1:
        raise CheckpointError(f"{path} holds thresholds of shape {list(values.shape)} instead of one a layer")
    if not values.is_floating_point():
        raise CheckpointError(f"{path} holds thresholds of the type {values.dtype}: they are shares")
    thresholds = tuple(values.double().tolist())
    # With a reference length N, an input of n tokens is compared with theta min(1, N / n).
    most = 1.0 if reference_length is None else max(1.0, LONGEST / reference_length)
    if wrong := [theta for theta in thresholds if not 0 <= theta <= most]:
        raise CheckpointError(f"{path} holds a threshold of {wrong[0]:g}: a share is between 0 and 1")
    return thresholds


def _from_difference(folder: Path, settings: Settings, weights: str) -> tuple[Any, Any]:
    base = BASES.get(settings.base or "")
    if base is None:
        raise CheckpointError(f"{folder} builds on the unknown base {settings.base!r}; known: {KNOWN}")
    path = folder / f"{weights}.delta.safetensors"
    origin = base_folder(base)
    try:
        read_header(path)
        config = load_config(folder)
        model = AutoModelForSequenceClassification.from_config(config, trust_remote_code=False)
        prefix = model.base_model_prefix + "."
        known, pretrained = model.state_dict().keys(), load_file(origin / WEIGHTS)
        # What the base has and this model has not: a buffer of older files, a pooler that nobody reads.
        read = {name: weight for name, weight in pretrained.items() if prefix + name in known}
        decoded = deltas.decode(load_file(path), read)
        model.load_state_dict({name if name in known else prefix + name: w for name, w in decoded.items()})
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} does not fit its base {base.name}: {reason(error)}") from None
    return model, load_tokenizer(origin)


def _from_folder(folder: Path) -> tuple[Any, Any]:
    """Load a whole model; without a tokenizer if the folder has none, since transformers would invent one."""
    check_folder(folder)
    try:
        return _complete(folder)
    except CheckpointError:
        raise
    except Exception as error:  # transformers raises whatever a broken file makes its code stumble over
        raise CheckpointError(f"{folder} is not readable: {reason(error)}") from None


def _complete(folder: Path) -> tuple[Any, Any]:
    """Load a model of which every weight is there: a missing head would be filled in at random."""
    model, info = load_classifier(folder, output_loading_info=True)
    if missing := sorted(info["missing_keys"]):
        raise CheckpointError(
            f"{folder} has no weights for {', '.join(missing[:3])}: it was not trained for this"
        )
    return model, load_tokenizer(folder) if has_tokenizer(folder) else None


def _folder(source: str | Path) -> Path:
    """A model's folder: that of a shipped one, one that is here, or what the Hub has."""
    folder = _place(source)
    try:
        if str(source) and folder.is_dir():
            return folder
    except (OSError, ValueError):  # no file system takes such a name
        pass
    if isinstance(source, Path) or folder.is_file():
        raise CheckpointError(f"there is no folder {source}")
    return _from_hub(source)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        patterns = ["*.json", "*.txt", "*.model", "*.codes", "*.safetensors"]
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:
        known = ", ".join(shipped_models()) or "none"
        said = f"{type(error).__name__}: {reason(error)}"
        raise CheckpointError(
            f"no model {name!r}: shipped models are: {known}; it is no folder, and the Hub says: {said}"
        ) from None
