"""The stages of training: dense fine-tuning, then learned token pruning distilled from it.

Where the paper first learns thresholds with soft gates and then fixes them, we learn thresholds and
weights together under straight-through gates (hard forward, soft gradient) with a FLOPs constraint, and
settle one factor on the thresholds at the end. `docs/architecture.md` says why; `Pruning.stages` names the
others.
"""

import hashlib
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import DataCollatorWithPadding

from ltp_core.architectures import view_of
from ltp_core.data.evaluation import run_rows
from ltp_core.data.rows import DataError, Rows
from ltp_core.files.whole import whole_file
from ltp_core.model import PrunedModel, Text, columns
from ltp_core.rules import Dense, Thresholds
from ltp_core.training.augment import drawn, made_up
from ltp_core.training.budget import FlopsHold, settle
from ltp_core.training.job import GIVEN_THRESHOLDS, Pruning, Recipe
from ltp_core.training.lengths import token_counts
from ltp_core.training.loop import Loop
from ltp_core.training.objective import PruningModule
from ltp_core.training.rivals import RivalModule

SAMPLE = 2000  # rows that say what thresholds save on all of them


def train_dense(model: PrunedModel, rows: Rows, recipe: Recipe, folder: Path) -> None:
    """Fine-tune a model without pruning, in place. The embeddings stay as they are.

    Args:
        model: the base with a fresh head.
        rows: what to train on.
        recipe: how.
        folder: for checkpoints to resume from and `metrics.jsonl`.
    """
    freeze_embeddings(model.hf_model)
    table = tokenized(model, rows, recipe.max_tokens)
    Loop(model.hf_model, table, model.tokenizer, recipe, folder, "dense").run()


def train_pruned(
    model: PrunedModel,
    rows: Rows,
    tuning: Rows,
    recipe: Recipe,
    pruning: Pruning,
    folder: Path,
    unlabelled: Sequence[Text] | None = None,
) -> PrunedModel:
    """Learn thresholds and weights together, distilled from the dense model that comes in.

    Args:
        model: the dense fine-tuned model; its weights are changed in place.
        rows: what to train on.
        tuning: held-out rows on which the thresholds' last factor is settled.
        recipe: how the weights are trained.
        pruning: how the thresholds are.
        folder: for each stage's checkpoints to resume from and its `metrics.jsonl`.
        unlabelled: what to draw more rows from, see `augment.drawable`; None to make them up.

    Returns:
        The same model with its thresholds.
    """
    freeze_embeddings(model.hf_model)
    table = distillation_table(model, rows, recipe, pruning, folder, unlabelled)
    pruning = pruning.in_unit(sum(map(len, table["input_ids"])) / len(table))
    thresholds = pruning.first_thresholds(model.layers)
    dense = deepcopy(model.hf_model).eval() if pruning.distill_hidden > 0 else None
    recipe = replace(recipe, epochs=recipe.epochs / len(pruning.stages))
    for stage in pruning.stages:
        if stage in GIVEN_THRESHOLDS:  # they start where they should end
            fixed = settled(model, thresholds, tuning, pruning, recipe.max_tokens).thresholds
            thresholds = fixed or thresholds
        module = PruningModule(model.hf_model, pruning, stage, thresholds, dense)
        if stage == "held":
            module.budget = FlopsHold(reduction_on(table, module, model.tokenizer))
        Loop(module, table, model.tokenizer, recipe, folder / stage, stage).run()
        model.eval()
        thresholds = module.learned()
    return settled(model, thresholds, tuning, pruning, recipe.max_tokens)


def train_rival(
    model: PrunedModel,
    rows: Rows,
    recipe: Recipe,
    pruning: Pruning,
    make: type[RivalModule],
    folder: Path,
    unlabelled: Sequence[Text] | None = None,
) -> PrunedModel:
    """Fine-tune a dense model for a rival, in place.

    Args:
        model: the dense fine-tuned model.
        rows: what to train on.
        recipe: how the weights are trained.
        pruning: says what is distilled, and which rows are left out or made up.
        make: of `rivals.RIVALS`.
        folder: for checkpoints to resume from and `metrics.jsonl`.
        unlabelled: what to draw more rows from, see `augment.drawable`; None to make them up.
    """
    freeze_embeddings(model.hf_model)
    table = distillation_table(model, rows, recipe, pruning, folder, unlabelled)
    dense = deepcopy(model.hf_model).eval() if pruning.distill_hidden > 0 else None
    Loop(make(model.hf_model, pruning, dense), table, model.tokenizer, recipe, folder).run()
    settings = read_as(model, pruning).settings
    return PrunedModel(model.hf_model, model.tokenizer, None, settings, model.name)


def reduction_on(table: Dataset, module: PruningModule, tokenizer: Any) -> float:
    """Dense over pruned FLOPs of a module on a sample of the rows that it will learn from."""
    sample = table.shuffle(seed=0).select(range(min(SAMPLE, len(table))))
    batches = DataLoader(sample, batch_size=64, collate_fn=DataCollatorWithPadding(tokenizer))
    where = module.hf_model.device
    with torch.no_grad():
        flops = [module.eval()(**batch.to(where))["flops"] for batch in batches]
    dense, pruned = torch.stack(flops).sum(dim=0).tolist()
    return float(dense / pruned)


def distillation_table(
    model: PrunedModel,
    rows: Rows,
    recipe: Recipe,
    pruning: Pruning,
    folder: Path,
    unlabelled: Sequence[Text] | None = None,
) -> Dataset:
    """What every method that starts from the dense model is trained on: rows, made-up ones, its answers.

    Args:
        model: the dense fine-tuned model.
        rows: the training rows.
        recipe: says where rows are cut, and the seed of the made-up ones.
        pruning: says which rows are left out and how many are made up.
        folder: keeps the dense model's answers for a resumed run.
        unlabelled: what to draw rows from instead, see `augment.drawable`.

    Raises:
        DataError: if no row is left.
    """
    counts = token_counts(model, rows, recipe.max_tokens)
    rows = rows.take([index for index, count in enumerate(counts) if count >= pruning.shortest])
    if not len(rows):
        raise DataError(f"no training row has {pruning.shortest} tokens or more")
    count = round(pruning.augment * len(rows))
    if unlabelled is None:
        extra = made_up(rows, count, recipe.seed)
    else:
        extra = drawn(unlabelled, rows, count, recipe.seed)
    texts = [*rows.texts, *extra]
    if pruning.distill > 0 or extra:
        with PartialState().main_process_first():
            teacher = teacher_logits(model, texts, recipe.max_tokens, folder, recipe.bfloat16)
    else:  # labels alone: a share of 0 reads no answers, and asking is a pass over all rows
        teacher = np.zeros((len(texts), model.dimensions.classes), dtype=np.float32)
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
    model = read_as(model, pruning)
    rule = Thresholds(thresholds, pruning.reference_length)
    factor = 1.0
    if pruning.target_flops is not None:
        plain = model.merged()
        factor = settle(
            lambda x: run_rows(plain, tuning, rule.times(x), max_tokens=max_tokens).flops_reduction,
            pruning.target_flops,
        )
    settings = replace(model.settings, temperature=pruning.last_temperature or pruning.temperature)
    return PrunedModel(model.hf_model, model.tokenizer, rule.times(factor).values, settings, model.name)


def read_as(model: PrunedModel, pruning: Pruning) -> PrunedModel:
    """The same weights, with importance and thresholds read as a recipe trains them."""
    settings = replace(
        model.settings,
        reference_length=pruning.reference_length,
        importance_queries=pruning.importance_queries,
    )
    return PrunedModel(model.hf_model, model.tokenizer, model.thresholds, settings, model.name)


def freeze_embeddings(hf_model: Any) -> None:
    """Leave the embeddings as the base has them: what is fine-tuned then stays a small difference to it."""
    view_of(hf_model).encoder.embeddings.requires_grad_(False)


def tokenized(model: PrunedModel, rows: Rows, max_tokens: int) -> Dataset:
    """Rows as the Trainer takes them: ids, mask, segments and labels, not yet padded."""
    firsts, seconds = columns(rows.texts)
    longest = min(max_tokens, model.max_tokens)
    encoded = model.tokenizer(firsts, seconds, truncation=True, max_length=longest)
    kind = int if model.dimensions.classes > 1 else float
    return Dataset.from_dict({**encoded, "labels": [kind(label) for label in rows.labels]})


def teacher_logits(
    model: PrunedModel, texts: list[Text], max_tokens: int, folder: Path, bfloat16: bool = False
) -> np.ndarray:
    """The dense model's logits for all texts, ``[N, C]``; computed once and kept for a resumed run.

    A resumed run must not compute them anew: by then the weights may have moved on. The file's name
    says for which texts, and in which precision, it is.

    Args:
        model: the dense fine-tuned model.
        texts: what the dense model is asked.
        max_tokens: longer texts are cut.
        folder: keeps the answers.
        bfloat16: compute matrix products as the student's are: for 110 M parameters and tens of thousands of
            rows that halves a wait of many minutes.
    """
    known = hashlib.sha256(json.dumps([texts, max_tokens, bfloat16]).encode()).hexdigest()[:16]
    file = folder / f"teacher-{known}.npy"
    if file.is_file():
        found: np.ndarray = np.load(file)
        return found
    plain = model.merged()
    with torch.autocast(plain.hf_model.device.type, torch.bfloat16, enabled=bfloat16):
        logits = run_rows(plain, Rows(texts, []), Dense(), batch_size=64, max_tokens=max_tokens).logits
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as part, part.open("wb") as out:
        np.save(out, logits)
    return logits
