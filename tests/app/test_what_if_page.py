"""The What if page on a tiny model."""

import math

import pytest

from app import models, runs
from app.figures import attribution
from app.figures.colours import LIGHT
from app.says import reasons
from app.says.text import as_label
from ltp_core import Pinned, PrunedModel
from ltp_core.why.counterfactual import KeptToken, SmallestDrop, SmallestScale
from tests.app.harness import html, open_view, run

TEXT = "the plot was very bad and the film was so good"


@pytest.fixture
def lab(tiny_folder):
    models.load.clear()
    return lambda **query: open_view("what_if", **query)


def pins(page, name):
    return page.pills(key=name) if hasattr(page, "pills") else page.button_group(key=name)


def log_odds(prediction, label):
    return math.log(prediction.probabilities[label] / (1 - prediction.probabilities[label]))


def test_without_pins_it_invites_and_shows_what_one_word_would_change(lab, tiny_folder):
    page = lab(text=TEXT)
    assert "Nothing is pinned yet" in html(page)
    model = models.load(tiny_folder, "cpu")
    plain = model.predict(TEXT)
    dropped = [i for i, kept in enumerate(plain.trace.layers[-1].kept) if not kept]
    held = {i: model.predict(TEXT, rule=Pinned(model.learned_rule, stay=[i])) for i in dropped}
    assert {found.label for found in held.values()} == {plain.label}, "no word flips this text"
    moved = {i: log_odds(found, plain.label) - log_odds(plain, plain.label) for i, found in held.items()}
    most = max(moved, key=lambda i: abs(moved[i]))
    assert (
        f"No dropped word alone would change the answer; “{plain.trace.tokens[most]}” would move it most "
        f"({moved[most]:+.2f})" in html(page)
    )


def test_pins_of_the_address_are_obeyed_and_stay_in_it(lab):
    page = lab(text=TEXT, go="2,5", stay="4")
    assert sorted(pins(page, "go").value) == [2, 5] and list(pins(page, "stay").value) == [4]
    assert "With your pins" in html(page)
    assert page.query_params["go"] == "2,5" and page.query_params["stay"] == "4"
    pins(page, "go").set_value([])
    run(page)
    assert "go" not in page.query_params and "With your pins" in html(page)


def test_a_repeated_word_is_pinned_where_it_was_chosen(lab):
    page = lab(text=TEXT, go="1,3")  # "the" and "was" come twice
    run(page)
    assert sorted(pins(page, "go").value) == [1, 3] and page.query_params["go"] == "1,3"
    options = pins(page, "go").options
    assert options[0] == "the \\(2\\)" and options[6] == "the \\(8\\)" and options[1] == "plot"


def test_words_that_begin_alike_are_told_apart(lab):
    text = f"{'a' * 30} {'a' * 29}"
    page = lab(text=text)
    assert len(set(pins(page, "go").options)) == len(pins(page, "go").options)


def test_a_pin_outside_the_sentence_is_left_out_with_a_notice(lab):
    page = lab(text=TEXT, go="2,99,<b>")
    assert "only positions from 1 to 12 are in this sentence" in html(page) and "&lt;b&gt;" in html(page)
    assert list(pins(page, "go").value) == [2]


def test_another_text_has_no_pins(lab):
    page = lab(text=TEXT, go="2,5")
    page.text_area(key="text").set_value("a good film")
    run(page)
    assert list(pins(page, "go").value) == [] and "Nothing is pinned yet" in html(page)


def test_both_at_once_is_said(lab):
    assert "here it stays" in html(lab(text=TEXT, go="2", stay="2"))


def test_a_search_says_what_it_found_and_its_set_can_be_pinned(lab, tiny_folder):
    page = lab(text=TEXT)
    page.button(key="look").click()
    run(page)
    assert "runs of 500" in html(page)
    page.button(key="pin_drop").click()
    run(page)
    assert "Your pins change the answer" in html(page)
    go = [int(position) for position in page.query_params["go"].split(",")]
    model = models.load(tiny_folder, "cpu")
    whole, without = model.predict(TEXT), model.predict(TEXT, rule=Pinned(model.learned_rule, go=go))
    names = ", ".join(f"“{whole.trace.tokens[position]}”" for position in go)
    assert whole.label != without.label
    assert f"Without {names}, {whole.label} becomes {without.label}; a smaller set may do" in html(page)
    before, after = (log_odds(found, whole.label) for found in (whole, without))
    assert f"Log-odds of {whole.label}: {before:+.2f} before, {after:+.2f} after" in html(page)


@pytest.mark.parametrize("text", ["A moving, funny film."])
def test_a_search_that_finds_nothing_says_what_was_tried(text):
    """On shipped weights: here it once ended in a traceback."""
    page = open_view("what_if", model="sst2", text=text)
    page.button(key="look").click()
    run(page)
    sure = html(page)
    assert "No set of words was found that flips positive" in sure and "runs of 500" in sure
    assert "pin_drop" not in {button.key for button in page.button} and " after." not in sure


@pytest.fixture
def flips(monkeypatch):
    """What the search finds: ``flips(2, 4)`` drops these positions, and 1.5 times the thresholds flip too."""

    def find(*positions):
        words = tuple("plot" for _ in positions)
        drop = SmallestDrop(positions, words, "good", "bad", (1.0, -0.5), 1, 90, 300)
        scale = SmallestScale(1.5, "good", "bad", 90.0, 64)
        monkeypatch.setattr(runs, "smallest_changes", lambda *given: (drop, scale))

    return find


def look(page):
    page.button(key="look").click()
    return {button.key for button in run(page).button}


def test_the_words_that_flip_are_pinned_all_or_none(lab, flips):
    flips(2, 96)
    page = lab(text=TEXT)
    assert "pin_drop" not in look(page)
    assert "only the first 96 tokens can be pinned" in html(page)
    flips(2, 5)
    page = lab(text=TEXT)
    assert "pin_drop" in look(page)
    page.button(key="pin_drop").click()
    run(page)
    assert sorted(pins(page, "go").value) == [2, 5]


def test_thresholds_that_a_teacher_has_hidden_are_not_moved(lab, flips):
    flips(2)
    assert "set_scale" in look(lab(text=TEXT))
    page = lab(text=TEXT, hide="thresholds,text,model")
    assert "set_scale" not in look(page) and "At 1.50 times the thresholds" in html(page)


def test_a_text_that_cannot_be_run_is_said_in_whole_sentences(lab, monkeypatch):
    def refuse(*given):
        raise runs.InputProblem("Too many visitors run a text right now.")

    monkeypatch.setattr(runs, "predict_pinned", refuse)
    said = html(lab(text=TEXT))
    assert "Too many visitors run a text right now." in said and "now.." not in said


def test_a_model_that_puts_out_a_number_has_nothing_to_flip(lab, tiny_folder, tiny_bert, tokenizer):
    PrunedModel(tiny_bert(num_labels=1), tokenizer, (0.0, 0.09, 0.09)).save_pretrained(tiny_folder)
    page = lab(text=TEXT, go="2")
    assert "the answer moves from" in html(page) and "flips the answer" not in html(page)


def test_an_empty_text_invites(lab):
    assert "Type a sentence" in html(lab(text=""))


def test_a_label_is_never_markdown_an_icon_or_maths():
    assert as_label("**b**") == "\\*\\*b\\*\\*"
    assert as_label("$x$ [a](b) <i>") == "\\$x\\$ \\[a\\]\\(b\\) \\<i\\>"
    assert ":smile:" not in as_label(":smile:") and ":material" not in as_label(":material/home:")
    assert as_label("word") == "word"


def test_a_word_that_leaves_in_the_last_layer_is_said_to_change_nothing(lab):
    assert "has no bar" in html(lab(text=TEXT, t1="0", t2="0", t3="0.5"))
    assert "has no bar" not in html(lab(text=TEXT, t1="0.5", t2="0", t3="0"))
    last = (KeptToken(2, "plot", 3, "good", 0.0),)
    assert reasons.without_bars(last, 3, False, "[CLS]") == ""  # a head that reads all words


def test_words_and_bars():
    kept = (KeptToken(2, "plot", 1, "good", 0.5), KeptToken(4, "<b>", 3, "bad", -1.5))
    assert reasons.kept(kept, "good") == "“<b>”, had it stayed, would change the answer"
    many = tuple(KeptToken(i, f"w{i}", 1, "bad", -float(i)) for i in range(1, 8))
    assert reasons.kept(many, "good") == (
        "Any one of “w7”, “w6”, “w5”, “w4”, “w3” and 2 more, had it stayed, would change the answer"
    )
    assert reasons.kept(kept[:1], "good").endswith("“plot” would move it most (+0.50)")
    bars = attribution.if_kept(kept, LIGHT, "unit")
    assert list(bars.data[0].x) == [0.5, -1.5]
    assert list(bars.layout.yaxis.ticktext) == ["plot", "&lt;b&gt;"]
    drop = SmallestDrop((2, 4), ("plot", "not"), "good", "bad", (1.0, -0.5), 1, 90, 300)
    assert reasons.smallest_drop(drop) == "Without “plot”, “not”, good becomes bad; no smaller set does"
    assert "However high" in reasons.smallest_scale(SmallestScale(None, "good", None, 90.0, 64))
