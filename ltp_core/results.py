"""Measured results as data: rows in `assets/results/*.json`, each with what it takes to repeat it."""

import json
import platform
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ltp_core.files.places import ROOT
from ltp_core.files.whole import OutputError, another, check_file, write_whole

RESULTS = ROOT / "assets" / "results"
ENGINE = "ltp"  # what our engine is called in rows of times


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a results file; none if there is no such file."""
    if not file.is_file():
        return []
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["rows"]
    return rows


def check_results(file: Path, option: str | None = "--output") -> None:
    """See that results can be written to a file, before minutes of work; what is there must be results.

    Raises:
        OutputError: with what to do.
    """
    check_file(file, option)
    if not file.exists():
        return
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not {"rows", "stamp", "measured"} & found.keys():
        raise OutputError(f"{file} is there, and holds no results: {another(option)}")


def put_row(file: Path, row: dict[str, Any], case: Callable[[dict[str, Any]], tuple[Any, ...]]) -> None:
    """Put a measured row into a file at once, as a long run may be stopped.

    Args:
        file: of results; made if there is none.
        row: takes the place of the one of its case.
        case: row -> what was measured there; the rows stand in its order.
    """
    others = [old for old in read_rows(file) if case(old) != case(row)]
    write_rows(file, sorted([*others, row], key=case))


def write_rows(file: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows, replacing the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps({"rows": rows}, indent=1) + "\n")


def lost_text(lost: float, error: float | None) -> str:
    """Points lost with their standard error, where it is known: 0.6 ± 0.9, and never -0.0."""
    return f"{lost:z.1f}" if error is None else f"{lost:z.1f} ± {error:.1f}"


def write_json(file: Path, document: dict[str, Any]) -> None:
    """Write one document, replacing the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(document, indent=1, allow_nan=False) + "\n")


def stamp(device: torch.device | None = None) -> dict[str, Any]:
    """Commit, versions, machine and time of a measurement; of a GPU's, name the device."""
    return {
        "commit": _commit(),
        "versions": {name: version(name) for name in ("torch", "transformers", "datasets")},
        "machine": f"{platform.machine()}, {processor(device)}, {torch.get_num_threads()} threads",
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def processor(device: torch.device | None = None) -> str:
    """The name of what computes, where the system tells it: a CUDA device, else the processor."""
    if device is not None and device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def _commit() -> str | None:
    """The repository's commit, with a + when files differ from it; None outside a repository."""
    try:
        command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def add_row(file: Path, row: dict[str, Any]) -> None:
    """Put a row among those of other runs, in place of an earlier one of the same run."""
    same = ("task", "rule", "seed", "split", "target_flops", "penalty")
    others = [old for old in read_rows(file) if any(old.get(key) != row.get(key) for key in same)]
    write_rows(file, sorted([*others, row], key=lambda row: (row["rule"], row["flops_reduction"])))
