"""`models`: what is shipped."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ltp_core.bases import Base
from ltp_core.checkpoints import Settings, absent_bases, shipped_models
from ltp_core.commands.shared import Device, Json, choose_device, emit

NARROW = 80  # columns of a terminal; the table is wider


def models(json: Json = False, device: Device = "auto") -> None:
    """List the models that come with the project, with their measured results.

    Example: ltp models --json
    """
    choose_device(device)
    absent = absent_bases()
    rows = [describe(name, folder, absent.get(name)) for name, folder in shipped_models().items()]

    def table(console: Console) -> None:
        if console.width < NARROW:
            _list(console, rows)
        else:
            grid = Table("name", "task", "base", "score", "baseline", "FLOPs", "size")
            for row in rows:
                shown = (
                    _percent(row["score"]),
                    _percent(row["baseline_score"]),
                    _times(row["flops_reduction"]),
                )
                grid.add_row(row["name"], row["task"], row["base"], *shown, f"{row['size_mb']:.1f} MB")
            console.print(grid)
        for row in rows:
            if row["missing"]:
                console.print(Text(f"{row['name']} cannot be loaded: {row['missing']}"))

    emit(rows, json, table)


def _list(console: Console, rows: list[dict[str, Any]]) -> None:
    """For a narrow terminal, where a table's cells would be cut: each model in lines of its own."""
    for row in rows:
        console.print(Text(str(row["name"]), style="bold"))
        console.print(Text(f"  {row['task']} on {row['base']}, {row['size_mb']:.1f} MB"))
        scores = f"{_percent(row['score'])}, baseline {_percent(row['baseline_score'])}"
        console.print(Text(f"  {scores}, {_times(row['flops_reduction'])} FLOPs"))


def describe(name: str, folder: Path, absent: Base | None = None) -> dict[str, Any]:
    """What is known of a shipped model, as the contract names it; `missing` says why it cannot be loaded."""
    settings = Settings.read(folder)
    measured = settings.results.get("development", {})
    return {
        "name": name,
        "task": settings.task,
        "base": settings.base,
        "score": measured.get("pruned", {}).get("score"),
        "baseline_score": measured.get("baseline", {}).get("score"),
        "flops_reduction": measured.get("flops_reduction"),
        "size_mb": sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6,
        "missing": None if absent is None else absent.absence,
    }


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:.1f} %"


def _times(ratio: float | None) -> str:
    return "not measured" if ratio is None else f"{ratio:.2f}× fewer"
