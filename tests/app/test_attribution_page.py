"""The Attribution page on a tiny model, and its figures on numbers worked out by hand."""

from dataclasses import replace

import pytest

from app import models, runs, turns
from app.figures import attribution
from app.figures.colours import DARK, LIGHT
from app.says import reasons
from ltp_core import Dense, PrunedModel
from ltp_core.why.agreement import Agreement
from ltp_core.why.attribution import Attribution, Scores, attribute
from ltp_core.why.deletion import Deletion, Effect
from tests.app.harness import html, open_view, run

TEXT = "the plot was very bad and the film was so good"


@pytest.fixture
def lab(tiny_folder):
    models.load.clear()
    return lambda **query: open_view("attribution", **query)


@pytest.fixture
def found(trace):
    """Five tokens, the first and the last special."""
    dense = Scores((0.0, 0.5, -2.0, 1.0, 0.0), 1.0, 1.5, 0.001, 32)
    pruned = Scores((0.0, 0.25, -0.5, 1.5, 0.0), 1.2, 0.1, -0.4, 256)
    return Attribution("good", "integrated_gradients", (False, True, True, True, False), dense, pruned, trace)


AGREED = Agreement(3, (0.0, 0.5, None), 0.25, (2, 2, 3), (0.5, 0.5, 1.0), (2 / 3, 2 / 3, 1.0))


def test_all_three_answers_are_on_the_page(lab, tiny_folder):
    page = lab(text=TEXT)
    shown = html(page)
    model = models.load(tiny_folder, "cpu")
    label = model.predict(TEXT, rule=Dense()).label
    scores = attribute(model, TEXT, label, "integrated_gradients").dense.values
    tokens = model.predict(TEXT).trace.tokens
    most = max(range(1, len(tokens) - 1), key=lambda token: abs(scores[token]))
    side = "for" if scores[most] > 0 else "against"
    assert f"“{tokens[most]}” speaks {side} {label} most ({scores[most]:+.2f})" in shown
    assert "(converged)" in shown and "of all pairs" in shown
    assert "Words at random" in shown and "of 5 draws" in shown


def test_class_and_method_come_from_the_address_and_go_back_into_it(lab):
    said = lab(text=TEXT).selectbox(key="class").value
    other = "LABEL_1" if said == "LABEL_0" else "LABEL_0"
    page = lab(text=TEXT, **{"class": other, "method": "gradient_x_input"})
    assert page.selectbox(key="class").value == other
    assert "Gradient × input (fast), for the log-odds" in html(page) and "converged" not in html(page)
    page.selectbox(key="method").select("integrated_gradients")
    run(page)
    assert "method" not in page.query_params and page.query_params["class"] == other


def test_a_class_that_does_not_exist_is_said(lab):
    page = lab(text=TEXT, **{"class": "<b>happy"})
    assert "There is no class “&lt;b&gt;happy” here; there is: LABEL_0, LABEL_1" in html(page)
    assert "of all pairs" in html(page)


def test_the_name_of_a_class_is_shown_as_it_is(lab, tiny_folder, tiny_bert, tokenizer):
    model = tiny_bert(num_labels=2)
    model.config.id2label = {0: "not_good", 1: "*good*"}
    PrunedModel(model, tokenizer, (0.0, 0.09, 0.09)).save_pretrained(tiny_folder)
    assert lab(text=TEXT).selectbox(key="class").options == ["not_good", "*good*"]


def test_an_empty_text_invites(lab):
    assert "Type a sentence" in html(lab(text=""))


def test_a_long_text_is_refused_in_one_line_and_the_fast_method_takes_it(lab, monkeypatch):
    monkeypatch.setattr(runs, "MOST_EXPLAINED", 8)
    page = lab(text=TEXT)
    assert "has 13 tokens; the lab does this for up to 8" in html(page)
    assert "choose Gradient × input, which takes any length" in html(page)
    page.selectbox(key="method").select("gradient_x_input")
    assert "of all pairs" in html(run(page))


def test_the_fast_method_is_no_advice_where_length_is_not_what_is_wrong(lab, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)
    with turns._explaining:
        page = lab(text=TEXT, method="gradient_x_input")
    assert "is being explained" in html(page) and "any length" not in html(page)


def test_a_model_that_puts_out_a_number_has_no_class(lab, tiny_folder, tiny_bert, tokenizer):
    PrunedModel(tiny_bert(num_labels=1), tokenizer, (0.0, 0.09, 0.09)).save_pretrained(tiny_folder)
    page = lab(text=TEXT)
    assert "moves the value most" in html(page)
    assert [box.key for box in page.selectbox if box.key == "class"] == []


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_bars_hold_attributions_and_survival(found, palette):
    dense, pruned, survived = attribution.beside_survival(found, palette, "unit", 1, 4).data
    assert list(dense.x) == [0.5, -2.0, 1.0] and list(pruned.x) == [0.25, -0.5, 1.5]
    assert list(survived.x) == [3, 0, 3] and list(survived.y) == [1, 2, 3]
    assert "leaves in layer 1" in dense.customdata[1]
    axis = attribution.beside_survival(found, palette, "unit", 0, 5).layout.yaxis
    assert list(axis.ticktext) == ["[CLS]", "a", "very", "&lt;b&gt;", "[SEP]"]


def test_agreement_is_a_point_a_layer_and_none_where_nobody_leaves(palette=LIGHT):
    dense, _ = attribution.by_layer(AGREED, AGREED, palette).data
    assert list(dense.y) == [0.0, 0.5, None]


def test_pruning_is_held_against_the_size_of_random_moves(trace):
    def said(own, random, trace=trace):
        return reasons.deletion(Deletion({"ltp": own, "random": random}, {}, 2, 0), trace)

    cancelling = Effect(drop=0.5, moved=2.5, flips=0.5)  # one draw falls by 3, the other rises by 2
    assert "less than" in said(Effect(2.0, 2.0, 0.0), cancelling)
    assert reasons.moves(cancelling) == "+0.500; 2.500 in size"
    assert reasons.moves(Effect(-2.0, 2.0, 0.0)) == "-2.000"
    same = Effect(6.298, 6.298, 1.0)  # nothing is left to choose among
    assert said(same, same) == "Pruning moves the answer exactly as much as dropping as many words at random"
    whole = replace(trace, layers=tuple(replace(layer, kept=(True,) * 5) for layer in trace.layers))
    assert said(Effect(0.0, 0.0, 0.0), Effect(0.0, 0.0, 0.0), whole).startswith("Nothing is pruned")


def test_where_everything_is_pruned_the_page_does_not_say_that_nothing_is(lab):
    shown = html(lab(text="bad", t1="0.5", method="gradient_x_input"))
    assert "exactly as much as" in shown and "Nothing is pruned" not in shown


def test_words(found):
    assert reasons.attribution(found) == "“very” speaks against good most (-2.00), and leaves in layer 1 of 3"
    assert "miss it by 0.0010 at 32 steps (converged)" in reasons.how(found, "M")
    assert "not converged" in reasons.how(found, "M")
    assert reasons.agreement(AGREED).startswith("They disagree: in 25")
    assert attribution.table(found)["layers survived"] == (3, 3, 0, 3, 1)
