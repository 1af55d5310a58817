"""FLOPs against arithmetic on paper and against PyTorch's own counter on what really runs."""

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.architectures import family_of
from ltp_core.checkpoints import Settings
from ltp_core.flops import (
    Dimensions,
    attention_flops,
    executed_flops,
    feed_forward_flops,
    flops_by_layer,
    layer_flops,
    paper_flops,
    visible_pairs,
)

SMALL = Dimensions(layers=2, hidden=2, feed_forward=4, classes=3)


def counted(call) -> int:
    """FLOPs that PyTorch sees; fused attention is opened up, for the counter sees nothing inside it."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return counter.get_total_flops()


def test_paper_flops_on_paper():
    # Layer 1, 5 tokens enter, 3 stay: 2 (4*5*2*2 + 2*5*5*2 + 2*3*2*4) = 2 (80 + 100 + 48) = 456
    # Layer 2, 3 enter, 1 stays:       2 (4*3*2*2 + 2*3*3*2 + 2*1*2*4) = 2 (48 + 36 + 16)  = 200
    assert paper_flops(SMALL, 5, [3, 1]) == 656


def test_the_parts_of_a_layer_on_paper():
    assert attention_flops(SMALL, 5) == 360  # 2 (80 + 100), of layer 1 above
    assert feed_forward_flops(SMALL, 3) == 96  # 2 * 48
    assert layer_flops(SMALL, 5, 3) == 456
    layers = flops_by_layer(SMALL, 5, [3, 1])
    assert [(x.layer, x.attention, x.feed_forward) for x in layers] == [(1, 360, 96), (2, 168, 32)]
    assert sum(layer.total for layer in layers) == paper_flops(SMALL, 5, [3, 1])


def test_executed_flops_on_paper():
    # Layer 1, scored, 5 in, 3 out: query, key, value of 5 and output of 3: 18*2*2 = 72; scores of 5
    #   queries and context of 3 over 5 keys: (5+3)*5*2 = 80; FFN of 3: 3*2*2*4 = 48. 2*200 = 400.
    # Layer 2, not scored, 3 in, [CLS] out: query 1, key and value 3, output 1: 8*2*2 = 32; scores and
    #   context of 1 over 3 keys: 2*3*2 = 12; FFN of 1: 16. 2*60 = 120.
    # Pooler and classifier: 2 (2*2 + 2*3) = 20.
    assert executed_flops(SMALL, 5, [3, 1], [True, False]) == 540


def test_executed_flops_of_a_sample_on_paper():
    # As above, but 2 queries are averaged: layer 1 has scores of 2 and of the 3 that stay, (2+3+3)*5*2 = 80
    # as before; of 4 queries, (4+3+3)*5*2 = 100: 40 more. 5 or more queries are all.
    assert executed_flops(SMALL, 5, [3, 1], [True, False], 2) == 540
    assert executed_flops(SMALL, 5, [3, 1], [True, False], 4) == 580
    assert executed_flops(SMALL, 5, [3, 1], [True, False], 5) == 540
    assert executed_flops(SMALL, 5, [5, 5], [False, False], 2) == executed_flops(
        SMALL, 5, [5, 5], [False] * 2
    )


def test_the_last_layer_puts_out_cls_alone_also_when_nothing_is_pruned():
    # Dense, 5 tokens. Layer 1: 4*5*4 = 80, 2*5*5*2 = 100, 2*5*8 = 80: 520. Layer 2, one query:
    # (1+10+1)*4 = 48, 2*5*2 = 20, 16: 168. Head 20.
    assert executed_flops(SMALL, 5, [5, 5], [False, False]) == 708


def test_pairs_in_a_window_are_counted_one_by_one():
    for tokens in range(1, 9):
        for window in range(5):
            seen = [(i, j) for i in range(tokens) for j in range(tokens) if abs(i - j) <= window]
            assert visible_pairs(tokens, window) == len(seen)
            assert visible_pairs(torch.tensor([tokens]), window).tolist() == [len(seen)]
        assert visible_pairs(tokens, None) == tokens**2


def test_flops_of_a_gated_ffn_a_window_and_one_projection_on_paper():
    size = replace(SMALL, gated=True, one_projection=True, windows=(None, 1), reads_first_token=False)
    # Paper. Layer 1, 5 tokens enter, 3 stay: 2 (4*5*2*2 + 2*5*5*2 + 3*3*2*4) = 2 (80 + 100 + 72) = 504
    # Layer 2, 3 enter, 2 stay; 7 of the 9 pairs are neighbours: 2 (4*3*4 + 2*7*2 + 3*2*2*4)
    # = 2 (48 + 28 + 48) = 248
    assert paper_flops(size, 5, [3, 2]) == 504 + 248
    # Executed. Layer 1, not scored: query, key, value of 5 all the same, output of 3: 18*4 = 72; scores and
    # context of 3 over 5: 2*3*5*2 = 60; FFN of 3: 72. 2*204 = 408. Layer 2, scored, window or not:
    # (9+2)*4 = 44; scores 3*3*2, context 2*3*2: 30; FFN of 2: 48. 2*122 = 244. Head 20.
    assert executed_flops(size, 5, [3, 2], [False, True]) == 408 + 244 + 20


def test_flops_of_a_projected_embedding_on_paper():
    size = replace(SMALL, projected_embedding=3)  # 5 tokens from width 3 to 2: 2*5*3*2 = 60
    assert executed_flops(size, 5, [3, 1], [True, False]) == 540 + 60
    assert paper_flops(size, 5, [3, 1]) == 656  # encoder layers only


def test_flops_of_scores_by_distance_on_paper():
    # Paper. Each query meets 6 rows and each key 4, of d = 2: layer 1 with 5, layer 2 with 3 tokens:
    # 2 (5 + 3) (6 + 4) 2 = 320. Executed. Layer 1, scored: 2 (5*6 + 5*4) 2 = 200; layer 2, not scored, [CLS]
    # asks alone: 2 (1*6 + 3*4) 2 = 72.
    size = replace(SMALL, distance_rows=(6, 4))
    assert paper_flops(size, 5, [3, 1]) == 656 + 320
    assert executed_flops(size, 5, [3, 1], [True, False]) == 540 + 200 + 72


def test_as_many_windows_as_layers():
    with pytest.raises(ValueError, match="2 layers have 3 windows"):
        replace(SMALL, windows=(1, 1, 1))


@pytest.mark.parametrize("tokens", [1, 7, 30])
def test_dense_paper_flops_are_hugging_faces_own_encoder(tiny_bert, tokens):
    bert = tiny_bert()
    hidden = torch.randn(1, tokens, 48)
    size = family_of(bert.config).dimensions(bert.config)
    assert counted(lambda: bert.bert.encoder(hidden)) == paper_flops(size, tokens, [tokens] * 3)


@pytest.mark.parametrize(
    "rule",
    [
        Dense(),
        Thresholds([0.0, 0.0, 0.0]),
        Thresholds([0.05, 0.06, 0.1]),
        Thresholds([0.0, 0.08, 0.0]),
        Thresholds([0.05, 0.0, 0.3]),
        Thresholds([0.9, 0.9, 0.9], reference_length=1),
        Thresholds([1.0, 1.0, 1.0]),
    ],
)
@pytest.mark.parametrize("row", [None, 0, 1])
@pytest.mark.parametrize("queries", [None, 4, 6, 64])
def test_executed_flops_are_what_runs(tiny_bert, ragged_batch, rule, row, queries):
    model = PrunedModel(tiny_bert(), settings=Settings(importance_queries=queries))
    batch = ragged_batch
    if row is not None:  # batch 1, unpadded
        length = int(batch["attention_mask"][row].sum())
        batch = {name: value[row : row + 1, :length] for name, value in batch.items()}
    with torch.no_grad():
        alive = model(**batch, rule=rule).alive.tolist()
    observed = [rule.needs_importance(layer) for layer in (1, 2, 3)]
    expected = sum(
        executed_flops(model.dimensions, int(mask.sum()), kept, observed, queries)
        for mask, kept in zip(batch["attention_mask"], alive, strict=True)
    )
    assert counted(lambda: model(**batch, rule=rule)) == expected


def test_pruning_runs_less(tiny_bert, ragged_batch):
    model = PrunedModel(tiny_bert())
    counts = [counted(lambda r=r: model(**ragged_batch, rule=r)) for r in (Dense(), Thresholds([0.1] * 3))]
    assert counts[1] < 0.8 * counts[0]
