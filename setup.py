"""What pyproject.toml cannot say: a wheel holds the lab, the shipped models and what the pages read.

They go into the package, as `ltp_core/project`, so that nothing called `app` or `assets` is installed beside
it. The folders stay where they are; an editable installation reads them there (`ltp_core/files/places.py`).
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = ("app", "assets/models", "assets/results", "docs", "LICENSE", "NOTICE")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "hooks.py", ".*.draft")


class BuildWhole(build_py):
    """Copies the project's folders into the package, but for an editable installation."""

    def run(self) -> None:
        """Build as ever, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "ltp_core" / "project"
        shutil.rmtree(target, ignore_errors=True)  # of an earlier build
        for name in PROJECT:
            source, copy = Path(name), target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=LEFT_OUT)
            else:
                shutil.copyfile(source, copy)


setup(cmdclass={"build_py": BuildWhole})
