"""Fewer bits: the copies are what they say, close to the original, and leave it as it was."""

import torch
from torch import nn

from ltp_core import Dense, PrunedModel
from ltp_core.speed.precision import bfloat16, dynamic_int8
from tests.some import some


def test_copies_in_fewer_bits(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(), tokenizer, thresholds=[0.02, 0.04, 0.06])
    batch, _ = model.encode(["a good film and a very bad plot"])
    batch = {**batch, "rule": Dense()}  # a rounded share may fall on the other side of a threshold
    with torch.no_grad():
        before = model(**batch).logits
        short, whole = bfloat16(model), dynamic_int8(model)
        for copy in (short, whole):  # random weights are wide, so 8 bits of them are coarse
            error = copy(**batch).logits.float() - before
            assert 0 < error.norm() < 0.5 * before.norm()
        assert torch.equal(model(**batch).logits, before)
    assert {p.dtype for p in short.hf_model.parameters()} == {torch.bfloat16}
    assert not any(type(module) is nn.Linear for module in some(whole.hf_model.modules()))
    assert any(type(module) is nn.Linear for module in model.hf_model.modules())
    assert short.thresholds == whole.thresholds == model.thresholds
