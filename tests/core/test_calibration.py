"""Calibration: meets its target near the dense model's output, which is recomputed here by other means."""

import numpy as np
import pytest
import torch
from scipy.special import rel_entr

from ltp_core import PrunedModel, Thresholds
from ltp_core.calibration import Walk, calibrate, divergence
from ltp_core.checkpoints import Settings
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import Rows

WORDS = ["good", "bad", "the", "a", "film", "plot", "it", "was", "very", "and", "of", "so"]
TEXTS = [" ".join(WORDS[(i * k) % 12] for k in range(1, 4 + i)) for i in range(1, 21)]


def test_divergence_on_paper():
    # dense 3/4 1/4, pruned 1/2 1/2: 3/4 ln 3/2 + 1/4 ln 1/2 = 0.130812; the second input agrees.
    dense = np.log(np.array([[0.75, 0.25], [0.5, 0.5]]))
    pruned = np.array([[7.0, 7.0], [1.0, 1.0]])  # logits have no zero
    assert divergence(pruned, dense) == pytest.approx(0.130812 / 2, abs=1e-6)
    assert divergence(np.array([[1.0], [2.0]]), np.array([[3.0], [2.0]])) == 2.0


@pytest.mark.parametrize("reference", [None, 4])
@pytest.mark.parametrize("classes", [3, 1])
def test_meets_the_target_with_rising_thresholds(tiny_bert, tokenizer, classes, reference):
    model = PrunedModel(tiny_bert(num_labels=classes), tokenizer, settings=Settings(reference))
    told = []
    found = calibrate(model, TEXTS, 1.8, progress=told.append)
    best, curve = found.found, found.curve
    assert best.flops_reduction == pytest.approx(1.8, rel=0.05)
    for point in (best, *curve):
        assert list(point.thresholds) == sorted(point.thresholds)
    reductions = [point.flops_reduction for point in curve]
    assert reductions == sorted(reductions) and len(set(reductions)) == len(curve)
    assert told == reductions[1:] and told[-1] >= 1.8
    assert curve[0].divergence == pytest.approx(0, abs=1e-9)

    rows = Rows(TEXTS, [])
    pruned = run_rows(model, rows, Thresholds(best.thresholds, reference))
    assert pruned.flops_reduction == pytest.approx(best.flops_reduction)
    with torch.no_grad():  # Hugging Face's own forward is the dense model
        dense = [model.hf_model(**tokenizer(text, return_tensors="pt")).logits[0].double() for text in TEXTS]
    if classes == 1:
        expected = np.mean([(float(a) - b[0]) ** 2 for a, b in zip(dense, pruned.logits, strict=True)])
    else:
        says = torch.from_numpy(pruned.logits).double().softmax(-1).numpy()
        expected = np.mean(
            [rel_entr(a.softmax(-1).numpy(), b).sum() for a, b in zip(dense, says, strict=True)]
        )
    assert best.divergence == pytest.approx(expected, rel=1e-3, abs=1e-7)
    assert best.divergence > 0 and model.thresholds is None


def test_a_target_near_one_needs_no_step(tiny_bert, tokenizer):
    found = calibrate(PrunedModel(tiny_bert(), tokenizer), TEXTS, 1.0)
    assert found.found.flops_reduction == pytest.approx(1.0, rel=0.05)
    assert found.found.divergence == pytest.approx(0, abs=1e-9)


def test_the_ceiling_is_named(tiny_bert, tokenizer):
    model = PrunedModel(tiny_bert(), tokenizer)
    ceiling = run_rows(model, Rows(TEXTS, []), Thresholds([1.0] * 3)).flops_reduction
    with pytest.raises(ValueError, match=rf"50 cannot be reached: the ceiling is {ceiling:.2f}"):
        calibrate(model, TEXTS, 50)
    reached = calibrate(model, TEXTS, 0.98 * ceiling, step=0.3)
    assert reached.found.flops_reduction == pytest.approx(0.98 * ceiling, rel=0.02)


def test_targets_share_one_walk_in_any_order(tiny_bert, tokenizer, monkeypatch):
    model = PrunedModel(tiny_bert(), tokenizer)
    walk = Walk(model, TEXTS)
    with pytest.raises(ValueError, match="50 cannot be reached"):
        walk.to(50)
    for target in (1.8, 1.3):  # the same as alone
        assert walk.to(target) == calibrate(model, TEXTS, target)
    monkeypatch.setattr(Walk, "_take_step", lambda self: pytest.fail("walked again"))
    walk.to(1.6)


@pytest.mark.parametrize("texts", [["the film was very good"] * 50, ["a b c", "a b c"] * 8 + ["good"]])
def test_texts_that_are_all_alike(tiny_bert, tokenizer, texts):
    """All copies of a token have the same importance: a step takes all of them or none."""
    model = PrunedModel(tiny_bert(), tokenizer)
    found = calibrate(model, texts, 1.8)
    reductions = [point.flops_reduction for point in found.curve]
    assert reductions == sorted(set(reductions)) and reductions[-1] >= 1.8
    assert found.found.flops_reduction == pytest.approx(1.8, rel=0.2)


@pytest.mark.parametrize(
    ("texts", "options", "line"),
    [
        (TEXTS, {"target": 0.5}, "at least 1"),
        (TEXTS, {"target": float("nan")}, "at least 1"),
        (TEXTS, {"target": 1.5, "step": 0}, "above 0"),
        ([], {"target": 1.5}, "no texts"),
        (["good", " "], {"target": 1.5}, "empty"),
    ],
)
def test_bad_input(model, texts, options, line):
    with pytest.raises(ValueError, match=line):
        calibrate(model, texts, **options)
