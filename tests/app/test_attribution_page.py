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
    return lambda **query: open_view("why", **{"show": "matter", **query})


@pytest.fixture
def found(trace):
    """Five tokens, the first and the last special."""
    dense = Scores((0.0, 0.5, -2.0, 1.0, 0.0), 1.0, 1.5, 0.001, 32)
    pruned = Scores((0.0, 0.25, -0.5, 1.5, 0.0), 1.2, 0.1, -0.4, 256)
    return Attribution("good", "integrated_gradients", (False, True, True, True, False), dense, pruned, trace)


AGREED = Agreement(3, (0.0, 0.5, None), 0.25, (0.1, 0.45), (2, 2, 3), (0.5, 0.5, 1.0), (2 / 3, 2 / 3, 1.0))


def test_all_three_answers_are_on_the_page(lab, tiny_folder):
    page = lab(text=TEXT)
    shown = html(page)
    model = models.load(tiny_folder, "cpu")
    label = model.predict(TEXT, rule=Dense()).label
    scores = attribute(model, TEXT, label, "integrated_gradients").dense.values
    tokens = model.predict(TEXT).trace.tokens
    most = max(range(1, len(tokens) - 1), key=lambda token: abs(scores[token]))
    side = "for" if scores[most] > 0 else "against"
    assert f"“{tokens[most]}” speaks {side} {label} most ({scores[most]:+.2f})".replace("-", "−") in shown
    assert "(converged)" in shown and "of all pairs" in shown
    assert "Words at random" in shown and "of 20 draws" in shown


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
    assert list(survived.x) == [4, 1, 4] and list(survived.y) == [1, 2, 3]
    assert "leaves in layer 1" in dense.customdata[1]
    axis = attribution.beside_survival(found, palette, "unit", 0, 5).layout.yaxis
    assert list(axis.ticktext) == ["[CLS]", "a", "very", "&lt;b&gt;", "[SEP]"]


def test_agreement_is_a_point_a_layer_and_none_where_nobody_leaves(palette=LIGHT):
    dense = attribution.by_layer(AGREED, AGREED, palette).data[0]
    assert list(dense.y) == [0.0, 0.5, None]


def effect(*falls):
    return Effect(sum(falls) / len(falls), sum(map(abs, falls)) / len(falls), tuple(map(abs, falls)), 0.0)


def test_pruning_is_held_against_the_size_of_random_moves(trace):
    def said(own, random, trace=trace):
        return reasons.deletion(Deletion({"ltp": own, "random": random}, {}, 2, 0), trace)

    cancelling = effect(3.0, -2.5)  # their mean is 0.25, but both are larger than 2
    assert said(effect(2.0), cancelling).endswith("less than 2 of 2 random choices of as many words")
    assert reasons.moves(cancelling) == "+0.250; 2.500 to 3.000 in size"
    assert reasons.moves(effect(-2.0)) == "−2.000"
    same = effect(6.298)  # nothing is left to choose among
    assert said(same, same) == "Pruning moves the answer exactly as much as dropping as many words at random"
    whole = replace(trace, layers=tuple(replace(layer, kept=(True,) * 5) for layer in trace.layers))
    assert said(effect(0.0), effect(0.0), whole).startswith("Nothing is pruned")


def test_nothing_is_claimed_of_pruning_where_the_draws_lie_on_both_sides(trace):
    def said(own, *random):
        return reasons.deletion(Deletion({"ltp": effect(own), "random": effect(*random)}, {}, 4, 0), trace)

    assert said(2.0, 1.0, 1.5, 2.5, 3.0) == (
        "Pruning does no better than chance here: it moves the answer less than 2 of 4 random choices of as "
        "many words"
    )
    assert said(2.0, 1.0, 2.1, 2.5, 3.0).startswith("Pruning moves the answer less than 3 of 4")
    assert said(2.0, 1.0, 1.1, 1.5, 3.0).startswith("Pruning moves the answer more than 3 of 4")


@pytest.mark.parametrize(
    ("interval", "said"),
    [((0.55, 0.8), "They agree"), ((0.4, 0.8), "Too few words to tell"), ((0.1, 0.49), "They disagree")],
)
def test_the_heading_claims_agreement_only_where_the_interval_leaves_chance_out(interval, said):
    found = replace(AGREED, overall=0.6, interval=interval)
    heading = reasons.agreement(found).replace("\u00a0", " ")
    assert heading.startswith(f"{said}: in 60 % of all pairs")
    assert f"({100 * interval[0]:.0f}–{100 * interval[1]:.0f} %; chance is 50 %)" in heading
    whole = attribution.by_layer(found, found, LIGHT).data[1]  # and the figure shows the same
    assert list(whole.y) == [0.6]
    assert whole.y[0] + whole.error_y.array[0] == pytest.approx(interval[1])
    assert whole.y[0] - whole.error_y.arrayminus[0] == pytest.approx(interval[0])


def test_the_chosen_word_is_set_among_the_others(found):
    assert reasons.word(found, 3) == (
        "“<b>”, the chosen word, has +1.00: number 2 of 3 in size. It stays to the end."
    )
    assert "number 1 of 3" in reasons.word(found, 2) and "leaves in layer 1 of 3" in reasons.word(found, 2)
    assert reasons.word(found, 0) == ""  # a special token has no attribution


def test_where_everything_is_pruned_the_page_does_not_say_that_nothing_is(lab):
    shown = html(lab(text="bad", t1="0.5", method="gradient_x_input"))
    assert "exactly as much as" in shown and "Nothing is pruned" not in shown


def test_words(found):
    assert reasons.attribution(found) == "“very” speaks against good most (−2.00), and leaves in layer 1 of 3"
    assert "miss it by 0.0010 at 32 steps (converged)" in reasons.how(found, "M")
    assert "not converged" in reasons.how(found, "M")
    assert reasons.agreement(AGREED).startswith("They disagree: in 25")
    assert attribution.table(found)["leaves in layer"] == [None, None, 1, None, 2]
