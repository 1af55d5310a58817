"""Hugging Face's loaders, called in one way: no code of a model runs, and a folder is first looked at.

Looking takes the configuration and the headers of the weights, a few kilobytes, and says in one line what
would otherwise be a traceback, minutes of work for nothing, or all memory.
"""

import json
import math
import shutil
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from ltp_core.architectures import family_of
from ltp_core.bases import CheckpointError

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "*.model")
WEIGHTS, SHARDS = "model.safetensors", "model.safetensors.index.json"
MOST_JSON = 2**24  # bytes of a configuration
MOST_TOKENIZER = 2**27  # bytes of a vocabulary; the largest that are known have a third of that
MOST_HEADER = 2**23  # bytes; safetensors parses it whole, into some ten times as much
MOST_LAYERS = 512
SHORTEST = 3  # tokens that a model has to read at least: [CLS], one of the text, [SEP]
FLOATS = ("F64", "F32", "F16", "BF16")
_BUFFERS = ("position_ids", "token_type_ids", "num_batches_tracked")
_LAYERS = ("num_hidden_layers", "n_layers", "num_layers")  # as the families call them
_WRAPPED = {  # what stands before every name of a model that was saved in a wrapper, and where the model is
    "_orig_mod.": "torch.compile wrapper: save the model inside, model._orig_mod",
    "module.": "DataParallel wrapper: save the model inside, model.module",
}


def reason(error: Exception) -> str:
    """What a library's error says, in one line."""
    if "trust_remote_code" in str(error):
        return "it brings code of its own, which is never run here"
    if "ignore_mismatched_sizes" in str(error):
        return "its weights have other sizes than its config.json says"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines[: 2 if lines[0].endswith(":") else 1])


def load_config(source: str | Path, **options: Any) -> Any:
    """A Hugging Face config. A model that brings code of its own is refused by `transformers`, unasked."""
    return AutoConfig.from_pretrained(source, trust_remote_code=False, **options)


def load_tokenizer(source: str | Path) -> Any:
    """A tokenizer.

    Raises:
        CheckpointError: if there is none: `transformers` would make one up, of special tokens alone.
    """
    _check_tokenizer(Path(source))
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise CheckpointError(
            f"{source} has no tokenizer: put the files of the one it was trained with there"
        )
    longest = tokenizer.model_max_length
    if not isinstance(longest, int | float) or not SHORTEST <= longest < math.inf:
        raise CheckpointError(
            f"{source}: model_max_length must be a number of tokens, at least {SHORTEST}, got {longest!r}"
        )
    return tokenizer


def _check_tokenizer(folder: Path) -> None:
    """Look at the files of a local tokenizer: large ones, and ones nested too deep, are read whole."""
    for file in (path for pattern in TOKENIZER_FILES for path in folder.glob(pattern)):
        if file.stat().st_size > MOST_TOKENIZER:
            size = file.stat().st_size / 2**20
            raise CheckpointError(f"{file} has {size:,.0f} MB: that is no tokenizer")
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (folder / name).is_file():
            read_json(folder / name)


def load_classifier(source: str | Path, **options: Any) -> Any:
    """A model with a sequence-classification head, from safetensors alone."""
    return AutoModelForSequenceClassification.from_pretrained(
        source, trust_remote_code=False, use_safetensors=True, **options
    )


def in_float32(model: Any) -> str | None:
    """Turn a model in half precision into float32, in place -> what it was stored in; None if in float32.

    Gradients, and sums over a path, are too coarse in half precision.
    """
    stored = str(model.dtype).removeprefix("torch.")
    if stored == "float32":
        return None
    model.float()
    return stored


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer beside its model.

    BERTweet's writes its merges without the column that its reader drops, and would read other tokens
    after that (transformers 5.24): the file that it was read from is copied.

    Raises:
        ValueError: if it cannot be read again as it is.
    """
    tokenizer.save_pretrained(folder)
    if tokenizer.is_fast:
        return
    merges = getattr(tokenizer, "merges_file", None)
    if merges is not None and Path(merges).is_file():
        shutil.copyfile(merges, folder / tokenizer.vocab_files_names["merges_file"])
    again, words = load_tokenizer(folder), " ".join(list(tokenizer.get_vocab())[:1000]).replace("@@", "")
    if again.tokenize(words) != tokenizer.tokenize(words):
        raise ValueError(f"{type(tokenizer).__name__} does not read what it writes: it cannot be saved")


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder has files of a tokenizer."""
    return any(path.is_file() for pattern in TOKENIZER_FILES for path in folder.glob(pattern))


def class_names(config: Any) -> tuple[str, ...]:
    """The names that a Hugging Face config gives to the outputs, by number; none for a regression.

    Raises:
        ValueError: if an output has no name, or two have the same: their probabilities would be one.
    """
    names = {int(number): str(name) for number, name in (config.id2label or {}).items()}
    if sorted(names) != list(range(config.num_labels)):
        numbers = ", ".join(map(str, sorted(names)[:10]))
        raise ValueError(f"id2label names the outputs {numbers}; it must name 0 to {config.num_labels - 1}")
    found = tuple(names[number] for number in range(len(names)))
    if twice := [name for name in found if found.count(name) > 1]:
        raise ValueError(f"id2label gives {found.count(twice[0])} outputs the name {twice[0]!r}: rename one")
    return found if len(found) > 1 else ()


def check_vocabulary(model: Any, tokenizer: Any) -> None:
    """Refuse a tokenizer with more tokens than a model has embeddings.

    Raises:
        CheckpointError: with what to do.
    """
    rows = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > rows:
        raise CheckpointError(
            f"the tokenizer has {len(tokenizer):,} tokens and the model embeddings of {rows:,}: call "
            "model.resize_token_embeddings(len(tokenizer)) and save both again"
        )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a model's folder.

    Raises:
        CheckpointError: if it is too large, too deep, or no object.
    """
    if path.stat().st_size > MOST_JSON:
        raise CheckpointError(f"{path} has {path.stat().st_size / 2**20:,.0f} MB: that is no configuration")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise CheckpointError(f"{path} is nested too deep to be a configuration") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not readable: {error}") from None
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} is not readable: it holds no object")
    return found


def check_folder(folder: Path) -> None:
    """Look at a folder with a whole model, before anything in it is loaded.

    Raises:
        CheckpointError: one line that says what to do.
    """
    if (folder / "adapter_config.json").is_file():
        raise CheckpointError(
            f"{folder} holds an adapter (LoRA) beside or instead of a whole model: merge it first, with "
            "peft's merge_and_unload(), and save that with save_pretrained()"
        )
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{folder} holds no model: it has no config.json")
    if odd := [
        path for path in folder.iterdir() if path.is_fifo() or path.is_socket() or path.is_char_device()
    ]:
        raise CheckpointError(f"{odd[0]} is no plain file")  # to read it may take for ever
    config = read_json(folder / "config.json")
    if "quantization_config" in config:
        raise CheckpointError(f"{folder} holds quantized weights: load and save the model in float32 first")
    described = _described(folder, config)
    elements = sum(_elements(file) for file in _weight_files(folder))
    if described > 2 * elements:
        raise CheckpointError(
            f"{folder}: config.json describes {described:.3g} weights, and its files hold {elements:.3g}"
        )


def _weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model, one or several."""
    if (folder / SHARDS).is_file():
        names = read_json(folder / SHARDS).get("weight_map")
        if not isinstance(names, dict) or not all(Path(str(name)).name == name for name in names.values()):
            raise CheckpointError(f"{folder / SHARDS} does not name files of its folder")
        files = [folder / name for name in sorted(set(names.values()))]
    else:
        files = [folder / WEIGHTS]
    for file in files:
        if not file.is_file():
            if (folder / "pytorch_model.bin").is_file():
                raise CheckpointError(
                    f"{folder} has its weights in pytorch_model.bin alone, which may run code: if you "
                    "trust it, load it with transformers, and save_pretrained() writes safetensors"
                )
            raise CheckpointError(f"{folder} has no {file.name}, which save_pretrained() writes")
    return files


def read_header(file: Path) -> dict[str, dict[str, Any]]:
    """What a safetensors file says of its tensors: name -> dtype, shape and place, bounded.

    Raises:
        CheckpointError: if it is no such file.
    """
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if length > MOST_HEADER:
                raise CheckpointError(f"{file} has a header of {length:,} bytes: that is no model")
            text = opened.read(length)
        if len(text) < length:
            raise ValueError("the header is cut")
        found = json.loads(text)
        tensors = {name: entry for name, entry in found.items() if name != "__metadata__"}
        for entry in tensors.values():
            if not all(isinstance(size, int) and size >= 0 for size in entry["shape"]):
                raise TypeError("a shape is none")
    except CheckpointError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CheckpointError(f"{file} is not readable: it is no safetensors file") from None
    return tensors


def _elements(file: Path) -> int:
    """How many numbers a file of weights holds; all of them floats, under the names of a plain model."""
    tensors = read_header(file)
    for name, entry in tensors.items():
        if wrapped := [said for prefix, said in _WRAPPED.items() if name.startswith(prefix)]:
            raise CheckpointError(f"{file} was saved from a {wrapped[0]}")
        if entry["dtype"] not in FLOATS and not name.endswith(_BUFFERS):
            raise CheckpointError(f"{file} holds {name} as {entry['dtype']}: save the weights as float32")
    return sum(math.prod(entry["shape"]) for entry in tensors.values())


def _described(folder: Path, config: dict[str, Any]) -> float:
    """How many weights a config describes at least: word embeddings and the matrices of its layers."""
    layers = next((config[name] for name in _LAYERS if name in config), 1)
    if isinstance(layers, int) and layers > MOST_LAYERS:
        raise CheckpointError(f"{folder}: config.json has {layers:,} layers; at most {MOST_LAYERS} are read")
    try:
        known = load_config(folder)
        size = family_of(known).dimensions(known)
        numbers = (size.layers, size.hidden, size.feed_forward, known.vocab_size)
        if not all(isinstance(number, int) and number > 0 for number in numbers):
            raise CheckpointError(f"{folder}: config.json has a size that is no number above 0")
    except CheckpointError:
        raise
    except Exception as error:  # transformers raises whatever a broken config makes its code stumble over
        raise CheckpointError(f"{folder} is not readable: {reason(error)}") from None
    layers = 1 if known.model_type == "albert" else size.layers  # its layers share their weights
    words = float(known.vocab_size) * getattr(known, "embedding_size", size.hidden)
    return words + layers * (4.0 * size.hidden**2 + 2.0 * size.hidden * size.feed_forward)
