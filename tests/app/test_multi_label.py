"""A model whose answer is a set of labels: every page opens, and each says a set."""

import pytest

from app import models
from ltp_core import PrunedModel
from tests.app.harness import html, on_stage, open_view

TEXT = "the plot was very bad and the film was so good"
VIEWS = (
    *(("explore", {}), ("compare", {}), ("learn", {}), ("about", {})),
    *(("why", {"show": show}) for show in ("steps", "matter", "what_if")),
    *(("evidence", {"show": show}) for show in ("curves", "file", "cost")),
)


@pytest.fixture
def several(tmp_path, monkeypatch, tiny_bert, tokenizer):
    """A tiny model with three labels of which any may hold, offered as "tiny"."""
    bert = tiny_bert(num_labels=3, problem_type="multi_label_classification")
    PrunedModel(bert, tokenizer, (0.0, 0.05, 0.06)).save_pretrained(tmp_path / "tiny")
    monkeypatch.setenv(models.MODELS_VARIABLE, str(tmp_path / "tiny"))
    models.load.clear()
    return PrunedModel.from_pretrained(tmp_path / "tiny")


@pytest.mark.parametrize(("view", "query"), VIEWS)
def test_every_page_opens(several, view, query):
    assert "<h1>" in html(open_view(view, text=TEXT, **query))


def test_the_stage_shows_each_label_by_itself(several):
    shown = on_stage(open_view("explore", text=TEXT))
    probabilities = shown["answers"]["pruned"]["probabilities"]
    assert shown["several"] and len(probabilities) == 3
    assert probabilities == pytest.approx(list(several.predict(TEXT).probabilities.values()))
