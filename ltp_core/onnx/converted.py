"""Graphs that were converted before, in the project's cache: by what they are made of, and whole."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ltp_core.bases import CACHE, cache_folder, sha256
from ltp_core.onnx.int8 import has_vnni
from ltp_core.prediction import Text, TorchClassifier

FORMAT = 3  # of what is written; a later one makes all earlier graphs stale
FACTS = "converted.json"


def converted(
    model: TorchClassifier,
    backend: str,
    precision: str,
    packages: Sequence[str],
    write: Callable[[Path], None],
    calibration: Sequence[Text] = (),
) -> Path:
    """The folder with a model's graph; written now if it is not there, or stale, or broken.

    It is named after model, backend and precision, and holds the digest of all it was made of. So a model
    that changed takes the place of what it was. What a processor without VNNI makes of 8 bits, with weights
    of 7, has a name of its own: a home may be shared.

    Args:
        model: what is converted.
        backend: who runs it.
        precision: "float32" or "int8".
        packages: names of packages whose versions decide on the graph.
        write: writes the graph's files into a folder.
        calibration: texts that the ranges of 8-bit numbers were read off.

    Raises:
        ValueError: if the cache cannot be written.
    """
    bits = precision if precision == "float32" or has_vnni() else f"{precision}-7bit"
    words = hashlib.sha256(json.dumps([list(calibration), bits, backend]).encode()).hexdigest()
    made_of = [str(FORMAT), model.digest(), words, *(f"{name} {_version(name)}" for name in packages)]
    key = hashlib.sha256("\0".join(made_of).encode()).hexdigest()
    name = re.sub(r"[^\w.-]+", "-", model.name).strip("-.")[-60:] or "model"
    place = cache_folder() / "converted" / f"{name}-{backend}-{bits}"
    if _is_whole(place, key):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".converting-") as work:
            draft = Path(work) / "graph"
            draft.mkdir()
            write(draft)
            files = {file.name: sha256(file) for file in sorted(draft.iterdir())}
            (draft / FACTS).write_text(json.dumps({"key": key, "files": files}, indent=1), encoding="utf-8")
            shutil.rmtree(place, ignore_errors=True)
            try:
                draft.rename(place)
            except OSError:  # another process was faster
                if not _is_whole(place, key):
                    raise
    except OSError as error:
        raise ValueError(f"cannot write {place}: {error}; {CACHE} names another folder") from None
    return place


def _is_whole(place: Path, key: str) -> bool:
    """Whether a folder holds what this key stands for, with every byte of it."""
    try:
        facts = json.loads((place / FACTS).read_text(encoding="utf-8"))
        files = facts["files"].items()
        return facts["key"] == key and bool(files) and all(sha256(place / name) == x for name, x in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
