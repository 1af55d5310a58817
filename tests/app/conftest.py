"""A trace worked out by hand, predictions around it, and a folder with a tiny model."""

import pytest

from app import jobs, models, runs
from ltp_core import LayerTrace, Prediction, PrunedModel, Trace
from ltp_core.speed.latency import TextTimes, Timing, time_text

THRESHOLDS = (0.0, 0.05, 0.06)


@pytest.fixture(autouse=True)
def nobody_has_run_anything():
    """Streamlit's test harness has one visitor: what one test has started is not the next one's."""
    jobs._board.clear()


@pytest.fixture(autouse=True)
def a_measurement_is_a_moment(monkeypatch):
    """Pages measure as they do, without the rest before it and the half second that it takes at least."""

    def briefly(*what, seconds, **options):
        assert seconds > 0
        return time_text(*what, seconds=0, runs=2, **options)

    monkeypatch.setattr(runs, "REST", 0.0)
    monkeypatch.setattr(runs, "time_text", briefly)


@pytest.fixture
def trace():
    """Five tokens, three layers: "very" leaves in layer 1, "[SEP]" in layer 2, nobody in layer 3."""
    return Trace(
        tokens=("[CLS]", "a", "very", "<b>", "[SEP]"),
        segments=(0, 0, 0, 0, 0),
        truncated_tokens=0,
        layers=(
            LayerTrace(1, 0.1, (0.4, 0.2, 0.05, 0.25, 0.1), (True, True, False, True, True)),
            LayerTrace(2, 0.2, (0.1, 0.25, None, 0.5, 0.15), (True, True, False, True, False)),
            LayerTrace(3, 0.0, (0.6, 0.1, None, 0.3, None), (True, True, False, True, False)),
        ),
    )


@pytest.fixture
def prediction(trace):
    """Makes predictions: ``prediction(label="positive", share=0.9, flops=400, trace=...)``."""

    def make(label="positive", share=0.9, flops=400_000_000, trace=trace):
        other = "negative" if label == "positive" else "positive"
        return Prediction(
            label,
            {label: share, other: 1 - share},
            None,
            flops=flops,
            dense_flops=1_000_000_000,
            executed_flops=flops,
            trace=trace,
        )

    return make


@pytest.fixture
def comparison():
    """Hugging Face 12 ms, our engine dense 10 ms, pruned 8 ms, in twenty turns that are slower by turns."""

    def turns(median):
        return tuple(median * (1 + 0.01 * turn) for turn in range(-10, 11) if turn)

    return TextTimes(
        Timing(12, 11, 13, 20, turns(12)), Timing(10, 9, 11, 20, turns(10)), Timing(8, 7.5, 8.5, 20, turns(8))
    )


@pytest.fixture
def tiny_folder(tmp_path, monkeypatch, tiny_bert, tokenizer):
    """A tiny model with learned thresholds on disk, offered by the lab as "tiny"."""
    folder = tmp_path / "tiny"
    PrunedModel(tiny_bert(num_labels=2), tokenizer, THRESHOLDS).save_pretrained(folder)
    monkeypatch.setenv(models.MODELS_VARIABLE, str(folder))
    return folder
