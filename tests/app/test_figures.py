"""Figures of the hand-worked trace: what is where, and that nothing in it is markup."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest

from app.figures.attention_heatmap import attention_heatmap, most_attended
from app.figures.colours import DARK, LIGHT, diverging, sequential
from app.figures.steps import frame_column
from app.figures.survival_map import survival_map
from app.figures.tables import attention_table, survival_table, to_csv
from ltp_core import AttentionTrace, LayerTrace, Trace


def cells(figure, trace):
    return [list(row) for row in figure.data[trace].z]


def test_kept_cells_are_coloured_by_the_multiple_of_the_average(trace):
    figure = survival_map(trace, LIGHT)
    kept = cells(figure, 1)
    assert kept[0] == pytest.approx(
        [1.0, 0.0, None, math.log2(1.25), -1.0]
    )  # 5 tokens: 2, 1, -, 1.25, 1/2 times
    assert kept[1] == pytest.approx([math.log2(0.4), 0.0, None, 1.0, None])  # 4 tokens
    assert kept[2] == pytest.approx([math.log2(1.8), math.log2(0.3), None, math.log2(0.9), None])  # 3 tokens


def test_cells_of_tokens_that_have_left_are_plain(trace):
    gone = cells(survival_map(trace, LIGHT), 0)
    assert gone == [
        [None, None, 0, None, None],
        [None, None, 0, None, 0],
        [None, None, 0, None, 0],
    ]


def test_a_cross_marks_the_layer_where_a_token_leaves(trace):
    marks = survival_map(trace, LIGHT).data[2]
    assert list(zip(marks.x, marks.y, strict=True)) == [(2, 1), (4, 2)]


def test_the_colour_scale_has_the_average_in_its_middle(trace):
    axis = survival_map(trace, LIGHT).layout.coloraxis
    assert (axis.cmin, axis.cmax) == (-3, 3)
    assert list(axis.colorbar.ticktext)[3] == "1"


def test_hover_says_why(trace):
    hover = survival_map(trace, LIGHT).data[1].customdata
    assert hover[0][2].replace("\u00a0", " ") == (
        "“very” · token 3<br>layer 1: 5.0 % of all attention, 0.25× the average<br>leaves: less than 10 %"
    )
    assert hover[1][2] == "“very” · token 3<br>left in layer 1"
    assert hover[1][0].endswith("stays: the classifier reads this token, so it never leaves")
    assert hover[2][1].endswith("stays: nothing is pruned here")


def test_equal_tokens_keep_their_columns():
    names = ("[CLS]", "the", "the", "the", "the", "[SEP]")
    layer = LayerTrace(1, None, (1 / 6,) * 6, (True,) * 6)
    axis = survival_map(Trace(names, (0,) * 6, 0, (layer,)), LIGHT).layout.xaxis
    assert list(axis.tickvals) == [0, 1, 2, 3, 4, 5]
    assert list(axis.ticktext) == list(names)


def test_a_token_that_looks_like_markup_is_shown_as_it_is(trace):
    figure = survival_map(trace, LIGHT)
    assert figure.layout.xaxis.ticktext[3] == "&lt;b&gt;"
    assert "<b>" not in figure.to_json().replace("\\u003c", "<").replace("\\u003e", ">")


def long_trace(tokens):
    layer = LayerTrace(1, 0.0, (1 / tokens,) * tokens, (True,) * tokens)
    return Trace(tuple(f"w{number}" for number in range(tokens)), (0,) * tokens, 0, (layer,))


def test_a_long_input_is_wrapped_into_lines_of_equal_length():
    figure = survival_map(long_trace(70), LIGHT, columns=32)
    lines = [figure.data[number].x for number in range(1, len(figure.data), 3)]
    assert [len(line) for line in lines] == [24, 24, 22]
    assert [x for line in lines for x in line] == list(range(70))
    domains = [figure.layout[f"yaxis{suffix}"].domain for suffix in ("", "2", "3")]
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
    assert domains[0][1] < 1 and domains[2][0] == pytest.approx(0)


def test_a_part_of_the_input_keeps_its_positions():
    figure = survival_map(long_trace(200), LIGHT, start=96, stop=192)
    shown = [x for number in range(1, len(figure.data), 3) for x in figure.data[number].x]
    assert shown == list(range(96, 192))


def test_the_second_text_of_a_pair_is_marked(trace):
    figure = survival_map(replace(trace, segments=(0, 0, 0, 1, 1)), LIGHT)
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 2.5
    assert "second text" in figure.data[1].customdata[0][3]


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


def test_attention_table(attentive):
    table = attention_table(attentive, 2)
    assert len(table["share"]) == 16
    assert [table[name][2] for name in table] == [1, "[CLS]", 4, "<b>", pytest.approx(0.7)]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_scales_are_complete_and_meet_in_the_middle(palette):
    scale = diverging(palette.importance)
    assert [scale[0][0], scale[4], scale[9][0]] == [0, (0.5, scale[5][1]), 1]
    assert [position for position, _ in scale] == sorted(position for position, _ in scale)
    positions = [position for position, _ in sequential(palette.attention)]
    assert positions[0] == 0 and positions[-1] == 1 and positions == sorted(positions)


def test_figures_are_plain_json(attentive):
    json.loads(attention_heatmap(attentive, None, DARK).to_json())
    json.loads(survival_map(attentive, DARK).to_json())
