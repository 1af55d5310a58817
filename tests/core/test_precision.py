"""Fewer bits: the copies are what they say, close to the original, and leave it as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from ltp_core import Dense, PrunedModel
from ltp_core.data.rows import Rows
from ltp_core.speed.precision import bfloat16, dynamic_int8, measure_precision
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


def test_each_is_timed_at_the_target_and_scored_under_the_learned_thresholds(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(), tokenizer, thresholds=[0.02, 0.04, 0.06])
    texts = ["a good film", "a very bad plot", "it was so so", "the plot and the film"]
    said = []
    found = measure_precision(model, [8, 16], 1.3, Rows(texts, [0, 1, 2, 1]), said.append, seconds=0)
    assert [row["length"] for row in found["times"]] == [8, 16]
    for row in found["times"]:
        assert set(row["milliseconds"]) == {"float32", "bfloat16", "int8"}
        assert min(row["milliseconds"].values()) > 0
        assert row["flops_reduction"] == pytest.approx(1.3, rel=0.05)
    answers = [model.predict(text) for text in texts]
    labels = [list(answer.probabilities).index(answer.label) for answer in answers]
    plain = found["scores"]["float32"]
    assert plain["pruned"] == np.mean([a == b for a, b in zip(labels, [0, 1, 2, 1], strict=True)])
    assert (plain["metric"], plain["examples"]) == ("accuracy", 4)
    assert said[:2] == ["8 tokens, batch 1", "16 tokens, batch 1"] and set(found["scores"]) == set(
        row["milliseconds"]
    )
    assert measure_precision(model, [8], 1.3, seconds=0)["scores"] == {}


def test_precision_needs_thresholds(model):
    with pytest.raises(ValueError, match="precision needs thresholds to multiply"):
        measure_precision(model, [8], 1.3)
