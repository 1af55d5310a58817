"""Where the project's own files lie: the lab, the shipped models, the measured results, the documentation."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_IN_A_WHEEL = _PACKAGE / "project"  # setup.py puts a copy of the folders there

ROOT = _IN_A_WHEEL if _IN_A_WHEEL.is_dir() else _PACKAGE.parent  # what `app`, `assets` and `docs` are in
