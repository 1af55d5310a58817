"""Attributions against Hugging Face's own gradients and a plain Riemann sum; the model is left as found."""

import threading

import pytest
import torch

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.rules.frozen import Frozen, kept_sets
from ltp_core.why.attribution import Batch, attribute, attribute_batch, log_odds
from tests.some import some

TEXT = "a very good film and a bad plot"
RULE = Thresholds([0.05, 0.08, 0.1])


@pytest.fixture
def two_classes(tiny_bert, tokenizer):
    return PrunedModel(tiny_bert(num_labels=2), tokenizer, RULE.values)


def hugging_face_gradient(hf_model, batch, embeds):
    """Gradient of the difference of two logits, by Hugging Face's own forward: ``[1, n, E]``."""
    embeds = embeds.detach().requires_grad_()
    logits = hf_model(inputs_embeds=embeds, attention_mask=batch.mask, token_type_ids=batch.segments).logits
    return torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), embeds)[0]


def ends(model, batch, replacement):
    """Embeddings of the text, and of the text with each word replaced."""
    table = model.hf_model.get_input_embeddings()
    replaced = torch.where(batch.words, torch.full_like(batch.ids, replacement), batch.ids)
    return table(batch.ids).detach(), table(replaced).detach()


def test_integrated_gradients_are_the_integral_of_hugging_faces_gradients(two_classes):
    batch = Batch.of(two_classes.encode([TEXT])[0])
    text, masked = ends(two_classes, batch, two_classes.tokenizer.mask_token_id)
    points = 400
    total = sum(
        hugging_face_gradient(two_classes.hf_model, batch, masked + (i + 0.5) / points * (text - masked))
        for i in range(points)
    )
    expected = ((text - masked) * total / points).sum(dim=-1)[0]  # [n]
    found = attribute(two_classes, TEXT, label="LABEL_1", steps=64).dense
    torch.testing.assert_close(torch.tensor(found.values), expected, atol=2e-3, rtol=2e-2)
    assert found.values[0] == 0 and found.values[-1] == 0  # special tokens are in the baseline, too


def test_gradient_x_input_is_the_gradient_times_the_input(two_classes):
    batch = Batch.of(two_classes.encode([TEXT])[0])
    embeds, _ = ends(two_classes, batch, 0)
    expected = (embeds * hugging_face_gradient(two_classes.hf_model, batch, embeds)).sum(dim=-1)[0]
    found = attribute(two_classes, TEXT, "LABEL_1", "gradient_x_input").dense
    torch.testing.assert_close(torch.tensor(found.values), expected, atol=1e-4, rtol=1e-4)
    assert found.delta is None and found.converged is None


@pytest.mark.parametrize("baseline", ["mask", "pad", "zero"])
def test_attributions_are_complete_for_the_dense_and_the_frozen_model(two_classes, baseline):
    found = attribute(two_classes, TEXT, baseline=baseline)
    trace = found.trace
    assert min(trace.survived) < len(trace.layers)
    for scores in (found.dense, found.pruned):
        assert scores.converged
        change = scores.output - scores.baseline_output
        assert sum(scores.values) == pytest.approx(change, abs=0.02 * sum(map(abs, scores.values)))
    said = two_classes.predict(TEXT).probabilities
    odds = torch.tensor([said[found.label] / (1 - said[found.label])]).log()
    assert found.pruned.output == pytest.approx(float(odds), abs=1e-4)


def test_without_pruning_both_models_have_the_same_attributions(two_classes):
    found = attribute(two_classes, TEXT, rule=Dense())
    assert found.pruned.values == pytest.approx(found.dense.values, abs=1e-4)


def test_of_two_classes_one_has_the_opposite_of_the_other(two_classes):
    one, other = (attribute(two_classes, TEXT, label).pruned.values for label in ("LABEL_0", "LABEL_1"))
    assert one == pytest.approx([-value for value in other], abs=1e-4)


def test_a_token_that_leaves_in_the_first_layer_speaks_through_others_only(two_classes):
    """Frozen kept sets: removed execution has the gradient of the masked reference."""
    batch = Batch.of(two_classes.encode([TEXT])[0])
    embeds = two_classes.hf_model.get_input_embeddings()(batch.ids).detach()
    rule = Frozen(kept_sets(two_classes.predict(TEXT).trace))
    gradients = []
    for execution in ("removed", "masked"):
        x = embeds.clone().requires_grad_()
        out = two_classes(None, batch.mask, batch.segments, rule=rule, execution=execution, inputs_embeds=x)
        gradients.append(torch.autograd.grad(out.logits[:, 0].sum(), x)[0])
    torch.testing.assert_close(*gradients, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out.logits, two_classes(batch.ids, batch.mask, batch.segments).logits)


def test_a_batch_is_attributed_like_its_texts(model):
    texts = ["good film", TEXT]
    batch = Batch.of(model.encode(texts)[0])
    rule = RULE
    with torch.no_grad():
        masks = model(batch.ids, batch.mask, batch.segments, rule=rule).run.masks
    found = attribute_batch(model, batch, torch.stack(masks, dim=1), torch.tensor([2, 0]))
    for text, label, scores in zip(texts, ("LABEL_2", "LABEL_0"), found, strict=True):
        alone = attribute(model, text, label, rule=rule).pruned
        assert len(alone.values) == len(scores.values)
        assert scores.values == pytest.approx(alone.values, abs=0.02 * sum(map(abs, alone.values)))


def test_log_odds_by_hand():
    logits = torch.tensor([[0.6, 0.3, 0.1], [0.25, 0.25, 0.5]]).log() + 7  # a shift changes nothing
    found = log_odds(logits, torch.tensor([0, 2]))
    torch.testing.assert_close(found.exp(), torch.tensor([0.6 / 0.4, 1.0]))
    assert log_odds(torch.tensor([[2.5]]), torch.tensor([0])).tolist() == [2.5]


def test_a_regression_is_explained_in_its_own_unit(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(num_labels=1), tokenizer, RULE.values)
    found = attribute(model, ("good film", "bad plot"))
    assert found.label is None
    assert found.pruned.output == pytest.approx(model.predict(("good film", "bad plot")).value, abs=1e-5)


def test_many_threads_attribute_on_one_model_and_leave_it_as_it_was(two_classes):
    before = {name: value.clone() for name, value in two_classes.state_dict().items()}
    texts = [TEXT, "good film", "it was so bad", "the plot of the film was good"]
    expected = [attribute(two_classes, text).pruned.values for text in texts]
    found = [None] * len(texts)
    barrier = threading.Barrier(len(texts))

    def work(number):
        barrier.wait()
        with torch.inference_mode():  # as a server would have it
            found[number] = attribute(two_classes, texts[number]).pruned.values

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in some(zip(found, expected, strict=True)):
        assert one == pytest.approx(other, abs=1e-5)
    for name, value in some(two_classes.state_dict().items()):
        assert torch.equal(value, before[name])
    for module in some(two_classes.modules()):
        assert not module.training
        assert not module._forward_hooks and not module._forward_pre_hooks and not module._backward_hooks
    assert all(
        parameter.grad is None and parameter.requires_grad for parameter in some(two_classes.parameters())
    )


def test_bad_input_is_one_clear_line(two_classes, tiny_bert, tokenizer):
    with pytest.raises(ValueError, match="the text is empty"):
        attribute(two_classes, "  ")
    with pytest.raises(ValueError, match="there is no class 'happy'; there is: LABEL_0, LABEL_1"):
        attribute(two_classes, TEXT, "happy")
    with pytest.raises(ValueError, match="no method 'magic'; there is: integrated_gradients, gradient_x_"):
        attribute(two_classes, TEXT, method="magic")
    with pytest.raises(ValueError, match="from 1 to 256, got 0"):
        attribute(two_classes, TEXT, steps=0)
    with pytest.raises(ValueError, match="puts out a number, so there is no class 'good'"):
        attribute(PrunedModel(tiny_bert(num_labels=1), tokenizer), TEXT, "good")
