"""A data set in; scores, FLOPs and kept tokens out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ltp_core.data.rows import DataError, Rows
from ltp_core.flops import executed_flops, paper_flops
from ltp_core.prediction import INPUTS, TextClassifier
from ltp_core.rules import Rule, observed_layers


@dataclass(frozen=True)
class Evaluation:
    """What a rule gives on many examples.

    Attributes:
        logits: ``[N, C]``, in the order of the rows.
        flops: mean paper FLOPs an example.
        dense_flops: mean paper FLOPs an example with nothing pruned.
        executed_flops: mean FLOPs that the engine ran for an example.
        kept_per_layer: for each layer, tokens left after it over all tokens, a share.
        truncated: how many examples did not fit into the model and were cut.
        tokens: ``[N]``, tokens of each example.
        alive: ``[N, L]``, tokens of each example left after each layer.
    """

    logits: np.ndarray
    flops: float
    dense_flops: float
    executed_flops: float
    kept_per_layer: list[float]
    truncated: int
    tokens: np.ndarray
    alive: np.ndarray

    @property
    def flops_reduction(self) -> float:
        """Dense over pruned: a ratio of means."""
        return self.dense_flops / self.flops

    def kept_by_length(self, groups: int = 4) -> list[dict[str, float | list[float]]]:
        """Tokens left, over groups of about equally many examples, from the shortest to the longest."""
        order = np.argsort(self.tokens, kind="stable")
        parts = [part for part in np.array_split(order, groups) if len(part)]
        return [
            {
                "examples": len(part),
                "shortest": int(self.tokens[part].min()),
                "longest": int(self.tokens[part].max()),
                "mean_tokens": float(self.tokens[part].mean()),
                "kept_per_layer": (self.alive[part].sum(axis=0) / self.tokens[part].sum()).tolist(),
            }
            for part in parts
        ]


def run_rows(
    model: TextClassifier,
    rows: Rows,
    rule: Rule | None = None,
    batch_size: int = 32,
    progress: Callable[[int], None] | None = None,
    max_tokens: int | None = None,
) -> Evaluation:
    """Run a rule over a data set, in packed batches of like length.

    Args:
        model: what to run.
        rows: the examples.
        rule: who stays; None for the learned thresholds.
        batch_size: examples a batch.
        progress: called with the number of examples done, after each batch.
        max_tokens: longer inputs are cut; None for what the model can read.

    Raises:
        DataError: if an example has an empty text.
        ValueError: for a rule that does not fit.
    """
    if not len(rows):
        raise DataError("there are no rows to run")
    if batch_size < 1:
        raise ValueError(f"the batch size must be at least 1, got {batch_size}")
    size, layers = model.dimensions, model.layers
    order = sorted(range(len(rows)), key=lambda index: -len("".join(rows.texts[index])))
    logits = np.zeros((len(rows), size.classes), dtype=np.float32)
    tokens, alive, truncated = np.zeros(len(rows), int), np.zeros((len(rows), layers), int), 0
    for start in range(0, len(rows), batch_size):
        chosen = order[start : start + batch_size]
        try:
            batch, cut = model.encode([rows.texts[index] for index in chosen], max_tokens)
        except ValueError:
            _name_unreadable(model, rows, sorted(chosen))
            raise
        with torch.inference_mode():
            output = model(**{name: batch[name] for name in INPUTS if name in batch}, rule=rule)
        logits[chosen] = output.logits.float().cpu().numpy()
        tokens[chosen] = batch["attention_mask"].sum(dim=-1).cpu().numpy()
        alive[chosen] = output.alive.cpu().numpy()
        truncated += sum(count > 0 for count in cut)
        if progress is not None:
            progress(start + len(chosen))
    observed = observed_layers(rule or model.learned_rule, layers)
    counts = list(zip(tokens.tolist(), alive.tolist(), strict=True))
    return Evaluation(
        logits=logits,
        flops=float(np.mean([paper_flops(size, n, kept) for n, kept in counts])),
        dense_flops=float(np.mean([paper_flops(size, n, [n] * layers) for n, _ in counts])),
        executed_flops=float(
            np.mean([executed_flops(size, n, kept, observed, model.queries()) for n, kept in counts])
        ),
        kept_per_layer=(alive.sum(axis=0) / tokens.sum()).tolist(),
        truncated=truncated,
        tokens=tokens,
        alive=alive,
    )


def _name_unreadable(model: TextClassifier, rows: Rows, chosen: list[int]) -> None:
    """Raise a DataError that says which of some rows is the first that the model cannot read."""
    for index in chosen:
        try:
            model.encode([rows.texts[index]])
        except ValueError as error:
            raise DataError(f"row {index + 1} of {len(rows)} cannot be read: {error}") from None
