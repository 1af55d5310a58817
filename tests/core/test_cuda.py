"""The same code on an NVIDIA GPU: what it computes there is what it computes on the processor.

These wait for a CUDA device. The logits of the two differ by the order of their sums, and a token whose
importance lies within that of a threshold may stay on one and leave on the other, so on real sentences the
tests allow some.
"""

from dataclasses import replace

import pytest
import torch

from ltp_core import Dense, PrunedModel
from ltp_core.calibration import calibrate
from ltp_core.checkpoints import usable_models
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows
from ltp_core.data.sentences import own_sentences
from ltp_core.results import processor, stamp
from ltp_core.speed import rounds as speed
from ltp_core.speed.peers import peers
from ltp_core.training.job import Pruning, Recipe
from ltp_core.training.objective import PruningModule
from ltp_core.training.rivals import LengthDropModule, TopKModule
from ltp_core.training.stages import train_pruned

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
]
TEXTS = ["the film was very good", "bad plot", "a good film and a good plot"]
PRUNING = Pruning(target_flops=1.6, temperature=0.02, threshold_rate=0.002, first_threshold=0.03)


@pytest.fixture(scope="module", params=sorted(usable_models()))
def both(request):
    """A shipped model on the processor and on the GPU."""
    here, there = (PrunedModel.from_pretrained(request.param) for _ in range(2))
    return here, there.to("cuda")


def test_shipped_models_remove_the_same_tokens(both):
    here, there = both
    (batch, _), (same_batch, _) = (model.encode(own_sentences()) for model in both)
    with torch.inference_mode():
        removed, masked = there(**same_batch), there(**same_batch, execution="masked")
        dense, expected = there(**same_batch, rule=Dense()), there.hf_model(**same_batch).logits
        on_cpu = here(**batch)
    torch.testing.assert_close(removed.logits, masked.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(dense.logits, expected, atol=1e-4, rtol=1e-4)
    same = (removed.alive.cpu() == on_cpu.alive).all(dim=-1)  # [B]: as many tokens left in each layer
    assert same.float().mean() > 0.95
    torch.testing.assert_close(removed.logits.cpu()[same], on_cpu.logits[same], atol=1e-3, rtol=1e-3)
    assert removed.alive[:, -1].sum() < 0.9 * batch["attention_mask"].sum()


def test_a_trace_is_the_same(both):
    here, there = both
    text = own_sentences()[0]
    one, two = (model.predict(text, attention_layer=1) for model in (here, there))
    assert one.label == two.label
    for ours, theirs in zip(one.trace.layers, two.trace.layers, strict=True):
        assert ours.kept == theirs.kept
        read = [place for place, importance in enumerate(ours.importance) if importance is not None]
        assert [theirs.importance[place] for place in read] == pytest.approx(
            [ours.importance[place] for place in read], abs=1e-5
        )


@pytest.mark.parametrize("stage", ["straight-through", "soft", "soft-output", "hard", "held"])
def test_a_training_step_has_the_same_gradients(tiny_bert, tokenizer, stage):
    batch, _ = PrunedModel(tiny_bert(num_labels=2), tokenizer).encode(TEXTS)
    extra = {"labels": torch.tensor([1, 0, 1]), "teacher_logits": torch.tensor([[0.0, 2], [1, 0], [0, 1]])}
    found = []
    for device in ("cpu", "cuda"):
        module = PruningModule(tiny_bert(num_labels=2), PRUNING, stage, (0.05, 0.08, 0.1)).to(device).eval()
        outputs = module(**{name: values.to(device) for name, values in {**batch, **extra}.items()})
        outputs["loss"].backward()
        gradients = {name: p.grad.cpu() for name, p in module.named_parameters() if p.grad is not None}
        found.append((outputs["loss"].detach().cpu(), outputs["kept"].cpu(), gradients))
    (loss, kept, ours), (other, others, theirs) = found
    torch.testing.assert_close(other, loss, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(others, kept, atol=1e-3, rtol=1e-3)
    assert ours.keys() == theirs.keys() and ours
    for name in ours:
        torch.testing.assert_close(theirs[name], ours[name], atol=1e-4, rtol=1e-3, msg=name)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_run_meets_its_target(tiny_bert, tokenizer, tmp_path, bfloat16):
    model = PrunedModel(tiny_bert(num_labels=2), tokenizer).to("cuda")
    rows = Rows(TEXTS * 16, [1, 0, 1] * 16)
    recipe = Recipe(epochs=2, learning_rate=1e-3, batch_size=8, max_tokens=32, bfloat16=bfloat16)
    pruning = replace(Pruning(target_flops=1.3), stages=("straight-through", "held"))
    trained = train_pruned(model, rows, rows, recipe, pruning, tmp_path)
    assert trained.device.type == "cuda"
    assert run_rows(trained, rows).flops_reduction == pytest.approx(1.3, rel=0.05)


@pytest.mark.parametrize("module", [TopKModule, LengthDropModule])
def test_rivals_train(tiny_bert, tokenizer, module):
    batch, _ = PrunedModel(tiny_bert(num_labels=2), tokenizer).encode(TEXTS)
    extra = {"labels": torch.tensor([1, 0, 1]), "teacher_logits": torch.zeros(3, 2)}
    student = module(tiny_bert(num_labels=2), PRUNING).to("cuda")
    outputs = student(**{name: values.to("cuda") for name, values in {**batch, **extra}.items()})
    outputs["loss"].backward()
    assert torch.isfinite(outputs["loss"])


def test_calibration_finds_thresholds(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(), tokenizer).to("cuda")
    assert calibrate(model, TEXTS, 1.1).found.thresholds


def test_the_same_code_runs_on_cuda(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(), tokenizer, [0.08, 0.12, 0.16])
    batch, _ = model.encode(TEXTS)
    with torch.inference_mode():
        expected = model(**batch)
        there = model.to("cuda")
        found = there(**batch.to("cuda"))
    torch.testing.assert_close(found.logits.cpu(), expected.logits, atol=1e-3, rtol=1e-3)
    assert torch.equal(found.alive.cpu(), expected.alive)
    rows = speed.time_rounds(there, there.learned_rule, [batch], peers(there, ["sdpa"]), runs=2, seconds=0)
    assert rows[0]["speedup"] > 0


def test_what_is_measured_there_names_the_gpu():
    assert processor(torch.device("cuda")) == torch.cuda.get_device_name()
    assert torch.cuda.get_device_name() in stamp(torch.device("cuda"))["machine"]
