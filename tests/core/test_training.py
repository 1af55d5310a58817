"""Training: one step on paper, a whole tiny run, and resuming one that was killed."""

import json
import math
import subprocess
import sys
from copy import deepcopy
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from ltp_core import Dense, PrunedModel, Thresholds
from ltp_core.architectures import view_of
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import DataError, Rows
from ltp_core.forward.masked import hard_gate, padded_forward
from ltp_core.forward.output_masking import output_masked_forward
from ltp_core.run import Inputs, Run
from ltp_core.training.job import Pruning, Recipe
from ltp_core.training.loop import METRICS_FILE, Loop, last_complete_checkpoint
from ltp_core.training.objective import PruningModule, TaughtModule, distillation_loss, hidden_loss
from ltp_core.training.stages import (
    distillation_table,
    read_as,
    settled,
    teacher_logits,
    tokenized,
    train_dense,
    train_pruned,
)
from tests.some import some

RECIPE = Recipe(epochs=2, learning_rate=1e-3, batch_size=16, max_tokens=32, bfloat16=False)
PRUNING = Pruning(
    target_flops=1.6, temperature=0.2, threshold_rate=0.02, first_threshold=0.3, last_threshold=0.8
)
SHARES = PRUNING.in_unit(10)  # for rows of ten tokens


def toy_rows(count=96, seed=0):
    """Texts with "good" or "bad" somewhere among fillers: separable by that word."""
    rng = np.random.default_rng(seed)
    fillers = ["the", "a", "film", "plot", "it", "was", "very", "and", "of", "so"]
    labels = rng.integers(0, 2, count).tolist()
    texts = []
    for label in labels:
        words = rng.choice(fillers, rng.integers(6, 14)).tolist()
        words[rng.integers(len(words))] = "good" if label else "bad"
        texts.append(" ".join(words))
    return Rows(texts, labels)


@pytest.fixture
def toy(tiny_bert, tokenizer):
    """An untrained two-class model."""
    return PrunedModel(tiny_bert(num_labels=2), tokenizer)


def accuracy(model, rows, rule=None):
    return float((run_rows(model, rows, rule).logits.argmax(-1) == np.array(rows.labels)).mean())


# One step


def test_distillation_loss_on_paper():
    # KL((1/2 1/2) || (1/4 3/4)) = 1/2 log(2) + 1/2 log(2/3); a row that agrees adds nothing; mean over 2.
    logits = torch.tensor([[1 / 4, 3 / 4], [0.9, 0.1]]).log()
    teacher = torch.tensor([[1 / 2, 1 / 2], [0.9, 0.1]]).log()
    expected = (0.5 * math.log(2) + 0.5 * math.log(2 / 3)) / 2
    assert float(distillation_loss(logits, teacher)) == pytest.approx(expected, abs=1e-6)
    assert float(distillation_loss(torch.tensor([[1.0], [4.0]]), torch.tensor([[2.0], [4.0]]))) == 0.5


@pytest.mark.parametrize("labels", [2, 1])
def test_one_step(tiny_bert, ragged_batch, labels):
    module = PruningModule(tiny_bert(num_labels=labels), SHARES)
    module.budget.multiplier += 0.1
    gold = torch.tensor([0, 1, 0]) if labels == 2 else torch.tensor([0.0, 1.5, -1.0])
    out = module(**ragged_batch, labels=gold, teacher_logits=torch.zeros(3, labels))
    out["loss"].backward()
    assert out["loss"].isfinite()
    assert out["logits"].shape == (3, labels)
    dense, pruned = out["flops"].tolist()
    assert 1 < dense / pruned < 3
    assert module.thresholds.grad.isfinite().all() and (module.thresholds.grad != 0).all()
    assert all(
        grad.isfinite().all() for grad in some(p.grad for p in module.parameters() if p.grad is not None)
    )


def test_the_loss_is_the_weighted_sum(tiny_bert, ragged_batch):
    gold, teacher = torch.tensor([0, 1, 0]), torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    losses = {}
    for share in (0.0, 0.25, 1.0):
        module = PruningModule(tiny_bert(num_labels=2), replace(SHARES, distill=share)).eval()
        losses[share] = float(module(**ragged_batch, labels=gold, teacher_logits=teacher)["loss"].detach())
    assert losses[0.25] == pytest.approx(0.75 * losses[0.0] + 0.25 * losses[1.0], rel=1e-5)
    with torch.no_grad():
        rule = Thresholds(module.learned())
        logits = PrunedModel(tiny_bert(num_labels=2))(**ragged_batch, rule=rule).logits
    task = -logits.log_softmax(-1)[torch.arange(3), gold].mean()
    assert losses[0.0] == pytest.approx(float(task), abs=1e-4)


def test_thresholds_start_rising_and_are_never_reported_negative(tiny_bert):
    module = PruningModule(tiny_bert(), SHARES)
    assert module.learned() == pytest.approx((0.03, 0.055, 0.08))
    with torch.no_grad():
        module.thresholds[0] = -0.01
    assert module.learned() == pytest.approx((0, 0.055, 0.08))


def test_hard_pruning_trains_on_what_is_left_with_the_gradients_of_the_masked_forward(
    tiny_bert, ragged_batch
):
    """Tokens that left are not computed, so this is another path than the padded one."""
    gold, teacher = torch.tensor([0, 1, 0]), torch.zeros(3, 2)
    removed, masked = tiny_bert(num_labels=2), tiny_bert(num_labels=2)
    module = PruningModule(removed, replace(SHARES, distill=0.0), "hard").eval()
    out = module(**ragged_batch, labels=gold, teacher_logits=teacher)
    out["loss"].backward()
    inputs = Inputs(ragged_batch["input_ids"], ragged_batch["attention_mask"])
    run = padded_forward(view_of(masked.eval()), inputs, hard_gate(Thresholds(module.learned())))
    cross_entropy(run.logits, gold).backward()
    torch.testing.assert_close(out["logits"], run.logits, atol=1e-4, rtol=0)
    assert out["kept"].tolist()[1:] == [float(mask.sum()) for mask in run.masks]
    assert out["kept"][-1] < out["kept"][0]
    for (name, own), other in zip(removed.named_parameters(), masked.parameters(), strict=True):
        zero = torch.zeros_like(own)
        grads = [zero if p.grad is None else p.grad for p in (own, other)]
        torch.testing.assert_close(*grads, atol=1e-5, rtol=1e-3, msg=name)


@pytest.mark.parametrize("stage", ["straight-through", "hard", "held"])
@pytest.mark.parametrize("hidden", [0.0, 1.0])  # with it, tokens are masked instead of removed
def test_stages_honour_reference_length_and_sampled_queries(tiny_bert, ragged_batch, stage, hidden):
    """What a stage runs is the finished model's own reading: the masked reference with its settings."""
    reading = {"thresholds": (0.06, 0.08, 0.1), "reference_length": 7, "importance_queries": 5}
    pruning = replace(SHARES, **reading, distill_hidden=hidden)
    teacher = tiny_bert(num_labels=2)
    module = PruningModule(tiny_bert(num_labels=2), pruning, stage, teacher=teacher).eval()
    out = module(**ragged_batch, labels=torch.tensor([0, 1, 0]), teacher_logits=torch.zeros(3, 2))
    finished = read_as(PrunedModel(module.hf_model, thresholds=module.learned()), pruning)
    with torch.no_grad():
        expected, plain = (
            finished(**ragged_batch, execution="masked", importance_queries=k) for k in (None, "all")
        )
    torch.testing.assert_close(out["logits"], expected.logits, atol=1e-4, rtol=0)
    assert out["kept"].tolist()[1:] == expected.alive.sum(dim=0).tolist()
    assert (out["logits"] - plain.logits).abs().max() > 1e-3  # the sample does matter here


@pytest.mark.parametrize("stage", ["straight-through", "soft", "soft-output", "hard", "held"])
def test_spared_layers_keep_all_and_learn_nothing(tiny_bert, ragged_batch, stage):
    pruning = replace(SHARES, spared_layers=1, thresholds=(0.5, 0.09, 0.12))
    module = PruningModule(tiny_bert(num_labels=2), pruning, stage).eval()
    out = module(**ragged_batch, labels=torch.tensor([0, 1, 0]), teacher_logits=torch.zeros(3, 2))
    tokens, first, second, _ = out["kept"].tolist()
    assert tokens == first > second
    assert module.learned() == pytest.approx((0, 0.09, 0.12))
    if stage not in ("hard", "held"):
        out["loss"].backward()
        assert module.thresholds.grad[0] == 0 != module.thresholds.grad[1]


def test_the_thresholds_have_a_learning_rate_of_their_own_and_no_decay(toy, tmp_path):
    module = PruningModule(toy.hf_model, SHARES)
    rows = toy_rows(8)
    table = tokenized(toy, rows, 32).add_column("teacher_logits", [[0.0, 0.0]] * 8)
    groups = Loop(module, table, toy.tokenizer, RECIPE, tmp_path).create_optimizer().param_groups
    assert [(g["lr"], g["weight_decay"]) for g in groups] == [(1e-3, 0.01), (1e-3, 0.0), (2e-3, 0.0)]
    assert groups[2]["params"] == [module.thresholds]
    assert sum(len(g["params"]) for g in groups) == len(list(module.parameters()))


def test_tokenized(toy):
    table = tokenized(toy, Rows(["a good film", "bad " * 40], [1, 0]), 8)
    assert table["input_ids"][0] == toy.tokenizer("a good film")["input_ids"]
    assert [len(ids) for ids in table["input_ids"]] == [5, 8]
    assert table["labels"][:] == [1, 0]
    pairs = tokenized(toy, Rows([("good", "bad")], [1]), 8)
    assert pairs["token_type_ids"][0] == [0, 0, 0, 1, 1]


# Whole runs


def test_dense_training_learns_and_leaves_the_embeddings(toy, tmp_path):
    before = {n: p.clone() for n, p in toy.hf_model.bert.embeddings.state_dict().items()}
    rows = toy_rows(128)
    train_dense(toy, rows, replace(RECIPE, epochs=15, learning_rate=2e-3), tmp_path)
    assert accuracy(toy.eval(), rows) > 0.95
    after = toy.hf_model.bert.embeddings.state_dict()
    assert all(torch.equal(after[name], value) for name, value in some(before.items()))


@pytest.fixture
def trained(toy, tmp_path):
    tuning = toy_rows(40, seed=1)
    model = train_pruned(toy, toy_rows(), tuning, RECIPE, PRUNING, tmp_path)
    return model, tuning, tmp_path


def test_pruned_training_meets_its_target(trained):
    model, tuning, folder = trained
    assert len(model.thresholds) == 3 and all(theta >= 0 for theta in some(model.thresholds))
    encoded = model.tokenizer(list(toy_rows().texts))["input_ids"]
    assert model.settings.temperature == pytest.approx(0.2 * len(encoded) / sum(map(len, encoded)))
    assert not model.training
    assert run_rows(model, tuning).flops_reduction == pytest.approx(1.6, rel=0.05)
    log = [json.loads(line) for line in (folder / "straight-through" / METRICS_FILE).read_text().splitlines()]
    assert log[-1]["step"] == 12  # 96 rows, 16 a step, twice
    assert len(log[-1]["thresholds"]) == 3
    assert log[-1]["flops_reduction"] > 1
    assert log[0]["kept_per_layer"] == sorted(log[0]["kept_per_layer"], reverse=True)


def test_a_target_in_another_unit_is_met_too(toy, tmp_path):
    tuning = toy_rows(40, seed=1)
    pruning = replace(PRUNING, reference_length=6, importance_queries=4)
    model = train_pruned(toy, toy_rows(), tuning, RECIPE, pruning, tmp_path)
    assert (model.settings.reference_length, model.settings.importance_queries) == (6, 4)
    assert run_rows(model, tuning).flops_reduction == pytest.approx(1.6, rel=0.05)


def test_the_papers_penalty_prunes(toy, tmp_path):
    pruning = replace(PRUNING, target_flops=None, penalty=0.5)
    model = train_pruned(toy, toy_rows(48), toy_rows(8, seed=1), RECIPE, pruning, tmp_path)
    assert run_rows(model, toy_rows(8, seed=1)).flops_reduction > 1


def test_the_papers_penalty_settles_nothing(toy):
    theta = (0.02, 0.05, 0.11)
    given = settled(toy, theta, toy_rows(8), replace(PRUNING, target_flops=None, penalty=0.5))
    assert given.thresholds == theta
    met = settled(toy, theta, toy_rows(8), PRUNING).thresholds
    factors = [one / other for one, other in zip(met, theta, strict=True)]
    assert factors == pytest.approx([factors[0]] * 3) and abs(factors[0] - 1) > 0.01  # a target does


def test_a_target_that_cannot_be_reached(toy):
    with pytest.raises(ValueError, match="cannot be reached: the ceiling is"):
        settled(toy, [0.1, 0.1, 0.1], toy_rows(8), replace(PRUNING, target_flops=500.0))


def test_a_target_without_tuning_rows_is_refused(toy):
    """Else the thresholds would be scaled by whatever the search ends at."""
    with pytest.raises(DataError, match="there are no rows to run"):
        settled(toy, [0.1, 0.1, 0.1], Rows([], []), PRUNING)


def test_short_rows_can_be_left_out(toy, tmp_path):
    rows = Rows(["good"] * 20 + ["the film was so very bad"] * 20, [1] * 20 + [0] * 20)
    with pytest.raises(DataError, match="no training row has 30 tokens"):
        train_pruned(toy, rows, rows, RECIPE, replace(PRUNING, shortest=30), tmp_path)
    train_pruned(toy, rows, rows, RECIPE, replace(PRUNING, shortest=5, target_flops=1.1), tmp_path)
    (teacher,) = tmp_path.glob("teacher-*.npy")
    assert len(np.load(teacher)) == 20


def test_a_regression_trains(tiny_bert, tokenizer, tmp_path):
    model = PrunedModel(tiny_bert(num_labels=1), tokenizer)
    rows = toy_rows(32)
    rows = Rows(rows.texts, [float(label) for label in rows.labels])
    train_dense(model, rows, replace(RECIPE, epochs=1), tmp_path / "dense")
    found = train_pruned(model.eval(), rows, rows, replace(RECIPE, epochs=1), PRUNING, tmp_path / "pruned")
    assert run_rows(found, rows).flops_reduction == pytest.approx(1.6, rel=0.05)


def test_the_teacher_is_asked_once(toy, tmp_path):
    rows = toy_rows(10)
    first = teacher_logits(toy, rows.texts, 32, tmp_path)
    np.testing.assert_allclose(first, run_rows(toy, rows, Dense()).logits, atol=1e-5)
    with torch.no_grad():
        toy.hf_model.classifier.weight.zero_()
    assert np.array_equal(teacher_logits(toy, rows.texts, 32, tmp_path), first)


@pytest.mark.parametrize("steep", [1e-4, 1e3])
def test_a_gradient_of_thresholds_is_at_most_one_long(tiny_bert, steep):
    """As it comes where it is short, else scaled: the direction is what a loss says."""
    module = PruningModule(tiny_bert(), SHARES)
    slope = torch.tensor([2.0, -1.0, 2.0])
    (module.thresholds * slope * steep).sum().backward()
    torch.testing.assert_close(module.thresholds.grad, slope * steep if steep < 1 else slope / 3)


def test_labels_alone_ask_no_teacher(toy, tmp_path):
    """And learn what they learn beside one whose answers count for nothing."""
    rows, alone = toy_rows(32), replace(PRUNING, distill=0.0)
    asked = deepcopy(toy)
    table = distillation_table(toy, rows, RECIPE, alone, tmp_path)
    assert not list(tmp_path.iterdir())
    teacher = teacher_logits(asked, rows.texts, RECIPE.max_tokens, tmp_path)
    module, inputs = TaughtModule(toy.hf_model, alone), Inputs(**toy.encode(rows.texts, RECIPE.max_tokens)[0])
    run, gold = module.under(inputs, Dense()), torch.tensor(rows.labels)
    losses = [
        float(module.taught(run, inputs, gold, torch.tensor(said)).detach())
        for said in (list(table["teacher_logits"]), teacher.tolist())
    ]
    assert losses[0] == losses[1] == pytest.approx(float(cross_entropy(run.logits, gold).detach()))


def test_a_teacher_in_bfloat16_says_nearly_the_same(toy, tmp_path):
    texts = [*toy_rows(10).texts, "a good film and a good plot"]
    exact = teacher_logits(toy, texts, 32, tmp_path)
    rough = teacher_logits(toy, texts, 32, tmp_path, bfloat16=True)
    assert not np.array_equal(rough, exact), "the answers in float32 were taken, or nothing was rounded"
    np.testing.assert_allclose(rough, exact, atol=0.02 * np.abs(exact).max())


def test_the_teacher_of_other_texts_or_lengths_is_not_taken(toy, tmp_path):
    texts = ["a good film and a good plot", "bad"]
    whole = teacher_logits(toy, texts, 32, tmp_path)
    cut = teacher_logits(toy, texts, 5, tmp_path)
    other = teacher_logits(toy, ["a bad film", "bad"], 32, tmp_path)
    np.testing.assert_allclose(
        cut, run_rows(toy, Rows(["a good film", "bad"], []), Dense()).logits, atol=1e-5
    )
    assert not np.allclose(whole[0], cut[0]) and not np.allclose(whole[0], other[0])


def test_unlabelled_texts_take_the_place_of_made_up_ones(toy, tmp_path):
    rows, pruning = toy_rows(8), replace(PRUNING, augment=0.5)
    table = distillation_table(toy, rows, RECIPE, pruning, tmp_path / "work", ["good film"])
    texts = toy.tokenizer.batch_decode(table["input_ids"][8:], skip_special_tokens=True)
    assert len(table) == 12 and set(texts) == {"good film"}


def test_pairs_can_be_augmented(toy, tmp_path):
    pairs = Rows(
        [("the film was good", "it was so very good")] * 8 + [("a plot", "bad film")] * 8, [1, 0] * 8
    )
    model = train_pruned(toy, pairs, pairs, RECIPE, replace(PRUNING, augment=0.5, target_flops=1.2), tmp_path)
    assert run_rows(model, pairs).flops_reduction == pytest.approx(1.2, rel=0.05)
    (teacher,) = tmp_path.glob("teacher-*.npy")
    assert len(np.load(teacher)) == 24


def test_a_loss_that_is_no_number_stops_the_run(toy, tmp_path):
    with torch.no_grad():
        toy.hf_model.classifier.bias.fill_(math.nan)
    with pytest.raises(ValueError, match="loss is no longer a number"):
        train_dense(toy, toy_rows(16), RECIPE, tmp_path)


@pytest.mark.parametrize(
    "stages", [("soft",), ("hard",), ("soft-output", "hard"), ("straight-through", "held")]
)
def test_other_stages_meet_the_target_too(toy, tmp_path, stages):
    tuning = toy_rows(40, seed=1)
    model = train_pruned(toy, toy_rows(64), tuning, RECIPE, replace(PRUNING, stages=stages), tmp_path)
    assert run_rows(model, tuning).flops_reduction == pytest.approx(1.6, rel=0.05)
    steps = 8 // len(stages)  # 64 rows, 16 a step, twice: shared out
    for stage in stages:
        log = [json.loads(line) for line in (tmp_path / stage / METRICS_FILE).read_text().splitlines()]
        assert log[-1]["step"] == steps


def test_hard_pruning_leaves_given_thresholds_alone(toy, tmp_path):
    given = (0.02, 0.05, 0.1)
    pruning = replace(PRUNING, stages=("hard",), thresholds=given, target_flops=None)
    before = toy.hf_model.classifier.weight.clone()
    model = train_pruned(toy, toy_rows(32), toy_rows(8, seed=1), RECIPE, pruning, tmp_path)
    assert model.thresholds == pytest.approx(given)
    assert not torch.equal(model.hf_model.classifier.weight, before)


def test_held_flops_move_given_thresholds_by_one_factor(toy, tmp_path):
    given = (0.0, 0.05, 0.1)
    pruning = replace(PRUNING, stages=("held",), thresholds=given, target_flops=None)
    model = train_pruned(toy, toy_rows(64), toy_rows(8, seed=1), RECIPE, pruning, tmp_path)
    factors = [ours / theirs for ours, theirs in zip(model.thresholds[1:], given[1:], strict=True)]
    assert model.thresholds[0] == 0
    assert factors[0] == pytest.approx(factors[1])
    log = [json.loads(line) for line in (tmp_path / "held" / METRICS_FILE).read_text().splitlines()]
    assert log[-1]["factor"] == pytest.approx(factors[0]) != 1


def test_a_temperature_can_fall(tiny_bert):
    module = PruningModule(tiny_bert(), replace(SHARES, temperature=0.08, last_temperature=0.02))
    found = []
    for done in (0.0, 0.5, 1.0):
        module.anneal(done)
        found.append(module.temperature)
    assert found == pytest.approx([0.08, 0.04, 0.02])


def test_the_papers_masks_scale_outputs_and_leave_attention(tiny_bert, ragged_batch):
    """With gates of one half at layer 1 and open ones after it, against Hugging Face's own layers."""
    hf_model = tiny_bert().eval()
    gate = lambda importance, mask, layer, carry: (mask * (0.5 if layer == 1 else 1.0), carry)  # noqa: E731
    run = output_masked_forward(view_of(hf_model), Inputs(**ragged_batch), gate)
    half = {}

    def hook(layer, arguments, output):
        hidden = output[0] if isinstance(output, tuple) else output
        scale = torch.full_like(hidden, 0.5)
        scale[:, 0] = 1  # [CLS] is not scaled
        half["hidden"] = hidden * scale
        return (half["hidden"], *output[1:]) if isinstance(output, tuple) else half["hidden"]

    handle = hf_model.bert.encoder.layer[0].register_forward_hook(hook)
    expected = hf_model(**ragged_batch).logits
    handle.remove()
    torch.testing.assert_close(run.logits, expected, atol=1e-4, rtol=0)
    assert all(
        torch.equal(mask[:, 1:], 0.5 * ragged_batch["attention_mask"][:, 1:]) for mask in some(run.masks)
    )


def test_hidden_states_are_compared_where_tokens_are_left():
    own = torch.tensor([[[1.0, 1.0], [3.0, 3.0], [9.0, 9.0]]])  # [1, 3, 2]
    run = Run(torch.zeros(1, 2), (torch.tensor([[1.0, 0.5, 0.0]]),), (None,), hidden=(own,))
    teacher = Run(torch.zeros(1, 2), (torch.ones(1, 3),), (None,), hidden=(torch.zeros(1, 3, 2),))
    # (1 * 1 + 0.5 * 9 + 0 * 81) / 1.5
    assert float(hidden_loss(run, teacher)) == pytest.approx(5.5 / 1.5)


def test_distilled_hidden_states_come_nearer(tiny_bert, ragged_batch):
    teacher, student = tiny_bert(num_labels=2), tiny_bert(num_labels=2, seed=1)
    module = PruningModule(student, replace(SHARES, distill_hidden=1.0), teacher=teacher)
    without = PruningModule(student, SHARES)
    batch = {**ragged_batch, "labels": torch.tensor([0, 1, 0]), "teacher_logits": torch.zeros(3, 2)}
    difference = float((module(**batch)["loss"] - without(**batch)["loss"]).detach())
    assert difference > 0.01
    assert not any(name.startswith("_teacher") for name in some(module.state_dict()))
    assert all(parameter.grad is None for parameter in some(teacher.parameters()))
    same = PruningModule(teacher, replace(SHARES, distill_hidden=1.0, thresholds=(0, 0, 0)), teacher=teacher)
    alone = PruningModule(teacher, replace(SHARES, thresholds=(0, 0, 0)))
    assert float(same(**batch)["loss"]) == pytest.approx(float(alone(**batch)["loss"]), abs=1e-5)


# Resuming


def checkpoint(folder, step, state):
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"x")
    if state is not None:
        (path / "trainer_state.json").write_text(state)
    return path


def test_half_written_checkpoints_are_removed(tmp_path):
    assert last_complete_checkpoint(tmp_path / "nowhere") is None
    assert last_complete_checkpoint(tmp_path) is None
    good = checkpoint(tmp_path, 250, "{}")
    half = checkpoint(tmp_path, 500, None)
    broken = checkpoint(tmp_path, 1000, '{"global_step": 10')
    assert last_complete_checkpoint(tmp_path) == str(good)
    assert good.exists() and not half.exists() and not broken.exists()


def test_no_complete_checkpoint_means_from_the_start(tmp_path):
    checkpoint(tmp_path, 250, "")
    assert last_complete_checkpoint(tmp_path) is None
    assert not list(tmp_path.iterdir())


KILLED = """
import json, os, signal, sys
from pathlib import Path
from ltp_core import PrunedModel
from ltp_core.data.rows import Rows
from ltp_core.training.job import Pruning, Recipe
from ltp_core.training.loop import Loop
from ltp_core.training.stages import train_pruned

home = Path(sys.argv[1])
job = json.loads((home / "job.json").read_text())
step, calls = Loop.compute_loss, []

def dying(self, *args, **kwargs):
    calls.append(1)
    if len(calls) > job["kill_after"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, *args, **kwargs)

Loop.compute_loss = dying
train_pruned(PrunedModel.from_pretrained(home / "dense"), Rows(**job["rows"]), Rows(**job["tuning"]),
             Recipe(**job["recipe"]), Pruning(**job["pruning"]), home / "run")
"""


def test_an_epoch_that_was_interrupted_goes_on_in_its_order(toy, tmp_path, monkeypatch):
    recipe = replace(RECIPE, epochs=3, save_steps=4)
    toy.save_pretrained(tmp_path / "base")
    step, seen = Loop.compute_loss, []

    def watched(self, model, inputs, *args, **kwargs):
        if len(seen) == stop_at:
            raise KeyboardInterrupt
        seen.append((self.state.epoch, inputs["input_ids"]))
        return step(self, model, inputs, *args, **kwargs)

    def batches(folder):
        seen.clear()
        model = PrunedModel.from_pretrained(tmp_path / "base")
        train_dense(model, toy_rows(), recipe, tmp_path / folder)
        return model, [ids for _, ids in seen]

    monkeypatch.setattr(Loop, "compute_loss", watched)
    stop_at = None
    model, whole = batches("whole")
    stop_at = 11  # in the second of three epochs, after the checkpoint at 8
    with pytest.raises(KeyboardInterrupt):
        batches("killed")
    stop_at = None
    resumed, rest = batches("killed")
    assert len(whole) == 18 and len(rest) == 10
    assert all(torch.equal(*pair) for pair in some(zip(whole[8:], rest, strict=True)))
    for name, weight in model.hf_model.state_dict().items():
        torch.testing.assert_close(resumed.hf_model.state_dict()[name], weight, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_thresholds(toy, tmp_path, monkeypatch):
    recipe = replace(RECIPE, save_steps=4)  # an epoch has six: the second one is interrupted
    rows, tuning = toy_rows(), toy_rows(40, seed=1)
    toy.save_pretrained(tmp_path / "dense")
    whole = train_pruned(
        PrunedModel.from_pretrained(tmp_path / "dense"), rows, tuning, recipe, PRUNING, tmp_path / "whole"
    )

    job = {
        "rows": asdict(rows),
        "tuning": asdict(tuning),
        "recipe": asdict(recipe),
        "pruning": asdict(PRUNING),
    }
    (tmp_path / "job.json").write_text(json.dumps({**job, "kill_after": 11}))
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    assert last_complete_checkpoint(tmp_path / "run" / "straight-through" / "checkpoints").endswith(
        "checkpoint-8"
    )

    steps, step = [], Loop.compute_loss
    monkeypatch.setattr(Loop, "compute_loss", lambda *a, **k: steps.append(1) or step(*a, **k))
    dense = PrunedModel.from_pretrained(tmp_path / "dense")
    resumed = train_pruned(dense, rows, tuning, recipe, PRUNING, tmp_path / "run")
    assert len(steps) == 4  # of 12: the first eight were not run again
    assert resumed.thresholds == pytest.approx(whole.thresholds, rel=1e-5)
    for name, weight in whole.hf_model.state_dict().items():
        torch.testing.assert_close(resumed.hf_model.state_dict()[name], weight, atol=1e-5, rtol=0)
