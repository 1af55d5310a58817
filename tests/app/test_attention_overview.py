"""Attention of all layers as pictures, on three tokens worked out by hand."""

import json
import math

import numpy as np
import pytest

from app.figures import attention_overview as overview
from app.figures.colours import DARK, LIGHT
from ltp_core import AttentionTrace

TOKENS = ("[CLS]", "<b>", "a", "b", "[SEP]")
SEGMENTS = (0, 0, 0, 1, 1)


@pytest.fixture
def layers():
    """Layer 1: head 1 looks at "<b>" alone, head 2 at [CLS]; layer 2, where "a" has left: everybody alike."""
    one = np.zeros((2, 5, 5))
    one[0, :, 1] = 1
    one[1, :, 0] = 0.8
    one[1, :, 3] = 0.2
    return [
        AttentionTrace(1, (0, 1, 2, 3, 4), one),
        AttentionTrace(2, (0, 1, 3, 4), np.full((2, 4, 4), 0.25)),
    ]


def test_each_head_names_the_token_that_gets_most_of_it(layers):
    tokens, shares = overview.favourite(layers[0])
    assert tokens == [1, 0] and shares == pytest.approx([1.0, 0.8])
    figure = overview.heads_overview(layers, TOKENS, LIGHT)
    assert figure.data[0].z.tolist()[0] == pytest.approx([1.0, 0.8])
    assert [note.text for note in figure.layout.annotations[:2]] == ["&lt;b&gt;", "[CLS]"]
    assert "“&lt;b&gt;” gets 100" in figure.data[0].customdata[0][0]


def test_attention_between_two_texts_leaves_special_tokens_out(layers):
    # means of both heads: each token gives 0.5 to "<b>", 0.4 to [CLS], 0.1 to "b"
    assert overview.blocks(layers[0], SEGMENTS, [0, 4]) == pytest.approx([0.5, 0.1, 0.5, 0.1])
    assert overview.blocks(layers[1], SEGMENTS, [0, 4]) == pytest.approx([0.25] * 4)
    alone = AttentionTrace(3, (0, 1), np.full((1, 2, 2), 0.5))
    found = overview.blocks(alone, SEGMENTS, [0, 4])
    assert found == pytest.approx([0.5, 0.0, math.nan, math.nan], nan_ok=True)


def test_what_has_reached_the_first_token_is_drawn_without_its_own_share():
    reached = np.array([[0.9, 0.04, 0.03, 0.02, 0.01], [0.6, 0.2, 0.1, 0.06, 0.04]])
    figure = overview.rollout_map(reached, TOKENS, "[CLS]", LIGHT)
    z = figure.data[0].z
    assert np.isnan(z[:, 0]).all() and z[1, 1] == 0.2
    assert figure.layout.coloraxis.cmax == 0.2
    assert figure.layout.xaxis.ticktext[1] == "&lt;b&gt;"
    many = overview.rollout_map(np.full((2, 100), 0.01), ["w"] * 100, "[CLS]", LIGHT)
    assert len(many.layout.xaxis.tickvals) <= overview.MOST_NAMED


def test_on_a_phone_heads_are_rows_and_words_are_few(layers):
    wide, turned = (overview.heads_overview(layers, TOKENS, LIGHT, narrow) for narrow in (False, True))
    assert turned.data[0].z.tolist() == wide.data[0].z.T.tolist()
    assert turned.data[0].customdata[1][0] == wide.data[0].customdata[0][1]  # layer 1, head 2
    assert (turned.layout.xaxis.title.text, turned.layout.yaxis.title.text) == ("layer", "head")
    named = {(note.x, note.y): note.text for note in turned.layout.annotations}
    assert named[1, 1] == "&lt;b&gt;" and named[1, 2] == "[CLS]" and len(named) == 4
    many = overview.heads_overview([layers[0]] * 12, TOKENS, LIGHT, narrow=True)
    assert not many.layout.annotations  # twelve columns are too narrow for a word
    axis = overview.rollout_map(np.full((2, 40), 0.01), ["w" * 20] * 40, "[CLS]", LIGHT, True).layout.xaxis
    assert len(axis.tickvals) <= 15 and max(len(name) for name in axis.ticktext) <= 9
    assert (
        axis.tickfont.size
        < overview.rollout_map(np.ones((2, 2)), "ab", "a", LIGHT).layout.xaxis.tickfont.size
    )


def test_they_are_plain_json(layers):
    shares = [overview.blocks(layer, SEGMENTS, [0, 4]) for layer in layers]
    for figure in (overview.heads_overview(layers, TOKENS, DARK), overview.between(shares, DARK)):
        json.loads(figure.to_json())
