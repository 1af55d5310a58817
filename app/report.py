"""The view as one HTML file that opens offline: verdict, stage, map, thresholds, each token in each layer."""

from collections.abc import Sequence

from app.figures.colours import css_variables, level
from app.figures.still import map_svg, stage_svg
from app.runs import Texts
from app.says import markup, verdict, words
from app.says.text import as_html
from app.style import STYLE
from ltp_core import LayerTrace, Prediction
from ltp_core.speed.latency import TextTimes

_LEVELS = " ".join(
    f"td.i{step} {{ border-left-color: var(--ltp-i{step}) }} rect.i{step} {{ fill: var(--ltp-i{step}) }}"
    for step in range(10)
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # nothing runs, nothing loads
_STYLE = f"""
:root {{ color-scheme: light dark; }}
body {{ font: 17px/1.5 "Source Sans 3", "Source Sans Pro", system-ui, sans-serif; color: var(--ltp-text);
  background: var(--ltp-ground); max-width: 75rem; margin: 2rem auto; padding: 0 1.2rem; }}
blockquote {{ margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--ltp-kept); font-size: 1.15rem;
  overflow-wrap: anywhere; white-space: pre-wrap; }}
.fates td {{ border-left: 0.5rem solid transparent; padding-left: 0.5rem; }}
.fates td.gone {{ color: var(--ltp-muted); }}
.fates td.leaves {{ color: var(--ltp-dropped); border-left-color: var(--ltp-dropped); font-weight: 600; }}
{_LEVELS}
.still {{ width: 100%; height: auto; display: block; margin: 0.6rem 0 1rem; }}
.still text {{ font: 14px "Source Sans 3", "Source Sans Pro", system-ui, sans-serif; fill: var(--ltp-text); }}
.still text.strong {{ font-weight: 650; }}
.still text.muted {{ fill: var(--ltp-muted); }}
.still text.name {{ font-size: 12px; }}
.still text.cross {{ fill: #fff; text-anchor: middle; font-weight: 700; }}
.still text.threshold {{ fill: var(--ltp-dropped); font-weight: 650; }}
.still line.rule {{ stroke: var(--ltp-grid); }}
.still line.threshold {{ stroke: var(--ltp-dropped); stroke-width: 2; }}
.still .stays rect {{ fill: var(--ltp-bar); }}
.still .leaves rect {{ fill: var(--ltp-dropped); fill-opacity: 0.6; }}
.still .leaves text {{ fill: var(--ltp-dropped); text-decoration: line-through; }}
"""


def report(
    texts: Texts,
    about: Sequence[tuple[str, str]],
    dense: Prediction,
    pruned: Prediction,
    thresholds: tuple[float, ...],
    measured: TextTimes | None,
    device: str,
    notes: Sequence[str],
) -> str:
    """Write the report; all text in it is escaped, and it loads nothing.

    Args:
        texts: what was read.
        about: names and values for its head: the model, the link to this view.
        dense: the run with nothing pruned.
        pruned: the run under the thresholds.
        thresholds: as set, one a layer.
        measured: the times; None if there are none.
        device: name of the device, for people.
        notes: how the numbers are counted, in paragraphs.
    """
    title = f"LTP Lab: {words.map_finding(pruned.trace)}"
    quotes = "".join(
        f"<blockquote>{as_html(text)}</blockquote>" for text in (texts.first, texts.second) if text
    )
    parts = [
        markup.heading(title, 1),
        quotes,
        markup.table(["", ""], about, "What this is"),
        verdict.strip(dense, pruned, measured, "not measured", device),
        markup.heading("The stage"),
        markup.paragraph(
            "The words still alive in each layer, over bars as high as their share of attention, on a "
            "logarithmic axis. Under the line they leave, struck through.",
            "hint",
        ),
        stage_svg(dense, pruned),
        markup.heading("The survival map"),
        markup.paragraph(
            "Who is read in which layer: from orange, an eighth of the average share of attention or less, "
            "to dark blue, eight times or more. A cross marks the layer in which a token leaves.",
            "hint",
        ),
        map_svg(pruned.trace),
        markup.heading("Thresholds"),
        _thresholds(pruned, thresholds),
        markup.heading("Every token, layer by layer"),
        markup.paragraph(
            "The share of a layer’s attention that each token gets. The bar beside it goes from orange, an "
            "eighth of the average or less, to dark blue, eight times or more.",
            "hint",
        ),
        _fates(pruned),
        markup.heading("How answer, work and time are counted"),
        *(markup.paragraph(note) for note in notes),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{as_html(title)}</title><style>{css_variables()}\n{STYLE}\n{_STYLE}</style></head>"
        f'<body class="stHtml">{"".join(parts)}</body></html>'
    )


def _thresholds(pruned: Prediction, thresholds: tuple[float, ...]) -> str:
    rows = [
        [
            f"Layer {number}",
            "off" if value == 0 else words.threshold(value),
            words.percent(1 / before),
            f"{before} → {after}",
        ]
        for number, (value, before, after) in enumerate(
            zip(thresholds, words.entering(pruned.trace), pruned.trace.alive, strict=True), start=1
        )
    ]
    return markup.table(["", "threshold", "average share", "tokens"], rows, "Thresholds of the pruned run")


def _fates(pruned: Prediction) -> str:
    """A table with a row a token: long inputs make it longer, not wider."""
    trace = pruned.trace
    head = "".join(f'<th scope="col">layer {layer.layer}</th>' for layer in trace.layers)
    entering = words.entering(trace)
    rows = "".join(
        f'<tr><th scope="row">{index + 1} {as_html(token)}</th>'
        + "".join(_fate(layer, index, alive) for layer, alive in zip(trace.layers, entering, strict=True))
        + "</tr>"
        for index, token in enumerate(trace.tokens)
    )
    return (
        f'<div class="table fates"><table><thead><tr><th scope="col">token</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _fate(layer: LayerTrace, token: int, entering: int) -> str:
    share = layer.importance[token]
    if share is None:
        return '<td class="gone">–</td>'
    if not layer.kept[token]:
        return f'<td class="leaves">✕ {words.percent(share)}</td>'
    return f'<td class="i{level(share, entering)}">{words.percent(share)}</td>'
