"""Soft masks: their limit is the hard ones, and their gradients are real. Parity is in test_engine.py."""

import pytest
import torch

from ltp_core import PrunedModel, Thresholds
from ltp_core.architectures import view_of
from ltp_core.checkpoints import Settings
from ltp_core.forward.masked import (
    hard_gate,
    padded_forward,
    soft_gate,
    straight_through_gate,
    weighted_softmax,
)
from ltp_core.run import Inputs
from tests.some import some

VALUES = [0.05, 0.08, 0.1]
GATES = [soft_gate, straight_through_gate]


def run(hf, batch, gate, queries=None):
    return padded_forward(view_of(hf), Inputs(batch["input_ids"], batch["attention_mask"]), gate, queries)


def test_hard_and_straight_through_gates_on_paper():
    importance = torch.tensor([[0.4, 0.3, 0.2, 0.1]])
    mask = torch.tensor([[1.0, 1.0, 0.0, 1.0]])  # token 2 left before: it stays away
    for gate in (hard_gate(Thresholds([0.3])), straight_through_gate(torch.tensor([0.3]), 0.01)):
        assert gate(importance, mask, 1, None)[0].tolist() == [[1, 1, 0, 0]]


def test_soft_gate_on_paper():
    # T = 0.1: sigmoid of (0.5 - 0.2) / 0.1 = 3 and of 0, times the masks 1 and 0.5.
    gate = soft_gate(torch.tensor([9.0, 0.2]), 0.1)
    found, _ = gate(torch.tensor([[0.5, 0.2]]), torch.tensor([[1.0, 0.5]]), 2, None)
    torch.testing.assert_close(found, torch.tensor([[0.9525741, 0.25]]))


@pytest.mark.parametrize("make", GATES)
def test_gates_with_a_reference_length_keep_to_the_inputs_length(make):
    # N = 2 and 4 tokens: theta 0.6 acts as 0.3, in the second layer, too, where half of them are gone.
    gate = make(torch.tensor([0.0, 0.6]), 0.1, 2)
    _, carry = gate(torch.full((1, 4), 0.25), torch.ones(1, 4), 1, None)
    found, _ = gate(torch.tensor([[0.3, 0.3, 0.1]]), torch.tensor([[1.0, 0.5, 0.5]]), 2, carry)
    expected = [[0.5, 0.25, 0.5 * 0.1192029]] if make is soft_gate else [[1.0, 0.5, 0.0]]  # sigmoid(-2)
    torch.testing.assert_close(found, torch.tensor(expected))


def test_weighted_softmax_on_paper():
    scores = torch.tensor([1.0, 2.0, 4.0]).log().expand(1, 1, 3, 3)
    found = weighted_softmax(scores, torch.tensor([[1.0, 0.5, 0.0]]))
    torch.testing.assert_close(found, torch.tensor([0.5, 0.5, 0.0]).expand(1, 1, 3, 3))


def test_a_hidden_token_can_be_called_back():
    # With equal scores the share of token 1 is 0 while it is hidden and 1/2 once it is back.
    mask = torch.tensor([[1.0, 0.0]], requires_grad=True)
    weighted_softmax(torch.zeros(1, 1, 1, 2), mask)[0, 0, 0, 1].backward()
    assert mask.grad.tolist() == [[0.0, 0.5]]


@pytest.mark.parametrize("score", [-3.0, 0.0, 5.0, 15.0])
def test_the_gradient_to_a_hidden_token_is_the_difference_that_it_makes(score):
    """The reference: the same weighted sum of attention with the token hidden and with it back."""
    torch.manual_seed(0)
    scores, seen = torch.randn(1, 2, 4, 4), torch.randn(1, 2, 4, 4)
    scores[..., 2] = score  # 15 above the others: the derivative would be e to the 15

    def outcome(mask):
        return (weighted_softmax(scores, mask) * seen).sum()

    hidden = torch.tensor([[1.0, 1.0, 0.0, 1.0]], requires_grad=True)
    outcome(hidden).backward()
    made = outcome(torch.ones(1, 4)) - outcome(hidden.detach())
    torch.testing.assert_close(hidden.grad[0, 2], made, atol=1e-5, rtol=1e-4)


def test_the_gradients_of_the_weighted_softmax_are_those_of_its_formula():
    """Autograd through the plain formula is the reference; masks of 0, 1 and between; one query is blind.

    To masks of 0 the gradient is another one, see the test above.
    """
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 5, 5)
    scores[0, :, 1] = -torch.inf  # outside of a window
    scores[0, :, 1, 2] = 1.0  # except for a token that is hidden
    mask = torch.tensor([[1.0, 0.4, 0.0, 1.0, 0.9], [1.0, 1.0, 1.0, 0.0, 0.0]])
    seen = torch.randn(2, 3, 5, 5)

    def gradients(function):
        x, m = scores.clone().requires_grad_(), mask.clone().requires_grad_()
        (function(x, m) * seen).sum().backward()
        return x.grad, m.grad

    def formula(x, m):
        top = x.masked_fill(m[:, None, None, :] == 0, -torch.inf).amax(-1, keepdim=True).detach()
        weights = (x - top.masked_fill(top == -torch.inf, 0)).exp() * m[:, None, None, :]
        total = weights.sum(-1, keepdim=True)
        return weights / torch.where(total == 0, 1.0, total)

    (to_scores, to_mask), (scores_expected, mask_expected) = gradients(weighted_softmax), gradients(formula)
    torch.testing.assert_close(to_scores, scores_expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(to_mask[mask > 0], mask_expected[mask > 0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("hidden", [50.0, 120.0, 1e4])
def test_a_hidden_token_with_a_huge_score_hides_nobody_else(hidden):
    scores = torch.tensor([[[[0.0, 0.0, hidden]]]])
    found = weighted_softmax(scores, torch.tensor([[1.0, 1.0, 0.0]]))
    assert found.tolist() == [[[[0.5, 0.5, 0.0]]]]


@pytest.mark.parametrize("queries", [None, 6])
@pytest.mark.parametrize("reference", [None, 8])
def test_the_limit_of_soft_is_masked(tiny_bert, ragged_batch, reference, queries):
    rule = Thresholds(VALUES, reference)
    with torch.no_grad():
        hf = tiny_bert()
        masked = PrunedModel(hf, settings=Settings(reference, queries))(
            **ragged_batch, rule=rule, execution="masked"
        )
        gates = [soft_gate(torch.tensor(VALUES), t, reference) for t in (0.05, 1e-3, 1e-10)]
        soft = [padded_forward(view_of(hf), Inputs(**ragged_batch), gate, queries) for gate in gates]
    gaps = [float((run.logits - masked.logits).abs().max()) for run in soft]
    assert gaps[0] > gaps[1] > gaps[2] == 0
    assert torch.stack(soft[2].masks, dim=1).sum(dim=-1).tolist() == masked.alive.tolist()
    assert 1 < masked.alive[0, 1] < 9


@pytest.mark.parametrize("queries", [None, 6])
@pytest.mark.parametrize("reference", [None, 8])
def test_straight_through_is_hard_to_the_last_bit(tiny_bert, ragged_batch, reference, queries):
    hf, rule = tiny_bert(), Thresholds(VALUES, reference)
    gate = straight_through_gate(torch.tensor(VALUES), 0.004, reference)
    with torch.no_grad():
        found = run(hf, ragged_batch, gate, queries)
        expected = run(hf, ragged_batch, hard_gate(rule), queries)
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-6, rtol=0)
    for mask, other in zip(found.masks, expected.masks, strict=True):
        torch.testing.assert_close(mask, other, atol=1e-6, rtol=0)


@pytest.mark.parametrize("make", GATES)
def test_gradients_reach_thresholds_and_weights(tiny_bert, ragged_batch, make):
    hf = tiny_bert()
    thresholds = torch.tensor(VALUES, requires_grad=True)
    run(hf, ragged_batch, make(thresholds, 0.05)).logits.square().sum().backward()
    assert thresholds.grad.isfinite().all()
    assert (thresholds.grad[:2] != 0).all()
    assert thresholds.grad[2] == 0  # only [CLS] of the last layer is read, and it never leaves
    for name, parameter in some(hf.named_parameters()):
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
    assert all(layer.attention.self.query.weight.grad.any() for layer in some(hf.bert.encoder.layer))


@pytest.mark.parametrize("make", GATES)
def test_kept_tokens_give_every_threshold_a_gradient(tiny_bert, ragged_batch, make):
    """What a FLOPs penalty sees: raising any threshold leaves fewer tokens."""
    thresholds = torch.tensor(VALUES, requires_grad=True)
    masks = run(tiny_bert(), ragged_batch, make(thresholds, 0.05)).masks
    torch.stack([mask.sum() for mask in masks]).sum().backward()
    assert (thresholds.grad < 0).all()


def test_soft_gradient_is_the_slope(tiny_bert, ragged_batch):
    """Against central differences of the forward pass."""
    hf = tiny_bert()

    def loss(values):
        return run(hf, ragged_batch, soft_gate(values, 0.05)).logits.square().sum()

    thresholds = torch.tensor(VALUES, requires_grad=True)
    loss(thresholds).backward()
    for layer in (0, 1):
        step = torch.zeros(3)
        step[layer] = 2e-3
        with torch.no_grad():
            slope = (loss(thresholds + step) - loss(thresholds - step)) / 4e-3
        torch.testing.assert_close(thresholds.grad[layer], slope, atol=1e-3, rtol=2e-2)


@pytest.mark.parametrize("kind", ["attention_probs_dropout_prob", "hidden_dropout_prob"])
def test_dropout_runs_in_training_mode_only(tiny_bert, ragged_batch, kind):
    others = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0, "classifier_dropout": 0.0}
    hf, gate = tiny_bert(**{**others, kind: 0.3}), hard_gate(Thresholds(VALUES))
    with torch.no_grad():
        assert torch.equal(run(hf, ragged_batch, gate).logits, run(hf, ragged_batch, gate).logits)
        hf.train()
        one, other = run(hf, ragged_batch, gate), run(hf, ragged_batch, gate)
    assert not torch.equal(one.logits, other.logits)
    if kind == "attention_probs_dropout_prob":  # importance is the attention before dropout
        assert torch.equal(one.importance[0], other.importance[0])
