"""Figures of the hand-worked trace: what is where, and that nothing in it is markup."""

import json
from dataclasses import replace

import pytest

from app.figures.attention_heatmap import attention_heatmap, most_attended
from app.figures.colours import DARK, LIGHT, sequential
from app.figures.steps import frame_column
from app.figures.tables import attention_table, survival_table, to_csv, to_show
from ltp_core import AttentionTrace, LayerTrace, Trace
from ltp_core.pictures import colours


def long_trace(tokens):
    layer = LayerTrace(1, 0.0, (1 / tokens,) * tokens, (True,) * tokens)
    return Trace(tuple(f"w{number}" for number in range(tokens)), (0,) * tokens, 0, (layer,))


@pytest.fixture
def attentive(trace):
    """Layer 2 of the trace: tokens 0, 1, 3, 4; two heads with even and with steep attention."""
    even = ((0.25,) * 4,) * 4
    steep = ((0.1, 0.1, 0.7, 0.1),) * 4
    return replace(trace, attention=AttentionTrace(2, (0, 1, 3, 4), (even, steep)))


def test_the_heatmap_shows_a_head_or_the_mean(attentive):
    assert attention_heatmap(attentive, 1, LIGHT).data[0].z.tolist()[0] == [0.25] * 4
    mean = attention_heatmap(attentive, None, LIGHT).data[0].z[0]
    assert mean == pytest.approx([0.175, 0.175, 0.475, 0.175])


def test_the_heatmap_names_the_tokens_that_are_left(attentive):
    layout = attention_heatmap(attentive, 2, LIGHT).layout
    assert list(layout.xaxis.ticktext) == ["[CLS]", "a", "&lt;b&gt;", "[SEP]"] == list(layout.yaxis.ticktext)


def test_most_attended(attentive):
    assert most_attended(attentive, 2) == ("<b>", pytest.approx(0.7))


def test_a_heatmap_of_many_tokens_has_few_ticks_and_single_precision():
    row = (1 / 300,) * 300
    attention = AttentionTrace(1, tuple(range(300)), ((row,) * 300,))
    looked_at = replace(long_trace(300), attention=attention)
    figure = attention_heatmap(looked_at, None, LIGHT)
    assert len(figure.layout.xaxis.tickvals) <= 32
    assert figure.data[0].z.dtype == "float32"
    assert figure.data[0].z.shape == (256, 256)
    assert figure.layout.xaxis.title.text == "gets attention, first 256 tokens"
    assert not frame_column(figure, looked_at, 256, LIGHT).layout.shapes
    (frame,) = frame_column(figure, looked_at, 255, LIGHT).layout.shapes
    assert (frame.x0, frame.y0, frame.y1) == (254.5, -0.5, 255.5)


def test_a_heatmap_needs_attention(trace):
    with pytest.raises(ValueError, match="holds no attention"):
        attention_heatmap(trace, None, LIGHT)


def test_survival_table_and_csv(trace):
    table = survival_table(trace)
    assert table["leaves in layer"] == [None, None, 1, None, 2]
    assert table["layer 2"] == (0.1, 0.25, None, 0.5, 0.15)
    lines = to_csv(table).splitlines()
    assert lines[0] == "position,token,leaves in layer,layer 1,layer 2,layer 3"
    assert lines[3] == "3,very,1,0.05,,"


def test_numbers_below_zero_are_shown_with_a_minus_sign_and_saved_with_a_hyphen():
    table = {"token": ["-a", "b", "c"], "moved": [-0.03125, None, 1.5], "layer": [1, -2, 12]}
    shown = to_show(table)
    cells = [
        [cell["display_value"] for cell in row if cell["type"] == "td"]
        for row in shown._translate(True, True)["body"]
    ]
    assert cells == [["-a", "−0.0312", "1"], ["b", "", "−2"], ["c", "1.5", "12"]]
    assert list(shown.data["layer"]) == table["layer"]  # sorted by what they are
    assert to_csv(table).splitlines()[1] == "'-a,-0.03125,1"


def test_a_table_without_such_numbers_is_shown_as_it_is(trace):
    table = survival_table(trace)
    assert to_show(table) is table


def test_attention_table(attentive):
    table = attention_table(attentive, 2)
    assert len(table["share"]) == 16
    assert [table[name][2] for name in table] == [1, "[CLS]", 4, "<b>", pytest.approx(0.7)]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_scale_of_attention_is_complete(palette):
    positions = [position for position, _ in sequential(palette.attention)]
    assert positions[0] == 0 and positions[-1] == 1 and positions == sorted(positions)


def test_figures_are_plain_json(attentive):
    json.loads(attention_heatmap(attentive, None, DARK).to_json())


def test_pictures_on_paper_have_the_light_colours():
    paper = {name.lower(): getattr(colours, name) for name in ("TEXT", "MUTED", "GRID", "DROPPED", "DENSE")}
    paper |= {"pruned": colours.KEPT, "line": colours.GONE}
    paper |= {"importance": colours.IMPORTANCE, "attention": colours.ATTENTION}
    assert {name: getattr(LIGHT, name) for name in paper} == paper
