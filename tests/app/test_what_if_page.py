"""The What if page on a tiny model."""

import math

import pytest

from app import models, runs
from app.components import word_states
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
    return lambda **query: open_view("why", **{"show": "what_if", **query})


def states(page, name):
    """Positions in one state; the sentence itself is a component, which the harness does not see."""
    return sorted(page.session_state[name])


def log_odds(prediction, label):
    return math.log(prediction.probabilities[label] / (1 - prediction.probabilities[label]))


def test_without_pins_it_invites_and_shows_what_one_word_would_change(lab, tiny_folder):
    page = lab(text=TEXT)
    assert "Hold a word, or take it away" in html(page)
    model = models.load(tiny_folder, "cpu")
    plain = model.predict(TEXT)
    dropped = [i for i, kept in enumerate(plain.trace.layers[-1].kept) if not kept]
    held = {i: model.predict(TEXT, rule=Pinned(model.learned_rule, stay=[i])) for i in dropped}
    assert {found.label for found in held.values()} == {plain.label}, "no word flips this text"
    moved = {i: log_odds(found, plain.label) - log_odds(plain, plain.label) for i, found in held.items()}
    most = max(moved, key=lambda i: abs(moved[i]))
    assert (
        f"No dropped word alone would change the answer; “{plain.trace.tokens[most]}” would move it most "
        f"({moved[most]:+.2f})".replace("-", "−")
        in html(page)
    )


def test_pins_of_the_address_are_obeyed_and_stay_in_it(lab):
    page = lab(text=TEXT, go="2,5", stay="4")
    assert states(page, "go") == [2, 5] and states(page, "stay") == [4]
    assert "With your words" in html(page)
    assert page.query_params["go"] == "2,5" and page.query_params["stay"] == "4"
    page.session_state["go"] = []
    run(page)
    assert "go" not in page.query_params and "With your words" in html(page)
    page.button(key="free").click()
    run(page)
    assert "stay" not in page.query_params and "With your words" not in html(page)


def test_a_repeated_word_is_taken_away_where_it_was_chosen(lab, tiny_folder):
    page = lab(text=TEXT, go="1,3")  # "the" and "was" come twice
    run(page)
    assert states(page, "go") == [1, 3] and page.query_params["go"] == "1,3"
    model = models.load(tiny_folder, "cpu")
    found = model.predict(TEXT, rule=Pinned(model.learned_rule, go=[1, 3]))  # "the" and "was" come again
    assert [i for i, kept in enumerate(found.trace.layers[0].kept) if not kept] == [1, 3]
    assert " ".join(map(str, found.trace.alive)) in html(page)


def test_words_that_begin_alike_are_told_apart(lab, drawn):
    text = f"{'a' * 30} {'a' * 29}"
    lab(text=text, go="2")
    assert drawn[-1]["go"] == [2] and len(drawn[-1]["tokens"]) == len(drawn[-1]["leaves"])


@pytest.fixture
def drawn(monkeypatch):
    """What the sentence is given, run by run."""
    given = []
    monkeypatch.setattr(word_states, "_words", lambda key, data, **more: given.append(data))
    return given


def test_the_sentence_shows_states_and_the_layer_in_which_each_word_leaves(lab, drawn, tiny_folder):
    lab(text=TEXT, go="2,5", stay="4")
    model = models.load(tiny_folder, "cpu")
    trace = model.predict(TEXT, rule=Pinned(model.learned_rule, stay=[4], go=[2, 5])).trace
    assert drawn[-1]["tokens"] == list(trace.tokens)
    assert drawn[-1]["stay"] == [4] and drawn[-1]["go"] == [2, 5]
    kept = [layer.kept for layer in trace.layers]
    expected = [next((n for n, row in enumerate(kept, 1) if not row[i]), None) for i in range(13)]
    assert drawn[-1]["leaves"] == expected and expected[2] == expected[5] == 1 and expected[4] is None


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ({"stay": [3, 1], "go": [2]}, ([1, 3], [2])),
        ({"stay": [], "go": []}, ([], [])),
        ({"stay": [1], "go": [1]}, None),
        ({"stay": [0], "go": []}, None),  # [CLS] has no state
        ({"stay": [13], "go": []}, None),
        ({"stay": ["1"], "go": []}, None),
        ({"stay": [True], "go": []}, None),
        ({"stay": [1]}, None),
        ([1], None),
        (None, None),
    ],
)
def test_an_answer_of_the_browser_that_is_none_is_left_alone(answer, read):
    assert word_states.read(answer, 13) == read


def test_a_pin_outside_the_sentence_is_left_out_with_a_notice(lab):
    page = lab(text=TEXT, go="2,99,<b>")
    assert "only positions from 1 to 12 are in this sentence" in html(page) and "&lt;b&gt;" in html(page)
    assert states(page, "go") == [2]


def test_another_text_has_no_pins(lab):
    page = lab(text=TEXT, go="2,5")
    page.text_area(key="text").set_value("a good film")
    run(page)
    assert states(page, "go") == [] and "Hold a word, or take it away" in html(page)


def test_both_at_once_is_said(lab):
    assert "here it stays" in html(lab(text=TEXT, go="2", stay="2"))


def test_a_search_says_what_it_found_and_its_set_can_be_pinned(lab, tiny_folder):
    page = lab(text=TEXT)
    page.button(key="look").click()
    run(page)
    assert "runs of 500" in html(page)
    page.button(key="pin_drop").click()
    run(page)
    assert "Your words change the answer" in html(page)
    go = [int(position) for position in page.query_params["go"].split(",")]
    model = models.load(tiny_folder, "cpu")
    whole, without = model.predict(TEXT), model.predict(TEXT, rule=Pinned(model.learned_rule, go=go))
    names = ", ".join(f"“{whole.trace.tokens[position]}”" for position in go)
    assert whole.label != without.label
    assert f"Without {names}, {whole.label} becomes {without.label}; a smaller set may do" in html(page)
    before, after = (log_odds(found, whole.label) for found in (whole, without))
    odds = f"{before:+.2f} before, {after:+.2f} after".replace("-", "−")
    assert f"Log-odds of {whole.label}: {odds}" in html(page)


@pytest.mark.parametrize("text", ["A moving, funny film."])
def test_a_search_that_finds_nothing_says_what_was_tried(text):
    """On shipped weights: here it once ended in a traceback."""
    page = open_view("why", show="what_if", model="sst2", text=text)
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


def test_the_words_that_flip_are_taken_away_all_of_them(lab, flips):
    """Also those far down a text: a part of a set need not flip anything."""
    flips(2, 31)
    page = lab(text="plot " * 40)  # 32 tokens are read
    assert "pin_drop" in look(page)
    page.button(key="pin_drop").click()
    run(page)
    assert states(page, "go") == [2, 31] and page.query_params["go"] == "2,31"


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
