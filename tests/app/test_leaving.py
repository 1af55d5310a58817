"""One encoding of "leaves in layer k" in figures, legends and tables, on the hand-worked trace."""

import pytest

from app.figures import attribution, leaving
from app.figures.colours import LIGHT
from app.figures.rules_map import rules_map
from app.figures.tables import survival_table
from app.says.words import leaves
from ltp_core.why.attribution import Attribution, Scores
from tests.some import some

LEAVES = [None, None, 1, None, 2]  # "very" in layer 1, "[SEP]" in layer 2, by the fixture's own words


def test_the_map_the_bars_and_the_tables_say_the_same(trace):
    assert leaves(trace.survived, 3) == LEAVES
    assert survival_table(trace)["leaves in layer"] == LEAVES
    figure = rules_map(["a rule"], [trace], LIGHT, 0, 5)
    cells, numbers = figure.data
    assert list(cells.z[0]) == [4, 4, 1, 4, 2]
    assert dict(zip(numbers.x, numbers.text, strict=True)) == {2: "1", 4: "2"}
    assert "leaves in layer 1" in cells.customdata[0][2] and "stays to the end" in cells.customdata[0][0]
    scores = Scores((0.0,) * 5, 1.0, 1.0, 0.0, 1)
    words = (False, True, True, True, False)
    found = Attribution("good", "gradient_x_input", words, scores, scores, trace)
    bars = attribution.beside_survival(found, LIGHT, "unit", 0, 5).data[2]
    assert list(bars.x) == list(cells.z[0])
    assert attribution.table(found)["leaves in layer"] == LEAVES


@pytest.mark.parametrize("layers", [1, 3, 6, 12])
def test_the_legend_names_each_colour_by_its_layer(layers):
    axis = leaving.axis(LIGHT, layers, True, 0.0)
    scale, count = axis["colorscale"], layers + 1
    assert axis["colorbar"]["ticktext"] == [*map(str, range(1, count)), "stays"]
    for place, tick in zip(range(1, count + 1), axis["colorbar"]["tickvals"], strict=True):
        share = (tick - axis["cmin"]) / (axis["cmax"] - axis["cmin"])
        drawn = [colour for edge, colour in scale if edge <= share][-1]
        assert tick == place and drawn == leaving.colour(place, layers, LIGHT)


def test_staying_has_a_colour_of_its_own():
    for layers in (1, 2, 6, 12, 24):
        assert leaving.level(layers + 1, layers) == 9
        assert all(leaving.level(place, layers) < 9 for place in some(range(1, layers + 1)))
    assert [leaving.level(place, 6) for place in range(1, 7)] == [0, 2, 3, 5, 6, 8]  # as prose.js rounds


@pytest.mark.parametrize(("layers", "named"), [(1, []), (3, [1]), (6, [1, 3]), (12, [1, 5])])
def test_no_layers_name_runs_into_that_of_those_that_stay(layers, named):
    assert attribution._named(layers) == named
