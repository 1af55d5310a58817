"""The model card of a shipped model, from what was measured on it."""

import json
from pathlib import Path
from string import Template

from ltp_core.bases import BASES, MINILM
from ltp_core.checkpoints import Settings
from ltp_core.data.tasks import TASKS
from ltp_core.results import lost_text

# As Python.
EXAMPLE = '"A moving, funny film."'
PAIR_EXAMPLE = '("A man is playing a guitar.", "Someone plays music.")'


def example_of(task: str | None) -> str:
    """A text, or a pair, for a task's model, as Python."""
    return PAIR_EXAMPLE if task in TASKS and TASKS[task].pairs else EXAMPLE


def card(name: str, settings: Settings, thresholds: tuple[float, ...]) -> str:
    """The model card, from what was measured."""
    measured = {title: found for title, found in settings.results.items() if title != "stamp"}
    metrics = settings.results["development"]["metrics"]
    lines = []
    for title, found in measured.items():
        runs = (found[who] for who in ("baseline", "dense", "pruned"))
        scores = [" / ".join(f"{100 * run[metric]:.1f}" for metric in metrics) for run in runs]
        ratios = [f"{found[kind]:.2f}×" for kind in ("flops_reduction", "executed_flops_reduction")]
        lost = lost_text(found["points_lost"], found.get("points_lost_error"))
        cells = [title, str(found["examples"]), *scores, lost, *ratios]
        lines.append(f"| {' | '.join(cells)} |")
    held = "*tuning* rows are whole texts held out of the training set, on which the thresholds' last factor"
    held += " was settled." + (" *untouched* rows were held out, too." if "untouched" in measured else "")
    base = BASES.get(settings.base or "", MINILM)
    template = Template((Path(__file__).parent / "card.md").read_text(encoding="utf-8"))
    return template.substitute(
        name=name,
        task=settings.task,
        base=base.hub_id,
        revision=base.revision,
        example=example_of(settings.task),
        metrics=" / ".join(metrics),
        held=held,
        max_tokens=settings.results["development"]["max_tokens"],
        rows="\n".join(lines),
        thresholds=", ".join(f"{100 * theta:.2f} %" for theta in thresholds),
        recipe=json.dumps(settings.training, indent=2),
        note=settings.training.get("settled", {}).get("note", ""),
        commit=settings.results["stamp"]["commit"],
        machine=settings.results["stamp"]["machine"],
    )
