"""Five lessons: what is asked, what is shown, and that the check looks at what was done."""

import re
from dataclasses import replace

import pytest

from app import lessons, models, runs, turns
from app.figures.colours import LIGHT
from app.figures.shares import share_bars
from app.lessons import LESSONS, Situation
from app.visitor import session
from app.visitor.state import read_hidden
from ltp_core import LayerTrace, PrunedModel, Trace
from ltp_core.speed.latency import TextTimes, Timing
from tests.app.harness import html, open_view, run

TEXT = "the plot was very bad and the film was so good"


@pytest.fixture
def learn(tiny_folder, monkeypatch, comparison):
    models.load.clear()
    monkeypatch.setattr(runs, "measure", lambda *args: comparison)
    return lambda **query: open_view("learn", **{"text": TEXT, **query})


@pytest.fixture
def situation(trace, prediction):
    """The hand-worked trace, with thresholds that any run returns the same for."""

    def make(thresholds=(0.1, 0.2, 0.0), pruned=None, dense=None, **more):
        runs = dense or prediction(), pruned or prediction()
        return Situation(thresholds, (0.1, 0.2, 0.3), *runs, lambda values: prediction(), **more)

    return make


def choose(radio, number):
    """Choose an option; the harness wants the value, of which it knows the label, which is Markdown."""
    radio.set_value(re.sub(r"\\(.)", r"\1", radio.options[number].replace("\u2060", "")))


def test_a_prediction_comes_before_the_answer(learn):
    page = learn(lesson="1")
    assert "Choose an answer" in html(page) and "<h3>Look</h3>" not in html(page)
    choose(page.radio(key="predict_1"), 0)
    run(page)
    assert "of all attention in layer 1; the average of 13 tokens is 7.7 %" in html(page)


@pytest.mark.parametrize("number", range(1, len(LESSONS) + 1))
def test_every_lesson_runs_to_its_task(learn, number):
    page = learn(lesson=str(number))
    choose(page.radio(key=f"predict_{number}"), 0)
    run(page)
    assert LESSONS[number - 1].title in html(page)
    assert "Not yet." in html(page) or "Done." in html(page)


def test_the_task_of_lesson_two_is_done_with_the_controls(learn):
    page = learn(lesson="2")
    choose(page.radio(key="predict_2"), 0)
    run(page)
    assert "Set all layers but the first to 0" in html(page)
    page.button(key="lesson_off").click()
    run(page)
    assert "13 of 13 are left after layer 1: raise it" in html(page)


def test_only_the_last_run_of_a_lesson_is_remembered(learn):
    page = learn(lesson="2", text="a good film")
    choose(page.radio[0], 0)
    run(page)
    names = set(page.session_state[session.MEMORY].results)
    page.text_area(key="text").set_value("the plot was very bad")
    run(page)
    assert "leave at" in html(page)
    assert set(page.session_state[session.MEMORY].results) == names


def test_lesson_four_measures_when_asked(learn):
    page = learn(lesson="4")
    choose(page.radio(key="predict_4"), 0)
    run(page)
    assert "Press “Measure now”" in html(page)
    page.button(key="lesson_measure").click()
    run(page)
    assert "10.0 ms, Hugging Face’s own forward pass 12.0 ms" in html(page)


def test_lesson_four_says_when_others_measure_and_measures_when_asked_again(learn, monkeypatch, comparison):
    asked = []

    def busy(*args):
        asked.append(args)
        raise turns.Busy

    monkeypatch.setattr(runs, "measure", busy)
    page = learn(lesson="4")
    choose(page.radio(key="predict_4"), 0)
    run(page)
    page.button(key="lesson_measure").click()
    said = html(run(page))
    assert "many visitors measure right now: press “Measure now” to try again" in said
    choose(page.radio(key="predict_4"), 1)
    assert "many visitors measure right now" in html(run(page)) and len(asked) == 1  # it was not asked for
    monkeypatch.setattr(runs, "measure", lambda *args: comparison)
    page.button(key="lesson_measure").click()
    said = html(run(page))
    assert "10.0 ms, Hugging Face’s own forward pass 12.0 ms" in said and "many visitors" not in said


def test_a_teachers_link_hides_controls(learn):
    page = learn(lesson="3", hide="text,model,thresholds,lessons")
    assert not page.text_area and not page.selectbox and not page.get("button_group")
    assert f"“{TEXT}”" in html(page)
    assert not [box for box in page.expander if "teachers" in box.label]


@pytest.mark.parametrize("number", range(1, len(LESSONS) + 1))
def test_a_task_is_set_only_where_its_controls_are_shown(learn, number):
    page = learn(lesson=str(number), hide="thresholds")
    choose(page.radio(key=f"predict_{number}"), 0)
    run(page)
    assert "<h3>Look</h3>" in html(page)
    assert ("<h3>Do</h3>" in html(page)) == (number in (1, 5))  # in 5, another sentence will do
    assert any(button.key == "lesson_measure" for button in page.button) == (number == 4)
    assert not LESSONS[4].can_be_done(frozenset({"thresholds", "text"}))


def test_a_lesson_that_is_not_there(learn):
    assert "There is no lesson 9; there are 1 to 5" in html(learn(lesson="9"))
    assert lessons.read_lesson("3") == (3, None)
    for text in ("²", "0011", "01", "0", "", " 1"):
        number, notice = lessons.read_lesson(text)
        assert number == 1 and f"no lesson {text}" in notice
    assert read_hidden("text,nonsense,,model") == {"text", "model"}


def test_lesson_one_looks_at_the_chosen_token(situation):
    check = LESSONS[0].check
    assert check(situation())[0] is False
    done, said = check(situation(chosen=1))  # "a": 20 %, while "very" has 5 %
    assert not done and "another has less" in said
    assert check(situation(chosen=2))[0] is True
    assert LESSONS[0].answer(situation())[0] == "<b> (4)"


def test_lesson_one_asks_about_what_its_figure_shows(prediction):
    tokens = ("[CLS]", *(f"w{i}" for i in range(1, 60)), "[SEP]")
    received = tuple(0.5 if i == 50 else 0.3 if i == 30 else 0.1 if i == 2 else 0.0 for i in range(61))
    long = Trace(tokens, (0,) * 61, 0, (LayerTrace(1, 0.0, received, (True,) * 61),))
    run = prediction(trace=long)
    seen = Situation((0.0,), (0.0,), run, run, lambda values: run)
    drawn = share_bars(tokens, received, 0.0, 1, LIGHT).data[0].x
    assert list(drawn[1:]) == lessons.content(long)  # all but [CLS]
    assert LESSONS[0].answer(seen)[0] == "w30 (31)" and LESSONS[0].answer(seen)[0] in LESSONS[0].options(seen)
    assert "of the first 40 receives" in LESSONS[0].question(seen)


def test_a_bracket_is_a_token_of_the_text(trace):
    assert lessons.content(replace(trace, tokens=("[CLS]", "[", "x", "]", "[SEP]"))) == [1, 2, 3]


def test_lesson_two_wants_half(situation, trace, prediction):
    check = LESSONS[1].check
    assert check(situation((0.1, 0.2, 0.0)))[0] is False
    done, said = check(situation((0.1, 0.0, 0.0)))  # 4 of 5 left
    assert not done and "raise it" in said
    assert LESSONS[1].answer(situation())[0] == "fewer than a quarter"


def test_lesson_three_wants_one_threshold_that_saves(situation, prediction):
    check = LESSONS[2].check
    assert check(situation((0.1, 0.2, 0.1)))[0] is False
    assert check(situation((0.0, 0.0, 0.0)))[0] is False
    assert check(situation((0.1, 0.1, 0.1), prediction(flops=900_000_000)))[0] is False
    assert check(situation((0.1, 0.1, 0.1), prediction(flops=500_000_000)))[0] is True
    assert LESSONS[2].answer(situation())[0] == "larger than in layer 1"


def test_lesson_four_wants_a_measurement_of_these_thresholds(situation, prediction, comparison):
    dense = prediction(flops=1_000_000_000)

    def seen(flops, measured=None):
        return situation(dense=dense, pruned=prediction(flops=flops), measured=measured)

    check, answer = LESSONS[3].check, LESSONS[3].answer
    assert check(seen(600_000_000, comparison))[0] is False
    assert check(seen(400_000_000))[0] is False  # 2.5 times fewer, not measured
    done, said = check(seen(400_000_000, comparison))
    assert done and said.startswith("1.25× faster at 2.5× fewer FLOPs: 50\u00a0% realised.")
    assert answer(seen(400_000_000))[0] == ""
    assert answer(seen(400_000_000, comparison))[0] == "less than the FLOPs fall"
    quick = TextTimes(Timing(30, 29, 31, 9), Timing(30, 29, 31, 9), Timing(10, 9, 11, 9))
    assert answer(seen(400_000_000, quick))[0] == "more than the FLOPs fall"


def test_lesson_four_does_not_take_the_engines_gain_for_prunings(situation, prediction):
    dense = prediction(flops=1_000_000_000)
    engine = TextTimes(Timing(30, 29, 31, 9), Timing(10, 9, 11, 9), Timing(10, 9, 11, 9))
    right, said = LESSONS[3].answer(situation(dense=dense, pruned=dense, measured=engine))
    assert right == "" and "computes no less" in said
    halved = situation(dense=dense, pruned=prediction(flops=500_000_000), measured=engine)
    right, said = LESSONS[3].answer(halved)
    assert right == "less than the FLOPs fall" and "about as fast as dense" in said


def test_lesson_five_wants_two_answers(situation, prediction):
    check = LESSONS[4].check
    assert check(situation())[0] is False
    done, said = check(situation(pruned=prediction(label="negative")))
    assert done and "attention is not explanation" in said
    done, said = check(situation((1.0, 0.2, 0.3), pruned=prediction(label="negative")))
    assert done and "remove much-attended tokens, too" in said and "explanation" not in said
    assert LESSONS[4].answer(situation())[0] == "yes"


def test_lesson_five_asks_a_model_that_answers_with_a_number_nothing(
    learn, tiny_folder, tiny_bert, tokenizer
):
    PrunedModel(tiny_bert(num_labels=1), tokenizer, (0.0, 0.09, 0.09)).save_pretrained(tiny_folder)
    page = learn(lesson="5")
    assert "choose a model that answers with one" in html(page) and not page.radio
    assert learn(lesson="2").radio


def test_bars_below_the_threshold_are_marked(trace):
    bar = share_bars(trace.tokens, lessons.shares(trace), 0.15, 1, LIGHT).data[0]
    assert list(bar.y) == [40, 20, 5, 25, 10]
    assert bar.marker.color == (LIGHT.pruned, LIGHT.pruned, LIGHT.dropped, LIGHT.pruned, LIGHT.dropped)
