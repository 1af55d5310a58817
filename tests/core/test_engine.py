"""Parity, the specification: removed = masked = a loop over Hugging Face's own modules, for every rule.

The reference below shares no code with `ltp_core`: it runs Hugging Face's layers over the padded batch,
hides with an additive mask what has left, and computes importance and survivors by plain Python loops.
"""

from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ltp_core import Dense, Pinned, PrunedModel, RandomKeep, Thresholds
from ltp_core.architectures import view_of
from ltp_core.forward import attention, engine
from ltp_core.forward.engine import removed_forward
from ltp_core.forward.masked import hard_gate, padded_forward
from ltp_core.rules.frozen import Frozen
from ltp_core.run import Inputs
from tests.some import some

HIDE = torch.finfo(torch.float32).min

RULES = {
    "dense": Dense(),
    "zeros": Thresholds([0.0] * 4),
    "rising": Thresholds([0.02, 0.04, 0.06, 0.1]),
    "some_zero": Thresholds([0.0, 0.07, 0.0, 0.1]),
    "last_zero": Thresholds([0.05, 0.05, 0.05, 0.0]),
    "reference": Thresholds([0.04, 0.06, 0.08, 0.1], reference_length=7.5),
    "mean_relative": Thresholds([0.6, 0.7, 0.8, 0.8], reference_length=1),
    "cls_only": Thresholds([1.0] * 4),
    "cls_only_late": Thresholds([0.0, 0.0, 1.0, 0.0]),
}
PRUNES = {"rising", "some_zero", "last_zero", "reference", "mean_relative"}


def batch_of(lengths, side="right", pair=False):
    generator = torch.Generator().manual_seed(7)
    longest = max(lengths)
    rows = [[1] * n + [0] * (longest - n) for n in lengths]
    mask = torch.tensor([row[::-1] for row in rows] if side == "left" else rows)
    ids = torch.where(mask.bool(), torch.randint(5, 60, mask.shape, generator=generator), 0)
    batch = {"input_ids": ids, "attention_mask": mask}
    if pair:
        batch["token_type_ids"] = (torch.arange(longest) >= 3).long() * mask
    return batch


INPUTS = {
    "single": batch_of([11]),
    "ragged": batch_of([9, 4, 15]),
    "pairs": batch_of([9, 6, 15], pair=True),
    "short": batch_of([1, 2, 3]),
    "cls_alone": batch_of([1]),
    "longest": batch_of([32]),
    "more_than_positions": batch_of([32, 30, 31]),  # the model knows 32 positions
}


@pytest.fixture(scope="module")
def model(tiny_bert):
    return PrunedModel(tiny_bert(layers=4))


def reference(hf, rule, input_ids, attention_mask, token_type_ids=None, queries=99):
    """Return logits, kept ``[L][B][n]`` and importance ``[L][B][n]`` from Hugging Face's modules."""
    alive = attention_mask.bool().tolist()
    lengths = attention_mask.sum(dim=-1).tolist()
    hidden = hf.bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
    kept, importance = [], []
    for number, layer in enumerate(hf.bert.encoder.layer):
        additive = torch.where(torch.tensor(alive), 0.0, HIDE)[:, None, None, :]
        _, weights = layer.attention.self(hidden, attention_mask=additive)  # eager: [B, H, n, n]
        hidden = layer(hidden, attention_mask=additive)
        shares = [share_of_attention(w, row, queries) for w, row in zip(weights.tolist(), alive, strict=True)]
        if isinstance(rule, Thresholds):
            rows = zip(shares, alive, lengths, strict=True)
            alive = [survivors(rule, number, s, row, n) for s, row, n in rows]
        kept.append(alive)
        importance.append(shares)
    return hf.classifier(hf.bert.pooler(hidden)), kept, importance


def share_of_attention(weights, alive, queries):
    """``s_j = 1 / (H k) sum_h sum_i A[h][i][j]`` over the queries that are alive, or k of them."""
    asking = [i for i, is_alive in enumerate(alive) if is_alive]
    if len(asking) > queries:
        asking = [asking[i * (len(asking) - 1) // (queries - 1)] for i in range(queries)]
    count = len(weights) * len(asking)
    return [
        sum(head[i][j] for head in weights for i in asking) / count if alive[j] else 0.0
        for j in range(len(alive))
    ]


def survivors(rule, number, shares, alive, tokens):
    reference = rule.reference_length or tokens
    cutoff = rule.values[number] * (reference / tokens if tokens > reference else 1)
    return [was and (s >= cutoff or j == 0) for j, (s, was) in enumerate(zip(shares, alive, strict=True))]


@pytest.mark.parametrize("execution", ["removed", "masked"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("inputs", INPUTS)
def test_parity(model, inputs, rule, execution):
    batch = INPUTS[inputs]
    with torch.no_grad():
        logits, kept, importance = reference(model.hf_model, RULES[rule], **batch)
        out = model(**batch, rule=RULES[rule], execution=execution, record=True)
    torch.testing.assert_close(out.logits, logits, atol=1e-4, rtol=0)
    assert [mask.bool().tolist() for mask in out.run.masks] == kept
    assert out.alive.tolist() == [[sum(layer[b]) for layer in kept] for b in range(len(kept[0]))]
    for ours, theirs in zip(out.run.importance, importance, strict=True):
        torch.testing.assert_close(ours, torch.tensor(theirs), atol=1e-5, rtol=0)
    if rule in PRUNES and inputs in ("single", "ragged", "pairs"):  # the cases above do prune, in part
        counts = out.alive.tolist()[0]
        assert 1 < counts[2] < batch["attention_mask"][0].sum()


@pytest.mark.parametrize("execution", ["removed", "masked"])
@pytest.mark.parametrize("rule", ["rising", "last_zero", "reference", "cls_only_late"])
@pytest.mark.parametrize("queries", [2, 6, 12])
@pytest.mark.parametrize("inputs", [*INPUTS, "equal"])
def test_parity_with_sampled_queries(model, inputs, queries, rule, execution):
    """Texts shorter and longer than the sample, alone and in one batch; some get shorter on the way."""
    batch = batch_of([14, 14, 14]) if inputs == "equal" else INPUTS[inputs]
    with torch.no_grad():
        logits, kept, importance = reference(model.hf_model, RULES[rule], **batch, queries=queries)
        how = {"rule": RULES[rule], "execution": execution, "importance_queries": queries}
        out = model(**batch, **how, record=True)
        plain = model(**batch, **how)
    torch.testing.assert_close(out.logits, logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(plain.logits, logits, atol=1e-4, rtol=0)
    assert [mask.bool().tolist() for mask in out.run.masks] == kept
    assert plain.alive.tolist() == out.alive.tolist()
    for ours, theirs in zip(out.run.importance, importance, strict=True):
        torch.testing.assert_close(ours, torch.tensor(theirs), atol=1e-5, rtol=0)


class Squares(TorchDispatchMode):
    """Counts what is computed with n x n in its last two dimensions."""

    def __init__(self, n):
        super().__init__()
        self.n, self.seen = n, 0

    def __torch_dispatch__(self, call, types, args=(), kwargs=None):
        out = call(*args, **(kwargs or {}))
        made = out if isinstance(out, tuple | list) else [out]
        self.seen += sum(isinstance(x, torch.Tensor) and x.shape[-2:] == (self.n, self.n) for x in made)
        return out


@pytest.mark.parametrize("inputs", ["longest", "more_than_positions"])
@pytest.mark.parametrize("together", [1, 2**20])
def test_beyond_the_sample_no_square_matrix_is_formed(model, monkeypatch, inputs, together):
    monkeypatch.setattr(attention, "TOGETHER", together)
    seen = {}
    for queries in ("all", 31, 7):  # of texts of 32, 30 and 31 tokens
        with torch.no_grad(), Squares(32) as squares:
            model(**INPUTS[inputs], rule=Thresholds([1e-9] * 4), importance_queries=queries)
        seen[queries] = squares.seen
    assert seen["all"] > 0 and seen[31] == seen[7] == 0


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("execution", ["removed", "masked"])
@pytest.mark.parametrize("inputs", INPUTS)
def test_nothing_pruned_is_hugging_face(tiny_bert, inputs, execution, attention):
    hf = tiny_bert(layers=4, attn_implementation=attention)
    assert hf.config._attn_implementation == attention
    with torch.no_grad():
        expected = hf(**INPUTS[inputs]).logits
        found = PrunedModel(hf)(**INPUTS[inputs], rule=Dense(), execution=execution).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("inputs", INPUTS)
def test_recording_does_not_change_the_answer(model, inputs, rule):
    """Without `record` a layer that nobody reads runs fused attention: another path, the same result."""
    with torch.no_grad():
        plain = model(**INPUTS[inputs], rule=RULES[rule])
        recorded = model(**INPUTS[inputs], rule=RULES[rule], record=True)
    torch.testing.assert_close(plain.logits, recorded.logits, atol=1e-5, rtol=0)
    assert plain.alive.tolist() == recorded.alive.tolist()
    read = [
        isinstance(RULES[rule], Thresholds) and theta > 0 for theta in getattr(RULES[rule], "values", [0] * 4)
    ]
    assert [shares is not None for shares in plain.run.importance] == read


@pytest.mark.parametrize("execution", ["removed", "masked"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("lengths", [[8], [9, 4, 15]])
def test_left_padding_is_the_sentence_alone(model, lengths, rule, execution):
    """Hugging Face is no reference here: it reads column 0, which is padding."""
    lengths = [*lengths, 16]  # so that every row but this one is padded
    batch = batch_of(lengths, side="left")
    with torch.no_grad():
        out = model(**batch, rule=RULES[rule], execution=execution)
        for row, length in enumerate(lengths):
            alone = model(batch["input_ids"][row : row + 1, -length:], rule=RULES[rule])
            torch.testing.assert_close(out.logits[row], alone.logits[0], atol=1e-4, rtol=0)
            for mask, expected in some(zip(out.run.masks, alone.run.masks, strict=True)):
                assert mask[row, -length:].bool().tolist() == expected[0].tolist()
                assert not mask[row, :-length].any()


@pytest.mark.parametrize("execution", ["removed", "masked"])
def test_a_batch_is_its_rows(model, execution):
    """Packing mixes nothing: each row gets what it gets alone, in any order."""
    batch = INPUTS["ragged"]
    with torch.no_grad():
        out = model(**batch, rule=RULES["rising"], execution=execution)
        back = model(**{k: v.flip(0) for k, v in batch.items()}, rule=RULES["rising"], execution=execution)
        for row, length in enumerate(batch["attention_mask"].sum(-1).tolist()):
            alone = model(batch["input_ids"][row : row + 1, :length], rule=RULES["rising"])
            torch.testing.assert_close(out.logits[row], alone.logits[0], atol=1e-4, rtol=0)
            assert out.alive[row].tolist() == alone.alive[0].tolist()
    torch.testing.assert_close(back.logits.flip(0), out.logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("execution", ["removed", "masked"])
@pytest.mark.parametrize("rule", ["dense", "rising"])
def test_inputs_embeds(model, rule, execution):
    batch = dict(INPUTS["pairs"])
    with torch.no_grad():
        from_ids = model(**batch, rule=RULES[rule], execution=execution)
        embeds = model.hf_model.bert.embeddings.word_embeddings(batch.pop("input_ids"))
        found = model(**batch, inputs_embeds=embeds, rule=RULES[rule], execution=execution)
        if rule == "dense":
            expected = model.hf_model(**batch, inputs_embeds=embeds).logits
            torch.testing.assert_close(found.logits, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.logits, from_ids.logits, atol=1e-5, rtol=0)
    assert found.alive.tolist() == from_ids.alive.tolist()


@pytest.mark.parametrize("layer", [1, 3, 4])
@pytest.mark.parametrize("queries", [5, 99])
def test_attention_of_one_layer_is_hugging_faces(model, layer, queries):
    """All of it, also where few queries are enough for the importance."""
    batch = INPUTS["ragged"]
    rule = RULES["some_zero"]
    with torch.no_grad():
        out = model(**batch, rule=rule, attention_layer=layer, importance_queries=queries)
        _, kept, _ = reference(model.hf_model, rule, **batch, queries=queries)
        hidden = model.hf_model.bert.embeddings(batch["input_ids"])
        alive = batch["attention_mask"].bool()
        for module, after in zip(model.hf_model.bert.encoder.layer[:layer], kept, strict=False):
            additive = torch.where(alive, 0.0, HIDE)[:, None, None, :]
            _, weights = module.attention.self(hidden, attention_mask=additive)
            hidden, entering, alive = module(hidden, additive), alive, torch.tensor(after)
    for row in range(3):
        at = entering[row].nonzero().squeeze(1)
        expected = weights[row][:, at][:, :, at]
        torch.testing.assert_close(out.run.attention[row], expected, atol=1e-5, rtol=0)


class Rebel(Dense):
    """Drops everything at first, [CLS] too, and then wants everything back."""

    def keep(self, importance, alive, layer, carry):
        return (torch.zeros_like(alive) if layer == 2 else torch.ones_like(alive)), carry


@pytest.mark.parametrize("execution", ["removed", "masked"])
def test_no_rule_can_drop_cls_or_bring_a_token_back(model, execution):
    with torch.no_grad():
        out = model(**INPUTS["ragged"], rule=Rebel(), execution=execution)
    assert out.alive.tolist() == [[9, 1, 1, 1], [4, 1, 1, 1], [15, 1, 1, 1]]
    assert all(mask[:, 0].all() for mask in some(out.run.masks))


class Counting(Dense):
    """Records what a rule is given, and what it handed itself."""

    def __init__(self):
        self.seen = []

    def keep(self, importance, alive, layer, carry):
        self.seen.append((layer, carry, alive.shape, alive.sum().item()))
        return alive, (carry or 0) + 10


@pytest.mark.parametrize("execution", ["removed", "masked"])
def test_a_rule_gets_the_grid_the_layer_and_its_own_carry(model, execution):
    rule = Counting()
    with torch.no_grad():
        model(**INPUTS["ragged"], rule=rule, execution=execution)
    assert rule.seen == [(n, c, (3, 15), 28) for n, c in [(1, None), (2, 10), (3, 20), (4, 30)]]


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_raising_one_layers_threshold_never_adds_a_survivor_there(model, layer):
    previous = None
    for theta in (0.0, 0.02, 0.05, 0.1, 0.3, 1.0):
        values = [0.02, 0.03, 0.04, 0.05]
        values[layer] = theta
        with torch.no_grad():
            kept = model(**INPUTS["ragged"], rule=Thresholds(values)).run.masks[layer]
        assert previous is None or not (kept & ~previous).any()
        previous = kept
    assert previous.sum() == 3  # [CLS] in each row


# Two texts, of 3 and 2 tokens, worked out on paper. Hidden states are one-hot, so that query times key
# gives log P exactly, in both layers; nothing is added or mixed between layers.
#   P of A: 1/2 1/4 1/4      P of B: 3/4 1/4      value of tokens 0, 1, 2: 12, 24, 48
#           1/2 3/8 1/8              1/2 1/2
#           1/2 3/8 1/8
# Layer 1, importance: A 1/2 1/3 1/6, B 5/8 3/8. Above 0.3 stay A0 A1 | B0 B1: four tokens, packed.
#   Context: A0 12/2 + 24/4 + 48/4 = 24, A1 12/2 + 9 + 6 = 21; B0 9 + 6 = 15, B1 6 + 12 = 18.
# Layer 2, over those alone: A0 2/3 1/3, A1 4/7 3/7; importance A 13/21 8/21, B as before.
#   Above 0.38: A0 A1 (8/21 = 0.38095) | B0 (B1 has 0.375). Context: A0 16, A1 48/7 + 72/7 = 120/7; B0 15.
LOG_P = torch.tensor(
    [
        [[1 / 2, 1 / 4, 1 / 4], [1 / 2, 3 / 8, 1 / 8], [1 / 2, 3 / 8, 1 / 8]],
        [[3 / 4, 1 / 4, 1.0], [1 / 2, 1 / 2, 1.0], [1.0, 1.0, 1.0]],
    ]
).log()


class PaperLayer:
    scale, dropout_p = 1.0, 0.0

    def __init__(self, put_out):
        self.put_out = put_out

    window = None

    def qkv(self, hidden, positions, rows=None):
        query = self.query(hidden, positions)
        value = (hidden[..., :3].sum(-1) * 12 * 2.0**positions)[..., None, None]
        return (query if rows is None else query[rows]), hidden.unsqueeze(-2), value

    def query(self, hidden, positions):
        text = hidden[..., 3].long()  # the last number of a hidden state says which text
        rows = LOG_P[text, positions]
        return torch.cat([rows, torch.zeros_like(rows[..., :1])], dim=-1).unsqueeze(-2)

    def bias(self, *heads_and_positions):
        return None

    def attend_output(self, context, residual):
        self.put_out.append(context.flatten().tolist())
        return residual

    def feed_forward(self, hidden):
        return hidden


class PaperView:
    reads_first_token = False

    def __init__(self):
        self.put_out = []
        self.layers = [PaperLayer(self.put_out), PaperLayer(self.put_out)]

    def embed(self, inputs, positions):
        one_hot = torch.nn.functional.one_hot(positions, 3).float()
        text = inputs.input_ids.float().unsqueeze(-1)
        return torch.cat([one_hot, text], dim=-1)  # [..., 4]

    def start(self, embedded):
        return embedded

    def finish(self, hidden):
        return hidden

    def head(self, last, alive):
        return alive.float().sum(-1, keepdim=True)


PAPER_INPUTS = Inputs(torch.tensor([[0, 0, 0], [1, 1, 1]]), torch.tensor([[1, 1, 1], [1, 1, 0]]))
PAPER = SimpleNamespace(
    rule=Thresholds([0.3, 0.38]),
    importance=[[[1 / 2, 1 / 3, 1 / 6], [5 / 8, 3 / 8, 0]], [[13 / 21, 8 / 21, 0], [5 / 8, 3 / 8, 0]]],
    masks=[[[1, 1, 0], [1, 1, 0]], [[1, 1, 0], [1, 0, 0]]],
    packed=[[24, 21, 15, 18], [16, 120 / 7, 15]],
)


def test_five_tokens_packed_on_paper():
    view = PaperView()
    run = removed_forward(view, PAPER_INPUTS, PAPER.rule)
    assert [mask.int().tolist() for mask in run.masks] == PAPER.masks
    for found, expected in zip(run.importance, PAPER.importance, strict=True):
        torch.testing.assert_close(found, torch.tensor(expected))
    assert view.put_out == [pytest.approx(row) for row in PAPER.packed]


def test_five_tokens_masked_on_paper():
    view = PaperView()
    run = padded_forward(view, PAPER_INPUTS, hard_gate(PAPER.rule))
    assert [mask.int().tolist() for mask in run.masks] == PAPER.masks
    for found, expected in zip(run.importance, PAPER.importance, strict=True):
        torch.testing.assert_close(found, torch.tensor(expected))
    context = torch.tensor(view.put_out).unflatten(1, (2, 3))  # padded: [L, B, n]
    for layer, mask in some(enumerate(PAPER.masks)):
        assert context[layer][torch.tensor(mask).bool()].tolist() == pytest.approx(PAPER.packed[layer])


def test_five_tokens_with_nothing_pruned_run_the_same_through_fused_attention():
    view = PaperView()
    removed_forward(view, PAPER_INPUTS, Dense())
    # A2: 6 + 9 + 6 = 21
    assert view.put_out == [pytest.approx([24, 21, 21, 15, 18])] * 2


@pytest.mark.parametrize("limit", [1, 9**2 + 4**2])
@pytest.mark.parametrize("rule", ["dense", "rising", "last_zero"])
@pytest.mark.parametrize("queries", [6, 99])
def test_a_large_batch_runs_in_parts(model, monkeypatch, rule, limit, queries):
    """Rows of 9, 4 and 15 tokens in two or three parts give what they give in one."""
    batch = INPUTS["ragged"]
    monkeypatch.setattr(engine, "PAIRS", {"cpu": limit, "elsewhere": limit})
    assert len(engine.parts(batch["attention_mask"])) == (3 if limit == 1 else 2)
    with torch.no_grad():
        how = {"record": True, "attention_layer": 2, "importance_queries": queries}
        in_parts = model(**batch, rule=RULES[rule], **how)
        logits, kept, importance = reference(model.hf_model, RULES[rule], **batch, queries=queries)
    torch.testing.assert_close(in_parts.logits, logits, atol=1e-4, rtol=0)
    assert [mask.tolist() for mask in in_parts.run.masks] == kept
    for ours, theirs in zip(in_parts.run.importance, importance, strict=True):
        torch.testing.assert_close(ours, torch.tensor(theirs), atol=1e-5, rtol=0)
    assert [len(a[0]) for a in in_parts.run.attention] == [sum(row) for row in kept[0]]


@pytest.mark.parametrize("around", [lambda rule: rule, lambda rule: Pinned(rule, stay=[2]), RandomKeep])
def test_what_a_rule_holds_for_each_row_is_cut_as_the_batch_is(model, monkeypatch, around):
    """Against the masked forward, which runs all rows at once."""
    batch = INPUTS["ragged"]
    alive = batch["attention_mask"].bool()
    kept = torch.rand(len(alive), model.layers, alive.shape[1], generator=torch.Generator().manual_seed(0))
    rule = around(Frozen((kept < 0.8).cumprod(dim=1).bool()))
    monkeypatch.setattr(engine, "PAIRS", {"cpu": 1, "elsewhere": 1})
    with torch.no_grad():
        run = model(**batch, rule=rule).run
        whole = padded_forward(view_of(model.hf_model), Inputs(**batch), hard_gate(rule))
    torch.testing.assert_close(run.logits, whole.logits, atol=1e-4, rtol=0)
    for ours, theirs in some(zip(run.masks, whole.masks, strict=True)):
        assert torch.equal(ours, theirs.bool())


@pytest.mark.parametrize("rule", [Dense(), Thresholds([0.02, 0.05, 0.1])])
def test_attention_dropout_runs_in_training_mode_only(tiny_bert, rule):
    """Its draws differ from those of the masked forward; the mean over many does not."""
    hf_model = tiny_bert(attention_probs_dropout_prob=0.3, hidden_dropout_prob=0.0, classifier_dropout=0.0)
    model, draws = PrunedModel(hf_model), {}
    with torch.no_grad():
        still = [model.eval()(**INPUTS["longest"], rule=rule).logits for _ in range(2)]
        model.train()
        for name in ("removed", "masked"):
            draws[name] = [model(**INPUTS["longest"], rule=rule, execution=name).run for _ in range(200)]
    assert torch.equal(*still)
    ours, masked = (torch.stack([run.logits for run in draws[name]]) for name in ("removed", "masked"))
    assert (ours.std(dim=0) > 0.01).all()
    error = (ours.var(dim=0) / 200 + masked.var(dim=0) / 200).sqrt()
    assert ((ours.mean(dim=0) - masked.mean(dim=0)).abs() < 5 * error).all()
    if rule != Dense():  # importance is the attention before dropout
        assert torch.equal(draws["removed"][0].importance[0], draws["removed"][1].importance[0])


@pytest.mark.parametrize("together", [1, 15**2, 2**20])
@pytest.mark.parametrize("inputs", ["ragged", "longest"])
@pytest.mark.parametrize("queries", [6, 99])
def test_attention_a_few_heads_at_a_time(model, monkeypatch, inputs, together, queries):
    monkeypatch.setattr(attention, "TOGETHER", together)
    with torch.no_grad():
        out = model(**INPUTS[inputs], rule=RULES["rising"], importance_queries=queries)
        logits, kept, importance = reference(
            model.hf_model, RULES["rising"], **INPUTS[inputs], queries=queries
        )
    torch.testing.assert_close(out.logits, logits, atol=1e-4, rtol=0)
    assert [mask.tolist() for mask in out.run.masks] == kept
    for ours, theirs in zip(out.run.importance, importance, strict=True):
        torch.testing.assert_close(ours, torch.tensor(theirs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("n", [1, 5, 15, 16, 17, 31])
def test_softmax_in_every_layout(n):
    """Below the width of a register, between, and in place, with a batch dimension and without."""
    for shape in [(3, n, n), (2, 3, n, n)]:
        scores = torch.randn(shape, generator=torch.Generator().manual_seed(n)) * 5
        exponentials = scores.double().exp()
        expected = (exponentials / exponentials.sum(dim=-1, keepdim=True)).float()
        found = attention._softmax(scores)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_softmax_in_place(monkeypatch):
    monkeypatch.setattr(attention, "IN_PLACE", 1)
    scores = torch.randn(3, 20, 20)
    expected = scores.softmax(dim=-1)
    found = attention._softmax(scores)
    assert found.data_ptr() == scores.data_ptr()
    torch.testing.assert_close(found, expected)


def test_equal_lengths_share_a_product(model):
    batch = batch_of([12, 12, 12])
    for rule in ("dense", "rising"):
        with torch.no_grad():
            logits, kept, _ = reference(model.hf_model, RULES[rule], **batch)
            out = model(**batch, rule=RULES[rule])
        torch.testing.assert_close(out.logits, logits, atol=1e-4, rtol=0)
        assert [mask.tolist() for mask in out.run.masks] == kept


@pytest.mark.parametrize("queries", [6, "all"])
def test_gradients_are_those_of_the_masked_forward(model, queries):
    """With gradients nothing is computed in place, and nothing is packed."""
    found = []
    for execution in ("removed", "masked"):
        model.zero_grad()
        how = {"rule": RULES["rising"], "execution": execution, "importance_queries": queries}
        model(**INPUTS["ragged"], **how).logits.pow(2).sum().backward()
        weights = model.hf_model.bert.encoder.layer[0].attention.self.query.weight
        found.append(weights.grad.clone())
    assert found[0].abs().max() > 1e-3
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-3)
