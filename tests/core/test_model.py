"""`PrunedModel`, the one thing users hold: calls, predictions, refusals, and that nothing is changed."""

import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
)

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.checkpoints import Settings
from ltp_core.flops import executed_flops, paper_flops
from tests.some import some

RULE = Thresholds([0.08, 0.12, 0.2])
SENTENCE = "the film was good and the plot of it was very bad"


def same(one, other):
    """Equal predictions, up to rounding in the probabilities and shares."""
    assert one.label == other.label
    assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)
    assert one.trace.tokens == other.trace.tokens
    assert [layer.kept for layer in one.trace.layers] == [layer.kept for layer in other.trace.layers]
    assert (one.flops, one.dense_flops, one.executed_flops) == (
        other.flops,
        other.dense_flops,
        other.executed_flops,
    )


# Calls


def test_the_call_of_the_contract(model, ragged_batch):
    out = model(**ragged_batch, token_type_ids=None, labels=torch.tensor([0, 2, 1]), rule=RULE)
    assert out.logits.shape == (3, 3)
    assert out.alive.shape == (3, 3) and out.alive.dtype == torch.long
    expected = -out.logits.log_softmax(-1)[torch.arange(3), torch.tensor([0, 2, 1])].mean()
    torch.testing.assert_close(out.loss, expected)
    assert model(**ragged_batch).loss is None


def test_no_rule_means_the_learned_thresholds(tiny_bert, ragged_batch):
    settings = Settings(reference_length=5)
    learned = PrunedModel(tiny_bert(), thresholds=[0.2, 0.3, 0.4], settings=settings)
    assert learned.thresholds == (0.2, 0.3, 0.4)
    with torch.no_grad():
        found = learned(**ragged_batch)
        expected = learned(**ragged_batch, rule=Thresholds([0.2, 0.3, 0.4], 5))
    assert torch.equal(found.logits, expected.logits)
    assert found.alive.tolist() == expected.alive.tolist() != [[9] * 3, [4] * 3, [13] * 3]


def test_no_thresholds_means_nothing_is_pruned(model, ragged_batch):
    assert model.thresholds is None
    assert model(**ragged_batch).alive.tolist() == [[9] * 3, [4] * 3, [13] * 3]


def test_no_attention_mask_means_all_are_real(model):
    ids = torch.tensor([[2, 10, 11, 3]])
    assert torch.equal(model(ids, rule=RULE).logits, model(ids, torch.ones_like(ids), rule=RULE).logits)


def test_a_call_changes_nothing(tiny_bert, tokenizer, ragged_batch):
    model = PrunedModel(tiny_bert(), tokenizer, RULE.values)
    before = copy.deepcopy(model.state_dict())
    inputs = copy.deepcopy(ragged_batch)
    for execution in ("removed", "masked"):
        model(**ragged_batch, rule=Thresholds([0.3] * 3), execution=execution)
    model.predict([SENTENCE, "bad"], rule=Dense(), attention_layer=2)
    assert model.thresholds == RULE.values
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in some(model.state_dict().items()))
    assert all(torch.equal(ragged_batch[name], inputs[name]) for name in some(inputs))
    assert not model.training and not model.hf_model.training
    assert all(p.grad is None and p.requires_grad for p in some(model.parameters()))


def test_gradients_flow_to_the_inputs_of_every_execution(model, ragged_batch):
    """Attribution needs them."""
    words = model.hf_model.bert.embeddings.word_embeddings(ragged_batch["input_ids"]).detach()
    for execution in ("removed", "masked"):
        embeds = words.clone().requires_grad_()
        mask = ragged_batch["attention_mask"]
        model(
            attention_mask=mask, inputs_embeds=embeds, rule=RULE, execution=execution
        ).logits.sum().backward()
        assert embeds.grad.isfinite().all() and embeds.grad[mask.bool()].any(-1).all()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"rule": Thresholds([0.1])}, "needs 3 thresholds; got 1"),
        ({"execution": "other"}, "execution must be"),
        ({"execution": "soft"}, "must be 'removed' or 'masked', got 'soft'"),
        ({"attention_layer": 0}, "layer 0 does not exist"),
        ({"attention_layer": 4}, "layers 1 to 3"),
        ({"inputs_embeds": torch.zeros(3, 13, 48)}, "either input_ids or inputs_embeds"),
        ({"input_ids": None}, "either input_ids or inputs_embeds"),
        ({"attention_mask": torch.zeros(3, 13, dtype=torch.long)}, "a real token in each row"),
        ({"attention_mask": torch.ones(3, 5, dtype=torch.long)}, "shape of the input"),
    ],
)
def test_bad_calls(model, ragged_batch, arguments, match):
    with pytest.raises(ValueError, match=match):
        model(**{**ragged_batch, **arguments})


# Predictions


def test_a_prediction(model):
    result = model.predict("a good film", rule=RULE)
    assert result.trace.tokens == ("[CLS]", "a", "good", "film", "[SEP]")
    assert result.trace.segments == (0,) * 5
    assert result.trace.truncated_tokens == 0
    assert result.value is None
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert list(result.probabilities) == ["LABEL_0", "LABEL_1", "LABEL_2"]
    assert result.label == max(result.probabilities, key=result.probabilities.get)
    with torch.no_grad():
        ids = model.tokenizer("a good film", return_tensors="pt")
        out = model(ids["input_ids"], rule=RULE)
    assert list(result.probabilities.values()) == pytest.approx(out.logits[0].softmax(-1).tolist(), abs=1e-5)
    assert result.trace.alive == tuple(out.alive[0].tolist())


def test_the_trace_says_what_the_run_did(model):
    result = model.predict(SENTENCE, rule=replace(RULE, values=(0.08, 0.0, 0.2)))
    tokens = len(result.trace.tokens)
    entering = (True,) * tokens
    for layer, theta in zip(result.trace.layers, (0.08, 0.0, 0.2), strict=True):
        assert layer.threshold == theta
        assert [share is not None for share in layer.importance] == list(entering)
        assert sum(share for share in layer.importance if share is not None) == pytest.approx(1, abs=1e-5)
        kept = [
            was and (place == 0 or share >= theta)
            for place, (share, was) in enumerate(zip(layer.importance, entering, strict=True))
        ]
        assert list(layer.kept) == kept
        entering = layer.kept
    assert 1 < result.trace.alive[2] < result.trace.alive[0] < tokens


def test_the_threshold_of_a_trace_is_what_the_share_was_compared_with(model):
    result = model.predict(SENTENCE, rule=Thresholds([0.4, 0.5, 0.6], reference_length=2))
    tokens = len(result.trace.tokens)
    assert 2 < result.trace.alive[1] < tokens  # what has left changes no threshold
    expected = [theta * 2 / tokens for theta in (0.4, 0.5, 0.6)]
    assert [layer.threshold for layer in result.trace.layers] == pytest.approx(expected)


def test_flops_of_a_prediction(model):
    result = model.predict(SENTENCE, rule=RULE)
    tokens = len(result.trace.tokens)
    assert result.flops == paper_flops(model.dimensions, tokens, result.trace.alive)
    assert result.dense_flops == paper_flops(model.dimensions, tokens, [tokens] * 3)
    assert result.executed_flops == executed_flops(model.dimensions, tokens, result.trace.alive, [True] * 3)
    assert result.flops_reduction == result.dense_flops / result.flops > 1
    assert model.predict(SENTENCE, rule=Dense()).flops_reduction == 1


def test_a_list_is_each_text_alone(model):
    texts = [SENTENCE, "bad", "a good film of it"]
    for together, text in zip(model.predict(texts, rule=RULE), texts, strict=True):
        same(together, model.predict(text, rule=RULE))


def test_pairs(model):
    pairs = [("good film", "bad"), (SENTENCE, "it was bad")]
    result = model.predict(pairs[0], rule=RULE)
    assert result.trace.tokens == ("[CLS]", "good", "film", "[SEP]", "bad", "[SEP]")
    assert result.trace.segments == (0, 0, 0, 0, 1, 1)
    for together, pair in zip(model.predict(pairs, rule=RULE), pairs, strict=True):
        same(together, model.predict(pair, rule=RULE))
    encoded = model.tokenizer(*pairs[0], return_tensors="pt")
    with torch.no_grad():  # the segments do reach the model
        expected = model.hf_model(**encoded).logits.softmax(-1)[0].tolist()
    found = model.predict(pairs[0], rule=Dense()).probabilities.values()
    assert list(found) == pytest.approx(expected, abs=1e-5)


def test_a_tokenizer_that_pads_on_the_left(model):
    texts = [("good film", "bad"), (SENTENCE, "it was bad")]
    expected = model.predict(texts, rule=RULE)
    model.tokenizer.padding_side = "left"
    for one, other in zip(model.predict(texts, rule=RULE), expected, strict=True):
        same(one, other)
        assert one.trace.segments == other.trace.segments


def test_the_attention_of_a_layer(model):
    result = model.predict(["bad film", SENTENCE], rule=RULE, attention_layer=2)[1]
    attention = result.trace.attention
    kept = result.trace.layers[0].kept
    assert attention.layer == 2
    assert attention.tokens == tuple(i for i, stays in enumerate(kept) if stays)
    heads = torch.tensor(attention.heads)
    assert heads.shape == (4, len(attention.tokens), len(attention.tokens))
    torch.testing.assert_close(heads.sum(-1), torch.ones(heads.shape[:2]))
    shares = [s for s in result.trace.layers[1].importance if s is not None]
    assert heads.mean(dim=(0, 1)).tolist() == pytest.approx(shares, abs=1e-6)
    assert model.predict(SENTENCE, rule=RULE).trace.attention is None


@pytest.mark.parametrize("execution_rule", [RULE, None])
def test_ten_thousand_words_are_cut_and_counted(model, execution_rule):
    result = model.predict("good " * 10_000, rule=execution_rule)
    assert len(result.trace.tokens) == model.max_tokens == 32
    assert result.trace.truncated_tokens == 10_002 - 32  # [CLS] and [SEP] are among both
    short, long = model.predict(["bad film", "good " * 50], rule=execution_rule)
    assert (short.trace.truncated_tokens, long.trace.truncated_tokens) == (0, 20)
    pair = model.predict(("good " * 20, "bad " * 30))
    assert pair.trace.truncated_tokens == 53 - 32


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t \r", "\x00\x01\x1b", "\u200b\u200e", ("", "good"), ("good", " ")]
)
def test_empty_texts(model, text):
    with pytest.raises(ValueError, match="empty"):
        model.predict(text)
    with pytest.raises(ValueError, match="empty"):
        model.predict([text, text])


def test_no_texts(model):
    with pytest.raises(ValueError, match="no text"):
        model.predict([])


@pytest.mark.parametrize("texts", [["good", ("a", "b")], [("a", "b"), "good"]])
def test_texts_and_pairs_in_one_list(model, texts):
    """They are refused: no text may be dropped or cut to a letter."""
    with pytest.raises(ValueError, match=r"give texts or pairs .* not both in one list"):
        model.predict(texts)


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        "👩\u200d👩\u200d👧 good",
        "שלום עולם",
        "مرحبا",
        "<img src=x onerror=alert(1)>",
        "![x](http://a.b)",
        "a\x00b",
        "é",
        "[SEP]",
    ],
)
@pytest.mark.parametrize("rule", [Dense(), RULE])
def test_odd_texts(model, text, rule):
    result = model.predict(text, rule=rule)
    assert result.trace.tokens[0] == "[CLS]" and result.trace.tokens[-1] == "[SEP]"
    assert len(result.trace.tokens) > 2
    assert sum(result.probabilities.values()) == pytest.approx(1)


def test_a_regression_has_a_value_and_no_label(tiny_bert, tokenizer, ragged_batch):
    hf = tiny_bert(num_labels=1)
    model = PrunedModel.wrap(hf, tokenizer)
    result = model.predict("a good film")
    encoded = tokenizer("a good film", return_tensors="pt")
    with torch.no_grad():
        assert result.value == pytest.approx(hf(**encoded).logits.item(), abs=1e-5)
        out = model(**ragged_batch, labels=torch.tensor([1.0, -2.0, 0.5]))
    assert (result.label, result.probabilities) == (None, {})
    expected = (out.logits.squeeze(-1) - torch.tensor([1.0, -2.0, 0.5])).square().mean()
    torch.testing.assert_close(out.loss, expected)


def test_names_of_the_labels(tiny_bert, tokenizer):
    names = {0: "negative", 1: "positive"}
    model = PrunedModel(tiny_bert(num_labels=2, id2label=names), tokenizer)
    assert list(model.predict("good").probabilities) == ["negative", "positive"]


def test_without_a_tokenizer_there_is_no_text(tiny_bert):
    with pytest.raises(ValueError, match="without a tokenizer"):
        PrunedModel(tiny_bert()).predict("good")


# Many users at once


@pytest.fixture
def impatient_threads():
    """Lets threads change places as often as they can, to find races."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_threads_with_other_thresholds_get_their_own_answers(model, ragged_batch, impatient_threads):
    rules = [Dense(), RULE, Thresholds([0.0, 0.0, 0.3]), Thresholds([1.0] * 3)]

    def call(rule):
        with torch.inference_mode():
            out = model(**ragged_batch, rule=rule)
        return out.logits.tolist(), out.alive.tolist()

    alone = [call(rule) for rule in rules]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(call, rules * 15))
    for found, expected in some(zip(together, alone * 15, strict=True)):
        assert found[1] == expected[1]
        assert found[0] == [pytest.approx(row, abs=1e-5) for row in expected[0]]


def test_threads_share_a_tokenizer(model, impatient_threads):
    """A fast tokenizer keeps padding and truncation as its own state: calls must not get each other's."""

    def call(text):
        batch, truncated = model.encode([text])
        return batch["input_ids"].shape[1], truncated

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(call, ["good " * 300, "bad film"] * 800))
    assert found == [(32, [270]), (4, [0])] * 800


# What is not wrapped


def test_an_unknown_family(tokenizer):
    config = GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=50, pad_token_id=0)
    with pytest.raises(ValueError, match=r"cannot prune a 'gpt2' model; known families: .*bert"):
        PrunedModel.wrap(GPT2ForSequenceClassification(config), tokenizer)


def test_a_model_without_the_head(tiny_bert):
    with pytest.raises(ValueError, match="no sequence-classification head"):
        PrunedModel.wrap(tiny_bert().bert)


@pytest.mark.parametrize("thing", [torch.nn.Linear(2, 2), None, "bert"])
def test_what_is_no_model(thing):
    with pytest.raises(ValueError, match="known families"):
        PrunedModel.wrap(thing)


class LouderForSequenceClassification(BertForSequenceClassification):
    """Looks like BERT, but is not read like one."""

    def forward(self, *args, **kwargs):
        out = super().forward(*args, **kwargs)
        out.logits = out.logits * 1.5
        return out


def test_a_lookalike_is_refused(tiny_bert):
    model = LouderForSequenceClassification(tiny_bert().config).eval()
    with pytest.raises(ValueError, match="LouderForSequenceClassification is not read correctly"):
        PrunedModel.wrap(model)


def test_a_causal_bert_is_refused(tiny_bert):
    with pytest.raises(ValueError, match="not read correctly"):
        PrunedModel.wrap(tiny_bert(is_decoder=True))


def test_a_freshly_initialised_lookalike_is_refused_too():
    """With Hugging Face's usual initialisation all logits are small, and so is every difference."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=99, hidden_size=48, num_attention_heads=4, num_hidden_layers=3)
    config.is_decoder = True
    with pytest.raises(ValueError, match="not read correctly"):
        PrunedModel.wrap(BertForSequenceClassification(config))


def test_the_wrong_number_of_learned_thresholds(tiny_bert):
    with pytest.raises(ValueError, match="needs 3 thresholds; got 2"):
        PrunedModel(tiny_bert(), thresholds=[0.1, 0.2])


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_wrapping_a_model_in_training_mode(tiny_bert, attention):
    """It is compared, and left, in evaluation mode: dropout must not make it look misread."""
    hf = tiny_bert(attn_implementation=attention).train()
    assert not PrunedModel.wrap(hf).training
