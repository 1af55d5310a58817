"""The same model in fewer bits: bfloat16, and 8-bit integers by PyTorch's dynamic quantization."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from ltp_core.data.evaluation import run_rows
from ltp_core.data.metrics import metric_of, scores
from ltp_core.data.rows import Rows
from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.model import PrunedModel
from ltp_core.speed.latency import interleaved
from ltp_core.speed.settled import settled, to_multiply

PLAIN = "float32"
TEXTS = 8  # of each length; thresholds are settled on them, and the first is timed
RUNS = 12  # of each, at least


def bfloat16(model: PrunedModel) -> PrunedModel:
    """A copy with weights and activations in bfloat16."""
    return _with(model, copy.deepcopy(model.hf_model).bfloat16())


def dynamic_int8(model: PrunedModel) -> PrunedModel:
    """A copy whose linear layers hold 8-bit weights and round what comes in to 8 bits, call by call."""
    with warnings.catch_warnings():  # torchao, which it names instead, is not for the CPU alone
        warnings.simplefilter("ignore", (DeprecationWarning, UserWarning))
        quantized = torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(model.hf_model), {nn.Linear}, dtype=torch.qint8
        )
    return _with(model, quantized)


def _with(model: PrunedModel, network: nn.Module) -> PrunedModel:
    return PrunedModel(network.eval(), model.tokenizer, model.thresholds, model.settings)


def measure_precision(
    model: PrunedModel,
    lengths: Sequence[int],
    target_flops: float,
    rows: Rows | None = None,
    say: Callable[[str], object] = lambda line: None,
    seconds: float = 3.0,
) -> dict[str, Any]:
    """Time a pruned model in float32, bfloat16 and dynamic int8 in turn, and score each.

    Args:
        model: in float32, with thresholds.
        lengths: tokens of a text at batch 1; our own sentences, joined and cut.
        target_flops: the FLOPs reduction that is set at each length, by float32's thresholds for all three.
        rows: labelled, to score on under the learned thresholds; None for no scores.
        say: told what happens, a line at a time.
        seconds: for each length in all, at least.

    Returns:
        ``times``: for each length its ``flops_reduction`` and the median ``milliseconds`` of each precision.
        ``scores``: of each precision, empty without rows.

    Raises:
        ValueError: for a model without thresholds, or a target that is not reached.
    """
    learned = to_multiply(model.learned_rule, "precision")
    models = {PLAIN: model, "bfloat16": bfloat16(model), "int8": dynamic_int8(model)}
    times = []
    for length in lengths:
        say(f"{length} tokens, batch 1")
        texts = inputs_of_length(model.tokenizer, own_sentences(), length, TEXTS)
        pruned = settled(model, learned, texts, target_flops)
        batch, _ = model.encode(texts[:1], length)
        calls = {name: partial(one, **batch, rule=pruned.rule) for name, one in models.items()}
        with torch.inference_mode():
            found = interleaved(calls, model.device, RUNS, seconds)
        milliseconds = {name: time.median_ms for name, time in found.items()}
        about = {"length": length, "flops_reduction": pruned.flops_reduction}
        times.append({**about, "milliseconds": milliseconds})
    return {"times": times, "scores": {} if rows is None else _scores(models, rows, say)}


def _scores(
    models: Mapping[str, PrunedModel], rows: Rows, say: Callable[[str], object]
) -> dict[str, dict[str, Any]]:
    """The task's metric of each, with the learned thresholds, on the same rows."""
    found: dict[str, dict[str, Any]] = {}
    plain = models[PLAIN]
    metric = metric_of(plain.settings.task, plain.dimensions.classes)
    for name, one in models.items():
        done = run_rows(one, rows)
        value = scores(metric, done.logits, rows.labels)[metric]
        about = {"metric": metric, "examples": len(rows), "flops_reduction": done.flops_reduction}
        found[name] = {**about, "pruned": value}
        say(f"{name}: {value:.4f}")
    return found
