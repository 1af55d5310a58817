"""Accuracy against FLOPs: dots from rows, the figure, the finding, and the sentences behind a dot."""

import pytest

from app import measured, published, theme
from app.figures import frontier, speed
from app.figures.colours import DARK, LIGHT
from app.figures.layout import score_range
from app.says import findings
from app.says.dots import Speed
from app.sections.frontier import _is_multiple
from ltp_core import PrunedModel, Thresholds
from ltp_core.data.sentences import own_sentences
from ltp_core.pictures.dots import dots
from ltp_core.results import RESULTS, read_rows
from ltp_core.rules import names as rules
from tests.app.harness import html, open_view, run


def row(rule, target, reduction, lost, error=0.5, seed=0):
    return {
        "rule": rule,
        "task": "sst2",
        "target_flops": target,
        "flops_reduction": reduction,
        "executed_flops_reduction": reduction - 0.2,
        "points_lost": lost,
        "points_lost_error": error,
        "pruned_score": 0.9 - lost / 100,
        "baseline_score": 0.9,
        "metric": "accuracy",
        "examples": 800,
        "seed": seed,
        "commit": "abc",
        "measured": "2026-11-25T00:00:00",
        "thresholds": None,
        "kept_per_layer": [1.0, 0.5],
    }


ROWS = [
    row("dense", 1.0, 1.0, 0.0),
    row("ltp", 3.0, 3.0, 4.0),
    row("ltp", 2.0, 2.0, 0.6, error=0.4),
    row("ltp", 2.0, 2.2, 1.0, error=0.7, seed=1),
    row("random", 2.0, 2.0, 12.0),
]


def test_a_dot_is_the_mean_over_seeds_and_its_band_holds_all_of_them():
    found = dots(ROWS)
    assert [dot.name for dot in found] == ["ltp@2", "ltp@3", "random@2"]
    first = found[0]
    assert (first.reduction, first.lost) == (pytest.approx(2.1), pytest.approx(0.8))
    assert (first.low, first.high) == (pytest.approx(0.2), pytest.approx(1.7))


@pytest.mark.parametrize(
    ("task", "counted", "without"), [("SST-2", 4.66, 5 / 3), ("MNLI", 6.68, 2.0), ("STS-B", 7.2, 10 / 3)]
)
def test_a_published_reduction_that_counts_padding_stands_beside_the_one_that_does_not(
    task, counted, without
):
    found = next(each for each in published.TOP if each.task == task)
    assert found.counted == counted and found.without_padding == pytest.approx(without)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_figure_draws_points_against_the_baseline(palette):
    figure = frontier.frontier(dots(ROWS), rules.name, published.FLOPS, "ltp@2", palette)
    band, line = figure.data[:2]
    assert line.name == "Learned thresholds"
    assert list(line.y) == pytest.approx([-0.8, -4.0])
    assert list(band.y) == pytest.approx([-0.2, -3.5, -4.5, -1.7])
    assert list(line.customdata) == ["ltp@2", "ltp@3"]
    assert list(line.marker.line.width) == [3, 0]
    star = next(trace for trace in figure.data if (trace.name or "").startswith("published"))
    assert list(star.x) == [2.1] and list(star.y) == [-1.0] and "arXiv 2107.00910" in star.text[0]


def test_the_axis_spans_ten_points_even_where_nothing_is_lost():
    flat = [row("ltp", target, target, 0.1) for target in (1.5, 2.0)]
    low, high = frontier.frontier(dots(flat), rules.name, (), "", LIGHT).layout.yaxis.range
    assert high - low >= 10


@pytest.mark.parametrize(("values", "rows", "least"), [([79.6, 80.4], 500, 10), ([79.6, 80.4], 30, 36)])
def test_an_axis_of_scores_never_zooms_into_noise(values, rows, least):
    low, high = score_range(values, rows)
    assert high - low >= least and low < 79.6 and high > 80.4
    assert score_range([0, 100], 500)[1] - score_range([0, 100], 500)[0] >= 100
    assert score_range([100, 100], 60) == pytest.approx((104 - 1.2 * least_span(60), 104))


def least_span(rows):
    return 100 * max(0.1, 4 * (0.25 / rows) ** 0.5)


def test_the_finding_is_about_the_last_dot_below_a_point():
    assert findings.frontier(dots(ROWS)).replace("\u00a0", " ") == (
        "Learned thresholds lose less than a point up to 2.1× fewer FLOPs: 0.8 points (0.2 to 1.7)"
    )
    assert "lose 4.0 points at least" in findings.frontier(dots([ROWS[1]]))
    assert "not measured" in findings.frontier(dots([ROWS[-1]]))


def test_thresholds_are_those_of_the_shipped_weights_if_they_are_a_multiple():
    assert _is_multiple((0.02, 0.0, 0.04), (0.01, 0.0, 0.02))
    assert _is_multiple((0.5, 1.0), (0.25, 0.6))  # 1 is where a threshold ends
    assert not _is_multiple((0.02, 0.03), (0.01, 0.02))
    assert not _is_multiple((0.02, 0.01), (0.01, 0.0))


@pytest.fixture(scope="module")
def evidence():
    return open_view("evidence", model="sst2", dot="ltp@2.5")


def test_every_point_of_the_file_is_behind_the_figure(evidence):
    measured = [row for row in read_rows(RESULTS / "compare-sst2.json") if row["rule"] != "dense"]
    found = frontier.table(dots(measured), rules.name)
    assert sorted(found["score"]) == sorted(row["pruned_score"] for row in measured)
    shown = next(row for row in measured if row["rule"] == "ltp" and row["target_flops"] == 2.5)
    said = html(evidence)
    assert f"{100 * shown['pruned_score']:.1f} %" in said and shown["commit"] in said


def test_a_dot_of_the_shipped_weights_shows_the_sentences_that_flip_there(evidence, monkeypatch):
    shown = next(
        row
        for row in read_rows(RESULTS / "compare-sst2.json")
        if row["rule"] == "ltp" and row["target_flops"] == 2.5
    )
    model = PrunedModel.from_pretrained("sst2")
    texts = list(own_sentences())
    rule = Thresholds(shown["thresholds"], model.reference_length)
    dense = model.predict(texts, rule=Thresholds([0.0] * 6))
    pruned = model.predict(texts, rule=rule)
    flips = [t for t, a, b in zip(texts, dense, pruned, strict=True) if a.label != b.label]
    assert flips and f"{len(flips)} of our {len(texts)} texts" in html(evidence)
    opened = []
    monkeypatch.setattr(
        "app.visitor.session.open_page", lambda path, **settings: opened.append((path, settings))
    )
    evidence.button(key="frontier_open_0").click()
    run(evidence)
    path, settings = opened[0]
    assert path == "views/explore.py" and settings["text"] == flips[0]
    assert settings["t6"] == pytest.approx(100 * shown["thresholds"][5])


def test_a_dot_of_other_weights_says_that_they_do_not_ship():
    assert "weights that do not ship" in html(open_view("evidence", model="sst2", dot="topk@2.1"))


def test_a_model_that_was_not_compared_says_so(tiny_folder):
    assert "No accuracy against FLOPs was measured" in html(open_view("evidence"))


def test_a_dot_that_does_not_exist_is_said():
    assert "There is no dot “&lt;b&gt;” here" in html(open_view("evidence", model="sst2", dot="<b>"))


def test_a_dot_leads_to_the_time_that_was_measured_at_its_flops():
    def speed(length, reduction, batch=1, against="sdpa"):
        return Speed(against, length, batch, 30.0, 20.0, reduction, 1.4, "a machine, 2 threads")

    runs = [
        speed(512, 2.1),
        speed(128, 2.15),
        speed(128, 2.1, batch=16),
        speed(128, 3.5),
        speed(128, 2.1, 1, "onnx"),
    ]
    shown = dots(ROWS)
    timed = measured.clocked(shown, runs)
    assert [(dot.name, run) for dot, run in timed] == [("ltp@2", runs[1])]  # 3.5 is too far from 3.0
    figure = frontier.frontier(shown, rules.name, (), "", LIGHT, timed)
    line = next(trace for trace in figure.data if trace.name == "the same in measured time")
    assert list(line.x) == [1.4, pytest.approx(2.1)] and list(line.y) == [pytest.approx(-0.8)] * 2
    assert "1.40× in time" in line.text[0] and "time" in figure.layout.xaxis.title.text
    assert "time" not in frontier.frontier(shown, rules.name, (), "", LIGHT).layout.xaxis.title.text


def test_names_of_published_points_stand_in_the_legend_where_no_dot_is():
    run = Speed("HF", 25, 1, 8.0, 2.0, 2.1, 1.5, "here")
    found = speed.speed_against_flops([run], published.TIME, LIGHT)
    stars = [trace for trace in found.data if (trace.name or "").startswith("published")]
    assert [list(star.y) for star in stars] == [[anchor.reduction] for anchor in published.TIME]
    for star, anchor in zip(stars, published.TIME, strict=True):
        assert anchor.name in star.name and star.mode == "markers"
    assert len({star.marker.symbol for star in stars}) == len(stars)


def test_on_a_phone_a_long_legend_makes_a_figure_higher_and_leaves_the_kept_one():
    figure = frontier.frontier(dots(ROWS), rules.name, published.FLOPS, "ltp@2", LIGHT)
    names = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
    higher = theme._higher(figure)
    assert higher.layout.height == 480 + 22 * (len(names) - 2) > figure.layout.height == 480
