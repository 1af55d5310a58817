"""From the JSON files of the `finding` command to the page and its figures."""

import json
import os
from pathlib import Path


def write_page(results: Path, page: Path, folder: Path) -> list[Path]:
    """Draw the figures and write the page; nothing where there is no finding yet.

    Args:
        results: folder with finding-*.json.
        page: the Markdown file.
        folder: where the figures go.

    Returns:
        The files written.
    """
    from ltp_core.finding import figures  # brings matplotlib, which no other command needs
    from ltp_core.finding.page import page as text

    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(results.glob("finding-*.json"))]
    if not found:
        return []
    drawn = {one["model"]: figures.draw(one, folder, one["model"]) for one in found}
    addresses = {
        model: {name: Path(os.path.relpath(file, page.parent)).as_posix() for name, file in files.items()}
        for model, files in drawn.items()
    }
    page.write_text(text(found, addresses), encoding="utf-8")
    return [page, *(file for files in drawn.values() for file in files.values())]
