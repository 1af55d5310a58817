"""What the lessons say, on the shipped weights: each has one answer, can be finished, and is true."""

import math
from functools import cache
from pathlib import Path
from statistics import mean

import pytest

from app.lessons import LESSONS, after, guess
from app.lessons.int8 import OPTIONS, _first_other
from app.lessons.lab import Bench, opened, situation
from app.lessons.lesson import line_that_leaves, moved, read_to_the_end, shares
from app.lessons.plans import PLACES, PLANS
from app.measured import precision_of
from app.runs import Texts
from ltp_core import Pinned, PrunedModel, Thresholds
from ltp_core.checkpoints import shipped_models
from ltp_core.data.sentences import own_sentences
from ltp_core.speed.precision import dynamic_int8
from tests.some import some

pytestmark = pytest.mark.skipif("sst2" not in shipped_models(), reason="no shipped models")
MODEL = "sst2"
ROOT = Path(__file__).resolve().parents[2]


@cache
def model():
    return PrunedModel.from_pretrained(MODEL)


@cache
def rounded():
    return dynamic_int8(model())


def bench(text):
    return Bench(model(), rounded, Texts(text))


def begun(lesson):
    return opened(lesson, bench(lesson.text))


def solved(lesson):
    """After the lesson's own solution."""
    move = lesson.solution(begun(lesson))
    s = situation(bench(move.text or lesson.text), move.lines)
    return situation(bench(move.text or lesson.text), move.lines, s.content()[: lesson.wanted(s)])


def test_there_are_enough_and_each_takes_five_minutes_at_most():
    assert len(LESSONS) >= 8
    assert all(1 <= lesson.minutes <= 5 for lesson in LESSONS.values())
    assert {"share", "early", "length", "topk", "breaks", "time", "int8", "guess"} <= set(LESSONS)
    assert after(list(LESSONS)[-1]) is None and after("share") is LESSONS["line"]


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_fits_its_own_sentence_asks_and_can_be_finished(lesson):
    s = begun(lesson)
    assert not lesson.unfit(s)
    assert lesson.asks(s) and lesson.teaches and lesson.expects and lesson.task(s)
    right = lesson.answer(s)
    if lesson.measures:
        assert right == ""  # it has to be measured
    elif not lesson.marks:
        assert right in lesson.options(s) and len(set(lesson.options(s))) == len(lesson.options(s)) > 1
    if lesson.name != "int8" or right != OPTIONS[0]:
        assert not lesson.check(s).done  # there is something to do
    assert lesson.hint(s)
    done = solved(lesson)
    assert lesson.check(done).done or lesson.measures
    assert lesson.answer(done) == right  # whatever has been moved
    assert lesson.why(done)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_what_is_asked_about_is_what_is_drawn(lesson):
    s = begun(lesson)
    assert s.lines == lesson.start(s) == (model().thresholds if lesson.learned_lines else s.off)
    assert len(set(s.pruned.trace.alive)) == 1 or lesson.learned_lines  # all tokens, or the learned run


def test_most_words_lie_under_the_average_in_our_sentences():
    lesson = LESSONS["share"]
    assert lesson.answer(begun(lesson)) == "more than half"
    under = []
    for text in own_sentences():
        found = shares(bench(text).dense().trace, 1)
        under.append(sum(share < 1 / len(found) for share in found.values()) / len(found))
    assert mean(share > 0.5 for share in under) > 0.9


def test_the_first_to_leave_is_the_one_with_the_lowest_bar():
    lesson = LESSONS["line"]
    s = begun(lesson)
    first = next(place for place in s.content() if s.named(place) == lesson.answer(s))
    share = shares(s.dense.trace, 2)[first]
    kept = [s.lab.predict(s.set(2, share * factor)).trace.layers[1].kept for factor in (0.999, 1.001)]
    assert kept[0][first] and not kept[1][first]
    assert all(kept[0][place] for place in some(s.content()))


def log_odds(share):
    inside = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(inside / (1 - inside))


def test_early_losses_harm_most_here_and_on_the_average_of_our_sentences():
    lesson = LESSONS["early"]
    s = begun(lesson)
    runs = lesson._runs(s)
    assert lesson.answer(s) == "in layer 1"
    early, *later = (moved(s.dense, run) for run in runs.values())
    assert early > 0.3 and all(abs(one) < early / 2 for one in some(later))
    fallen = {layer: [] for layer in lesson._layers(s)}
    for text in own_sentences():
        one = situation(bench(text), s.off)
        for layer, lost in fallen.items():
            run = one.lab.predict(one.set(layer, lesson._share(one, layer)))
            lost.append(log_odds(one.dense.confidence) - log_odds(run.probabilities[one.dense.label]))
    first, middle, last = (mean(lost) for lost in fallen.values())
    assert first > middle > last


def test_the_same_lines_read_a_smaller_share_of_a_longer_text_and_save_more():
    lesson = LESSONS["length"]
    s = begun(lesson)
    short, long = s.lab.predict(s.learned), s.lab.predict(s.learned, lesson.second)
    assert long.flops_reduction > short.flops_reduction
    few, many = (len(read_to_the_end(run)) / len(run.trace.tokens) for run in (short, long))
    assert lesson.answer(s) == (lesson.sizes[0] if many < few else lesson.sizes[2])
    assert few - many > lesson.near  # so that there is something to drag
    scaled = model().reference_length is not None and len(long.trace.tokens) > model().reference_length
    assert ("lowers its lines" in lesson.why(s)) == scaled


def test_two_sentences_of_one_length_keep_different_numbers():
    lesson = LESSONS["topk"]
    s = begun(lesson)
    first, second = (s.lab.predict(s.learned, text) for text in (lesson.text, lesson.second))
    assert len(first.trace.tokens) == len(second.trace.tokens)
    left = [len(read_to_the_end(run)) for run in (first, second)]
    assert abs(left[0] - left[1]) >= 2  # a difference that can be seen
    assert lesson.answer(s) == lesson.sizes[2 if left[1] > left[0] else 0]
    assert len(read_to_the_end(solved(lesson).pruned)) == left[0]


def test_one_word_decides_and_brings_the_answer_back():
    lesson = LESSONS["breaks"]
    s = begun(lesson)
    word = next(place for place in range(len(s.tokens)) if s.named(place) == lesson.answer(s))
    done = solved(lesson)
    assert done.dense.label == s.pruned.label != done.pruned.label
    flip = lesson._found(s)
    assert done.pruned.trace.layers[flip.layer - 1].kept[word] is False
    rule = Pinned(Thresholds(done.lines, model().reference_length), stay=(word,))
    assert model().predict(lesson.text, rule).label == s.dense.label
    assert "again" in lesson.why(done)


def test_eight_bits_agree_under_the_solution():
    lesson = LESSONS["int8"]
    done = solved(lesson)
    assert _first_other(done.pruned, done.lab.in_int8(done.lines)) is None
    assert done.pruned.flops_reduction >= 1.2


def test_what_eight_bits_give_is_read_from_the_measurement():
    found = precision_of(MODEL)
    assert found is None or str(found.rows) in LESSONS["int8"].why(begun(LESSONS["int8"]))
    assert precision_of("no such model") is None


def test_a_rule_of_thumb_beats_chance_and_is_no_oracle_on_our_sentences():
    lesson = LESSONS["guess"]
    hits, chance, all_ = 0, 0.0, 0
    for text in own_sentences():
        s = situation(bench(text), model().thresholds)
        gone = set(lesson._gone(s))
        if not lesson.unfit(s):
            hits += len(gone & set(lesson.by_rule(s)))
            chance += len(gone) ** 2 / len(s.content())
            all_ += len(gone)
    assert chance * 1.1 < hits < all_ * 0.95
    assert guess.kind_of("the") == "article"


def test_the_line_that_leaves_so_many():
    s = begun(LESSONS["line"])
    for left in range(1, len(s.tokens) + 1):
        run = s.lab.predict(s.set(2, line_that_leaves(s.dense.trace, 2, left)))
        assert run.trace.alive[1] == left


def test_the_plans_last_as_long_as_they_say_and_use_lessons_that_are_there():
    for title, plan in PLANS.items():
        assert str(sum(part.minutes for part in plan)) in title
        named = [place for part in plan for place in some(part.places)]
        assert set(named) <= {*LESSONS, *PLACES} and len(set(named)) == len(named)
        lessons = [(part, name) for part in plan for name in part.places if name in LESSONS]
        assert all(part.minutes >= LESSONS[name].minutes for part, name in some(lessons))


def test_the_page_on_teaching_has_every_lesson_with_its_time():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    for name, lesson in LESSONS.items():
        link = f"[{name}](http://127.0.0.1:8501/learn?lesson={name})"
        assert f"| {lesson.title} | {lesson.minutes} min | {link} |" in page
