"""A base fine-tuned by thin factors: the same model, trained in few numbers, shipped small."""

import pytest
import torch
from transformers import BertConfig, BertModel

from ltp_core import PrunedModel, Thresholds
from ltp_core.bases import Base, CheckpointError, sha256
from ltp_core.training import low_rank
from ltp_core.training.low_rank import with_factors
from ltp_core.weights import deltas
from tests.some import some

pytest.importorskip("peft")


@pytest.fixture
def base(tiny_bert, tmp_path, monkeypatch):
    """The encoder of the tiny BERT, as a base."""
    model = tiny_bert()
    encoder = BertModel(BertConfig(**model.config.to_dict()))
    encoder.load_state_dict(model.bert.state_dict())
    encoder.save_pretrained(tmp_path / "base")
    monkeypatch.setattr(low_rank, "base_folder", lambda base: tmp_path / "base")
    return Base(
        "toy", "nobody/toy", "0", ("toy",), sha256(tmp_path / "base" / "model.safetensors"), "make toy"
    )


def test_a_fresh_model_answers_as_before_and_learns_factors_and_head_alone(base, tiny_bert, ragged_batch):
    model = with_factors(tiny_bert().eval(), base, rank=2)
    with torch.no_grad():
        torch.testing.assert_close(model(**ragged_batch).logits, tiny_bert().eval()(**ragged_batch).logits)
    learned = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert all("lora_" in name or "classifier" in name for name in some(learned))
    assert any("classifier" in name for name in learned) and any("intermediate" in name for name in learned)


def test_a_later_stage_goes_on_with_the_factors_of_the_earlier(base, tiny_bert, ragged_batch, tmp_path):
    first = with_factors(tiny_bert(), base, rank=2)
    with torch.no_grad():
        for name, weight in first.named_parameters():
            if "lora_B" in name:
                weight.copy_(0.1 * torch.randn_like(weight))
    PrunedModel(first).save_pretrained(tmp_path / "dense")  # merged: a plain folder
    dense = PrunedModel.from_pretrained(tmp_path / "dense").hf_model
    with torch.no_grad():
        expected = dense(**ragged_batch).logits.clone()
        again = with_factors(dense, base, rank=2).eval()
        torch.testing.assert_close(again(**ragged_batch).logits, expected, atol=1e-5, rtol=1e-5)
    found = {name: weight for name, weight in again.named_parameters() if "lora_" in name}
    assert all(weight.any() for weight in some(found.values())), (
        "the factors start from the difference, not from zero"
    )


def test_merged_answers_alike_by_plain_matrices_and_leaves_the_factors(base, tiny_bert, ragged_batch):
    model = PrunedModel(with_factors(tiny_bert(), base, rank=2).eval())
    factors = {name: weight for name, weight in model.hf_model.named_parameters() if "lora_B" in name}
    with torch.no_grad():
        for weight in some(factors.values()):
            weight.copy_(0.1 * torch.randn_like(weight))
        plain = model.merged()
        expected = model.hf_model(**ragged_batch).logits
        torch.testing.assert_close(plain.hf_model(**ragged_batch).logits, expected, atol=1e-5, rtol=1e-5)
    assert not any("lora" in name for name, _ in some([*plain.hf_model.named_modules()]))
    assert all(weight.any() for weight in some(factors.values())) and plain.merged() is plain


def test_what_was_trained_ships_as_factors(base, tiny_bert, ragged_batch, tmp_path):
    model = with_factors(tiny_bert(), base, rank=2)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    pruned, rule = PrunedModel(model), Thresholds([0.05, 0.05, 0.05])
    pruned.train()
    for _ in range(3):
        loss = pruned(
            **ragged_batch, labels=torch.tensor([0, 1, 1])[: len(ragged_batch["input_ids"])], rule=rule
        ).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    merged = pruned.hf_model.merge_and_unload()
    tuned = {name.removeprefix("bert."): weight for name, weight in merged.state_dict().items()}
    origin = {name.removeprefix("bert."): weight for name, weight in tiny_bert().bert.state_dict().items()}
    stored = deltas.encode(tuned, origin, deltas.low_rank(2))
    assert sum("left" in name for name in stored) == 3 * 6 + 1  # and the pooler
    again = deltas.decode(stored, origin)
    for name in tuned:
        torch.testing.assert_close(again[name], tuned[name], atol=1e-3, rtol=1e-3)


def test_without_peft(base, tiny_bert, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(CheckpointError, match=r"pip install 'ltp-lab\[base\]'"):
        with_factors(tiny_bert(), base, rank=2)
