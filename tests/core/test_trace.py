"""A trace survives JSON, and what is no trace is refused."""

import json

import pytest

from ltp_core import PrunedModel
from ltp_core.checkpoints import Settings
from ltp_core.trace import AttentionTrace, LayerTrace, Trace

TRACE = Trace(
    tokens=("[CLS]", "שלום", "😀", "[SEP]"),
    segments=(0, 0, 1, 1),
    truncated_tokens=2,
    layers=(
        LayerTrace(1, 0.1, (0.5, 0.3, 0.15, 0.05), (True, True, True, False)),
        LayerTrace(2, None, (0.1 + 0.2, 0.2, 0.5, None), (True, False, True, False), 2),
    ),
    attention=AttentionTrace(2, (0, 1, 2), (((0.5, 0.25, 0.25), (1.0, 0.0, 0.0), (0.2, 0.3, 0.5)),), 2),
)


@pytest.mark.parametrize("trace", [TRACE, Trace(("a",), (0,), 0, ())])
def test_round_trip(trace):
    assert Trace.from_json(trace.to_json()) == trace  # floats too, to the last bit


def test_json_is_plain():
    data = json.loads(TRACE.to_json())
    assert data["tokens"] == ["[CLS]", "שלום", "😀", "[SEP]"]
    assert data["layers"][1]["importance"] == [0.1 + 0.2, 0.2, 0.5, None]
    assert data["layers"][1]["threshold"] is None
    assert "😀" in TRACE.to_json()


def test_attention_is_one_array_that_json_writes_as_lists():
    attention = TRACE.attention
    assert attention.heads.dtype == "float32" and attention.heads.shape == (1, 3, 3)
    assert json.loads(TRACE.to_json())["attention"]["heads"][0][0] == [0.5, 0.25, 0.25]
    with pytest.raises(ValueError, match="read-only"):
        attention.heads[0, 0, 0] = 1
    assert attention != AttentionTrace(2, (0, 1, 2), [[[0.5, 0.25, 0.25], [1, 0, 0], [0.2, 0.4, 0.4]]], 2)
    assert attention != AttentionTrace(2, (0, 1, 2), attention.heads)  # of all queries


def test_the_mean_over_heads_and_what_tokens_receive():
    even, steep = [[0.5, 0.5], [0.5, 0.5]], [[0.25, 0.75], [0.0, 1.0]]
    attention = AttentionTrace(1, (0, 3), [even, steep])
    assert attention.weights().tolist() == [[0.375, 0.625], [0.25, 0.75]]
    assert attention.weights(2).tolist() == steep
    assert attention.received.tolist() == [[0.5, 0.5], [0.125, 0.875]]


def test_traces_that_say_nothing_of_queries_are_read():
    data = json.loads(TRACE.to_json())
    for part in (*data["layers"], data["attention"]):
        del part["queries"]
    found = Trace.from_json(json.dumps(data))
    assert [layer.queries for layer in found.layers] == [None, None] and found.attention.queries is None
    assert found.attention.received.mean(axis=0) == pytest.approx([1.7 / 3, 0.55 / 3, 0.75 / 3])


def test_counts():
    assert TRACE.alive == (3, 2)
    assert TRACE.survived == (2, 1, 2, 0)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", "{}", '{"tokens": [], "layers": [{}]}'])
def test_what_is_no_trace(text):
    with pytest.raises(ValueError, match="not a trace"):
        Trace.from_json(text)


@pytest.mark.parametrize("queries", [None, 3, 64])
def test_what_heads_give_averages_to_the_importance(tiny_bert, tokenizer, queries):
    settings = Settings(importance_queries=queries)
    model = PrunedModel(tiny_bert(num_labels=2), tokenizer, settings=settings)
    trace = model.predict("the film was so good", attention_layer=2).trace
    assert trace.attention.received.sum(axis=1) == pytest.approx([1.0] * len(trace.attention.heads))
    assert trace.attention.received.mean(axis=0) == pytest.approx(trace.layers[1].importance, abs=1e-6)
    tokens = len(trace.tokens)
    assert [layer.queries for layer in trace.layers] == [min(tokens, queries or tokens)] * 3
