"""The two stages of training: dense fine-tuning, then learned token pruning distilled from it.

Where the paper first learns thresholds with soft gates and then fixes them, we learn thresholds and
weights together under straight-through gates (hard forward, soft gradient) with a FLOPs constraint, and
settle one factor on the thresholds at the end. `docs/architecture.md` says why.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.nn.functional import kl_div, log_softmax, mse_loss, softmax

from ltp_core.architectures import family_of, view_of
from ltp_core.evaluation import run_rows
from ltp_core.masked import padded_forward, straight_through_gate
from ltp_core.model import PrunedModel, Text, columns, task_loss
from ltp_core.rules import Dense, Thresholds
from ltp_core.run import Inputs
from ltp_core.training.augment import made_up
from ltp_core.training.budget import FlopsTarget, KeepPenalty, batch_flops, settle
from ltp_core.training.data import DataError, Rows
from ltp_core.training.job import Pruning, Recipe
from ltp_core.training.loop import Loop


class PruningModule(nn.Module):
    """A model and its thresholds under straight-through gates; the forward pass returns the loss.

    Args:
        hf_model: starts as the dense fine-tuned model.
        pruning: the recipe of the thresholds.
    """

    def __init__(self, hf_model: Any, pruning: Pruning) -> None:
        super().__init__()
        self.hf_model = hf_model
        self.pruning = pruning
        self.size = family_of(hf_model.config).dimensions(hf_model.config)
        rising = torch.linspace(pruning.first_threshold, pruning.last_threshold, self.size.layers)
        self.thresholds = nn.Parameter(rising)  # [L]
        if pruning.target_flops is None:
            self.budget: KeepPenalty | FlopsTarget = KeepPenalty(pruning.penalty)
        else:
            self.budget = FlopsTarget(pruning.target_flops)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        teacher_logits: Tensor,
        token_type_ids: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the loss, the logits, and the batch's FLOPs as ``[dense, pruned]``."""
        inputs = Inputs(input_ids, attention_mask, token_type_ids)
        gate = straight_through_gate(self.thresholds, self.pruning.temperature, self.pruning.length_exponent)
        run = padded_forward(view_of(self.hf_model), inputs, gate)
        dense, pruned = batch_flops(self.size, attention_mask, run.masks)
        logits = run.logits.float()
        loss = (1 - self.pruning.distill) * task_loss(logits, labels)
        loss = loss + self.pruning.distill * distillation_loss(logits, teacher_logits)
        loss = loss + self.budget.penalty(dense, pruned, attention_mask, run.masks)
        return {"loss": loss, "logits": logits, "flops": torch.stack([dense, pruned]).detach()}

    def progress(self) -> dict[str, Any]:
        """What to log besides the loss."""
        return {"thresholds": list(self.learned()), **self.budget.progress()}

    def learned(self) -> tuple[float, ...]:
        """The thresholds as numbers; one below 0 drops nothing, which 0 says too."""
        return tuple(self.thresholds.detach().clamp_min(0).double().tolist())


def distillation_loss(logits: Tensor, teacher: Tensor) -> Tensor:
    """KL divergence from the teacher's distribution (Hinton et al. 2015); squared error for one output."""
    if logits.shape[-1] == 1:
        return mse_loss(logits, teacher)
    return kl_div(log_softmax(logits, dim=-1), softmax(teacher, dim=-1), reduction="batchmean")


def train_dense(model: PrunedModel, rows: Rows, recipe: Recipe, folder: Path) -> None:
    """Fine-tune a model without pruning, in place. The embeddings stay as they are.

    Args:
        model: the base with a fresh head.
        rows: what to train on.
        recipe: how.
        folder: for checkpoints to resume from and `metrics.jsonl`.
    """
    freeze_embeddings(model.hf_model)
    Loop(model.hf_model, tokenized(model, rows, recipe.max_tokens), model.tokenizer, recipe, folder).run()


def train_pruned(
    model: PrunedModel, rows: Rows, tuning: Rows, recipe: Recipe, pruning: Pruning, folder: Path
) -> PrunedModel:
    """Learn thresholds and weights together, distilled from the dense model that comes in.

    Args:
        model: the dense fine-tuned model; its weights are changed in place.
        rows: what to train on.
        tuning: held-out rows on which the thresholds' last factor is settled.
        recipe: how the weights are trained.
        pruning: how the thresholds are.
        folder: for checkpoints to resume from and `metrics.jsonl`.

    Returns:
        The same model with its thresholds.
    """
    freeze_embeddings(model.hf_model)
    table = distillation_table(model, rows, recipe, pruning, folder)
    module = PruningModule(model.hf_model, pruning)
    Loop(module, table, model.tokenizer, recipe, folder).run()
    model.eval()
    return settled(model, module.learned(), tuning, pruning, recipe.max_tokens)


def distillation_table(
    model: PrunedModel, rows: Rows, recipe: Recipe, pruning: Pruning, folder: Path
) -> Dataset:
    """What every method that starts from the dense model is trained on: rows, made-up ones, its answers.

    Args:
        model: the dense fine-tuned model.
        rows: the training rows.
        recipe: says where rows are cut, and the seed of the made-up ones.
        pruning: says which rows are left out and how many are made up.
        folder: keeps the dense model's answers for a resumed run.

    Raises:
        DataError: if no row is left.
    """
    counts = [len(ids) for ids in tokenized(model, rows, recipe.max_tokens)["input_ids"]]
    rows = rows.take([index for index, count in enumerate(counts) if count >= pruning.shortest])
    if not len(rows):
        raise DataError(f"no training row has {pruning.shortest} tokens or more")
    extra = made_up(rows, round(pruning.augment * len(rows)), recipe.seed)
    texts = [*rows.texts, *extra]
    teacher = teacher_logits(model, texts, recipe.max_tokens, folder)
    said = teacher[len(rows) :]
    labels = said[:, 0] if said.shape[-1] == 1 else said.argmax(axis=-1)  # of what nobody labelled
    rows = Rows(texts, [*rows.labels, *labels.tolist()])
    return tokenized(model, rows, recipe.max_tokens).add_column("teacher_logits", teacher.tolist())


def settled(
    model: PrunedModel,
    thresholds: Sequence[float],
    tuning: Rows,
    pruning: Pruning,
    max_tokens: int | None = None,
) -> PrunedModel:
    """Scale all thresholds by the one factor that meets the FLOPs target on the tuning rows."""
    rule = Thresholds(thresholds, pruning.length_exponent)
    factor = 1.0
    if pruning.target_flops is not None:
        factor = settle(
            lambda x: run_rows(model, tuning, rule.times(x), max_tokens=max_tokens).flops_reduction,
            pruning.target_flops,
        )
    settings = replace(
        model.settings, length_exponent=pruning.length_exponent, temperature=pruning.temperature
    )
    return PrunedModel(model.hf_model, model.tokenizer, rule.times(factor).values, settings, model.name)


def freeze_embeddings(hf_model: Any) -> None:
    """Leave the embeddings as the base has them: what is fine-tuned then stays a small difference to it."""
    view_of(hf_model).encoder.embeddings.requires_grad_(False)


def tokenized(model: PrunedModel, rows: Rows, max_tokens: int) -> Dataset:
    """Rows as the Trainer takes them: ids, mask, segments and labels, not yet padded."""
    firsts, seconds = columns(rows.texts)
    longest = min(max_tokens, model.max_tokens)
    encoded = model.tokenizer(firsts, seconds, truncation=True, max_length=longest)
    return Dataset.from_dict({**encoded, "labels": rows.labels})


def teacher_logits(model: PrunedModel, texts: list[Text], max_tokens: int, folder: Path) -> np.ndarray:
    """The dense model's logits for all texts, ``[N, C]``; computed once and kept for a resumed run.

    A resumed run must not compute them anew: by then the weights may have moved on. The file's name
    says for which texts it is.
    """
    known = hashlib.sha256(json.dumps([texts, max_tokens]).encode()).hexdigest()[:16]
    file = folder / f"teacher-{known}.npy"
    if file.is_file():
        found: np.ndarray = np.load(file)
        return found
    logits = run_rows(model, Rows(texts, []), Dense(), batch_size=64, max_tokens=max_tokens).logits
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "teacher.part.npy", logits)
    (folder / "teacher.part.npy").replace(file)
    return logits
