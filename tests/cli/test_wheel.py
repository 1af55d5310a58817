"""The wheel is whole: built, installed alone, and used from another folder."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
INSIDE = ("app", "assets/models", "assets/results", "docs")  # as ltp_core/project/…
SOURCES = ("ltp_core", *INSIDE)
FILES = ("setup.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE", "NOTICE", "MANIFEST.in")


def ours(folder: str) -> set[str]:
    """What git knows in a folder; without git, all that a build does not make."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(ROOT).as_posix() for path in files}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The project without what was left in it by work."""
    target = tmp_path_factory.mktemp("source")
    for name in (*FILES, *(name for folder in SOURCES for name in ours(folder))):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run([*command, "-w", target], cwd=source, capture_output=True, text=True, timeout=240)
    assert built.returncode == 0, built.stderr
    (file,) = target.glob("*.whl")
    return file


def test_every_file_of_the_project_is_inside_and_the_same(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for folder in INSIDE:
            inside = {f"ltp_core/project/{name}" for name in ours(folder) if name != "docs/hooks.py"}
            assert inside and inside == {x for x in names if x.startswith(f"ltp_core/project/{folder}/")}
        assert {name for name in ours("ltp_core")} <= names
        for name in ("ltp_core/project/app/main.py", "ltp_core/project/assets/models/sst2/ltp_config.json"):
            assert archive.read(name) == (ROOT / name.removeprefix("ltp_core/project/")).read_bytes()
        tops = {name.partition("/")[0] for name in names}
        assert {top for top in tops if not top.endswith(".dist-info")} == {"ltp_core"}


def test_what_it_says_of_itself(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        said = archive.read(name).decode().partition("\n\n")[0]
        assert archive.read(name.replace("METADATA", "licenses/LICENSE")) == (ROOT / "LICENSE").read_bytes()
        assert archive.read(name.replace("METADATA", "licenses/NOTICE")) == (ROOT / "NOTICE").read_bytes()
    assert f"\nVersion: {project['version']}\n" in said and "\nLicense-Expression: Apache-2.0\n" in said
    assert "\nRequires-Dist: streamlit>=" in said and "\nProvides-Extra: ray\n" in said
    locks = [said, *(path.read_text() for path in ROOT.glob("*lock*.json"))]
    for text in some(locks):  # no index's address
        assert not re.search(r"https?://(?!arxiv\.org/)", text)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel in it; what it depends on is borrowed from this one."""
    home = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    (site,) = home.glob("lib/python*/site-packages")
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join(others), encoding="utf-8")
    return home


def run(installed, *arguments, folder):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [installed / "bin" / arguments[0], *arguments[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


MODELS = """
import sys, ltp_core, ltp_core.cli
print(ltp_core.__file__)
sys.argv = ["ltp", "models", "--json"]
ltp_core.cli.main()
"""


def test_models_and_traces_from_another_folder(installed, tmp_path):
    where, listed = run(installed, "python", "-c", MODELS, folder=tmp_path).splitlines()
    assert Path(where).is_relative_to(installed)
    models = json.loads(listed)
    assert {model["name"] for model in models} == {path.name for path in (ROOT / "assets/models").iterdir()}
    traced = json.loads(run(installed, "ltp", "trace", "A moving, funny film.", "--json", folder=tmp_path))
    assert traced["pruned"]["label"] == "positive" and traced["flops_reduction"] > 1
    assert list(tmp_path.iterdir()) == []


PAGE = """
from ltp_core.files.places import ROOT
import sys
sys.path.insert(0, str(ROOT))
from streamlit.testing.v1 import AppTest
for page in sorted((ROOT / "app" / "views").glob("*.py")):
    test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    test.switch_page(f"views/{page.name}")
    test.run()
    assert not test.exception, (page.name, test.exception)
    print(page.stem)
"""


@pytest.mark.slow
def test_every_page_of_the_lab_runs_from_the_wheel(installed, tmp_path):
    shown = run(installed, "python", "-c", PAGE, folder=tmp_path).split()
    assert shown == sorted(path.stem for path in (ROOT / "app" / "views").glob("*.py"))


def test_the_lab_starts_from_the_wheel(installed, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    lab = subprocess.Popen(
        [installed / "bin" / "ltp", "lab", "--port", str(port), "--no-browser"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        answer, end = "", time.monotonic() + 120
        while not answer and lab.poll() is None and time.monotonic() < end:
            time.sleep(0.5)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as reply:
                    answer = reply.read().decode()
            except OSError:
                continue
        assert answer == "ok"
    finally:
        lab.terminate()
        said = lab.communicate(timeout=30)[0]
    assert "Traceback" not in said, said
