"""The Explore page in Streamlit's own test harness, on a tiny model. Times are measured in one test only."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import limits, models, runs, turns
from app import thresholds as thresholds_of_page
from app.visitor import session
from ltp_core import PrunedModel
from tests.app.harness import html, run, set_task

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


def card(page, title):
    """Headline and values of a card of the verdict strip."""
    found = re.search(rf'<h3>{title}.*?class="headline">(.*?)</p>(.*?)</section>', html(page))
    assert found, title
    return found[1], re.findall(r'class="value">(.*?)<', found[2])


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
    assert "13 tokens" in html(page) and "trained together with the thresholds" in html(page)
    assert page.query_params["text"] == "the plot was very bad and the film was so good"
    assert card(page, "Time")[0] == "1.50× faster"


def test_the_browser_names_the_page(lab, monkeypatch):
    titles = []
    monkeypatch.setattr(st, "set_page_config", lambda **config: titles.append(config["page_title"]))
    lab(text="good film")
    assert titles[-1] == "Explore · LTP Lab"


def test_off_prunes_nothing_and_both_verdicts_are_equal(lab):
    page = lab(text="the plot was very bad and the film was so good")
    page.button(key="off").click()
    run(page)
    assert alive(page) == [13, 13, 13]
    assert card(page, "Work")[0] == "Same work"
    headline, (dense, pruned) = card(page, "Answer")
    assert headline == "Same answer" and dense == pruned
    assert "Nothing is pruned" in html(page)


def test_raising_a_threshold_removes_tokens_and_work(lab):
    page = lab(text="the plot was very bad and the film was so good", t1="0", t2="0", t3="0")
    before = card(page, "Work")[1]
    page.number_input(key="t2").set_value(9)
    run(page)
    after = alive(page)
    assert after[0] == 13 and after[1] < 13
    assert before[1] != card(page, "Work")[1][1] and before[0] == card(page, "Work")[1][0]
    assert page.query_params["t2"] == "0.09"


def test_a_collapse_is_said_above_the_board(lab, monkeypatch):
    monkeypatch.setattr(thresholds_of_page, "board", lambda view: st.html("<p>the board</p>"))
    said = html(lab(text="the plot was very bad", t1="0.5"))
    assert said.index("Layer 1 asks for 50 % of the attention") < said.index("the board")


def test_learned_one_for_all_and_undo(lab):
    page = lab(text="good film")
    learned = thresholds(page)
    assert learned == [0.0, 5.0, 6.0]
    page.number_input(key="all").set_value(20)
    run(page)
    assert thresholds(page) == [20.0] * 3 and page.query_params["t3"] == "0.2"
    page.button(key="undo").click()
    run(page)
    assert thresholds(page) == learned
    assert page.button(key="undo").disabled
    assert "t1" not in page.query_params
    page.button(key="off").click()
    run(page)
    page.button(key="learned").click()
    run(page)
    assert thresholds(page) == learned


def test_learned_thresholds_come_back_to_the_last_digit(lab, tiny_folder, tiny_bert, tokenizer):
    PrunedModel(tiny_bert(num_labels=2), tokenizer, (0.0, 1 / 19, 1 / 17)).save_pretrained(tiny_folder)
    page = lab(text="good film")
    for back in ("learned", "undo"):
        page.button(key="off").click()
        run(page)
        assert page.query_params["t2"] == "0.0"
        page.button(key=back).click()
        run(page)
        assert page.button(key="learned").disabled and "t2" not in page.query_params


def test_an_empty_text_invites(lab, tiny_folder):
    page = lab(text="  ")
    assert "Type a sentence above" in html(page)
    page.button(key="example_0").click()
    run(page)
    trace = models.load(tiny_folder, "cpu").predict(page.text_area(key="text").value).trace
    assert "Type a sentence above" not in html(page)
    assert f"{trace.alive[1]} of {len(trace.tokens)} tokens left after layer 2 of 3" in html(page)
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
    assert "tokens" in html(page)
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
    page.button(key="off").click()
    run(page)
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
    assert "7 tokens" in html(page)
    page.text_area(key="pair").set_value("")
    run(page)
    assert "Type a sentence" in html(page)


def test_a_model_that_puts_out_a_number(lab, tiny_folder, tiny_bert, tokenizer):
    PrunedModel(tiny_bert(num_labels=1), tokenizer, (0.0, 0.09, 0.09)).save_pretrained(tiny_folder)
    headline, values = card(lab(text="a very good film and a very bad plot"), "Answer")
    assert re.fullmatch(r"Answer moves by \d+\.\d\d", headline)
    assert len({float(value) for value in values}) == 2


def test_a_model_without_thresholds_starts_with_some_and_comes_back_to_them(lab, tiny_folder):
    (tiny_folder / "ltp.safetensors").unlink()
    page = lab(text="good film")
    start = thresholds(page)
    assert page.button(key="learned").label == "Start values" and page.button(key="learned").disabled
    assert "weights, which were not trained with thresholds" in html(page)
    page.button(key="off").click()
    run(page)
    assert "Nothing is pruned" in html(page)
    page.button(key="learned").click()
    run(page)
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
    page = lab(text="good film")
    headline, _ = card(page, "Time")
    assert headline == "Not measured, since many visitors measure right now: press Run to try again"
    monkeypatch.setattr(runs, "measure", lambda *args: comparison)
    page.selectbox(key="head").select(2)
    run(page)  # the same input: only what was measured would have stayed
    assert "1.50× faster" in card(page, "Time")[0]


def test_times_are_really_measured(tiny_folder):
    models.load.clear()
    page = AppTest.from_file(MAIN, default_timeout=60)
    page.query_params["model"] = "tiny"
    run(page)
    _, values = card(page, "Time")
    assert len(values) == 3 and all(re.fullmatch(r"[\d.]+ ms ?", value) for value in values)


def test_a_teachers_link_hides_controls(lab):
    page = lab(text="good film", hide="text,model,thresholds")
    assert not page.text_area and not page.number_input
    keys = {control.key for kind in (page.selectbox, page.button) for control in kind}
    assert not keys & {"model", "device", "run", "learned", "off", "undo"}
    assert "“good film”" in html(page) and alive(page)
