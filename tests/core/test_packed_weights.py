"""Packed weights change nothing but the time, and never outlive the weights that they were made of."""

import copy
import io
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.architectures import onednn
from ltp_core.architectures.packed_weights import PackedLinear, PackedWeights, side_by_side

RULE = Thresholds([0.05, 0.06, 0.1])

if not torch.backends.mkldnn.is_available():
    pytest.skip("this PyTorch has no oneDNN, so nothing is packed", allow_module_level=True)


def packed_linears(model):
    return [module for module in model.modules() if isinstance(module, PackedLinear)]


def logits(model, batch, rule=RULE):
    with torch.inference_mode():
        return model(**batch, rule=rule).logits


def masked(model, batch, rule=RULE):
    """The reference, which always runs the model's own modules."""
    with torch.inference_mode():
        return model(**batch, rule=rule, execution="masked").logits


def test_large_linears_are_packed_and_shared_with_the_original(model):
    hf = model.hf_model
    with torch.no_grad():
        copied = PackedWeights().of(hf)
    assert len(packed_linears(copied)) == 6 * 3 + 1  # the pooler too; the classifier of 3 x 48 is too small
    assert not packed_linears(hf)  # Hugging Face's model is as it was
    assert {id(p) for p in copied.parameters()} == {id(p) for p in hf.parameters()}


def test_the_same_output(model, ragged_batch):
    x = torch.randn(7, 48)
    linear = model.hf_model.bert.encoder.layer[0].intermediate.dense
    with torch.no_grad():
        packed = PackedWeights().of(model.hf_model).bert.encoder.layer[0].intermediate.dense
        for rows in (x, x[:1], x.view(1, 7, 48), x[:0]):
            torch.testing.assert_close(packed(rows), linear(rows), atol=1e-5, rtol=0)
        assert packed(x.double().float().bfloat16().float()).shape == (7, 80)


def test_three_layers_as_one_product(model):
    """The outputs are each layer's own, and a hook on one of them is still called."""
    x, seen = torch.randn(7, 48), []
    hf = model.hf_model
    attention = hf.bert.encoder.layer[0].attention.self
    with torch.no_grad():
        expected = [layer(x) for layer in (attention.query, attention.key, attention.value)]
        for hooked in (False, True):
            if hooked:
                attention.key.register_forward_hook(lambda *call: seen.append(call[0]))
            packed = PackedWeights().of(hf).bert.encoder.layer[0].attention.self
            layers = (packed.query, packed.key, packed.value)
            for found, wanted in zip(side_by_side(x, *layers), expected, strict=True):
                torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
            assert (packed.query.joined is None) == hooked
    assert seen == [packed.key]


def test_not_where_gradients_are_wanted(model):
    assert PackedWeights().of(model.hf_model) is model.hf_model
    with torch.no_grad():
        assert PackedWeights().of(model.train().hf_model) is model.hf_model


def test_not_under_autocast(model, ragged_batch):
    """Which asks for products in half precision: a large layer's output is in it, as Hugging Face's is."""
    seen = []
    dense = model.hf_model.bert.encoder.layer[0].intermediate.dense
    dense.register_forward_hook(lambda layer, given, made: seen.append(made.dtype))
    logits(model, ragged_batch)
    with torch.autocast("cpu", torch.bfloat16):
        logits(model, ragged_batch)
    assert seen == [torch.float32, torch.bfloat16]


def test_it_is_made_once(model):
    weights = PackedWeights()
    with torch.no_grad():
        assert weights.of(model.hf_model) is weights.of(model.hf_model)


def halve_in_place(hf):
    with torch.no_grad():
        hf.bert.encoder.layer[1].output.dense.weight.mul_(0.5)


def take_a_step(hf):
    weight = hf.bert.encoder.layer[0].attention.self.value.weight
    weight.grad = torch.ones_like(weight)
    torch.optim.AdamW([weight], lr=0.1).step()
    weight.grad = None


def replace_a_weight(hf):
    linear = hf.bert.encoder.layer[2].intermediate.dense
    linear.weight = nn.Parameter(linear.weight.detach() * 0.5)


def write_to_a_bias(hf):
    """Query, key and value are one product, with one bias made of three."""
    with torch.no_grad():
        hf.bert.encoder.layer[1].attention.self.value.bias.add_(0.5)


def replace_a_bias(hf):
    linear = hf.bert.encoder.layer[1].attention.self.value
    linear.bias = nn.Parameter(linear.bias.detach() + 0.5)


def replace_a_small_module(hf):
    """One that is not packed itself."""
    hf.bert.encoder.layer[1].output.LayerNorm = nn.Identity()


def replace_a_module(hf):
    hf.bert.encoder.layer[2].intermediate.dense = nn.Linear(48, 80)


def load_other_weights(hf):
    hf.load_state_dict({name: value * 0.7 for name, value in hf.state_dict().items()})


def point_elsewhere(hf):
    linear = hf.bert.encoder.layer[0].output.dense
    linear.weight.data = linear.weight.detach() * 0.5


def hook_a_linear(hf):
    hf.bert.encoder.layer[0].attention.self.query.register_forward_hook(lambda *call: call[-1] * 0.5)


def lora(hf):
    get_peft_model(hf, LoraConfig(r=2, target_modules=["query", "dense"], init_lora_weights=False)).eval()


CHANGES = [
    halve_in_place,
    take_a_step,
    replace_a_weight,
    write_to_a_bias,
    replace_a_bias,
    replace_a_small_module,
    replace_a_module,
    load_other_weights,
    point_elsewhere,
    hook_a_linear,
    lora,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_model_is_packed_anew(model, ragged_batch, change):
    before = logits(model, ragged_batch)
    change(model.hf_model)
    after = logits(model, ragged_batch)
    assert (after - before).abs().max() > 1e-3
    torch.testing.assert_close(after, masked(model, ragged_batch), atol=1e-4, rtol=0)


def test_a_write_that_pytorch_does_not_notice_needs_eval(model, ragged_batch):
    before = logits(model, ragged_batch)
    model.hf_model.bert.encoder.layer[1].output.dense.weight.data.mul_(0.5)
    after = logits(model.eval(), ragged_batch)
    assert (after - before).abs().max() > 1e-3
    torch.testing.assert_close(after, masked(model, ragged_batch), atol=1e-4, rtol=0)


def test_adapters_that_are_switched_or_merged_are_seen(tiny_bert, ragged_batch):
    config = LoraConfig(r=2, target_modules=["query", "dense"], init_lora_weights=False)
    hf = get_peft_model(tiny_bert(), config).eval()
    hf.add_adapter("other", config)
    model = PrunedModel.wrap(hf)

    def agrees():
        found = logits(model, ragged_batch)
        torch.testing.assert_close(found, masked(model, ragged_batch), atol=1e-4, rtol=0)
        return found

    first = agrees()
    with hf.disable_adapter():
        assert (agrees() - first).abs().max() > 1e-3
    hf.set_adapter("other")
    assert (agrees() - first).abs().max() > 1e-3
    hf.set_adapter("default")
    hf.merge_adapter()
    torch.testing.assert_close(agrees(), first, atol=1e-4, rtol=0)
    hf.unmerge_adapter()
    torch.testing.assert_close(agrees(), first, atol=1e-4, rtol=0)


def test_weights_made_in_inference_mode(tiny_bert, ragged_batch):
    with torch.inference_mode():
        model = PrunedModel(tiny_bert())
        expected = masked(model, ragged_batch)
    torch.testing.assert_close(logits(model, ragged_batch), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_run_as_they_are(tiny_bert, ragged_batch, dtype):
    model = PrunedModel(tiny_bert().to(dtype))
    expected = masked(model, ragged_batch, Dense())
    assert logits(model, ragged_batch, Dense()).dtype == expected.dtype == dtype
    with torch.no_grad():
        assert not packed_linears(model._packed.of(model.hf_model))


def test_copies_and_saved_models_hold_no_packed_weights(model, ragged_batch):
    expected = logits(model, ragged_batch)
    keys = set(model.state_dict())
    assert keys == {f"hf_model.{name}" for name in model.hf_model.state_dict()}
    twin = copy.deepcopy(model)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    halve_in_place(model.hf_model)
    for other in (twin, torch.load(file, weights_only=False)):
        torch.testing.assert_close(logits(other, ragged_batch), expected)


def test_the_counter_sees_packed_products(model):
    with torch.no_grad():
        dense = PackedWeights().of(model.hf_model).bert.encoder.layer[0].intermediate.dense
        with FlopCounterMode(display=False) as counter:
            dense(torch.randn(2, 5, 48))
    assert isinstance(dense, PackedLinear)
    assert counter.get_total_flops() == 2 * 2 * 5 * 48 * 80


def test_this_pytorch_has_the_private_operators():
    """If this fails after an update of PyTorch, mend `onednn.py`; till then all is right, but slower."""
    assert onednn.missing() == [] and onednn.available()


@pytest.mark.parametrize("name", onednn.NAMES)
def test_without_one_of_them_the_model_runs_on_its_own_modules(name, tiny_bert, ragged_batch, monkeypatch):
    model = PrunedModel(tiny_bert())
    with torch.inference_mode():
        expected = model(**ragged_batch, rule=RULE).logits
        monkeypatch.setattr(onednn, "NAMES", (*onednn.NAMES, name + "_of_tomorrow"))
        assert onednn.missing() == [name + "_of_tomorrow"]
        packs = model._packed.of(model.hf_model)
        assert packs is model.hf_model
        found = model(**ragged_batch, rule=RULE).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_no_other_file_names_a_private_operator():
    root = Path(onednn.__file__).resolve().parents[1]
    naming = [file.name for file in root.rglob("*.py") if "torch.ops." in file.read_text(encoding="utf-8")]
    assert naming == ["onednn.py"]
