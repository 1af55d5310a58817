"""Every family, the specification: removed = masked = Hugging Face's own eager forward, for every rule.

`families.py` beside this file makes the models and runs the reference.
"""

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    DistilBertModel,
    GPT2Config,
    GPT2ForSequenceClassification,
)

from ltp_core import Dense, PrunedModel
from ltp_core.architectures import FAMILIES, view_of
from ltp_core.flops import executed_flops
from ltp_core.rules import observed_layers
from ltp_core.training.job import Pruning
from ltp_core.training.stages import PruningModule, freeze_embeddings
from tests.core.families import (
    LAYERS,
    LONGEST,
    MODELS,
    RISING,
    RULES,
    batch_of,
    batches,
    hugging_face,
    make,
    modules_of,
    wrapped,
)
from tests.some import some

NAMES = pytest.mark.parametrize("name", MODELS)
EXECUTIONS = pytest.mark.parametrize("execution", ["removed", "masked"])


def test_every_family_is_here():
    assert {family for family, _ in MODELS.values()} == set(FAMILIES)


@NAMES
@EXECUTIONS
@pytest.mark.parametrize("rule", RULES)
def test_parity(name, execution, rule):
    model = wrapped(name)
    for batch in batches(name):
        with torch.no_grad():
            logits, masks, importance = hugging_face(model.hf_model, RULES[rule], **batch)
            out = model(**batch, rule=RULES[rule], execution=execution, record=True)
            plain = model(**batch, rule=RULES[rule], execution=execution)
            if rule == "dense":  # with no hook at all
                unhooked = model.hf_model(**batch).logits
                torch.testing.assert_close(out.logits, unhooked, atol=1e-5, rtol=0)
        torch.testing.assert_close(out.logits, logits, atol=1e-4, rtol=0)
        torch.testing.assert_close(plain.logits, logits, atol=1e-4, rtol=0)
        assert [m.bool().tolist() for m in out.run.masks] == [m.tolist() for m in masks]
        assert plain.alive.tolist() == out.alive.tolist()
        for ours, theirs in zip(out.run.importance, importance, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
        if rule in ("rising", "topk", "lengths", "random") and len(batch["input_ids"]) == 3:
            assert 1 < out.alive[2, 2] <= out.alive[2, 0] < 15  # the rule does prune, in part


@NAMES
@EXECUTIONS
@pytest.mark.parametrize("rule", ["rising", "reference", "topk"])
@pytest.mark.parametrize("queries", [2, 6])
def test_parity_with_sampled_queries(name, execution, rule, queries):
    model = wrapped(name)
    assert model.settings.importance_queries == 64  # what is wrapped now samples, beyond so many tokens
    for batch in batches(name):
        with torch.no_grad():
            logits, masks, importance = hugging_face(model.hf_model, RULES[rule], **batch, queries=queries)
            how = {"rule": RULES[rule], "execution": execution, "importance_queries": queries}
            out, plain = model(**batch, **how, record=True), model(**batch, **how)
        torch.testing.assert_close(out.logits, logits, atol=1e-4, rtol=0)
        torch.testing.assert_close(plain.logits, logits, atol=1e-4, rtol=0)
        assert [m.bool().tolist() for m in out.run.masks] == [m.tolist() for m in masks]
        assert plain.alive.tolist() == out.alive.tolist()
        for ours, theirs in zip(out.run.importance, importance, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@NAMES
@EXECUTIONS
@pytest.mark.parametrize("rule", ["dense", "rising"])
def test_left_padding_is_the_sentence_alone(name, execution, rule):
    """Hugging Face's classifiers read column 0, so the reference is the sentence without padding."""
    model, lengths = wrapped(name), [8, 17, 23]
    batch = batch_of(name, lengths, side="left")
    with torch.no_grad():
        out = model(**batch, rule=RULES[rule], execution=execution)
        for row, length in enumerate(lengths):
            ids = batch["input_ids"][row : row + 1, -length:]
            logits, masks, _ = hugging_face(model.hf_model, RULES[rule], ids, torch.ones_like(ids))
            torch.testing.assert_close(out.logits[row], logits[0], atol=1e-4, rtol=0)
            for ours, theirs in some(zip(out.run.masks, masks, strict=True)):
                assert ours[row, -length:].bool().tolist() == theirs[0].tolist()


@NAMES
@EXECUTIONS
def test_embeddings_instead_of_ids(name, execution):
    """What captum passes: ``[1, n, E]``, with gradients; Hugging Face's own gradient is the reference."""
    model = wrapped(name)
    ids = batch_of(name, [11])["input_ids"]
    embeds = model.hf_model.get_input_embeddings()(ids).detach().requires_grad_()
    with torch.no_grad():
        expected = model(ids, rule=RISING, execution=execution)
        found = model(inputs_embeds=embeds, rule=RISING, execution=execution)
        assert found.alive.tolist() == expected.alive.tolist()
        torch.testing.assert_close(found.logits, expected.logits, atol=1e-5, rtol=0)
    theirs = model.hf_model(inputs_embeds=embeds).logits
    ours = model(inputs_embeds=embeds, rule=Dense(), execution=execution).logits
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    (wanted,) = torch.autograd.grad(theirs[0, 1], embeds)
    (gradient,) = torch.autograd.grad(ours[0, 1], embeds)
    assert wanted.abs().max() > 0.01
    torch.testing.assert_close(gradient, wanted, atol=1e-5, rtol=1e-4)


@NAMES
def test_a_training_step(name):
    """Dropout on, straight-through gates, a FLOPs target: gradients reach every threshold and weight."""
    hf = make(name)
    freeze_embeddings(hf)
    pruning = Pruning(target_flops=2.0, temperature=0.02, first_threshold=0.02, last_threshold=0.06)
    module = PruningModule(hf, pruning).train()
    module.budget.multiplier.fill_(1.0)
    weights = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=1e-2)
    before = module.thresholds.detach().clone()
    labels = torch.tensor([0, 2, 1])
    batch = batch_of(name, [9, 4, 23])
    out = module(**batch, labels=labels, teacher_logits=torch.zeros(3, 3))
    out["loss"].backward()
    assert torch.isfinite(out["loss"]) and out["flops"][1] < out["flops"][0]
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().max() > 0 for p in some(weights))
    assert (module.thresholds.grad != 0).all()
    optimizer.step()
    assert (module.thresholds != before).all()
    frozen = list(view_of(hf).encoder.embeddings.parameters())
    assert all(p.grad is None for p in some(frozen))


@pytest.mark.parametrize("name", ["modernbert", "modernbert-mean"])
def test_a_token_whose_whole_window_has_left_does_no_harm(name):
    """It sees nothing in the masked forward: 0 / 0, were it not seen to."""
    hf = make(name)
    pruning = Pruning(target_flops=2.0, temperature=0.02, first_threshold=1.0, last_threshold=1.0)
    module = PruningModule(hf, pruning)
    out = module(**batch_of(name, [23]), labels=torch.tensor([1]), teacher_logits=torch.zeros(1, 3))
    out["loss"].backward()
    grads = some(p.grad for p in module.parameters() if p.grad is not None)
    assert all(torch.isfinite(grad).all() for grad in some(grads)) and out["loss"].isfinite()


@NAMES
def test_save_and_load(name, tmp_path, make_tokenizer):
    # Words are 5 and above, padding is 0 or 1 to the model: the same numbers that the tokenizer has.
    model = PrunedModel(make(name), make_tokenizer(), RISING.values)
    model.save_pretrained(tmp_path)
    loaded = PrunedModel.from_pretrained(tmp_path)
    assert loaded.thresholds == model.thresholds
    assert type(loaded.hf_model) is type(model.hf_model)
    batch = batch_of(name, [9, 4, 15])
    with torch.no_grad():
        assert torch.equal(loaded(**batch).logits, model(**batch).logits)
    one, other = model.predict("a good film"), loaded.predict("a good film")
    assert other.probabilities == pytest.approx(one.probabilities, abs=1e-6)
    assert other.trace.tokens == one.trace.tokens == ("[CLS]", "a", "good", "film", "[SEP]")
    assert other.trace.alive == one.trace.alive


@NAMES
@pytest.mark.parametrize("rule", ["dense", "rising", "some_zero", "cls_only"])
@pytest.mark.parametrize("lengths", [[23], [9, 4, 15]])
@pytest.mark.parametrize("queries", [6, LONGEST])
def test_executed_flops_are_what_runs(name, rule, lengths, queries):
    model, rule, batch = wrapped(name), RULES[rule], batch_of(name, lengths)
    with torch.no_grad():
        alive = model(**batch, rule=rule, importance_queries=queries).alive.tolist()
        # The counter sees nothing inside fused attention, so it is opened up.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(**batch, rule=rule, importance_queries=queries)
    observed = observed_layers(rule, LAYERS)
    counts = zip(lengths, alive, strict=True)
    expected = sum(executed_flops(model.dimensions, n, kept, observed, queries) for n, kept in counts)
    assert counter.get_total_flops() == expected


@pytest.mark.parametrize(("name", "kinds"), [("deberta-v3", 2), ("deberta-keys-answer", 1)])
def test_what_a_layer_makes_of_the_table_of_distances_is_made_once(name, kinds):
    """It is no work on a text: the first call does it, and again the one after a change of the table."""
    model, batch = PrunedModel.wrap(make(name)), batch_of(name, [9, 4, 15])
    model.eval()
    size, rows = model.dimensions, sum(model.dimensions.distance_rows) // kinds

    def counted():
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(**batch, rule=RISING)
        return counter.get_total_flops()

    first, second = counted(), counted()
    assert first - second == LAYERS * kinds * 2 * rows * size.hidden**2
    with torch.no_grad():
        model.hf_model.base_model.encoder.rel_embeddings.weight.mul_(2)
        expected = model.hf_model(**batch).logits
        found = model(**batch, rule=Dense()).logits
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
        model.hf_model.base_model.encoder.LayerNorm.bias.add_(0.3)
        expected = model.hf_model(**batch).logits
        found = model(**batch, rule=Dense()).logits
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_a_convolution_that_we_would_misread_is_refused():
    sizes = {**MODELS["deberta-v2"][1], "conv_groups": 2}
    with pytest.raises(ValueError, match="cannot read this convolution"):
        PrunedModel.wrap(make("deberta-v2", **sizes))


@NAMES
def test_a_model_with_lora(name, tmp_path, make_tokenizer):
    plain = make(name)
    batch = batch_of(name, [9, 4, 15])
    with torch.no_grad():
        without = plain(**batch).logits
    # peft would add adapters to DistilBERT's pre_classifier, which it also trains as it is, and stumble.
    target = ["q_lin", "v_lin", "out_lin", "lin1", "lin2"] if name == "distilbert" else "all-linear"
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=2, target_modules=target, init_lora_weights=False)
    hf = get_peft_model(plain, config).eval()
    model = PrunedModel.wrap(hf, make_tokenizer())
    assert model.hf_model is hf and model.layers == LAYERS
    with torch.no_grad():
        expected = hf(**batch).logits
        assert (expected - without).abs().max() > 0.1  # the adapters do something
        removed = model(**batch, rule=RISING)
        masked = model(**batch, rule=RISING, execution="masked")
        dense = model(**batch, rule=Dense())
    torch.testing.assert_close(dense.logits, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(removed.logits, masked.logits, atol=1e-4, rtol=0)
    assert removed.alive.tolist() == masked.alive.tolist()

    model(**batch, rule=RISING, labels=torch.tensor([0, 1, 2])).loss.backward()
    adapters = [p for key, p in hf.named_parameters() if "lora_B" in key]
    own = len(modules_of(plain)[0])  # layers with weights of their own: ALBERT shares them
    assert len(adapters) >= 4 * own and all(torch.isfinite(p.grad).all() for p in some(adapters))
    assert sum(bool((p.grad != 0).any()) for p in adapters) >= 4 * own - 2

    model.save_pretrained(tmp_path)  # merged: a plain model
    assert any("lora" in key for key, _ in hf.named_parameters())  # but only in a copy
    loaded = PrunedModel.from_pretrained(tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(loaded(**batch, rule=RISING).logits, removed.logits, atol=1e-4, rtol=0)

    freeze_embeddings(hf)
    assert not any(p.requires_grad for p in some(view_of(hf).encoder.embeddings.parameters()))


@pytest.mark.parametrize("name", ["mpnet", "modernbert", "modernbert-mean", "deberta-v3"])
def test_a_bias_or_window_takes_the_models_type(name):
    model = PrunedModel.wrap(make(name).to(torch.bfloat16))  # compares with Hugging Face
    with torch.no_grad():
        out = model(**batch_of(name, [9, 4, 15]), rule=RISING)
    assert out.logits.dtype == torch.bfloat16 and torch.isfinite(out.logits).all()


@NAMES
def test_the_longest_text_is_the_last_position(name):
    model = wrapped(name)
    assert model.max_tokens == LONGEST and model.config.num_attention_heads == 4
    with torch.no_grad():
        model(**batch_of(name, [LONGEST]))  # there are positions for so many


def foreign(family):
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16}
    config = AutoConfig.for_model(family, vocab_size=9, max_position_embeddings=12, **sizes)
    return AutoModelForSequenceClassification.from_config(config)


@pytest.mark.parametrize(
    ("make_model", "says"),
    [
        (lambda: foreign("roberta-prelayernorm"), "cannot prune a 'roberta-prelayernorm' model"),
        (lambda: foreign("xlm-roberta-xl"), "cannot prune a 'xlm-roberta-xl' model"),
        (
            lambda: GPT2ForSequenceClassification(GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=9)),
            "cannot prune a 'gpt2' model",
        ),
        (
            lambda: DistilBertModel(make("distilbert").config),
            "DistilBertModel has no sequence-classification",
        ),
    ],
)
def test_what_cannot_be_pruned_is_told_what_can(make_model, says):
    with pytest.raises(ValueError, match=says) as refused:
        PrunedModel.wrap(make_model())
    line = str(refused.value)
    assert "\n" not in line
    assert all(family in line for family in FAMILIES)


@pytest.mark.parametrize(
    ("name", "attribute"), [("modernbert", "window"), ("mpnet", "bias"), ("deberta-v3", "bias")]
)
def test_a_misread_window_or_bias_is_seen(name, attribute, monkeypatch):
    wrong = {"window": None, "bias": lambda self, *heads_and_positions: None}[attribute]
    view = type(view_of(make(name)).layers[0])
    original = view.__init__

    def forgetful(self, *args):
        original(self, *args)
        if attribute == "window":
            self.window = wrong

    monkeypatch.setattr(view, "__init__", forgetful)
    if attribute == "bias":
        monkeypatch.setattr(view, "bias", wrong)
    with pytest.raises(ValueError, match="is not read correctly"):
        PrunedModel.wrap(make(name))
