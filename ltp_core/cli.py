"""The command line: `python -m ltp_core COMMAND`, also installed as `ltp`."""

import io
import sys

import typer

from ltp_core.commands.attribute import attribute
from ltp_core.commands.benchmark import benchmark
from ltp_core.commands.blocks import blocks
from ltp_core.commands.calibrate import calibrate
from ltp_core.commands.choose import choose
from ltp_core.commands.compare import compare
from ltp_core.commands.evaluate import evaluate
from ltp_core.commands.export import export
from ltp_core.commands.finding import finding
from ltp_core.commands.growth import growth
from ltp_core.commands.handout import handout
from ltp_core.commands.lab import lab
from ltp_core.commands.lengths import lengths
from ltp_core.commands.memory import memory
from ltp_core.commands.models import models
from ltp_core.commands.precision import precision
from ltp_core.commands.predict import predict
from ltp_core.commands.report import report
from ltp_core.commands.results import results
from ltp_core.commands.ship import ship
from ltp_core.commands.trace import trace
from ltp_core.commands.train import train
from ltp_core.files.whole import is_full

app = typer.Typer(help="Learned Token Pruning: train, run, measure.", add_completion=False)
COMMANDS = (
    *(models, trace, predict, attribute, evaluate, export),
    *(benchmark, blocks, growth, lengths, memory, precision),
    *(train, calibrate, compare, choose, ship, results, report, finding, handout, lab),
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run a command; bad input is one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or pipe that cannot show all characters
            stream.reconfigure(errors="replace")
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="ltp", standalone_mode=False)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        if is_full(error):
            text = "the disk is full: make room, and call the same again; train goes on where it stopped"
        elif isinstance(error, typer.TyperException):
            text = error.format_message()
        elif isinstance(error, ValueError | OSError):
            text = str(error)
        else:
            raise
        sys.stderr.write(f"ltp: {' '.join(text.split())}\n")
        raise SystemExit(2) from None
    raise SystemExit(code or 0)
