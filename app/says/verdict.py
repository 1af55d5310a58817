"""The verdict strip as HTML: a sentence, and three cards that set dense and pruned side by side."""

from dataclasses import dataclass

from app.says import clocked, words
from app.says.text import as_html
from ltp_core import Prediction
from ltp_core.speed.latency import TextTimes, Timing


@dataclass(frozen=True)
class Meter:
    """One line of a card: a name, a length from 0 to 1 (None for no bar), a value, and the colour's class."""

    name: str
    length: float | None
    value: str
    kind: str
    spread: str = ""


def strip(
    dense: Prediction, pruned: Prediction, measured: TextTimes | None, waiting: str, device: str
) -> str:
    """The sentence and the cards.

    Args:
        dense: the run with nothing pruned.
        pruned: the run under the thresholds.
        measured: times of both; None while there are none.
        waiting: what stands where times would.
        device: name of the device, for people.
    """
    prunes = pruned.flops < dense.flops
    time = waiting if measured is None else clocked.said(measured, device, prunes).headline
    sentence = f'<h2 class="finding">{as_html(words.summary(dense, pruned, time))}</h2>'
    cards = answer_card(dense, pruned) + work_card(dense, pruned) + time_card(measured, time, device)
    return f'<div class="verdict"><div role="status">{sentence}</div><div class="cards">{cards}</div></div>'


def answer_card(dense: Prediction, pruned: Prediction) -> str:
    """Both answers with their probabilities."""
    bars = [_answer("Dense", dense), _answer("Pruned", pruned)]
    return _card("Answer", words.sameness(dense, pruned), bars, "same weights in both runs")


def work_card(dense: Prediction, pruned: Prediction) -> str:
    """FLOPs of both."""
    bars = [
        Meter("Dense", 1.0, words.flops(dense.flops), "dense"),
        Meter("Pruned", pruned.flops / dense.flops, words.flops(pruned.flops), "pruned"),
    ]
    same = pruned.flops == dense.flops
    found = "same work" if same else f"{words.times(pruned.flops_reduction)} fewer FLOPs"
    return _card("Work", found, bars, "matrix products of the encoder")


def time_card(measured: TextTimes | None, headline: str, device: str) -> str:
    """Measured times of three runs on this text, with their spread."""
    title = f"Time, measured now on this {device}"
    names = [("Hugging Face", "dense"), ("Ours, dense", "dense"), ("Ours, pruned", "pruned")]
    note = "{} runs each, in turn: median (middle half)"
    if measured is None:
        return _card(
            title, headline, [Meter(name, 0, "…", kind) for name, kind in names], note.format("≥ 10")
        )
    timings = [measured.dense, measured.packed_dense, measured.pruned]
    longest = max(timing.median_ms for timing in timings)
    bars = [_time(name, timing, longest, kind) for (name, kind), timing in zip(names, timings, strict=True)]
    return _card(title, headline, bars, note.format(measured.pruned.runs))


def _answer(name: str, prediction: Prediction) -> Meter:
    kind = name.lower()
    if prediction.label is None:
        return Meter(name, None, words.number(prediction.value or 0), kind)
    share = prediction.confidence or 0
    return Meter(name, share, f"{prediction.label} {words.probability(share)}", kind)


def _time(name: str, timing: Timing, longest: float, kind: str) -> Meter:
    spread = words.spread(timing.low_ms, timing.high_ms)
    return Meter(name, timing.median_ms / longest, words.milliseconds(timing.median_ms), kind, spread)


def _card(title: str, headline: str, bars: list[Meter], note: str) -> str:
    headline = headline[:1].upper() + headline[1:]
    return (
        f'<section class="card"><h3>{as_html(title)}</h3><p class="headline">{as_html(headline)}</p>'
        f'<div class="rows">{"".join(map(_row, bars))}</div><p class="note">{as_html(note)}</p></section>'
    )


def _row(bar: Meter) -> str:
    spread = f' <span class="spread">{as_html(bar.spread)}</span>' if bar.spread else ""
    filled = (
        "" if bar.length is None else f'<span class="bar {bar.kind}" style="width:{bar.length:.1%}"></span>'
    )
    track = "track" if filled else "no-track"
    return (
        f'<div class="row"><span class="name">{as_html(bar.name)}</span>'
        f'<span class="{track}">{filled}</span>'
        f'<span class="value">{as_html(bar.value)}{spread}</span></div>'
    )
