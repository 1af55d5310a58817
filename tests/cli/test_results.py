"""`results` on tiny models: what was held out, every metric and every length reach the row and the card."""

import json
import re
from dataclasses import asdict

import pytest

from ltp_core import PrunedModel, checkpoints
from ltp_core.checkpoints import Settings
from ltp_core.data.sources import load_table
from ltp_core.measuring.shipped import measure_shipped
from ltp_core.measuring.source import rows_for
from ltp_core.pages import report, shipped
from ltp_core.training.job import Job, Pruning, Recipe
from tests.some import some

RECIPE = Recipe(max_tokens=12)
PAIRS = [
    ("a film it was", "very good"),
    ("bad plot", "the film was so bad"),
    ("good", "a good film and the plot"),
    ("so bad and a b c d e f", "g h i j k l"),
    ("very very good", "so good"),
    ("the plot", "plot of a film"),
    ("bad and bad", "not a word"),
    ("a b c", "a b d"),
]


@pytest.fixture
def ship(tmp_path, monkeypatch, tiny_bert, tokenizer):
    """Makes a shipped model of a task whose development and training rows are these pairs."""
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path / "models")
    monkeypatch.setattr(shipped, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")

    def make(task, labels, classes, untouched):
        folder = tmp_path / "data"
        folder.mkdir()
        rows = [{"sentence1": a, "sentence2": b, "label": y} for (a, b), y in zip(PAIRS, labels, strict=True)]
        for split in ("train", "validation"):
            (folder / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        job = Job(task, None, "base", None, "ltp", RECIPE, RECIPE, Pruning(), 2, untouched)
        model = PrunedModel(tiny_bert(num_labels=classes), tokenizer, [0.08, 0.12, 0.16])
        model.settings = Settings(task=task, training=asdict(job))
        model.save_pretrained(tmp_path / "models" / "tiny")
        baseline = PrunedModel(tiny_bert(num_labels=classes, seed=1), tokenizer)
        baseline.save_pretrained(tmp_path / "models" / "tiny" / "baseline")
        return str(folder)

    return make


def record(data, factors, **options):
    return shipped.write_shipped("tiny", *measure_shipped("tiny", data, factors, "cpu", **options))


def test_two_scores_two_lengths_and_nothing_untouched(ship, tmp_path, tokenizer):
    data = ship("mrpc", [1, 0] * 4, 2, untouched=0)
    found = record(data, [1.0, 0.5], lengths=[12, 32])
    assert list(found) == [
        "development",
        "tuning",
        "development at 32 tokens",
        "tuning at 32 tokens",
        "stamp",
    ]
    assert found["development"]["max_tokens"] == 12
    longer = sum(len(tokenizer(*pair)["input_ids"]) > 12 for pair in PAIRS)
    assert found["development"]["truncated_examples"] == longer > 0
    assert found["development at 32 tokens"]["truncated_examples"] == 0
    rows = json.loads((tmp_path / "results" / "tiny.json").read_text())["rows"]
    assert [(r["split"], r["max_tokens"], r["factor"]) for r in rows] == [
        (split, length, factor)
        for split in ("development", "tuning")
        for length in (12, 32)
        for factor in (0.5, 1.0)
    ]
    assert all(set(row["pruned_scores"]) == {"f1", "accuracy"} for row in some(rows))
    card = (tmp_path / "models" / "tiny" / "README.md").read_text()
    assert re.search(r"\| -?\d+\.\d ± \d+\.\d \|", card)  # points lost, with their standard error
    assert "f1 / accuracy in percent" in card and "cut at 12 tokens" in card and "| untouched" not in card
    assert '("A man is playing a guitar.", "Someone plays music.")' in card
    page = report.page()
    assert "### development, 8 rows of at most 32 tokens, f1 in percent" in page and "untouched," not in page


def test_a_regression(ship, tmp_path):
    data = ship("stsb", [5.0, 1.5, 0.0, 3.0, 4.0, 2.5, 1.0, 4.5], 1, untouched=2)
    found = record(data, [1.0], limit=3)
    assert found["development"]["metrics"] == ["spearman", "pearson"]
    assert found["development"]["examples"] == 3
    assert "| untouched | 2 |" in (tmp_path / "models" / "tiny" / "README.md").read_text()


def test_imdb_has_its_development_rows_in_another_split(ship, monkeypatch):
    """Its Hub data set has no validation split."""
    data = ship("imdb", [0, 1] * 4, 2, untouched=0)
    asked = []

    def load(*where, progress):
        asked.append(where)
        return load_table(data, "validation")

    monkeypatch.setattr("ltp_core.measuring.source.load_table", load)
    rows_for(PrunedModel.from_pretrained("tiny"), data, None)
    assert asked == [(data, "test", None)]


def test_the_page_says_the_commands_that_gave_a_model_and_its_rows(ship):
    data = ship("mrpc", [1, 0] * 4, 2, untouched=0)
    record(data, [1.0, 0.5], lengths=[12, 32], limit=3)
    train = "ltp train --task mrpc --output runs/tiny --base base --max-tokens 12 --tuning 2 --untouched 0"
    page = report.page()
    assert f"{train} --target-flops 2.1 --pruning-learning-rate 5e-05\n" in page
    assert "ltp ship runs/tiny --name tiny\n" in page
    assert "ltp results --model tiny --limit 3 --max-tokens 12,32 --factors 0.5,1\n" in page
