"""The Compare page on a tiny model."""

import os
import re

import pytest

from app import examples, models
from app.figures.colours import LIGHT
from app.figures.rules_map import rules_map
from app.says import findings
from app.visitor.saved import Saved, read_saved
from ltp_core import Dense, PrunedModel, Thresholds
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
    assert "a" not in page.query_params and "b" not in page.query_params
    page.button(key="save_a").click()
    run(page)
    page.button(key="save_b").click()
    run(page)
    assert page.query_params["a"] == page.query_params["b"] == "tiny:0.0,0.05,0.06"
    assert "A and B give the same answer, at the same FLOPs" in html(page)


def test_it_opens_with_now_beside_a_faster_setting(compare, tiny_folder):
    page = compare()
    model = models.load(tiny_folder, "cpu")
    now = model.predict(TEXT).trace.alive
    fast = model.predict(TEXT, rule=Thresholds([2 * theta for theta in model.thresholds])).trace.alive
    found = rows(page, "A and B")
    assert [row[5] for row in found] == [" ".join(map(str, now)), " ".join(map(str, fast))]
    assert now != fast


def test_a_choice_goes_into_the_address_and_comes_back(compare):
    page = compare()
    page.selectbox(key="b").select("tiny:0x")
    run(page)
    assert page.query_params["b"] == "tiny:0x" and rows(page, "A and B")[1][5] == "13 13 13"
    again = compare(b="tiny:0x")
    assert again.selectbox(key="b").value == "tiny:0x" and rows(again, "A and B")[1][5] == "13 13 13"


def test_two_models_with_other_layers_are_each_drawn(compare, tiny_folder, monkeypatch, tiny_bert, tokenizer):
    """As sst2 with six layers and sst2-base with twelve: B is the other model of the task from the start."""
    other = tiny_folder.with_name("deeper")
    deep = PrunedModel(tiny_bert(num_labels=2, layers=5), tokenizer, (0.0, 0.0, 0.05, 0.06, 0.06))
    deep.save_pretrained(other)
    for folder in (tiny_folder, other):
        set_task(folder, "cola")
    monkeypatch.setenv(models.MODELS_VARIABLE, f"{tiny_folder}{os.pathsep}{other}")
    page = compare(a="tiny:1x", b="deeper:1x")
    found = rows(page, "A and B")
    assert [row[4] for row in found] == ["3", "5"] and found[1][1] == "deeper · learned thresholds"
    assert found[1][5] == " ".join(map(str, deep.predict(TEXT).trace.alive))
    assert "st-key-rules_map_a_0" in html(page) and "st-key-rules_map_b_0" in html(page)


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


@pytest.mark.parametrize(
    "saved",
    [Saved("org/model:7b", (0.0, 0.1234567890123, 1.0)), Saved("a:b", factor=0.5), Saved("a", factor=0)],
)
def test_saved_settings_survive_the_address(saved):
    assert read_saved({"a": saved.to_query()}) == ({"a": saved}, [])


@pytest.mark.parametrize("text", ["a:-1x", "a:nanx", "a:infx", "a:1e9x", "a:x", ":1x"])
def test_a_factor_that_is_none_is_refused(text):
    assert read_saved({"a": text})[0] == {}


@pytest.mark.parametrize("task", sorted(examples.DIFFER))
def test_the_text_it_opens_on_divides_the_rules(task):
    """On shipped weights: at equal FLOPs some rule gives another answer than another, dense apart."""
    page = open_view("compare", model=task)
    example = examples.where_rules_differ(task)
    assert page.text_area(key="text").value == example.text
    answers = {row[1].split()[0] for row in rows(page, "What each rule does") if row[0] != "Dense"}
    assert len(answers) > 1


def test_a_visitors_own_text_stays(compare):
    assert compare().text_area(key="text").value == TEXT


def test_cells_count_layers_and_say_where_a_token_leaves(trace):
    figure = rules_map(["mine", "<b>"], [trace, trace], LIGHT, 1, 5)
    cells, numbers = figure.data
    assert [list(row) for row in cells.z] == [[4, 1, 4, 2]] * 2
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
