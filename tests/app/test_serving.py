"""The lab runs under its own settings or not at all, wherever it is started from."""

import gc
import importlib
import subprocess
import sys
import tomllib
import weakref

import pytest

from app.serving import memory, settings

ROOT = settings.SETTINGS.parents[2]

WRITTEN = {
    f"{section}.{name}": value
    for section, values in tomllib.loads(settings.SETTINGS.read_text(encoding="utf-8")).items()
    if section != "theme"
    for name, value in values.items()
}


def in_force(**changes):
    return {**WRITTEN, **{name.replace("__", "."): value for name, value in changes.items()}}.get


def test_what_is_written_is_accepted():
    assert settings.refusal(in_force()) is None


@pytest.mark.parametrize("name", sorted(set(WRITTEN) - settings.FREE))
def test_anything_else_is_refused_and_named(name):
    why = settings.refusal({**WRITTEN, name: "something else"}.get)
    assert name in why and "something else" in why and "\n" not in why


@pytest.mark.parametrize("name", sorted(settings.FREE - {"server.address"}))
def test_whoever_starts_it_may_choose(name):
    assert settings.refusal({**WRITTEN, name: "something else"}.get) is None


def test_an_address_is_needed():
    """Without one Streamlit listens on all of them."""
    assert settings.refusal(in_force(server__address="0.0.0.0")) is None
    assert "everywhere" in settings.refusal(in_force(server__address=None))


def test_no_settings_at_all(tmp_path):
    assert "missing" in settings.refusal(in_force(), tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[server")
    assert "broken" in settings.refusal(in_force(), tmp_path / "broken.toml")


@pytest.mark.parametrize(
    ("address", "headers", "shown"),
    [
        ("127.0.0.1", {}, True),
        ("127.0.0.1", {"X-Forwarded-For": "10.1.1.1"}, False),  # a proxy brings others
        ("0.0.0.0", {}, False),
        (None, {}, False),
        ("0.0.0.0", {settings.GATE: "here"}, True),
        ("0.0.0.0", {settings.GATE: settings.LOST}, True),
        ("127.0.0.1", {settings.GATE: "1", "X-Forwarded-For": "10.1.1.1"}, True),
    ],
)
def test_without_the_gate_a_page_is_for_this_machine_only(address, headers, shown):
    assert (settings.unguarded(address, headers) is None) is shown


def test_what_visitors_leave_in_circles_is_found():
    class Session:
        pass

    session = Session()
    session.runs = [session]
    left = weakref.ref(session)
    gc.disable()
    try:
        del session
        assert left() is not None
        memory.trim()
        assert left() is None
    finally:
        gc.enable()


def test_libraries_are_left_out_of_that():
    assert "torch" in sys.modules and importlib.import_module("app.models")
    assert gc.get_freeze_count() > 100_000


MANY_LENGTHS = """
import os, random
from app.serving import memory
memory.settle()
from ltp_core import Dense, PrunedModel
from tests.browser.processes import resident
model = PrunedModel.from_pretrained("sst2")
def run(lengths):
    for length in lengths:
        text = " ".join(random.Random(length).choices("a fine film was so good the plot".split(), k=length))
        model.predict(text), model.predict(text, Dense())
    memory.trim()
    return resident(os.getpid())
before = run(range(4, 64, 2))
print(run(range(65, 145, 2)) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_few_matrix_products_are_kept_ready():
    """In a process of its own, as they are bounded before the first."""
    command = [sys.executable, "-c", MANY_LENGTHS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 30e6  # of forty lengths; without the bound it is 100 MB
