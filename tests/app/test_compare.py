"""The Compare page on a tiny model."""

import os
import re

import pytest

from app import models
from app.figures.colours import LIGHT
from app.figures.rules_map import rules_map
from app.says import findings
from app.visitor.saved import Saved, read_saved
from ltp_core import Dense, PrunedModel
from ltp_core.rules.table import RULES
from ltp_core.why.contest import Contender
from tests.app.harness import html, open_view, run, set_task

TEXT = "the plot was very bad and the film was so good"


@pytest.fixture
def compare(tiny_folder):
    models.load.clear()
    return lambda **query: open_view("compare", text=TEXT, **query)


def rows(page, caption):
    table = next(part for part in html(page).split('<div class="table"') if f"<caption>{caption}" in part)
    return [re.findall(r">([^<>]*)</t[hd]>", row) for row in table.split("<tr>")[2:]]


def test_all_rules_are_on_the_page(compare):
    found = rows(compare(), "What each rule does")
    assert [row[0] for row in found] == [
        "Your thresholds",
        "Rising thresholds",
        "Top-k",
        "Lengths",
        "Random",
        "Dense",
    ]
    assert found[4][3] == "the same"


def test_untrained_rules_are_said_to_be_untrained(compare):
    assert "The others were not trained here" in html(compare())


def test_off_is_said(compare):
    assert "Your thresholds prune nothing here" in html(compare(t1="0", t2="0", t3="0"))


def test_two_settings_are_saved_into_the_address(compare):
    page = compare(t1="0", t2="0.05", t3="0.06")
    assert "are a link" not in html(page) and "save them as B" in html(page)
    page.button(key="save_a").click()
    run(page)
    page.button(key="save_b").click()
    run(page)
    assert page.query_params["a"] == page.query_params["b"] == "tiny:0.0,0.05,0.06"
    assert "A and B give the same answer, at the same FLOPs" in html(page)


def test_a_link_restores_both(compare):
    page = compare(a="tiny:0.0,0.0,0.0", b="tiny:0.05,0.07,0.09")
    found = rows(page, "A and B")
    assert [row[0] for row in found] == ["A", "B"]
    assert found[0][5] == "13 13 13" and found[1][5] != "13 13 13"
    assert "B takes" in html(page)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nonsense", "is not a model and its thresholds"),
        ("tiny:0.1,nan,0.1", "is not a model and its thresholds"),
        ("gone:0.1,0.1,0.1", "there is no model “gone” here"),
        ("tiny:0.1", "“tiny” has 3 layers"),
        ("<img src=x>:0.1", "there is no model “&lt;img src=x&gt;” here"),
    ],
)
def test_what_cannot_be_used_is_said(compare, value, said):
    assert said in html(compare(a=value))


@pytest.mark.parametrize(
    ("labels", "task"), [({0: "no", 1: "yes"}, "cola"), ({0: "LABEL_0", 1: "LABEL_1"}, "mrpc")]
)
def test_a_model_that_answers_another_question_is_refused(
    compare, tiny_folder, monkeypatch, tiny_bert, tokenizer, labels, task
):
    other = tiny_folder.with_name("other")
    PrunedModel(tiny_bert(num_labels=2, id2label=labels), tokenizer, (0.0, 0.1, 0.1)).save_pretrained(other)
    set_task(other, task)
    monkeypatch.setenv(models.MODELS_VARIABLE, f"{tiny_folder}{os.pathsep}{other}")
    said = html(compare(a="tiny:0.0,0.1,0.1", b="other:0.0,0.1,0.1"))
    assert "B: “other” answers another question than tiny" in said
    assert "A and B give" not in said and "A and B differ" not in said


def test_saved_settings_survive_the_address():
    saved = Saved("org/model:7b", (0.0, 0.1234567890123, 1.0))
    assert read_saved({"a": saved.to_query()}) == ({"a": saved}, [])


def test_cells_count_layers_and_say_where_a_token_leaves(trace):
    figure = rules_map(["mine", "<b>"], [trace, trace], LIGHT, 1, 5)
    cells, numbers = figure.data
    assert [list(row) for row in cells.z] == [[3, 0, 3, 1]] * 2
    assert list(zip(numbers.x, numbers.y, numbers.text, strict=True)) == [
        (2, 0, "1"),
        (4, 0, "2"),
        (2, 1, "1"),
        (4, 1, "2"),
    ]
    assert cells.customdata[1][1] == "&lt;b&gt;: “very” leaves in layer 1"
    assert list(figure.layout.yaxis.ticktext) == ["mine", "&lt;b&gt;"]


def contenders(prediction, **labels):
    return [
        Contender(RULES[name], Dense(), prediction(label=labels.get(name, "positive")), 400_000_000)
        for name in ("ltp", "manual", "topk", "lat", "random", "dense")
    ]


def test_the_finding_names_rules_that_change_the_answer(prediction):
    assert findings.contest(contenders(prediction)) == "All rules keep the answer of the dense run, positive"
    lost = {"topk": "negative", "random": "negative"}
    assert findings.contest(contenders(prediction, **lost)) == (
        "Top-k and random choice change the answer; the other rules keep positive"
    )
    assert findings.contest(contenders(prediction, dense="negative")).startswith("No rule keeps")


def test_chance_is_counted(prediction):
    draws = [prediction(), prediction(), prediction(label="negative")]
    assert findings.chance(prediction(), draws) == (
        "Of 3 random choices of as many tokens, 2 give your thresholds’ answer."
    )
