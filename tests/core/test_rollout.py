"""Rollout against numbers worked out on paper, and against the plain product of matrices."""

import numpy as np
import pytest

from ltp_core import AttentionTrace
from ltp_core.why.rollout import rollout

HALF = np.array([[[0.5, 0.5], [0.0, 1.0]]])  # one head; token 1 looks at both, token 2 at itself


def test_two_layers_by_hand():
    found = rollout([AttentionTrace(1, (0, 1), HALF), AttentionTrace(2, (0, 1), HALF)], 2)
    # after layer 1: half of itself and half of (0.5, 0.5); after layer 2: 0.75 of that and 0.25 of token 2
    np.testing.assert_allclose(found, [[0.75, 0.25], [0.5625, 0.4375]])


def test_a_token_that_has_left_keeps_what_it_has_given():
    alone = np.ones((1, 1, 1))
    found = rollout([AttentionTrace(1, (0, 1), HALF), AttentionTrace(2, (0,), alone)], 2)
    np.testing.assert_allclose(found, [[0.75, 0.25], [0.75, 0.25]])


def test_with_nothing_pruned_it_is_the_product_of_half_attention_and_half_identity():
    rng = np.random.default_rng(0)
    heads = [rng.dirichlet(np.ones(4), size=(3, 4)) for _ in range(3)]  # [H, n, n]
    layers = [AttentionTrace(number, (0, 1, 2, 3), each) for number, each in enumerate(heads, start=1)]
    product = np.eye(4)
    for each in heads:
        product = (0.5 * np.eye(4) + 0.5 * each.mean(axis=0)) @ product
    for at in range(4):
        np.testing.assert_allclose(rollout(layers, 4, at)[-1], product[at], atol=1e-6)
    np.testing.assert_allclose(rollout(layers, 4).sum(axis=1), 1)


def test_layers_in_order_and_a_token_that_is_there():
    with pytest.raises(ValueError, match="from the first on"):
        rollout([AttentionTrace(2, (0, 1), HALF)], 2)
    with pytest.raises(ValueError, match="token 2 has left before layer 2"):
        rollout([AttentionTrace(1, (0, 1), HALF), AttentionTrace(2, (0,), np.ones((1, 1, 1)))], 2, at=1)
