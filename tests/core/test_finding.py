"""The finding on a tiny model, and its parts by hand."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from ltp_core import PrunedModel
from ltp_core.data.rows import Rows
from ltp_core.finding import bootstrap
from ltp_core.finding.examples import Options, run
from ltp_core.finding.summary import summarise
from ltp_core.finding.transfer import transfer
from ltp_core.finding.word_classes import kind_of
from ltp_core.finding.write import write_page
from tests.some import some

TEXTS = ["a very good film", "the plot was bad", "it was so very bad and the film was good", "good plot"]


def test_kinds_of_words():
    words = ["The", "not", "film", ",", "12", "was", "very", "and", "of", "it"]
    kinds = "article negation content punctuation number auxiliary degree conjunction preposition pronoun"
    assert [kind_of(word) for word in words] == kinds.split()


def test_intervals_hold_the_mean_and_shrink_with_more_sentences():
    values = np.random.default_rng(0).normal(1.0, 1.0, 400)
    few, many = bootstrap.mean(values[:25]), bootstrap.mean(values)
    assert few.low < few.value < few.high and many.high - many.low < few.high - few.low
    assert many.high - many.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert bootstrap.mean([None, 2.0]).examples == 1 and bootstrap.mean([None]) is None
    assert bootstrap.ratio([1, 3], [2, 2]).value == 1.0
    assert bootstrap.difference([2.0, 2.0], [1.0]).value == 1.0 and bootstrap.difference([], [1.0]) is None


def test_a_data_set_becomes_a_page(tiny_bert, tokenizer, tmp_path):
    model = PrunedModel(tiny_bert(num_labels=2), tokenizer, [0.06, 0.1, 0.12])
    rows = Rows(TEXTS, [1, 0, 0, 1])
    examples = run(model, rows, Options(steps=16, draws=2))
    for text, example in zip(TEXTS, examples, strict=True):
        assert len(example.kinds) == sum(example.attribution.words) == len(text.split())
        assert example.attribution.trace == model.predict(text).trace
    found = summarise(examples)
    assert found["words"] == sum(len(text.split()) for text in TEXTS)
    assert sum(row["words"] for row in found["kinds"]) == found["words"]
    assert sum(row["words"] for row in found["places"]) == found["words"]
    after_first = sum(row["words"] * row["left"][0]["value"] for row in found["kinds"])
    assert after_first == pytest.approx(sum(sum(e.attribution.trace.layers[0].kept[1:-1]) for e in examples))
    document = {
        "model": "tiny",
        "options": asdict(Options()),
        **found,
        "transfer": transfer(model, rows, {"other": model}),
        "stamp": {"commit": "abc", "machine": "here"},
    }
    (tmp_path / "finding-tiny.json").write_text(json.dumps(document, allow_nan=False), encoding="utf-8")
    page, *figures = write_page(tmp_path, tmp_path / "finding.md", tmp_path / "pictures")
    text = page.read_text(encoding="utf-8")
    assert "4 sentences" in text and "$" not in text
    assert all(f"pictures/{figure.name}" in text and figure.stat().st_size > 1000 for figure in some(figures))


def test_without_a_finding_nothing_is_written(tmp_path):
    assert write_page(tmp_path, tmp_path / "finding.md", tmp_path) == []
