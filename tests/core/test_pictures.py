"""Pictures for a paper: what is drawn is what was measured, in two formats, and the same each time."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from ltp_core import AttentionTrace, LayerTrace, PrunedModel, Thresholds, Trace
from ltp_core.pages.figures import maps, write_figures
from ltp_core.pictures.colours import RULES
from ltp_core.pictures.dots import dots
from ltp_core.pictures.frontier import LEAST, MOST, frontier
from ltp_core.pictures.lengths import adaptation, curves
from ltp_core.pictures.maps import attention, relative, survival
from ltp_core.pictures.style import COLUMN, PAGE, canvas, look, write
from ltp_core.results import RESULTS, write_rows
from tests.some import some

TRACE = Trace(
    tokens=("[CLS]", "$x^2$", "very", "<b>", "[SEP]"),
    segments=(0, 0, 0, 0, 0),
    truncated_tokens=0,
    layers=(
        LayerTrace(1, 0.1, (0.4, 0.2, 0.05, 0.25, 0.1), (True, True, False, True, True)),
        LayerTrace(2, 0.2, (0.1, 0.25, None, 0.5, 0.15), (True, True, False, True, False)),
    ),
)


def measured(rule, target, reduction, lost, error=0.5, seed=0):
    return {
        **{"rule": rule, "target_flops": target, "flops_reduction": reduction, "points_lost": lost},
        **{"points_lost_error": error, "seed": seed, "metric": "accuracy"},
    }


def test_a_line_and_a_band_for_each_rule():
    rows = [
        measured("ltp", 2.0, 2.0, 0.5),
        measured("ltp", 2.0, 2.2, 1.5, seed=1),
        measured("ltp", 3.0, 3.0, 4.0),
        measured("random", 2.0, 2.0, 40.0),
    ]
    axes = frontier(dots(rows), "sst2", COLUMN).axes[0]
    ltp, chance = (line for line in axes.lines if len(line.get_xdata()) and "_" not in line.get_label()[:1])
    assert list(ltp.get_xdata()) == pytest.approx([2.1, 3.0]) and list(ltp.get_ydata()) == pytest.approx(
        [-1, -4]
    )
    assert (ltp.get_label(), to_hex(ltp.get_color())) == ("Learned thresholds", RULES["ltp"][0])
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (-4.5, 0.0)  # over seeds: 0.5 - 0.5 … 1.5 + 0.5, and 4 ± 0.5
    assert list(chance.get_ydata()) == [-40] and axes.get_ylim()[0] > -40  # it leaves the picture


@pytest.mark.parametrize("lost", [0.1, 300.0])
def test_the_axis_neither_zooms_into_noise_nor_hides_the_rest(lost):
    low, high = frontier(dots([measured("ltp", 2.0, 2.0, lost, 0.05)]), "t", PAGE).axes[0].get_ylim()
    assert LEAST <= high - low <= 1.2 * MOST


def test_shares_are_drawn_as_multiples_of_the_layers_average():
    """Layer 1: five tokens, average 0.2. Layer 2: four, average 0.25."""
    np.testing.assert_allclose(2.0 ** relative(TRACE)[0], [2, 1, 0.25, 1.25, 0.5])
    np.testing.assert_allclose(2.0 ** relative(TRACE)[1], [0.4, 1, np.nan, 2, 0.6])


def test_a_cross_where_a_token_leaves_and_texts_as_they_are(tmp_path):
    with look():
        figure = survival(TRACE, "$10 & <more>", PAGE)
        crosses = [
            c.get_offsets().tolist() for c in figure.axes[0].collections if isinstance(c, PathCollection)
        ]
        assert crosses == [[[2, 0]], [[4, 1]]]
        pdf, svg = write(figure, tmp_path, "map")
    assert pdf.read_bytes().startswith(b"%PDF-")
    said = "".join(ElementTree.parse(svg).getroot().itertext())
    for text in ("$x^2$", "<b>", "$10 & <more>", "layer 2"):
        assert text in said


def test_maps_hold_all_tokens_and_blank_what_has_left():
    weights = np.full((2, 3, 3), 1 / 3, dtype=np.float32)
    figure = attention(TRACE.tokens, [AttentionTrace(2, (0, 1, 3), weights)], "t", PAGE)
    shown = figure.axes[0].images[0].get_array().filled(np.nan) ** 2
    np.testing.assert_allclose(shown[0], [1 / 3, 1 / 3, np.nan, 1 / 3, np.nan], atol=1e-6)
    assert np.isnan(shown[2]).all()


def test_what_is_left_by_length():
    groups = [
        {"mean_tokens": 10.0, "kept_per_layer": [1.0, 0.5]},
        {"mean_tokens": 40.0, "kept_per_layer": [0.8, 0.2]},
    ]
    axes = adaptation([{"rule": "topk", "kept_by_length": groups}], "sst2", COLUMN).axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[10, 75], [40, 50]] and axes.get_ylim() == (0, 100)


def length_row(length, reference, score, reduction):
    return {
        **{"model": "m", "examples": 4, "metric": "accuracy", "trained_length": 32, "max_tokens": length},
        **{"reference_length": reference, "dense_score": 0.9, "pruned_score": score},
        "flops_reduction": reduction,
    }


def test_curves_with_a_reference_length_and_without():
    rows = [
        *(length_row(64, None, 0.6, 9.0), length_row(32, None, 0.88, 2.0)),
        *(length_row(32, 25.0, 0.88, 1.9), length_row(64, 25.0, 0.87, 2.0)),
    ]
    left, right = curves(rows, "m", PAGE).axes
    drawn = {
        line.get_label(): line.get_xydata().tolist() for line in left.lines if line.get_label()[0] != "_"
    }
    assert drawn == {
        "dense": [[32, 90], [64, 90]],
        "pruned, no reference length": [[32, 88], [64, 60]],
        "pruned, reference length 25": [[32, 88], [64, 87]],
    }
    assert right.lines[0].get_xydata().tolist() == [[32, 2], [64, 9]] and right.get_ylim()[0] == 0


def test_an_axis_of_scores_does_not_zoom_into_noise():
    left, _ = curves([length_row(32, None, 0.9, 2.0), length_row(64, None, 0.899, 2.0)], "m", PAGE).axes
    assert left.get_ylim()[1] - left.get_ylim()[0] >= 9.99


def test_the_same_numbers_give_the_same_files(tmp_path):
    def drawn(folder):
        with look():
            figure = canvas(COLUMN, 2)
            figure.subplots().plot([1, 2], [3, 4])
            return [file.read_bytes() for file in write(figure, tmp_path / folder, "line")]

    first = drawn("a")
    assert first == drawn("b")
    assert re.search(rb'width="237\.6pt"', first[1])  # 3.3 inches


@pytest.fixture
def small(tiny_bert, tokenizer):
    return PrunedModel(tiny_bert(num_labels=2), tokenizer, [0.05, 0.1, 0.2], name="small")


def test_maps_are_those_of_the_pruned_run(small, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "ltp_core.pages.figures.survival", lambda trace, *rest: seen.append(trace) or canvas(1, 1)
    )
    files = maps(small, "the film was very good", tmp_path)
    kept = [layer.kept for layer in seen[0].layers]
    direct = small.predict("the film was very good", Thresholds([0.05, 0.1, 0.2])).trace
    assert kept == [layer.kept for layer in direct.layers] and len(kept[-1]) == 7
    assert [file.name for file in files] == [
        f"{kind}-small.{form}" for kind in ("survival", "attention") for form in ("pdf", "svg")
    ]


def test_everything_that_was_measured_is_drawn(small, tmp_path):
    write_rows(
        tmp_path / "results" / "lengths-small.json",
        [length_row(32, None, 0.9, 2), length_row(64, 9.0, 0.8, 3)],
    )
    for name in ("sst2", "cola"):
        (tmp_path / "results" / f"compare-{name}.json").write_bytes(
            (RESULTS / f"compare-{name}.json").read_bytes()
        )
    files = write_figures(tmp_path / "results", tmp_path / "out", [("small", "a film")], lambda name: small)
    assert {file.stem for file in files} == {
        *("compare-sst2", "compare-cola", "adaptation-sst2", "adaptation-cola", "lengths-small"),
        *("survival-small", "attention-small"),
    }
    assert all(file.stat().st_size > 1000 for file in some(files)) and len(files) == 14
