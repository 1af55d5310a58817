"""The Explore page in Streamlit's own test harness, on a tiny model. Times are measured in one test only."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import limits, models, runs, surprises, turns
from app.says import notes
from app.surprises import Surprise
from app.visitor import session
from ltp_core import PrunedModel
from tests.app.harness import html, on_stage, run, send, set_task

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"


@pytest.fixture
def lab(tiny_folder, monkeypatch, comparison):
    """Opens the page: ``lab(text="good film", t2="0")``."""
    models.load.clear()
    monkeypatch.setattr(runs, "measure", lambda *args, **kwargs: comparison)

    def open_page(**query):
        page = AppTest.from_file(MAIN, default_timeout=60)
        for name, value in {"model": "tiny", **query}.items():
            page.query_params[name] = value
        return run(page)

    return open_page


def alive(page):
    """Tokens left after each layer in the run that the page shows."""
    return list(page.session_state[session.MEMORY].results["pruned"][1].trace.alive)


def thresholds(page):
    """What the number inputs show, in percent."""
    return [page.number_input(key=f"t{number}").value for number in (1, 2, 3)]


def test_a_sentence_runs_through_the_model(lab):
    page = lab(text="good film")
    page.text_area(key="text").set_value("the plot was very bad and the film was so good")
    run(page)
    assert len(on_stage(page)["tokens"]) == 13 and "trained together with the thresholds" in html(page)
    assert page.query_params["text"] == "the plot was very bad and the film was so good"
    assert on_stage(page)["time"]["headline"].replace("\u00a0", " ") == "Pruning: 1.25× faster (1.25–1.25)"


def test_the_browser_names_the_page(lab, monkeypatch):
    titles = []
    monkeypatch.setattr(st, "set_page_config", lambda **config: titles.append(config["page_title"]))
    lab(text="good film")
    assert titles[-1] == "Explore · LTP Lab"


def test_off_prunes_nothing_and_both_answers_are_equal(lab):
    page = lab(text="the plot was very bad and the film was so good")
    send(page, "release", [0, 0, 0])
    assert alive(page) == [13, 13, 13]
    answers = on_stage(page)["answers"]
    assert answers["dense"] == answers["pruned"]
    assert "nothing is gained" in on_stage(page)["time"]["headline"]


def test_raising_a_threshold_removes_tokens_and_work(lab):
    page = lab(text="the plot was very bad and the film was so good", t1="0", t2="0", t3="0")
    page.number_input(key="t2").set_value(9)
    run(page)
    after = alive(page)
    assert after[0] == 13 and after[1] < 13
    assert on_stage(page)["kept"][1].count(1) == after[1]
    assert page.query_params["t2"] == "0.09"


def test_a_collapse_is_said_with_what_the_model_says_to_nothing(lab):
    page = lab(text="the plot was very bad", t1="0.5")
    assert on_stage(page)["note"].replace("\u00a0", " ").startswith("Layer 1 asks for 50 % of the attention")
    nothing = on_stage(page)["answers"]["nothing"]["probabilities"]
    assert sum(nothing) == pytest.approx(1)
    assert on_stage(lab(text="the plot was very bad", t1="0"))["answers"]["nothing"] is None


def test_learned_one_for_all_and_undo(lab):
    page = lab(text="good film")
    learned = thresholds(page)
    assert learned == [0.0, 5.0, 6.0]
    page.number_input(key="all").set_value(20)
    run(page)
    assert thresholds(page) == [20.0] * 3 and page.query_params["t3"] == "0.2"
    assert on_stage(page)["undo"]
    send(page, "undo")
    assert thresholds(page) == learned
    assert not on_stage(page)["undo"]
    assert "t1" not in page.query_params
    send(page, "release", [0, 0, 0])
    send(page, "release", on_stage(page)["learned"])
    assert thresholds(page) == learned


def test_learned_thresholds_come_back_to_the_last_digit(lab, tiny_folder, tiny_bert, tokenizer):
    PrunedModel(tiny_bert(num_labels=2), tokenizer, (0.0, 1 / 19, 1 / 17)).save_pretrained(tiny_folder)
    page = lab(text="good film")
    for back in ("release", "undo"):
        send(page, "release", [0, 0, 0])
        assert page.query_params["t2"] == "0.0"
        send(page, back, on_stage(page)["learned"])
        assert on_stage(page)["thresholds"] == [0.0, 1 / 19, 1 / 17] and "t2" not in page.query_params


def test_an_empty_text_invites(lab, tiny_folder):
    page = lab(text="  ")
    assert "Type a sentence above" in html(page)
    page.button(key="example_0").click()
    run(page)
    trace = models.load(tiny_folder, "cpu").predict(page.text_area(key="text").value).trace
    assert "Type a sentence above" not in html(page)
    assert len(on_stage(page)["tokens"]) == len(trace.tokens)
    assert alive(page) == list(trace.alive)


def test_ten_thousand_words_are_cut_with_a_notice(lab):
    page = lab(text="good film")
    page.text_area(key="text").set_value("good " * 10_000)
    run(page)
    assert "it reads 32 tokens, so the last 9,970 tokens were cut" in html(page)
    assert "too long for a link" in html(page)
    assert "text" not in page.query_params


def test_more_text_than_the_lab_takes_is_refused_and_kept(lab):
    page = lab(text="good film")
    page.text_area(key="text").set_value("x" * (limits.MAX_CHARACTERS + 1))
    run(page)
    assert "100,001 characters; the lab takes 100,000" in html(page)
    assert len(page.text_area(key="text").value) == limits.MAX_CHARACTERS + 1


@pytest.mark.parametrize(
    "text",
    [
        "😀 good 👩\u200d🚀",
        "<img src=x onerror=alert(1)> <script>alert(1)</script>",
        "![x](http://example.org/x.png) [y](javascript:alert(1)) $x$ :material/home:",
        "שלום \u202e good",
        "good\x00\x07\ufffd film",
        "#000021 #000006 &lt;b&gt;",
    ],
)
def test_awkward_text_stays_text(lab, text):
    page = lab(text=text)
    assert on_stage(page)["tokens"]
    assert page.text_area(key="text").value == text
    assert "<img" not in html(page) and "<script" not in html(page)
    assert not [element for element in page.markdown if "example.org" in element.value]


def test_text_without_any_token_gets_a_message(lab):
    page = lab(text="\u200b")
    assert "the text is empty" in html(page)
    assert page.text_area(key="text").value == "\u200b"


def test_a_bad_threshold_in_the_address_falls_back(lab):
    page = lab(t3="abc")
    assert "t3=abc is not a share of attention" in html(page)
    assert page.number_input(key="t3").value == 6
    send(page, "release", [0, 0, 0])
    assert "t3=abc" not in html(page)


def test_markup_in_the_address_is_text(lab):
    page = lab(t1="<img src=x>")
    assert "t1=&lt;img src=x&gt;" in html(page)


def test_an_unknown_model_is_answered_with_the_list(lab):
    page = lab(model="bert")
    assert "There is no model “bert” here" in html(page) and "tiny" in html(page)


def test_the_address_restores_everything(lab):
    page = lab(text="good film plot", t1="0.01", t2="0.3", t3="0", layer="2", head="3")
    assert thresholds(page) == [1.0, 30.0, 0.0]
    assert page.selectbox(key="head").value == 3
    assert "Layer 2, head 3:" in html(page)


def test_only_devices_of_this_machine_are_offered(lab):
    names = [models.DEVICE_NAMES[device] for device in models.devices()]
    assert lab().selectbox(key="device").options == names


def test_a_broken_model_gets_one_line(lab, tiny_folder):
    (tiny_folder / "config.json").write_text("{", encoding="utf-8")
    page = lab()
    assert "is not readable" in html(page)


def test_a_model_with_a_length_exponent_is_refused(lab, tiny_folder):
    config = tiny_folder / "ltp_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "length_exponent": 0.5}))
    page = lab(text="good film")
    assert "trained with length_exponent 0.5" in html(page)
    assert page.selectbox(key="model").value == "tiny" and not page.number_input
    page.selectbox(key="model").select("sst2")
    assert run(page).number_input


def test_another_model_can_be_chosen_instead_of_a_broken_one(lab, tiny_folder, monkeypatch):
    good = tiny_folder.with_name("good")
    shutil.copytree(tiny_folder, good)
    monkeypatch.setenv(models.MODELS_VARIABLE, f"{tiny_folder}{os.pathsep}{good}")
    (tiny_folder / "config.json").write_text("{", encoding="utf-8")
    page = lab(text="good film")
    assert page.selectbox(key="model").value == "tiny"
    page.selectbox(key="model").select("good")
    run(page)
    assert alive(page) == list(models.load(good, "cpu").predict("good film").trace.alive)


def test_a_pair_task_has_two_boxes(lab, tiny_folder):
    set_task(tiny_folder, "mrpc")
    page = lab(text="good film", pair="bad film")
    assert page.text_area(key="text").label == "First text"
    assert page.text_area(key="pair").value == "bad film"
    assert len(on_stage(page)["tokens"]) == 7
    page.text_area(key="pair").set_value("")
    run(page)
    assert "Type a sentence" in html(page)


def test_a_model_that_puts_out_a_number(lab, tiny_folder, tiny_bert, tokenizer):
    PrunedModel(tiny_bert(num_labels=1), tokenizer, (0.0, 0.09, 0.09)).save_pretrained(tiny_folder)
    answers = on_stage(lab(text="a very good film and a very bad plot"))["answers"]
    assert answers["dense"]["probabilities"] is None
    assert answers["dense"]["value"] != answers["pruned"]["value"]


def test_a_model_without_thresholds_starts_with_some_and_comes_back_to_them(lab, tiny_folder):
    (tiny_folder / "ltp.safetensors").unlink()
    page = lab(text="good film")
    start = thresholds(page)
    assert on_stage(page)["learned"] is None and on_stage(page)["start"] == on_stage(page)["thresholds"]
    assert "weights, which were not trained with thresholds" in html(page)
    send(page, "release", [0, 0, 0])
    assert thresholds(page) == [0, 0, 0]
    send(page, "release", on_stage(page)["start"])
    assert thresholds(page) == start


def test_a_new_sentence_is_measured_anew(lab, monkeypatch, comparison):
    measured = []
    page = lab(text="good film")
    monkeypatch.setattr(
        runs, "measure", lambda _, texts, *rest, **options: measured.append(texts) or comparison
    )
    page.text_area(key="text").set_value("bad film")
    run(page)
    page.selectbox(key="head").select(2)
    run(page)  # the same input: its times stay
    page.text_area(key="text").set_value("good film")
    run(page)
    assert [texts.first for texts in measured] == ["bad film", "good film"]
    page.button(key="run").click()
    run(page)  # asked for
    assert len(measured) == 3


def test_it_says_when_others_measure_and_keeps_no_refusal(lab, monkeypatch, comparison):
    def busy(*args):
        raise turns.Busy

    monkeypatch.setattr(runs, "measure", busy)
    page = lab(text="the plot was very bad and the film was so good")
    headline = on_stage(page)["time"]["headline"]
    assert headline == "Not measured, since many visitors measure right now: press Run to try again"
    monkeypatch.setattr(runs, "measure", lambda *args: comparison)
    page.selectbox(key="head").select(2)
    run(page)  # the same input: only what was measured would have stayed
    assert "1.25× faster" in on_stage(page)["time"]["headline"]


def test_times_are_really_measured(tiny_folder):
    models.load.clear()
    page = AppTest.from_file(MAIN, default_timeout=60)
    page.query_params["model"] = "tiny"
    run(page)
    time = on_stage(page)["time"]
    assert time["headline"].startswith("Pruning: ")
    assert re.match(r"[\d.]+ ms → [\d.]+ ms on this ", time["lines"][0].replace("\u00a0", " "))
    assert "Hugging Face" in time["lines"][1]


def test_a_longer_measurement_is_taken_once_where_it_is_asked_for(lab, monkeypatch, comparison):
    asked = []

    def measure(model, texts, values, each_round, seconds):
        asked.append(seconds)
        return comparison

    monkeypatch.setattr(runs, "measure", measure)
    page = lab(text="good film")
    send(page, "measure")
    run(page)
    assert asked == [runs.USUAL_SECONDS, runs.LONGER_SECONDS]
    page.text_area(key="text").set_value("bad film")
    run(page)
    assert asked[2:] == [runs.USUAL_SECONDS]


def test_attention_of_all_layers_comes_once_all_is_drawn(lab):
    page = lab(text="good film")
    found = on_stage(page)["attention"]
    assert len(found) == 3 and found[0]["tokens"] == [0, 1, 2, 3]


def test_a_click_opens_why_there(lab):
    page = send(lab(text="good film"), "open", {"layer": 2, "token": 3})
    assert page.query_params["layer"] in ("2", ["2"]) and page.query_params["token"] in ("3", ["3"])


def test_a_surprise_opens_its_link(lab, monkeypatch):
    case = Surprise("A case", "what is it?", "tiny", "the film was bad", moved={2: 0.09})
    monkeypatch.setattr(surprises, "SURPRISES", (case,))
    page = lab(text="good film", t1="0.5")
    page.button(key="surprise_0").click()
    run(page)
    assert page.text_area(key="text").value == case.text
    assert thresholds(page) == [0, 9, 6] and on_stage(page)["note"] == "A case: what is it?"
    assert "t1" not in page.query_params and page.query_params["t2"] in ("0.09", ["0.09"])
    page.text_area(key="text").set_value("good film")
    assert on_stage(run(page))["note"] == notes.STAGE


def test_a_teachers_link_hides_controls(lab):
    page = lab(text="good film", hide="text,model,thresholds")
    assert not page.text_area and not page.number_input
    keys = {control.key for kind in (page.selectbox, page.button) for control in kind}
    assert not keys & {"model", "device", "run"} and on_stage(page)["fixed"]
    assert "“good film”" in html(page) and alive(page)
