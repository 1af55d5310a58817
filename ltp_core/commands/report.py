"""`report`: from the files under `assets/results` to docs/results.md, docs/finding.md and the README."""

from rich.console import Console

from ltp_core.commands.shared import Json, emit
from ltp_core.pages.report import write_pages


def report(json: Json = False) -> None:
    """Write the measured results into docs/results.md, docs/finding.md and the README.

    Example: ltp report
    """
    written = write_pages()

    def table(console: Console) -> None:
        for file in written:
            console.print(str(file))

    emit({"written": [str(file) for file in written]}, json, table)
