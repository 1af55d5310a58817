"""Learn: a lesson asks, waits for a prediction, looks at what is done, hints, and never ends in a wall."""

import re

import pytest

from app import models, runs, turns
from app.lessons import LESSONS, read_lesson
from app.visitor import session
from app.visitor.state import read_hidden
from tests.app.harness import html, on_stage, open_view, run, send

TEXT = "the plot was very bad and the film was so good"


@pytest.fixture
def learn(tiny_folder, monkeypatch, comparison):
    models.load.clear()
    monkeypatch.setattr(runs, "measure", lambda *args: comparison)
    return lambda **query: open_view("learn", **{"text": TEXT, **query})


def choose(radio, number):
    """Choose an option; the harness wants the value, of which it knows the label, which is Markdown."""
    radio.set_value(re.sub(r"\\(.)", r"\1", radio.options[number].replace("\u2060", "")))


def predict(page, name, number=0):
    choose(page.radio(key=f"predict_{name}"), number)
    return run(page)


def button(page, key):
    return next((one for one in page.button if one.key == key), None)


def test_the_list_shows_all_lessons_and_leads_into_one(learn):
    page = learn()
    for number, lesson in enumerate(LESSONS.values(), start=1):
        assert f"<h3>{number} {lesson.title}</h3>" in html(page)
    button(page, "begin_share").click()
    run(page)
    assert page.query_params["lesson"] in ("share", ["share"]) and on_stage(page) is not None


def test_until_there_is_a_prediction_the_stage_stands_where_the_question_does(learn):
    page = learn(lesson="share", t2="0.5")  # a link with other lines
    drawn = on_stage(page)
    assert drawn["fixed"] and drawn["thresholds"] == [0.0, 0.0, 0.0] and drawn["live"] is None
    assert "tokens share 100" in page.radio(key="predict_share").label and "Why?" not in html(page)
    page = predict(page, "share")
    assert not on_stage(page)["fixed"] and on_stage(page)["thresholds"] == [0.0, 0.0, 0.0]
    assert "You say: fewer than half." in html(page) and "Not yet." in html(page)
    learned = learn(lesson="length")
    assert on_stage(learned)["thresholds"] == pytest.approx([0.0, 0.05, 0.06])


def test_a_hint_and_a_way_out_after_two_misses(learn):
    page = predict(learn(lesson="share"), "share")
    assert "Hint:" not in html(page) and button(page, "show_me") is None
    for line in (0.4, 0.5):
        assert "Hint:" not in html(page)
        send(page, "release", [line, 0, 0])
    assert "Hint: The handle is at the right" in html(page)
    button(page, "show_me").click()
    page = run(page)
    assert "Why?" in html(page) and "Not yet." not in html(page)
    assert on_stage(page)["thresholds"][0] == pytest.approx(1 / 13)
    assert page.query_params["done"] in ("share", ["share"])
    assert "1 ✓" in page.get("button_group")[0].options[0]  # at once
    button(page, "next").click()
    page = run(page)
    assert page.query_params["lesson"] in ("line", ["line"])


def test_a_drag_finishes_the_task_and_further_drags_take_nothing_away(learn):
    page = predict(learn(lesson="share"), "share", 2)
    send(page, "release", [1 / 13, 0, 0])
    assert "Why?" in html(page) and "more than half" in html(page)
    send(page, "release", [0.0, 0, 0])
    assert "Why?" in html(page) and button(page, "next").label.startswith("Next")


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_has_a_way_on_from_the_first_moment(learn, name):
    page = learn(lesson=name)
    assert button(page, "next") is not None
    if page.radio:
        page = predict(page, name)
        assert button(page, "next") is not None and on_stage(page) is not None


def test_a_reload_keeps_prediction_and_lines(learn):
    page = predict(learn(lesson="line"), "line", 1)
    send(page, "release", [0, 0.04, 0])
    query = {key: value[0] if isinstance(value, list) else value for key, value in page.query_params.items()}
    again = open_view("learn", **query)
    assert on_stage(again)["thresholds"] == on_stage(page)["thresholds"] == [0, 0.04, 0]
    assert "You say:" in html(again)


def test_another_sentence_asks_anew(learn):
    page = predict(learn(lesson="line"), "line", 1)
    page.text_area(key="text").set_value("a good film")
    page = run(page)
    assert "You say" not in html(page) and page.radio(key="predict_line") and "guess" not in page.query_params


def test_words_are_marked_and_counted(learn):
    page = learn(lesson="guess")
    lesson = LESSONS["guess"]
    if "nothing to guess" in html(page):
        page = learn(lesson="guess", t1="0")
    pills = page.get("button_group")[-1]
    assert button(page, "marked").disabled and len(pills.options) == 11
    wanted = int(re.search(r"Mark (\d+)", pills.proto.label).group(1))
    page.session_state["predict_guess"] = list(range(1, 1 + wanted))
    page = run(page)
    button(page, "marked").click()
    page = run(page)
    assert "These are not the learned lines" in html(page)
    send(page, "release", list(on_stage(page)["learned"]))
    assert f"of {wanted} are right. Chance would hit" in html(page) and lesson.title


def test_time_is_measured_when_asked_and_a_refusal_is_said(learn, monkeypatch, comparison):
    asked = []

    def busy(*args):
        asked.append(args)
        raise turns.Busy

    monkeypatch.setattr(runs, "measure", busy)
    page = predict(learn(lesson="time"), "time")
    assert not asked
    button(page, "lesson_measure").click()
    assert "many visitors measure right now" in html(run(page)) and len(asked) == 1
    run(page)
    assert len(asked) == 1  # nobody asked again
    monkeypatch.setattr(runs, "measure", lambda *args: comparison)
    button(page, "lesson_measure").click()
    assert "many visitors" not in html(run(page)) and on_stage(page)["time"] is not None


def test_lessons_with_texts_of_their_own_offer_these(learn):
    page = learn(lesson="length")
    assert "compares texts of its own" in html(page)
    button(page, "own_text").click()
    page = predict(run(page), "length")
    assert "This is the first text" in html(page)
    button(page, "other_0").click()
    page = run(page)
    assert "You say" in html(page) or "Why?" in html(page)  # the prediction is about both
    assert page.session_state["text"] == LESSONS["length"].second


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"t7": "0.1", "t8": "0.2"}, "t7, t8: this model has 3 layers; the rest is left out"),
        ({"t1": "abc"}, "t1=abc is not a share of attention from 0 to 1"),
        ({"guess": "-1"}, "What this link says of a prediction cannot be read: predict again."),
        ({"guess": "99"}, "is no answer here: predict again"),
        ({"guess": "0.1.2"}, "is no answer here: predict again"),
    ],
)
def test_a_link_with_lines_of_another_model_or_garbage_says_so(learn, query, said):
    page = learn(lesson="share", **query)
    assert said in html(page)
    assert page.radio(key="predict_share") and on_stage(page)["fixed"]


@pytest.mark.parametrize(
    ("old", "new"), [("1", "share"), ("2", "line"), ("3", "early"), ("4", "time"), ("5", "breaks")]
)
def test_old_numbers_lead_to_the_lessons_that_took_their_place(learn, old, new):
    assert read_lesson(old) == (new, None)
    assert LESSONS[new].title in html(learn(lesson=old))


def test_a_link_that_names_a_lesson_alone_opens_on_its_own_sentence(learn):
    page = open_view("learn", lesson="length")
    assert page.session_state["text"] == LESSONS["length"].text and page.radio(key="predict_length")


def test_a_lesson_that_is_not_there(learn):
    page = learn(lesson="9")
    assert "There is no lesson “9” here. There is: share, line" in html(page) and button(page, "begin_share")
    for text in ("²", "0011", "01", "0", " 1"):
        name, notice = read_lesson(text)
        assert name == "" and f"no lesson “{text}”" in notice
    assert read_hidden("text,nonsense,,model") == {"text", "model"}


def test_a_teachers_link_hides_controls_and_still_has_no_dead_end(learn):
    page = learn(lesson="share", hide="text,model,thresholds,lessons")
    assert not page.text_area and not page.selectbox and not page.get("button_group")
    assert not [box for box in page.expander if "teachers" in box.label]
    page = predict(page, "share")
    assert "lines are fixed here" in html(page) and on_stage(page)["fixed"]
    button(page, "show_me").click()
    assert "Why?" in html(run(page))


def test_a_model_that_answers_with_a_number_is_asked_nothing_about_labels(
    learn, tiny_folder, tiny_bert, tokenizer
):
    from ltp_core import PrunedModel

    PrunedModel(tiny_bert(num_labels=1), tokenizer, (0.0, 0.09, 0.09)).save_pretrained(tiny_folder)
    page = learn(lesson="breaks")
    assert "answers with a number" in html(page) and not page.radio and button(page, "next")
    assert learn(lesson="line").radio


def test_the_teachers_page_has_plans_links_and_answers(learn):
    page = learn(show="teacher")
    said = html(page)
    assert "A lesson of 45 minutes" in said and "A lesson of 90 minutes" in said and "ltp handout" in said
    for lesson in LESSONS.values():
        assert f"lesson={lesson.name}" in said.replace("&amp;", "&")
    page.session_state["answers_share"] = True
    assert "Answer:" in html(run(page)) and "Why:" in html(page)


def test_the_lesson_and_what_is_done_hold_on_the_way_to_other_pages():
    assert {"lesson", "done"} <= set(session.LASTING)
