"""The whole study of one model over a data set, as one document."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ltp_core.data.rows import Rows
from ltp_core.finding.examples import Options, run
from ltp_core.finding.summary import summarise
from ltp_core.finding.transfer import transfer
from ltp_core.measuring.scoring import Bar, no_bar
from ltp_core.model import PrunedModel
from ltp_core.results import stamp

METHOD = "integrated_gradients from a text of mask tokens, of the dense model's answer"


def study(
    model: PrunedModel,
    name: str,
    rows: Rows,
    options: Options,
    others: Mapping[str, PrunedModel],
    say: Callable[[str], object] = lambda line: None,
    bar: Bar = no_bar,
) -> dict[str, Any]:
    """Set attribution beside pruning, and try the thresholds of other models.

    Args:
        model: with learned thresholds.
        name: what it is called in the document.
        rows: labelled.
        options: what costs time.
        others: by name; their thresholds are tried on this model.
        say: told what comes next.
        bar: shows how far the runs are.

    Returns:
        The document of the `finding` command, of which `finding.page` is written.
    """
    with bar("attributions and deletions", len(rows)) as done:
        examples = run(model, rows, options, done)
    say("thresholds of others")
    return {
        "model": name,
        "task": model.settings.task,
        "thresholds": model.thresholds,
        "method": METHOD,
        "options": asdict(options),
        **summarise(examples),
        "transfer": transfer(model, rows, others),
        "stamp": stamp(),
    }
