"""The table of tasks: a toy task, added by one entry, is read, scored and shown."""

import json

import pytest
from typer.testing import CliRunner

from app import models
from app.examples import examples_for
from ltp_core.cli import app
from ltp_core.data.columns import DataError
from ltp_core.data.metrics import metric_of
from ltp_core.data.rows import load_rows
from ltp_core.data.tasks import TASKS, Task, known_columns
from ltp_core.pages.card import example_of
from tests.app.harness import open_view, set_task
from tests.some import some

ROWS = [("good film", "a film", 1), ("bad plot", "a plot", 0), ("the film", "of a plot", 1)]


@pytest.fixture
def toy(monkeypatch):
    """Adds a task on pairs whose columns no other task has."""
    task = Task(
        "toy", "Is the reply about the claim?", ("claim", "reply"), ("no", "yes"), "nobody/toy", metric="f1"
    )
    monkeypatch.setitem(TASKS, task.name, task)
    return task


@pytest.fixture
def data(tmp_path):
    """A file in the toy's own columns."""
    file = tmp_path / "toy.jsonl"
    lines = [{"claim": claim, "reply": reply, "label": label} for claim, reply, label in ROWS]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return str(file)


def test_its_columns_are_read_and_only_with_it(data, monkeypatch):
    with pytest.raises(DataError, match="no text column"):
        load_rows(data)
    monkeypatch.setitem(TASKS, "toy", Task("toy", "?", ("claim", "reply"), ("no", "yes")))
    assert load_rows(data).texts == [row[:2] for row in ROWS]


def test_its_metric_and_kind_are_the_entrys(toy):
    assert metric_of("toy") == "f1" and toy.pairs
    assert example_of("toy").startswith("(")  # a pair, in the model card


def test_it_is_scored_on_the_command_line(toy, data, tiny_folder):
    set_task(tiny_folder, "toy")
    words = ["evaluate", "--model", str(tiny_folder), "--data", data, "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["metric"], found["examples"]) == ("f1", 3)


def test_the_lab_asks_for_two_texts(toy, tiny_folder):
    set_task(tiny_folder, "toy")
    models.load.clear()
    page = open_view("compare", text="good film", pair="a film")
    assert len(page.get("html")) > 1
    assert all(example.pair for example in some(examples_for("toy")))
    fields = [field.key for field in (*page.text_area, *page.text_input)]
    assert "pair" in fields


def test_the_table_is_sound():
    for name, task in some(TASKS.items()):
        assert task.name == name and task.asks.endswith("?") and len(task.columns) in (1, 2)
        assert (task.metric == "spearman") is (not task.classes)
    first_single = next(i for i, columns in enumerate(known_columns()) if len(columns) == 1)
    assert all(len(columns) == 1 for columns in some(known_columns()[first_single:]))
