"""The rivals' losses, put together by hand from masked logits and from closed-form gradients."""

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from ltp_core import Dense, LengthConfig, PrunedModel, TopK
from ltp_core.architectures import view_of
from ltp_core.data.rows import Rows
from ltp_core.forward.masked import hard_gate, padded_forward
from ltp_core.run import Inputs
from ltp_core.training.job import Pruning, Recipe
from ltp_core.training.rivals import LengthDropModule, TopKModule, drawn_shares
from ltp_core.training.stages import train_rival
from tests.some import some

LABELS = torch.tensor([0, 2, 1])
TEACHER = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.5, 0.0], [2.0, 1.0, 0.0]])
ROWS = Rows(
    [f"{tone} {a} film {b}" for tone in ("good", "bad") for a in "abcdef" for b in "uvwx"],
    [1] * 24 + [0] * 24,
)


def kl(meant, logits):
    """Summed over classes, mean over rows, written out."""
    return (meant.softmax(-1) * (meant.log_softmax(-1) - logits.log_softmax(-1))).sum(-1).mean()


def shares_of(last, layers=3):
    return [last ** ((layer + 1) / layers) for layer in range(layers)]


def test_drawn_shares_on_paper():
    # Two layers: each keeps at least sqrt(0.05) = 0.2236 of what enters; drawn halfway, 0.6118.
    assert drawn_shares(2, [0.0, 0.0]) == pytest.approx([0.05**0.5, 0.05])
    assert drawn_shares(2, [0.5, 1.0]) == pytest.approx([0.6118034, 0.6118034])
    assert drawn_shares(3, [1.0, 1.0, 1.0]) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("seed", [0, 1])
def test_top_k_learns_under_a_drawn_share(tiny_bert, ragged_batch, seed):
    hf = tiny_bert()
    torch.manual_seed(seed)
    last = 0.05 ** torch.rand(()).item()
    with torch.no_grad():
        logits = PrunedModel(hf)(**ragged_batch, rule=TopK(shares_of(last)), execution="masked").logits
    torch.manual_seed(seed)
    out = TopKModule(hf, Pruning(distill=0.25))(**ragged_batch, labels=LABELS, teacher_logits=TEACHER)
    expected = 0.75 * cross_entropy(logits, LABELS) + 0.25 * kl(TEACHER, logits)
    torch.testing.assert_close(out["loss"].detach(), expected, atol=1e-5, rtol=1e-5)
    out["loss"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in some(hf.parameters()))


def test_length_drop_is_a_sandwich_that_teaches_itself(tiny_bert, ragged_batch):
    hf = tiny_bert()
    torch.manual_seed(3)
    drawn = drawn_shares(3, torch.rand(3).tolist())
    model = PrunedModel(hf)
    with torch.no_grad():
        rules = (Dense(), LengthConfig(shares_of(0.05)), LengthConfig(drawn))
        whole, smallest, other = (
            model(**ragged_batch, rule=rule, execution="masked").logits for rule in rules
        )
    torch.manual_seed(3)
    out = LengthDropModule(hf, Pruning(distill=0.5))(**ragged_batch, labels=LABELS, teacher_logits=TEACHER)
    task = 0.5 * cross_entropy(whole, LABELS) + 0.5 * kl(TEACHER, whole)
    expected = (task + kl(whole, smallest) + kl(whole, other)) / 3
    torch.testing.assert_close(out["loss"].detach(), expected, atol=1e-5, rtol=1e-5)
    assert kl(whole, smallest) > 1e-3

    # Cross-entropy against a target t has gradient softmax - t. The whole model hears its own target only:
    # sub-models that also pulled at what they are told would change this sum.
    out["loss"].backward()
    said = whole.softmax(-1)
    pulls = said - 0.5 * one_hot(LABELS, 3) - 0.5 * TEACHER.softmax(-1)
    pulls = pulls + (smallest.softmax(-1) - said) + (other.softmax(-1) - said)
    torch.testing.assert_close(hf.classifier.bias.grad, pulls.mean(0) / 3, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("module", [TopKModule, LengthDropModule])
def test_hidden_states_are_taught_as_in_learned_pruning(tiny_bert, ragged_batch, module):
    """On top of the loss without them: squared differences to the teacher, over the tokens that are left."""
    hf, teacher = tiny_bert(), tiny_bert(seed=1)

    def loss(weight):
        torch.manual_seed(2)
        made = module(hf, Pruning(distill=0.5, distill_hidden=weight), teacher)
        assert len(list(made.parameters())) == len(list(hf.parameters()))  # the teacher is not trained
        with torch.no_grad():
            return made(**ragged_batch, labels=LABELS, teacher_logits=TEACHER)["loss"]

    def states(model, rule):
        inputs = Inputs(ragged_batch["input_ids"], ragged_batch["attention_mask"])
        with torch.no_grad():
            return padded_forward(view_of(model), inputs, hard_gate(rule))

    def apart(one, other):
        gaps = [
            (a - b)[mask > 0].square().mean()
            for a, b, mask in zip(one.hidden, other.hidden, one.masks, strict=True)
        ]
        return sum(gaps) / len(gaps)

    torch.manual_seed(2)
    if module is TopKModule:
        rule = TopK(shares_of(0.05 ** torch.rand(()).item()))
        expected = apart(states(hf, rule), states(teacher, Dense()))
    else:
        rules = (LengthConfig(shares_of(0.05)), LengthConfig(drawn_shares(3, torch.rand(3).tolist())))
        whole = states(hf, Dense())
        expected = apart(whole, states(teacher, Dense())) + sum(apart(states(hf, r), whole) for r in rules)
        expected = expected / 3
    torch.testing.assert_close(loss(2.0) - loss(0.0), 2.0 * expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("module", [TopKModule, LengthDropModule])
def test_regressions(tiny_bert, ragged_batch, module):
    hf = tiny_bert(num_labels=1)
    labels, teacher = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[1.0], [2.0], [2.0]])
    torch.manual_seed(0)
    loss = module(hf, Pruning(distill=0.0))(**ragged_batch, labels=labels, teacher_logits=teacher)["loss"]
    assert loss > 0 and loss.isfinite()
    if module is TopKModule:
        torch.manual_seed(0)
        rule = TopK(shares_of(0.05 ** torch.rand(()).item()))
        with torch.no_grad():
            logits = PrunedModel(hf)(**ragged_batch, rule=rule, execution="masked").logits
        torch.testing.assert_close(loss.detach(), mse_loss(logits.squeeze(-1), labels), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("module", [TopKModule, LengthDropModule])
def test_training_teaches_the_pruned_model(tiny_bert, make_tokenizer, tmp_path, module):
    """Which of two words is in the text: a random model learns it under strong pruning."""
    model = PrunedModel(tiny_bert(num_labels=2), make_tokenizer())
    rule = TopK([0.8, 0.5, 0.4]) if module is TopKModule else LengthConfig([0.8, 0.5, 0.4])

    def accuracy(model):
        batch, _ = model.encode(ROWS.texts)
        with torch.no_grad():
            said = model(batch["input_ids"], batch["attention_mask"], rule=rule).logits.argmax(-1)
        return (said == torch.tensor(ROWS.labels)).float().mean().item()

    before = accuracy(model)
    recipe = Recipe(epochs=30, learning_rate=2e-3, batch_size=16, max_tokens=32, bfloat16=False)
    trained = train_rival(model, ROWS, recipe, Pruning(distill=0.0), module, tmp_path)
    assert before < 0.8 and accuracy(trained) > 0.9
    assert trained.thresholds is None and not trained.training
