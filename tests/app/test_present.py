"""The large view for a class, the list of texts that its link carries, and what a class is asked."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.components.poll import poll as drawn
from app.says import asking
from app.says.asking import NothingToAsk
from app.says.qr import qr
from app.says.questions import Question
from app.serving.reach import HERE_ONLY, origin
from app.visitor import listed, state
from app.visitor.listed import Entry
from tests.app.harness import html, on_stage, open_view, run

LIST = "A dull film.\nA fine film.\nA long film."


def keys(page):
    return {button.key for button in page.button}


def poll(page):
    """What the browser gets to draw a poll; None where there is none."""
    import json

    found = [element for element in page.get("bidi_component") if element.key == "poll"]
    return json.loads(found[0].proto.json) if found else None


def opened(page, box):
    """The same page with a closed part of it open."""
    page.session_state[box] = True
    return run(page)


def view(**query):
    return open_view("explore", **{"present": "1", "text": "A fine film.", **query})


# The list.


def test_a_list_is_what_was_put_into_the_link():
    entries = (listed.entry("a\n b\t c"), listed.entry("one", "two "), listed.entry("<b>x</b>"))
    assert entries[0] == Entry("a b c") and listed.read(listed.write(entries)) == (entries, None)


@pytest.mark.parametrize("written", ["", "\n\n", "\t", " \t \n "])
def test_a_list_of_nothing(written):
    assert listed.read(written) == ((), None)


def test_five_hundred_texts_are_thirty_and_a_notice():
    found, notice = listed.read("\n".join(f"text {number}" for number in range(500)))
    assert len(found) == listed.MOST and "500 texts" in notice and "\n" not in notice
    assert listed.read("same\n" * 500) == ((Entry("same"),), None)


def test_a_list_that_is_too_long_for_a_link_ends_with_a_whole_text():
    kept, notices = state.cut({"texts": "\n".join(["word " * 30] * 100)})
    assert len(kept["texts"]) <= state.LONGEST_LINK and kept["texts"].endswith("word ")
    assert len(kept["texts"].split("\n")[-1]) == 150 and "list" in notices[0]


# The view.


def test_the_stage_alone(tiny_folder):
    page = view()
    assert on_stage(page) and not page.text_area
    assert {"leave"} == keys(page) - {"copy"} and not page.expander


def test_it_is_large_only_when_asked_for(tiny_folder):
    for present in ("0", "yes", "<b>"):
        page = open_view("explore", present=present)
        assert page.text_area and "leave" not in keys(page)


def test_one_goes_through_the_list_and_its_ends_are_ends(tiny_folder):
    page = view(texts=LIST)
    assert "2 of 3" in html(page)
    page.button(key="next").click()
    run(page)
    assert "3 of 3" in html(page) and page.query_params["text"] == "A long film."
    assert page.button(key="next").disabled and not page.button(key="previous").disabled
    for _ in range(2):
        page.button(key="previous").click()
        run(page)
    assert "1 of 3" in html(page) and page.button(key="previous").disabled
    assert page.query_params["present"] == "1" and page.query_params["texts"] == LIST


def test_thresholds_stay_from_text_to_text(tiny_folder):
    page = view(texts=LIST, t1="0.2")
    page.button(key="next").click()
    run(page)
    assert on_stage(page)["thresholds"][0] == 0.2


def test_five_hundred_texts_with_html_in_them(tiny_folder):
    bad = "<img src=x onerror=alert(1)>"
    page = view(text=bad, ask="words", texts="\n".join(f"{bad} {number}" for number in range(500)))
    said = html(page)
    assert "<img src=x" not in said and "&lt;img src=x" in said and "the first 30 are used" in said


@pytest.mark.parametrize("texts", ["", "\n", " \t \n\n"])
def test_a_list_of_empty_texts_is_no_list(tiny_folder, texts):
    page = view(texts=texts)
    assert on_stage(page) and not {"next", "previous"} & keys(page)


def test_an_empty_text_among_others_is_left_out(tiny_folder):
    page = view(text="A fine film.", texts="\nA fine film.\n \nA long film.\n")
    assert "1 of 2" in html(page)


def test_leaving_keeps_the_text_and_the_list(tiny_folder):
    page = view(texts=LIST)
    page.button(key="leave").click()
    run(page)
    assert "present" not in page.query_params and page.query_params["texts"] == LIST
    assert page.text_area(key="text").value == "A fine film."


def test_a_list_is_built_on_the_page(tiny_folder):
    page = opened(open_view("explore", text="A <b>dull</b> film."), "class_list")
    page.button(key="list_add").click()
    run(page)
    assert page.button(key="list_add").disabled  # each text once
    page.text_area(key="text").set_value("A fine film.")
    run(page)
    page.button(key="list_add").click()
    run(page)
    assert page.query_params["texts"] == "A <b>dull</b> film.\nA fine film."
    page.button(key="list_0").click()
    run(page)
    assert page.text_area(key="text").value == "A <b>dull</b> film."
    page.button(key="list_remove_0").click()
    run(page)
    assert page.query_params["texts"] == "A fine film."
    page.button(key="present_open").click()
    run(page)
    assert page.query_params["present"] == "1" and "leave" in keys(page)


def test_a_link_that_hides_something_is_a_students(tiny_folder):
    boxes = [[box.label for box in open_view("explore", **q).expander] for q in ({}, {"hide": "model"})]
    assert [any("For a class" in label for label in labels) for labels in boxes] == [True, False]


def test_a_full_list_says_so(tiny_folder):
    page = open_view("explore", texts="\n".join(f"text {number}" for number in range(30)))
    opened(page, "class_list")
    assert page.button(key="list_add").disabled and "list is full" in html(page)


# What is asked.


def test_the_class_is_asked_before_it_sees_the_stage(tiny_folder):
    page = view(ask="words")
    asked = poll(page)["question"]
    assert on_stage(page) is None and asked["several"] and len(asked["options"]) > 2
    page.segmented_control(key="ask").set_value("stage")
    run(page)
    assert on_stage(page) and poll(page) is None and "ask" not in page.query_params


def test_another_text_another_threshold_another_question(tiny_folder):
    first, text, threshold = (
        poll(view(ask="words", **q)) for q in ({}, {"text": "A dull film."}, {"t1": "0.9"})
    )
    assert len({each["question"]["name"] for each in (first, text, threshold)}) == 3
    assert first == poll(view(ask="words"))  # a reload finds its votes


def test_an_unknown_question_is_none(tiny_folder):
    page = view(ask="<b>")
    assert on_stage(page) and "There is no question" in html(page)


def test_the_words_that_go(trace):
    """Of the hand-worked trace: "very" is gone after layer 1, [SEP] is no word."""
    found = asking.words(trace, frozenset({"[CLS]", "[SEP]"}), ["a very <b>"])
    assert found.options == ("a", "very", "<b>") and found.right == (1,) and found.several
    assert "after layer 1 of 3" in found.asks and found.about == "a very <b>"


def test_the_answer(prediction):
    found = asking.answer(Question("x", "Is it?"), prediction("positive"), ("negative", "positive"), ["a"])
    assert found.options == ("negative", "positive") and found.right == (1,) and not found.several
    with pytest.raises(NothingToAsk, match="a number"):
        asking.answer(Question("x", "How much?"), prediction(), (), ["a"])


def test_a_text_with_too_many_words_for_a_phone(trace, monkeypatch):
    monkeypatch.setattr(asking, "MOST_WORDS", 2)
    with pytest.raises(NothingToAsk, match="3 words"):
        asking.words(trace, frozenset({"[CLS]", "[SEP]"}), ["a very <b>"])
    with pytest.raises(NothingToAsk, match="not enough"):
        asking.words(trace, frozenset({"[CLS]", "[SEP]", "a", "very"}), ["a"])
    assert drawn  # the component is importable without a page


# The QR code, and where phones go.


def test_a_qr_code_is_black_on_white_and_none_if_too_dense():
    found = qr("http://192.168.1.20:8501/?present=1&text=A+film.")
    assert found.startswith("data:image/svg+xml") and "%23000" in found and "%23fff" in found
    assert qr("http://x/?" + "t" * 900) and qr("http://x/?" + "t" * 1200) is None and qr("é" * 5000) is None


@pytest.mark.parametrize(
    ("url", "listens", "own", "expected"),
    [
        ("http://192.168.1.20:8501/", "0.0.0.0", "192.168.1.20", ("http://192.168.1.20:8501", None)),
        ("http://localhost:8501/", "0.0.0.0", "192.168.1.20", ("http://192.168.1.20:8501", None)),
        ("http://127.0.0.1:8501/", "::", "fe80::1", ("http://[fe80::1]:8501", None)),
        ("http://localhost:8501/", "127.0.0.1", "", ("http://localhost:8501", HERE_ONLY)),
        ("http://localhost:8501/", "0.0.0.0", "", ("http://localhost:8501", HERE_ONLY)),
        ("http://0.0.0.0:8501/", "0.0.0.0", "192.168.1.20", ("http://192.168.1.20:8501", None)),
        ("http://127.0.1.1:8501/", "0.0.0.0", "127.0.1.1", ("http://127.0.1.1:8501", HERE_ONLY)),
        ("http://[::1]:8501/", "::1", "", ("http://[::1]:8501", HERE_ONLY)),
        ("http://lab.localhost:8501/", "127.0.0.1", "", ("http://lab.localhost:8501", HERE_ONLY)),
        ("http://teacher.local:8501/", "0.0.0.0", "10.0.0.2", ("http://teacher.local:8501", None)),
        ("https://lab.school.example/", "127.0.0.1", "", ("https://lab.school.example", None)),  # a proxy
    ],
)
def test_where_phones_reach_it(url, listens, own, expected):
    assert origin(url, listens, own) == expected


def test_the_link_in_the_code_is_the_view(tiny_folder, monkeypatch):
    from app.sections import present

    seen = []
    monkeypatch.setattr(present, "qr", lambda link: seen.append(link) or "data:image/svg+xml,x")
    page = view(texts=LIST, t1="0.2")
    assert not seen  # a code costs a while: it is made for who looks at it
    opened(page, "present_qr")
    query = parse_qs(urlsplit(seen[0]).query)
    assert query["present"] == ["1"] and query["texts"] == [LIST] and query["t1"] == ["0.2"]
    assert query["text"] == ["A fine film."]
