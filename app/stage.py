"""What the stage gets: plain numbers, tokens as they are shown, and what Python says in words."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.measured import Named
from app.says.clocked import TimeSaid
from app.says.pieces import pieces
from app.says.questions import Question
from app.says.text import visible
from ltp_core import AttentionTrace, Prediction, PrunedModel
from ltp_core.flops import Dimensions

_RENARD = (1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9)
_TENFOLD = (round(step * size, 6) for size in (0.001, 0.01, 0.1) for step in _RENARD)
STEPS = (0.0, 0.0005, 0.0007, *_TENFOLD, 1.0)  # where the arrow keys go: a step of about 12 % each
MOST_ARCS = 128  # tokens of which everybody's attention is sent along


@dataclass(frozen=True)
class Setting:
    """What the two runs were made with.

    Attributes:
        model: name of the model.
        labels: names of its classes, in its order; none for a regression.
        size: what FLOPs depend on.
        special: strings of its special tokens.
        thresholds: as set, one a layer.
        learned: the learned thresholds, if there are some.
        start: the thresholds that the model starts with.
        reference: the length up to which a threshold is a plain share of attention; None for any.
        several: whether an answer is a set of labels.
        named: settings to choose from, see `measured.settings_of`.
    """

    model: str
    labels: tuple[str, ...]
    size: Dimensions
    special: frozenset[str]
    thresholds: tuple[float, ...]
    learned: tuple[float, ...] | None
    start: tuple[float, ...]
    reference: float | None = None
    several: bool = False
    named: tuple[Named, ...] = ()

    @classmethod
    def of(
        cls,
        model: PrunedModel,
        thresholds: tuple[float, ...],
        start: tuple[float, ...],
        named: Sequence[Named] = (),
    ) -> "Setting":
        """Read it from a model."""
        classes = model.dimensions.classes
        labels = () if classes == 1 else tuple(model.config.id2label[index] for index in range(classes))
        return cls(
            model.name,
            labels,
            model.dimensions,
            frozenset(getattr(model.tokenizer, "all_special_tokens", ())),
            thresholds,
            model.thresholds,
            start,
            model.reference_length,
            model.multi_label,
            tuple(named),
        )


def stage_data(
    setting: Setting,
    question: Question,
    dense: Prediction,
    pruned: Prediction,
    nothing: Prediction | None = None,
    time: TimeSaid | None = None,
    attention: Sequence[AttentionTrace] | None = None,
    undo: bool = False,
    fixed: bool = False,
    live: dict[str, Any] | None = None,
    curves: bool = False,
    timing: str | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Everything that the browser draws.

    Args:
        setting: model and thresholds.
        question: what the model answers.
        dense: the run with nothing pruned.
        pruned: the run under the thresholds.
        nothing: what the model says to an empty text, where that matters.
        time: what was measured, in words; None before.
        attention: of every layer of the pruned run; None if it is not there.
        undo: whether there is something to undo.
        fixed: whether the lines only show, and cannot be moved.
        live: the offer of `app.live` to answer in the browser, if there is one.
        curves: whether that browser may be given the model, so that a curve comes beside each handle.
        timing: that the browser is to time both runs, "usual" or "longer"; None if it is not.
        note: a line under the headline.
    """
    trace = pruned.trace
    special = [index for index, token in enumerate(trace.tokens) if token in setting.special]
    scale = question.scale
    reference = setting.reference
    return {
        "model": setting.model,
        "question": question.asks,
        "scale": scale and {"low": scale.low, "high": scale.high, "words": list(scale.words)},
        "labels": list(setting.labels),
        "several": setting.several,
        "tokens": [visible(token) for token in trace.tokens],
        "pieces": [{"text": p.text, "glued": p.glued} for p in pieces(trace.tokens, special)],
        "special": special,
        "segments": list(trace.segments),
        "protected": [0],  # what the classifier reads never leaves
        "importance": [_short(layer.importance) for layer in trace.layers],
        "dense": [_short(layer.importance) for layer in dense.trace.layers],
        "kept": [[int(kept) for kept in layer.kept] for layer in trace.layers],
        "thresholds": list(setting.thresholds),
        "learned": None if setting.learned is None else list(setting.learned),
        "start": list(setting.start),
        "named": [
            {"name": one.name, "thresholds": list(one.thresholds), "about": one.about}
            for one in setting.named
        ],
        "steps": list(STEPS),
        "factor": 1.0 if reference is None else min(1.0, reference / len(trace.tokens)),
        "size": {
            "hidden": setting.size.hidden,
            "ffnWeights": setting.size.ffn_weights,
            "windows": list(setting.size.windows),
        },
        "answers": {
            "dense": _answer(dense, setting.labels),
            "pruned": _answer(pruned, setting.labels),
            "nothing": nothing and _answer(nothing, setting.labels),
        },
        "time": time and {"headline": time.headline, "lines": list(time.lines), "longer": time.noisy},
        "attention": None if attention is None else [_attention(layer) for layer in attention],
        "undo": undo,
        "fixed": fixed,
        "live": live,
        "curves": live is not None and curves,
        "timing": timing,
        "note": note,
    }


def _answer(prediction: Prediction, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "probabilities": [prediction.probabilities[label] for label in labels] or None,
        "value": prediction.value,
    }


def _attention(layer: AttentionTrace) -> dict[str, Any]:
    """The mean over heads as bytes: 255 is the largest weight, a row is who gives."""
    weights = layer.weights()  # [n, n]
    largest = float(weights.max())
    scaled = np.rint(weights / largest * 255).astype(np.uint8)
    return {
        "tokens": list(layer.tokens),
        "largest": largest,
        "weights": base64.b64encode(scaled.tobytes()).decode("ascii"),
    }


def _short(shares: tuple[float | None, ...]) -> list[float | None]:
    """Seven digits, as single precision has: what JSON adds to them is noise."""
    return [None if share is None else float(f"{share:.7g}") for share in shares]
