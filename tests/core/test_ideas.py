"""The three ideas, by hand and against tokens that are really taken out, one text and one layer at a time."""

import math

import pytest
import torch

from ltp_core import Thresholds
from ltp_core.architectures import view_of
from ltp_core.forward import ideas
from ltp_core.forward.masked import hard_gate, padded_forward, straight_through_gate
from ltp_core.rules import Dense
from ltp_core.run import Inputs
from ltp_core.training.budget import batch_flops
from ltp_core.training.job import Pruning
from ltp_core.training.objective import PruningModule


@pytest.fixture
def idea(monkeypatch):
    def choose(name):
        monkeypatch.setattr(ideas, "IDEA", name)
        monkeypatch.setattr(ideas, "CHANGES_FORWARD", name not in (None, "ranking"))

    return choose


def test_a_package_by_hand():
    hidden = torch.tensor([[[1.0, 0], [0, 4], [8, 8]], [[1, 1], [1, 1], [1, 1]]])
    package, there = ideas.packaged(hidden, torch.tensor([[0.3, 0.1, 0], [0, 0, 0]]))
    torch.testing.assert_close(package, torch.tensor([[[0.75, 1.0]], [[0, 0]]]))
    assert there.tolist() == [[1], [0]]


def test_value_weights_by_hand():
    # Two heads, two tokens; norms 5 and 1 in head 1, 1 and 0 in head 2.
    attention = torch.tensor([[[[0.2, 0.8], [0.6, 0.4]], [[0.5, 0.5], [0.1, 0.9]]]])
    value = torch.tensor([[[[3.0, 4], [1, 0]], [[0, 1], [0, 0]]]])
    columns = ideas.value_weighted(attention, value, torch.ones(1, 2))
    # token 0: 0.8 * 5 + 0.6 * 1 = 4.6; token 1: 1.2 * 1 + 0 = 1.2
    torch.testing.assert_close(columns, torch.tensor([[4.6, 1.2]]) / 5.8)
    cls = ideas.value_weighted(attention, value, torch.tensor([[1.0, 0]]))
    torch.testing.assert_close(cls, torch.tensor([[0.2 * 5 + 0.5, 0.8]]) / 2.3)


def test_a_ranking_by_hand():
    # The teacher: 2, 0, 1; token 3 is not alive. In parts of the even share the scores are 3 times these.
    own, teacher = torch.tensor([[0.5, 0.2, 0.3, 9]]), torch.tensor([[0.3, 0.1, 0.6, 9]])
    alive = torch.tensor([[True, True, True, False]])

    def wrong(i, j):  # i should come before j
        return math.log2(1 + math.exp(-3 * float(own[0, i] - own[0, j])))

    expected = (1 * wrong(2, 0) + 2 * wrong(2, 1) + 1 * wrong(0, 1)) / 4
    assert float(ideas.ranking_loss(own, teacher, alive)) == pytest.approx(expected, rel=1e-5)


def test_a_ranking_is_learned():
    own = torch.zeros(1, 30, requires_grad=True)
    teacher = torch.rand(1, 30, generator=torch.Generator().manual_seed(0))
    alive = torch.ones(1, 30, dtype=torch.bool)
    optimizer = torch.optim.Adam([own], lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        ideas.ranking_loss(own, teacher, alive).backward()
        optimizer.step()
    best = teacher[0].argsort(descending=True)[: ideas.TOP]
    assert own[0, best].argsort(descending=True).tolist() == list(range(ideas.TOP))
    assert own.grad[0].count_nonzero() == ideas.TOP


def by_hand(hf, ids, thresholds, package, weigh=None):
    """One text, with tokens taken out: Hugging Face's modules alone. Returns logits and kept tokens."""
    embedded = hf.bert.embeddings(ids.unsqueeze(0))[0]
    tokens, extra = list(embedded), None
    kept = []
    for number, (layer, theta) in enumerate(zip(hf.bert.encoder.layer, thresholds, strict=True)):
        x = torch.stack(tokens + ([] if extra is None else [extra]))
        own = layer.attention.self
        q, k, v = (p(x).view(len(x), 4, 12).transpose(0, 1) for p in (own.query, own.key, own.value))
        probabilities = (q @ k.transpose(1, 2) / 12**0.5).softmax(-1)
        s = probabilities.mean(dim=(0, 1))
        if weigh == "columns":
            s = (probabilities * v.norm(dim=-1).unsqueeze(1)).sum(dim=(0, 1))
        if weigh == "cls":
            s = (probabilities[:, 0] * v.norm(dim=-1)).sum(dim=0)
        s = s / s.sum()
        x = layer.attention.output((probabilities @ v).transpose(0, 1).flatten(1), x)
        stay = [i for i in range(len(tokens)) if i == 0 or s[i] >= theta]
        leave = [i for i in range(len(x)) if i not in stay]
        if package and leave and number < len(thresholds) - 1:
            extra = sum(s[i] * x[i] for i in leave) / sum(s[i] for i in leave)
        else:
            extra = None
        out = layer.feed_forward_chunk(torch.stack([x[i] for i in stay] + ([] if extra is None else [extra])))
        tokens = list(out[: len(stay)])
        extra = None if extra is None else out[-1]
        kept.append(len(stay) + (extra is not None))
    pooled = hf.bert.pooler(tokens[0].view(1, 1, -1))
    return hf.classifier(pooled)[0], kept


CASES = [
    ("package-token", {"package": True}),
    ("value-columns", {"package": False, "weigh": "columns"}),
    ("value-cls", {"package": False, "weigh": "cls"}),
]


@pytest.mark.parametrize("straight", [False, True])
@pytest.mark.parametrize(("name", "how"), CASES)
def test_masked_is_taken_out(idea, model, ragged_batch, name, how, straight):
    thresholds = [0.06, 0.12, 0.15]
    idea(name)
    gate = hard_gate(Thresholds(thresholds))
    if straight:
        gate = straight_through_gate(torch.tensor(thresholds), 0.01)
    inputs = Inputs(ragged_batch["input_ids"], ragged_batch["attention_mask"])
    with torch.no_grad():
        run = padded_forward(view_of(model.hf_model), inputs, gate)
    counts = torch.stack([mask.sum(dim=-1) for mask in run.masks], dim=1)
    left = set()
    for row, n in enumerate([9, 4, 13]):
        logits, kept = by_hand(model.hf_model, ragged_batch["input_ids"][row, :n], thresholds, **how)
        torch.testing.assert_close(run.logits[row], logits, atol=2e-5, rtol=1e-4)
        assert counts[row].tolist() == kept
        left |= {a - b for a, b in zip([n, *kept], kept, strict=False)}
    assert len(left) > 2  # rows differ in what leaves


def test_the_package_is_counted(idea, model, ragged_batch):
    idea("package-token")
    model.thresholds = (0.06, 0.12, 0.15)
    found = model(**ragged_batch)
    size, mask = model.dimensions, ragged_batch["attention_mask"]
    _, pruned = batch_flops(size, mask, tuple(m.float() for m in found.run.masks))
    d, ffn = size.hidden, size.feed_forward
    by_formula = 0
    for row, n in enumerate([9, 4, 13]):
        _, kept = by_hand(model.hf_model, ragged_batch["input_ids"][row, :n], model.thresholds, True)
        for entering, staying in zip([n, *kept[:-1]], kept, strict=True):
            by_formula += 2 * (4 * entering * d * d + 2 * entering**2 * d + 2 * staying * d * ffn)
    assert int(pruned) == by_formula
    real = [m[:, :-1].sum(dim=-1) for m in found.run.masks]
    assert (found.alive[:, -1] == real[-1]).all()  # none after the last layer
    assert (found.alive[:, 1] - real[1]).tolist() == [
        1 * (a < n) for a, n in zip(real[1], (9, 4, 13), strict=True)
    ]


def test_nothing_leaves_and_nothing_changes(idea, model, ragged_batch):
    expected = model(**ragged_batch, rule=Dense()).logits
    idea("package-token")
    torch.testing.assert_close(model(**ragged_batch, rule=Dense()).logits, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", [None, *ideas.IDEAS])
def test_a_training_step_has_gradients(idea, model, ragged_batch, name):
    import copy

    idea(name)
    batch = {**ragged_batch, "labels": torch.tensor([0, 1, 2]), "teacher_logits": torch.randn(3, 3)}
    pruning = Pruning(stages=("straight-through",), thresholds=(0.06, 0.12, 0.15), temperature=0.01)
    module = PruningModule(model.hf_model.train(), pruning, teacher=copy.deepcopy(model.hf_model).eval())
    with torch.autocast("cpu", torch.bfloat16):
        loss = module(**batch)["loss"]
    loss.backward()
    assert loss.isfinite()
    assert module.thresholds.grad.isfinite().all() and module.thresholds.grad[:2].abs().min() > 0
    query = model.hf_model.bert.encoder.layer[0].attention.self.query.weight.grad
    assert query.isfinite().all() and query.abs().sum() > 0
