"""The scripts of the lab that touch no page, by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="no Node on this machine")
@pytest.mark.parametrize("file", sorted(TESTS.glob("*/*.test.*js")), ids=lambda file: file.stem)
def test_script(file):
    done = subprocess.run([NODE, "--test", str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
