"""Importance against arithmetic on paper, the authors' padded formula, and its own symmetries."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltp_core.importance import attention_received, query_weights, sampled_queries, sampled_ranks
from ltp_core.rules import Thresholds

# Two heads over five tokens, in sixteenths; each row (query) sums to 16.
#   head 1, column sums 32 12 16 11  9        head 2, column sums 20 20 14 16 10
FIVE = (
    torch.tensor(
        [
            [[8, 2, 2, 2, 2], [4, 4, 4, 2, 2], [4, 2, 6, 2, 2], [6, 2, 2, 4, 2], [10, 2, 2, 1, 1]],
            [[4, 4, 4, 2, 2], [2, 8, 2, 2, 2], [4, 4, 4, 2, 2], [2, 2, 2, 8, 2], [8, 2, 2, 2, 2]],
        ]
    )
    / 16
)


def random_attention(seed: int, batch: int, heads: int, tokens: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(batch, heads, tokens, tokens, generator=generator)).softmax(-1)


def test_five_tokens_on_paper():
    # Both heads together: 52 32 30 27 19 sixteenths, 160 in all = 16 * 2 heads * 5 queries.
    expected = torch.tensor([52, 32, 30, 27, 19]) / 160
    assert torch.equal(attention_received(FIVE), expected)  # 32.5 % 20 % 18.75 % 16.875 % 11.875 %


def test_a_query_that_is_gone_does_not_count():
    # Without query 4 (10+8, 2+2, 2+2, 1+2, 1+2): 34 28 26 24 16, 128 in all = 16 * 2 * 4.
    alive = torch.tensor([1.0, 1, 1, 1, 0])
    assert torch.equal(attention_received(FIVE, alive), torch.tensor([34, 28, 26, 24, 16]) / 128)


def test_a_half_alive_query_counts_half():
    # With query 4 at one half: 43 30 28 25.5 17.5, 144 in all = 16 * 2 * 4.5.
    alive = torch.tensor([1.0, 1, 1, 1, 0.5])
    assert torch.equal(attention_received(FIVE, alive), torch.tensor([43, 30, 28, 25.5, 17.5]) / 144)


def test_no_weights_and_weights_of_one_are_the_same():
    attention = random_attention(0, 2, 3, 7)
    torch.testing.assert_close(attention_received(attention), attention_received(attention, torch.ones(2, 7)))


def test_a_sample_of_seven_tokens_on_paper():
    # 3 of 7 queries: ranks 0, 3, 6. Token 3 leaves, so of the 6 left ranks 0, 2, 5: tokens 0, 2 and 6.
    assert sampled_ranks(7, 3).tolist() == [0, 3, 6]
    assert sampled_ranks(6, 3).tolist() == [0, 2, 5]
    alive = torch.ones(1, 7, dtype=torch.bool)
    assert sampled_queries(alive, 3).int().tolist() == [[1, 0, 0, 1, 0, 0, 1]]
    alive[0, 3] = False
    assert sampled_queries(alive, 3).int().tolist() == [[1, 0, 1, 0, 0, 0, 1]]


def test_the_shares_of_a_sample_on_paper():
    # Queries 0, 2 and 4 of the five: 8+4+10 + 4+4+8 = 38, 2+2+2 + 4+4+2 = 16, 2+6+2 + 4+4+2 = 20,
    # 2+2+1 + 2+2+2 = 11, 11: 96 in all = 16 * 2 heads * 3 queries. Then token 2 leaves: of 0, 1, 3, 4
    # ranks 0, 1 and 3, so queries 0, 1, 4: 38, 18, 18, 11, 11 (attention to the absent one left in).
    alive = torch.ones(5)
    expected = torch.tensor([38, 16, 20, 11, 11]) / 96
    torch.testing.assert_close(attention_received(FIVE, query_weights(alive, 3)), expected)
    alive[2] = 0
    expected = torch.tensor([36, 22, 16, 11, 11]) / 96
    torch.testing.assert_close(attention_received(FIVE, query_weights(alive, 3)), expected)


@pytest.mark.parametrize("queries", [5, 6, 64, None])
def test_up_to_so_many_tokens_a_sample_is_all(queries):
    mask = torch.tensor([[1.0, 0.25, 1, 0, 1, 0.5, 0]])  # five that are not gone
    assert query_weights(mask, queries).tolist() == [[1.0, 0.25, 1, 0, 1, 0.5, 0]]
    assert sampled_ranks(5, queries).tolist() == [0, 1, 2, 3, 4]


def test_in_a_short_row_a_query_that_left_has_the_gradient_that_it_has_without_a_sample():
    """It counts for nothing, but training may call it back: up to K tokens a sample changes no gradient."""
    gradients = []
    for queries in (None, 4):
        mask = torch.tensor([1.0, 1, 0, 1, 0], requires_grad=True)
        attention_received(FIVE, query_weights(mask, queries))[1].backward()
        gradients.append(mask.grad)
    assert gradients[0][2] != 0
    assert torch.equal(*gradients)


@given(bits=st.lists(st.booleans(), min_size=1, max_size=40), queries=st.integers(1, 12))
def test_mask_and_ranks_are_the_same_sample(bits, queries):
    alive = torch.tensor([bits, [True] * len(bits)])
    chosen = sampled_queries(alive, queries) & alive
    for row, mask in zip(alive, chosen, strict=True):
        places = row.nonzero().flatten()
        ranks = sampled_ranks(len(places), queries)
        assert places[ranks].tolist() == mask.nonzero().flatten().tolist()
        assert len(ranks) == min(len(places), queries) == len(set(ranks.tolist()))
        if len(places) > 1 < queries:
            assert (ranks[0], ranks[-1]) == (0, len(places) - 1)


@given(seed=st.integers(0, 1000), heads=st.integers(1, 4), tokens=st.integers(1, 9))
def test_shares_sum_to_one(seed, heads, tokens):
    shares = attention_received(random_attention(seed, 1, heads, tokens))[0]
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(), torch.tensor(1.0))


@given(seed=st.integers(0, 1000), order=st.permutations(range(6)))
def test_permuting_the_tokens_permutes_the_shares(seed, order):
    attention = random_attention(seed, 1, 3, 6)
    permuted = attention[:, :, order][:, :, :, order]
    torch.testing.assert_close(attention_received(permuted), attention_received(attention)[:, order])


@given(seed=st.integers(0, 1000), real=st.integers(1, 8), padding=st.integers(0, 4))
def test_reference_length_1_is_the_authors_padded_score(seed, real, padding):
    # Their pruner zeroes the rows of masked queries and takes the mean over heads and *all* rows. On a
    # text of n tokens padded to p that is n s / p, so a threshold t there is theta = p t here.
    padded = real + padding
    alive = torch.arange(padded) < real
    scores = 3 * torch.randn(1, 2, padded, padded, generator=torch.Generator().manual_seed(seed))
    attention = scores.masked_fill(~alive, -torch.inf).softmax(-1)
    theirs = torch.where(alive[:, None], attention, 0.0).mean(dim=(1, 2))  # [1, p]

    ours = attention_received(attention, alive[None].float())
    torch.testing.assert_close(real * ours, padded * theirs)
    threshold = 1.1 / padded  # a little above their average over n real tokens
    kept, _ = Thresholds([padded * threshold], 1).keep(ours, alive[None], 1, None)
    clear = (theirs - threshold).abs() > 1e-6
    assert torch.equal(kept[clear], (theirs >= threshold)[clear])
