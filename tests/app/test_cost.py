"""The Cost page on a tiny model. Times are made up here: what they mean is tested, not how fast we are."""

import pytest

from app import limits, models, runs, turns
from app.figures import latency, work
from app.figures.colours import DARK, LIGHT
from app.says import findings
from app.says.timed import Timed
from ltp_core.data.survey import LengthPoint
from ltp_core.flops import LayerFlops
from ltp_core.speed.latency import TextTimes, Timing
from tests.app.harness import html, open_view, run
from tests.some import some

TEXT = "the plot was very bad and the film was so good"
DENSE = [LayerFlops(1, 40_000, 60_000), LayerFlops(2, 40_000, 60_000)]
PRUNED = [LayerFlops(1, 40_000, 45_000), LayerFlops(2, 30_000, 15_000)]


@pytest.fixture
def cost(tiny_folder, monkeypatch, comparison):
    models.load.clear()
    monkeypatch.setattr(runs, "measure_batch", lambda *args: comparison)
    return lambda **query: open_view("evidence", **{"show": "cost", **query})


def plain(text):
    return text.replace("\u00a0", " ")


def test_counts_and_times_are_on_the_page(cost):
    page = cost(text=TEXT)
    assert "of the work is saved" in html(page)
    assert "This text alone: pruning makes it 1.25× faster" in html(page)
    assert "In a batch of 8 texts: pruning makes it 1.25× faster" in html(page)
    assert "measuring" not in html(page)


def test_off_saves_nothing(cost):
    page = cost(text=TEXT, t1="0", t2="0", t3="0")
    assert "Nothing is pruned: the 3 layers do" in html(page)
    assert "Nothing is pruned at any length" in html(page)
    assert "so nothing can be gained" in html(page)


def test_an_empty_text_invites(cost):
    assert "Type a sentence" in html(cost(text=""))


def test_a_text_that_is_too_long_is_refused_in_one_line(cost):
    page = cost(text=TEXT)
    page.text_area(key="text").set_value("a" * (limits.MAX_CHARACTERS + 1))
    assert "the lab takes 100,000" in html(run(page))


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_bars_hold_the_parts_of_each_layer(palette):
    bars = work.by_layer(DENSE, PRUNED, palette).data
    assert [(bar.name, list(bar.y), list(bar.x)) for bar in bars] == [
        ("Dense: attention", [40, 40], [1, 2]),
        ("Dense: FFN", [60, 60], [1, 2]),
        ("Pruned: attention", [40, 30], [1, 2]),
        ("Pruned: FFN", [45, 15], [1, 2]),
    ]
    assert work.by_layer(DENSE, PRUNED, palette).layout.yaxis.title.text == "kFLOPs"


def test_the_text_on_the_page_is_marked_on_both_lines():
    points = [LengthPoint(8, 100_000, 90_000, (8, 5)), LengthPoint(16, 300_000, 100_000, (16, 5))]
    figure = work.by_length(points, LIGHT, 12, 200_000, 95_000)
    assert [list(line.y) for line in figure.data] == [[100, 300], [200], [90, 100], [95]]
    assert findings.lengths(points) == "1.11× fewer FLOPs at 8 tokens, 3.0× at 16"


def test_a_length_at_which_nothing_is_left_is_no_gain():
    # One token left after the last layer is usual: the answer is read from it.
    good = [LengthPoint(8, 3, 2, (6, 3, 1)), LengthPoint(16, 3, 1, (9, 1.5, 1))]
    bad = [LengthPoint(32, 30, 2, (20, 1, 1)), LengthPoint(64, 90, 3, (1, 1, 1))]
    assert [point.collapses for point in (*good, *bad)] == [None, None, 2, 1]
    gain = "1.50× fewer FLOPs at 8 tokens"
    left = "; at 32, only the first token is left after layer 2"
    assert findings.lengths([*good, *bad]) == f"{gain}, 3.0× at 16{left}"
    assert findings.lengths([good[0], *bad]) == f"{gain}{left}"
    assert findings.lengths(bad) == "Too much is pruned: only the first token is left after layer 2"


def test_work_by_length_counts_what_is_left(tiny_folder):
    models.load.clear()
    model = models.load(tiny_folder, "cpu")
    points = runs.work_by_length(model, (0.0, 0.09, 0.09))
    assert [point.left[0] for point in points] == [16, 32] and all(p.left[1] < p.length for p in some(points))


def test_a_collapse_is_said_beside_the_answer(cost):
    said = html(cost(text=TEXT, t1="0.5"))
    assert "Layer 1 asks for 50 % of the attention" in said and "answer; " in said
    assert "Too much is pruned: only the first token is left after layer 1" in said


def test_where_the_work_is_saved():
    # 70 of 200 are saved: 60 of them in the FFN, 55 in layer 2.
    assert plain(findings.work(DENSE, PRUNED)) == (
        "35 % of the work is saved: 86 % of that in the FFN, 79 % in the second half of the layers"
    )


def test_what_is_realised(comparison):
    timed = Timed("This text", comparison, 2.0, 1.6)  # 12, 10 and 8 ms
    assert timed.promised_ms == 6.25
    assert timed.realised_pruning == pytest.approx(1.25 / 1.6)
    said = plain(findings.time(timed))  # of pruning alone: 10 ms to 8, and not from Hugging Face's 12
    assert said.startswith("This text: pruning makes it 1.25× faster (")
    assert said.endswith(", with 1.60× fewer FLOPs (78 % realised)")
    assert "takes 83 % of Hugging Face’s time" in plain(findings.control(timed))
    assert "Both together: 1.50× faster, with 2.0× fewer paper FLOPs" in plain(findings.control(timed))


def test_bars_of_times_have_their_spread(comparison):
    figure = latency.latency_bars(Timed("x", comparison, 2.0, 1.6), LIGHT)
    bar, promise = figure.data
    assert list(bar.x) == [12, 10, 8]
    assert list(bar.error_x.array) == [1, 1, 0.5] and list(bar.error_x.arrayminus) == [1, 1, 0.5]
    assert list(promise.x) == [6.25, 6.25]
    table = latency.latency_table([Timed("x", comparison, 2.0, 1.6)])
    assert table["median ms"] == [12, 10, 8] and table["runs"] == [20, 20, 20]


def test_equal_times_claim_nothing():
    same = Timing(10, 9, 11, 3, (9.0, 10.0, 11.0))
    said = findings.time(Timed("x", TextTimes(same, same, same), 2.0, 2.0))
    assert said.startswith("x: what pruning gives is too noisy to say")


def test_a_refusal_is_said_and_not_kept(cost, monkeypatch, comparison):
    def busy(*args):
        raise turns.Busy

    monkeypatch.setattr(runs, "measure_batch", busy)
    page = cost()
    said = "This text alone: not measured, since many visitors measure right now. Press Run to try again."
    assert said in html(page)
    monkeypatch.setattr(runs, "measure_batch", lambda *args: comparison)
    page.button(key="run").click()
    assert "not measured" not in html(run(page))
