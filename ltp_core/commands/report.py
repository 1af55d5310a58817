"""`report`: from the files under `assets/results` to pages, or to pictures for a paper."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ltp_core.checkpoints import Settings, usable_models
from ltp_core.commands.shared import Device, Json, choose_device, emit, load, messages, quiet
from ltp_core.data.tasks import TASKS
from ltp_core.pages.figures import PAIR, SENTENCE, write_figures
from ltp_core.pages.report import write_pages
from ltp_core.prediction import Text
from ltp_core.results import RESULTS


def report(
    figures: Annotated[
        Path | None,
        typer.Option(help="Draw pictures for a paper into this folder, as PDF and SVG; no page is written."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Maps of this model only: a name, a folder, or an id on the Hub.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What the maps show; needs --model.")] = None,
    pair: Annotated[str | None, typer.Option(help="A second text.")] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Write the measured results into docs/results.md, docs/finding.md and the README.

    Example: ltp report --figures figures --model sst2 --text "A moving, funny film."
    """
    if figures is None:
        if model or text or pair:
            raise ValueError("--model, --text and --pair are for the pictures: name a folder with --figures")
        written = write_pages()
    else:
        written = _pictures(figures, model, text, pair, device)

    def table(console: Console) -> None:
        for file in written:
            console.print(str(file))

    emit({"written": [str(file) for file in written]}, json, table)


def _pictures(folder: Path, model: str | None, text: str | None, pair: str | None, device: str) -> list[Path]:
    if (text is not None or pair is not None) and model is None:
        raise ValueError("--text and --pair need --model: who is to read them?")
    if pair is not None and text is None:
        raise ValueError("--pair needs --text: it is the second of two")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--figures {folder} is a file: name a folder")
    if text is not None and model is not None:
        shown: list[tuple[str, Text]] = [(model, text if pair is None else (text, pair))]
    elif model is not None:
        shown = [(model, _usual(load(model, choose_device(device)).settings))]
    else:
        shown = [(name, _usual(Settings.read(path))) for name, path in usable_models().items()]
    where = choose_device(device)
    with quiet():
        return write_figures(RESULTS, folder, shown, lambda name: load(name, where), messages.print)


def _usual(settings: Settings) -> Text:
    """What the maps of a model show where nobody says."""
    task = TASKS.get(settings.task or "")
    return PAIR if task is not None and task.pairs else SENTENCE
