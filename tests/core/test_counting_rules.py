"""Rules that count or choose at random, and exceptions: worked on paper, and removed = masked for each."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltp_core import (
    Dense,
    LengthConfig,
    Pinned,
    PrunedModel,
    RandomKeep,
    Thresholds,
    TopK,
    falling_shares,
    flat_thresholds,
    rising_thresholds,
)
from tests.some import some

ALL = torch.ones(1, 5, dtype=torch.bool)
FIRST = torch.tensor([[0.1, 0.4, 0.2, 0.25, 0.05]])
scores = st.lists(st.integers(0, 4), min_size=1, max_size=10)  # few values: ties are the rule
last_shares = st.floats(0.05, 1)


def walk(rule, importances, alive=ALL):
    """Run a rule through layers; the kept columns of the first row after each."""
    carry, survivors = None, []
    for layer, importance in enumerate(importances, start=1):
        kept, carry = rule.keep(importance, alive, layer, carry)
        alive = kept & alive
        survivors.append(alive[0].nonzero().flatten().tolist())
    return survivors


def test_length_config_keeps_the_top_of_each_layer_and_cls():
    # 5 tokens: ceil(0.6 * 5) = 3, then ceil(0.4 * 5) = 2. [CLS] has the second lowest share and stays.
    second = torch.tensor([[0.1, 0.2, 9.0, 0.7, 9.0]])  # tokens 2 and 4 are gone: theirs is not read
    assert walk(LengthConfig([0.6, 0.4]), [FIRST, second]) == [[0, 1, 3], [0, 3]]


def test_top_k_adds_up_the_attention_of_all_layers():
    # Layer 1 adds 5 s: 0.5 2.0 1.0 1.25 0.25, keeps 0 1 3. Layer 2 adds 3 s for those: token 1
    # 2.0 + 0.6 = 2.6, token 3 1.25 + 2.1 = 3.35: 3 stays. With 0.6 instead of 0.7, 1.25 + 1.8 = 3.05
    # against 2.0 + 1.2 = 3.2: now 1 stays, though layer 2 alone says 3.
    rule = TopK([0.6, 0.4])
    assert walk(rule, [FIRST, torch.tensor([[0.1, 0.2, 9.0, 0.7, 9.0]])]) == [[0, 1, 3], [0, 3]]
    assert walk(rule, [FIRST, torch.tensor([[0.0, 0.4, 9.0, 0.6, 9.0]])]) == [[0, 1, 3], [0, 1]]
    assert walk(LengthConfig([0.6, 0.4]), [FIRST, torch.tensor([[0.0, 0.4, 9.0, 0.6, 9.0]])])[1] == [0, 3]


@pytest.mark.parametrize("rule", [TopK([0.4]), LengthConfig([0.4])])
def test_ties_go_by_position(rule):
    assert walk(rule, [torch.full((1, 5), 0.2)]) == [[0, 1]]


@pytest.mark.parametrize("rule", [TopK, LengthConfig])
def test_numbers_are_shares_of_each_rows_own_length(rule):
    alive = torch.tensor([[True] * 10, [True] * 3 + [False] * 7, [False] * 9 + [True]])
    kept, _ = rule([0.3]).keep(torch.rand(3, 10), alive, 1, None)
    assert kept.sum(dim=-1).tolist() == [3, 1, 1]  # 0.3 * 10 is 3, not 4; ceil(0.9), ceil(0.3)
    assert kept[:, 0].tolist() == [True, True, False] and kept[2, 9]


@pytest.mark.parametrize("rule", [TopK, LengthConfig])
def test_the_shares_of_a_trace_give_its_numbers(rule):
    for n in (7, 49, 512, 1000):
        alive = torch.ones(1, n, dtype=torch.bool)
        for count in range(1, n + 1, max(1, n // 23)):
            kept, _ = rule([count / n]).keep(torch.rand(1, n), alive, 1, None)
            assert kept.sum() == count


def test_what_needs_no_importance():
    shares = [1.0, 0.5, 0.5, 0.2, 0.2]
    layers = range(1, 6)
    assert [LengthConfig(shares).needs_importance(n) for n in layers] == [False, True, False, True, False]
    assert [TopK(shares).needs_importance(n) for n in layers] == [True, True, True, True, False]
    for rule in (Pinned(LengthConfig(shares)), RandomKeep(LengthConfig(shares))):
        assert [rule.needs_importance(n) for n in layers] == [False, True, False, True, False]


def test_a_pinned_token_outlives_a_layer_that_drops_nothing():
    """Its number is above the rule's, which must not look at an importance that nobody computed."""
    rule = Pinned(LengthConfig([0.4, 0.4]), stay=[4])
    assert walk(rule, [FIRST, torch.zeros(1, 5)]) == [[0, 1, 4], [0, 1, 4]]


def test_pinned_makes_exceptions_by_position_in_the_text():
    rule = Pinned(Thresholds([0.2, 0.2]), stay=[4, 99], go=[1])
    assert walk(rule, [FIRST, FIRST]) == [[2, 3, 4], [2, 3, 4]]  # [CLS] is the caller's to keep
    padded_left = torch.tensor([[False, False, True, True, True]])  # positions 0 1 2 in columns 2 3 4
    assert walk(Pinned(Dense(), go=[2]), [FIRST], padded_left) == [[2, 3]]
    assert rule.cutoff(1, 5) == 0.2


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"go": [0]}, "cannot go"),
        ({"stay": [2, 3], "go": [3]}, r"\[3\] cannot both"),
        ({"stay": [-1]}, "whole numbers"),
        ({"go": [1.5]}, "whole numbers"),
    ],
)
def test_bad_pins(options, line):
    with pytest.raises(ValueError, match=line):
        Pinned(Dense(), **options)


def test_random_keeps_as_many_as_the_reference():
    reference = LengthConfig([0.6, 0.4])
    survivors = walk(RandomKeep(reference, seed=3), [FIRST, FIRST])
    assert [len(columns) for columns in survivors] == [3, 2]
    assert survivors[0][0] == survivors[1][0] == 0 and set(survivors[1]) < set(survivors[0])
    assert [len(columns) for columns in walk(RandomKeep(Thresholds([0.3])), [FIRST])] == [2]  # 1 and [CLS]
    assert walk(RandomKeep(Dense()), [FIRST]) == [[0, 1, 2, 3, 4]]


def test_chance_depends_on_seed_layer_and_position_alone():
    rule, n = RandomKeep(LengthConfig([0.5, 0.5])), 40
    alive = torch.ones(1, n, dtype=torch.bool)
    alone = rule.keep(torch.rand(1, n), alive, 1, None)[0][0]
    padded = torch.cat([torch.zeros(2, 9, dtype=torch.bool), alive.expand(2, n)], dim=1)
    batch = rule.keep(torch.rand(2, n + 9), padded, 1, None)[0]
    assert batch[:, 9:].tolist() == [alone.tolist()] * 2
    other_seed = RandomKeep(rule.rule, seed=1).keep(torch.rand(1, n), alive, 1, None)[0][0]
    again = RandomKeep(LengthConfig([1.0, 0.5]))
    carry = again.keep(torch.rand(1, n), alive, 1, None)[1]
    other_layer = again.keep(torch.rand(1, n), alive, 2, carry)[0][0]
    assert not torch.equal(alone, other_seed) and not torch.equal(alone, other_layer)


def test_chance_is_fair():
    """Each position but the first stays about as often: 3 of 9 others, 3000 seeds, sigma 26."""
    alive, rule = torch.ones(1, 10, dtype=torch.bool), LengthConfig([0.4])
    often = sum(
        RandomKeep(rule, seed).keep(torch.rand(1, 10), alive, 1, None)[0].long() for seed in range(3000)
    )[0]
    assert often[0] == 3000 and often.sum() == 12000
    assert all(abs(count - 1000) < 130 for count in some(often[1:].tolist()))


@given(scores, last_shares, last_shares, st.sampled_from([TopK, LengthConfig]))
def test_a_greater_share_never_drops_more(values, one, other, rule):
    importance, alive = torch.tensor([values]).float(), torch.ones(1, len(values), dtype=torch.bool)
    few = rule([min(one, other)]).keep(importance, alive, 1, None)[0]
    many = rule([max(one, other)]).keep(importance, alive, 1, None)[0]
    assert not (few & ~many).any()
    stayed = importance[many & (torch.arange(len(values)) > 0)]
    if not many.all() and stayed.numel():  # nobody leaves with more than one who stays, [CLS] apart
        assert importance[~many].max() <= stayed.min()


@given(st.permutations(range(1, 9)), last_shares, st.sampled_from([TopK, LengthConfig]))
def test_reordering_the_tokens_reorders_the_survivors(order, last, rule):
    columns = [0, *order]  # [CLS] stays where it is
    generator = torch.Generator().manual_seed(0)
    layers = [torch.rand(1, 9, generator=generator) for _ in range(3)]
    whole = torch.ones(1, 9, dtype=torch.bool)
    plain = walk(rule(falling_shares(last, 3)), layers, whole)
    moved = walk(rule(falling_shares(last, 3)), [importance[:, columns] for importance in layers], whole)
    assert [sorted(columns[c] for c in layer) for layer in moved] == plain


@pytest.mark.parametrize("rule", [TopK, LengthConfig])
@pytest.mark.parametrize(
    ("shares", "line"),
    [
        ([0.5, 0.6], "must not rise"),
        ([1.2], "at most 1"),
        ([0.0], "above 0"),
        ([float("nan")], "above 0"),
        ([], "above 0"),
        ("0.5", "must be numbers"),
        (0.5, "must be numbers"),
    ],
)
def test_bad_shares(rule, shares, line):
    with pytest.raises(ValueError, match=line):
        rule(shares)


def test_a_wrong_number_of_shares_is_said():
    for rule in (
        TopK([0.5] * 2),
        LengthConfig([0.5] * 2),
        RandomKeep(TopK([0.5] * 2)),
        Pinned(TopK([0.5] * 2)),
    ):
        with pytest.raises(ValueError, match="3 layers, so it needs 3 shares; got 2"):
            rule.check(3)


def test_schedules():
    assert falling_shares(0.064, 3) == pytest.approx([0.4, 0.16, 0.064])
    assert falling_shares(0.16, 3, spared=1) == pytest.approx([1, 0.4, 0.16])
    assert rising_thresholds(0.3, 3).values == pytest.approx((0.1, 0.2, 0.3))
    assert flat_thresholds(0.3, 3, 0.5) == Thresholds([0.3] * 3, 0.5)


def test_rules_can_be_keys():
    assert hash(Pinned(TopK([0.5]), stay=[3, 1])) == hash(Pinned(TopK([0.5]), stay=(1, 3)))
    assert RandomKeep(LengthConfig([0.5]), 1) == RandomKeep(LengthConfig((0.5,)), 1)


RULES = {
    "topk": TopK([0.8, 0.6, 0.4]),
    "topk, late": TopK([1.0, 0.5, 0.5]),
    "lengths": LengthConfig([0.9, 0.5, 0.3]),
    "random": RandomKeep(LengthConfig([0.9, 0.5, 0.3])),
    "random thresholds": RandomKeep(Thresholds([0.05, 0.08, 0.1])),
    "pinned": Pinned(Thresholds([0.05, 0.08, 0.1]), stay=[2], go=[1, 3]),
    "pinned lengths": Pinned(LengthConfig([0.5, 0.5, 0.3]), stay=[2, 6], go=[1]),
    "pinned random": Pinned(RandomKeep(TopK([0.8, 0.6, 0.4])), stay=[1]),
    "rising": rising_thresholds(0.12, 3),
}


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("name", RULES)
def test_removed_is_masked(tiny_bert, ragged_batch, name, side, record):
    batch = ragged_batch if side == "right" else {key: x.flip(-1) for key, x in ragged_batch.items()}
    model = PrunedModel(tiny_bert())
    with torch.no_grad():
        removed = model(**batch, rule=RULES[name], record=record)
        masked = model(**batch, rule=RULES[name], execution="masked")
    torch.testing.assert_close(removed.logits, masked.logits, atol=1e-4, rtol=0)
    for one, other in some(zip(removed.run.masks, masked.run.masks, strict=True)):
        assert one.tolist() == other.bool().tolist()
    assert (removed.alive[:, -1] < batch["attention_mask"].sum(-1)).any() and (removed.alive >= 1).all()
    first = batch["attention_mask"].argmax(dim=-1)
    assert all(mask[row, first[row]] for mask in some(removed.run.masks) for row in range(3))
