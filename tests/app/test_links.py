"""A link reopens what is seen: what is set goes into the address, and a new visitor finds it there."""

import pytest

from app import models, runs
from tests.app.harness import html, open_view, run

TEXT = "the plot was very bad and the film was so good"
SET = {  # page and section: a control -> what it is set to
    "explore": {"layer": 3, "head": 1, "t2": 7.5},
    "why steps": {"layer": 2, "token": 4},
    "why matter": {"class": "LABEL_0", "method": "gradient_x_input"},
    "why what_if": {"stay": [4], "go": [2, 5]},
    "compare": {"t1": 2.5},
    "evidence cost": {"t3": 1.0},
    "evidence file": {"source": "file"},
    "learn": {"show": "teacher"},
}


def open_section(name, **query):
    page, _, section = name.partition(" ")
    return open_view(page, **({"show": section} if section else {}), **query)


@pytest.fixture(autouse=True)
def lab(tiny_folder, monkeypatch, comparison):
    models.load.clear()
    monkeypatch.setattr(runs, "measure", lambda *args: comparison)
    monkeypatch.setattr(runs, "measure_batch", lambda *args: comparison)


def controls(page, keys):
    return {key: page.session_state[key] for key in keys}


@pytest.mark.parametrize("name", SET)
def test_a_link_reopens_the_view(name):
    page = open_section(name, text=TEXT)
    for key, value in SET[name].items():
        page.session_state[key] = value
    run(page)
    assert controls(page, SET[name]) == SET[name]
    query = {
        key: values[0] if isinstance(values, list) else values for key, values in page.query_params.items()
    }
    again = open_view(name.partition(" ")[0], **query)
    assert controls(again, SET[name]) == SET[name]
    assert html(again) == html(page)
    assert dict(again.query_params) == dict(page.query_params)


@pytest.mark.parametrize("name", ["why matter", "why what_if", "learn", "evidence file"])
def test_a_changed_address_moves_the_controls(name):
    page = open_section(name, text=TEXT)
    usual = controls(page, SET[name])
    for key, value in SET[name].items():
        page.session_state[key] = value
    run(page)
    for key in SET[name]:
        del page.query_params[key]
    run(page)
    assert controls(page, SET[name]) == usual


def test_what_the_address_asks_for_in_vain_is_said_until_it_is_changed():
    page = open_section("why matter", text=TEXT, method="magic")
    assert "There is no method “magic” here" in html(run(page))
    page.selectbox(key="method").select("gradient_x_input")
    assert "magic" not in html(run(page))
    assert page.query_params["method"] in ("gradient_x_input", ["gradient_x_input"])


def test_the_class_to_explain_follows_the_answer_until_one_is_chosen():
    page = open_section("why matter", text=TEXT)
    assert "class" not in page.query_params
    answer = page.session_state["class"]
    other = {"LABEL_0": "LABEL_1", "LABEL_1": "LABEL_0"}[answer]
    page.selectbox(key="class").select(other)
    run(page)
    page.text_area(key="text").set_value("a good film")
    assert run(page).session_state["class"] == other
