"""The microscope: its page on a tiny model, its sentences and pictures on the hand-worked trace."""

import os
import re
from dataclasses import replace

import pytest

from app import models
from app.figures import steps
from app.figures.colours import DARK, LIGHT
from app.figures.tables import importance_table, received_table
from app.says import lecture
from app.says.lecture import Case
from ltp_core import AttentionTrace, LayerTrace, PrunedModel
from tests.app.harness import Browser, html, open_view, run

TEXT = "the plot was very bad and the film was so good"


def plain(text):
    return text.replace("\u00a0", " ")


@pytest.fixture
def attentive(trace):
    """Layer 2 of the trace: tokens 0, 1, 3, 4, whose columns average to the importance there."""
    one = ((0.2, 0.25, 0.4, 0.15),) * 4
    other = ((0.0, 0.25, 0.6, 0.15),) * 4
    return replace(trace, attention=AttentionTrace(2, (0, 1, 3, 4), (one, other)))


@pytest.fixture
def lab(tiny_folder):
    models.load.clear()
    return lambda **query: open_view("why", **query)


def test_a_token_is_followed_through_five_steps(lab):
    page = lab(text=TEXT, layer="2", token="3", t1="0", t2="0.05")
    found = html(page)
    assert re.findall(r'class="ordinal">(\d)<', found) == ["1", "2", "3", "4", "5"]
    assert page.selectbox(key="token").value == 3
    assert "the threshold, 5 %" in plain(found)
    page.button(key="before").click()
    run(page)
    assert page.segmented_control(key="layer").value == 1


def test_the_chosen_token_is_followed_to_a_layer_where_it_fares_otherwise(lab):
    page = lab(text=TEXT, layer="2", token="4", t1="0", t2="1", t3="0")
    browser = Browser(page)
    assert "leaves; 1 of 13 tokens go on" in html(page)
    page.button(key="before").click()
    assert "stays; 13 of 13 tokens go on" in html(browser.run())
    page.button(key="after").click()
    assert "leaves; 1 of 13 tokens go on" in html(browser.run())
    browser.run()
    assert page.selectbox(key="token").value == 4 and page.query_params["token"] == "4"


def test_the_way_back_to_another_sentence_shows_its_token(lab):
    page = lab(text=TEXT, token="4", t1="0")
    browser = Browser(page)
    page.query_params["text"] = "a good film"
    browser.run()
    assert browser.label("token") == "4 · film"
    assert "“film”" in html(browser.run())


def test_a_label_that_no_list_has_any_more_is_no_number(lab):
    page = lab(text=TEXT, layer="2", token="4", head="1", t1="0")
    browser = Browser(page)
    for key in ("token", "head"):
        browser.labels[page.selectbox(key=key).id] = "4 · very · leaves"
    browser.run()
    assert page.selectbox(key="token").value == 4 and page.selectbox(key="head").value == 1
    assert page.query_params["token"] == "4" and browser.label("head") == "head 1"


def test_the_mean_of_all_heads_stays_chosen_in_a_model_with_more(
    lab, monkeypatch, tiny_folder, tiny_bert, tokenizer
):
    other = tiny_folder.parent / "other"
    PrunedModel(tiny_bert(num_attention_heads=6), tokenizer, (0.0, 0.05, 0.06)).save_pretrained(other)
    monkeypatch.setenv(models.MODELS_VARIABLE, f"{tiny_folder}{os.pathsep}{other}")
    page = lab(text=TEXT, t1="0")
    browser = Browser(page)
    page.selectbox(key="model").select("other")
    browser.run()
    assert "6 heads look" in html(browser.run())
    assert browser.label("head") == page.selectbox(key="head").options[0]


def test_without_a_chosen_token_it_takes_a_word_that_left(lab, tiny_folder):
    page = lab(text=TEXT)
    trace = models.load(tiny_folder, "cpu").predict(TEXT).trace  # nobody leaves in layer 1
    gone = {
        number: [i for i in range(13) if trace.layers[number - 1].importance[i] is not None
                 and not trace.layers[number - 1].kept[i]]
        for number in (1, 2, 3)
    }  # fmt: skip
    words = {number: [i for i in left if trace.tokens[i] != "[SEP]"] for number, left in gone.items()}
    first = next(number for number in (1, 2, 3) if words[number])
    assert first > 1 and page.session_state["layer"] == first
    assert page.selectbox(key="token").value - 1 in words[first]
    assert "leaves; " in plain(html(page))


def test_it_opens_on_what_left_in_this_layer_before_others(trace):
    assert lecture.opening(trace, 1, ("[SEP]",)) == (1, 2)
    assert lecture.opening(trace, 2, ("[SEP]",)) == (1, 2)  # only a special token leaves there
    assert lecture.opening(trace, 2, ()) == (2, 4)
    assert lecture.opening(trace, 3, ("[SEP]", "very")) == (1, 2)  # no word leaves: what does
    kept = tuple(replace(layer, kept=(True,) * 5) for layer in trace.layers)
    assert lecture.opening(replace(trace, layers=kept), 2, ()) == (2, lecture.closest(trace, 2))


def test_a_token_that_has_left_is_not_shown_as_if_it_were_there(lab):
    page = lab(text=TEXT, layer="3", token="5", t1="1")
    assert "left in layer 1. Layer 3 no longer computes it" in html(page)
    page.button(key="go_back").click()
    run(page)
    assert "leaves; 1 of 13 tokens go on" in plain(html(page))


def test_one_head_can_be_chosen(lab):
    assert "Head 2 gives" in html(lab(text=TEXT, token="2", head="2", t1="0"))


def test_tokens_are_text(lab):
    page = lab(text="<img src=x> good", token="2", t1="0")
    assert "<img" not in html(page)


def test_sentences_of_a_kept_a_leaving_and_a_protected_token(attentive):
    kept, leaving, protected = (Case(attentive, 2, token) for token in (3, 4, 0))
    assert (
        plain(lecture.heads_title(kept, 0)) == "2 heads look: head 2 gives “<b>” most, 60 % of its attention"
    )
    assert plain(lecture.importance_title(kept)) == "“<b>” receives 50 % of all attention, 2.0× the average"
    assert plain(lecture.compare_title(leaving)) == "15 % is less than the threshold, 20 %"
    assert plain(lecture.decision_title(leaving)) == "“[SEP]” leaves; 3 of 4 tokens go on"
    assert "the classifier reads this token" in lecture.decision_title(protected)
    assert "60 %; divided by 4 rows this is 15 %" in plain(lecture.column_sum(leaving))


def test_a_long_text_says_which_rows_are_averaged_and_how_its_threshold_acts(attentive):
    """Of 4 rows that entered 2 count, the first and the last; set to 50 %, the threshold acts as 20 %."""
    layers = (attentive.layers[0], replace(attentive.layers[1], queries=2), attentive.layers[2])
    leaving = Case(replace(attentive, layers=layers), 2, 4)
    said = plain(lecture.column_sum(leaving))
    assert "Of the 4 rows this model averages 2, evenly spaced" in said
    assert "In those: the column of “[SEP]” adds up to 30 %; divided by 2 rows this is 15 %" in said
    assert "set to 50 %; on a text of 5 tokens" in plain(lecture.acting(leaving, 0.5))
    assert "it acts as 20 %" in plain(lecture.acting(leaving, 0.5))
    assert lecture.acting(leaving, 0.2) == ""


def test_the_token_nearest_to_the_threshold_is_worth_a_look(attentive):
    assert lecture.closest(attentive, 2) in (1, 4)  # 25 % and 15 %, the threshold is 20 %


def test_the_sentence_marks_every_token(attentive):
    marked = lecture.sentence(Case(attentive, 2, 3))
    assert '<s class="gone">very</s>' in marked and '<s class="leaves">[SEP]</s>' in marked
    assert '<span class="stays chosen">&lt;b&gt;</span>' in marked


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_mosaic_holds_every_head(attentive, palette):
    figure = steps.heads_mosaic(attentive, 3, palette, columns=2)
    picture = figure.data[0].z
    assert picture[0][:4] == pytest.approx([0.2, 0.25, 0.4, 0.15])
    assert picture[0][5:9] == pytest.approx([0.0, 0.25, 0.6, 0.15])
    assert [shape.x0 for shape in figure.layout.shapes] == [1.5, 6.5]


def test_bars_are_the_importance_and_their_colour_the_decision(attentive):
    bars = steps.importance_bars(attentive, attentive.layers[1], 3, LIGHT, decided=True).data[0]
    assert list(bars.y) == pytest.approx([10, 25, 50, 15])
    assert list(bars.marker.color) == [LIGHT.kept, LIGHT.kept, LIGHT.kept, LIGHT.dropped]
    undecided = steps.importance_bars(attentive, attentive.layers[1], 3, LIGHT, decided=False).data[0]
    assert set(undecided.marker.color) == {LIGHT.dense}


def test_the_lines_across_the_bars_are_named_above_them_and_fit_a_phone(attentive):
    figure = steps.importance_bars(attentive, attentive.layers[1], 3, DARK, decided=True)
    named = {plain(line.name): line.line.color for line in figure.data if line.showlegend is not False}
    assert named == {"average 25 %": DARK.text, "threshold 20 %": DARK.dropped}
    assert figure.layout.showlegend and figure.layout.legend.y > 1
    fifteen = LayerTrace(1, 0.1, (1 / 15,) * 15, (True,) * 15)
    assert steps.narrowest(fifteen) <= 358  # px that a page has at 390


def test_tables_hold_the_columns_of_heads_and_their_mean(attentive):
    table = received_table(attentive)
    assert table["head 2"] == pytest.approx([0.0, 0.25, 0.6, 0.15])
    assert table["mean"] == [0.1, 0.25, 0.5, 0.15]
    assert importance_table(attentive, 2)["stays"] == [True, True, True, False]
