"""What each token does for the answer: captum's attributions over the word embeddings.

What is attributed is the *log-odds* of a class, ``z_c - log sum_{k != c} exp z_k`` (for two classes the
difference of the logits), or the value of a regression. Unlike a probability it does not saturate, and
unlike a single logit it does not move when all logits do.

Attributions of the pruned model are those of the hard-pruned model with its kept sets frozen
(`ltp_core.rules.frozen`): a token that leaves is a jump, across which the completeness of Integrated
Gradients (attributions sum to the change of the output) would not hold.

captum gets a *function* of the embeddings, never a module, so it places no hook: nothing on a shared model
changes, and many threads may attribute on it at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ltp_core.model import PrunedModel
from ltp_core.prediction import Text
from ltp_core.rules import Dense, Rule
from ltp_core.rules.frozen import Frozen, kept_sets
from ltp_core.trace import Trace

AttributionMethod = Literal["integrated_gradients", "gradient_x_input"]
Baseline = Literal["mask", "pad", "zero"]

STEPS = 32  # points of the Gauss-Legendre rule at first,
MOST_STEPS = 256  # and after doubling until it has converged
TOLERANCE = 0.02  # of the sum of absolute attributions: the largest convergence delta that passes
_TOKENS_AT_ONCE = 1024  # tokens in one backward pass: more is no faster on a CPU, and takes more memory


@dataclass(frozen=True)
class Scores:
    """Attributions of one model on one text.

    Attributes:
        values: one a token, in log-odds (or the unit of a regression); positive speaks for the class.
        output: log-odds (or value) of the text.
        baseline_output: log-odds (or value) of the baseline text, where each token is replaced; None for a
            method that has no baseline.
        delta: convergence delta of Integrated Gradients: sum of the values minus the change of the
            output from baseline to text, which would be 0 for an exact integral; None for other methods.
        steps: gradients that were averaged.
    """

    values: tuple[float, ...]
    output: float
    baseline_output: float | None
    delta: float | None
    steps: int

    @property
    def converged(self) -> bool | None:
        """Whether the delta is small against the attributions; None for a method without one."""
        if self.delta is None:
            return None
        return abs(self.delta) <= TOLERANCE * sum(map(abs, self.values))


@dataclass(frozen=True)
class Attribution:
    """Attributions beside survival, for one text.

    Attributes:
        label: the class that they are for; None for a regression.
        method: how they were computed.
        words: for each token, whether it belongs to the text: special tokens are neither replaced by the
            baseline nor counted in the agreement.
        dense: attributions with nothing pruned.
        pruned: attributions of the pruned model, its kept sets frozen.
        trace: the pruned run; `trace.survived` is the number of layers that each token survived.
    """

    label: str | None
    method: AttributionMethod
    words: tuple[bool, ...]
    dense: Scores
    pruned: Scores
    trace: Trace


def attribute(
    model: PrunedModel,
    text: Text,
    label: str | None = None,
    method: AttributionMethod = "integrated_gradients",
    rule: Rule | None = None,
    baseline: Baseline = "mask",
    steps: int = STEPS,
) -> Attribution:
    """Attribute the answer on one text to its tokens, for the dense and the pruned model.

    Args:
        model: in evaluation mode; it is left as it is.
        text: a text, or a pair.
        label: the class to explain; None for the one that the dense model chooses.
        method: "integrated_gradients" (Sundararajan et al., ICML 2017), or "gradient_x_input", which
            takes one gradient.
        rule: who stays; None for the learned thresholds.
        baseline: what replaces each token in the baseline text: the embedding of the mask token, of the
            padding token, or zeros. A masked-language model has read texts with masked tokens, but never
            attended to padding: on sst2 its log-odds of a text of masks are near 0, those of a text of
            padding far from it, and the integral from masks needs half the steps.
        steps: of Integrated Gradients; doubled up to `MOST_STEPS` while the delta is too large.

    Raises:
        ValueError: in one line, for an empty text, a class, method or baseline that does not exist, or
            fewer than one step.
    """
    _check(method, baseline, steps)
    batch = Batch.of(model.encode([text])[0])
    trace = model.predict(text, rule).trace
    with torch.inference_mode():
        dense = model(batch.ids, batch.mask, batch.segments, rule=Dense()).logits[0]  # [C]
    target = class_index(model, label, dense)
    options: Any = (torch.tensor([target]), method, baseline, steps)
    return Attribution(
        label=None if model.dimensions.classes == 1 else model.config.id2label[target],
        method=method,
        words=tuple(batch.words[0].tolist()),
        dense=attribute_batch(model, batch, None, *options)[0],
        pruned=attribute_batch(model, batch, kept_sets(trace, model.device), *options)[0],
        trace=trace,
    )


@dataclass(frozen=True)
class Batch:
    """A padded batch as tensors.

    Attributes:
        ids: long ``[B, n]``.
        mask: long ``[B, n]``, 1 for real tokens.
        segments: long ``[B, n]``, or None where the tokenizer makes none.
        words: bool ``[B, n]``: tokens of the text, neither special nor padding.
    """

    ids: Tensor
    mask: Tensor
    segments: Tensor | None
    words: Tensor

    @classmethod
    def of(cls, encoding: Any) -> "Batch":
        """From what `PrunedModel.encode` returns."""
        ids = encoding["input_ids"]
        words = [[part is not None for part in encoding.sequence_ids(row)] for row in range(len(ids))]
        return cls(
            ids,
            encoding["attention_mask"],
            encoding.get("token_type_ids"),
            torch.tensor(words, device=ids.device),
        )

    def rows(self, chosen: Sequence[int]) -> "Batch":
        """Some of the rows."""
        at = torch.tensor(chosen, device=self.ids.device)
        segments = None if self.segments is None else self.segments[at]
        return Batch(self.ids[at], self.mask[at], segments, self.words[at])


def attribute_batch(
    model: PrunedModel,
    batch: Batch,
    kept: Tensor | None,
    targets: Tensor,
    method: AttributionMethod = "integrated_gradients",
    baseline: Baseline = "mask",
    steps: int = STEPS,
    most_steps: int = MOST_STEPS,
) -> list[Scores]:
    """Attribute a padded batch.

    Args:
        model: in evaluation mode.
        batch: B texts.
        kept: bool ``[B, L, n]``, the tokens left after each layer; None when nothing is pruned.
        targets: ``[B]``, the class of each text (0 for a regression).
        method: see `attribute`.
        baseline: see `attribute`.
        steps: how many to begin with.
        most_steps: how many at most, for texts whose delta is too large with fewer.

    Returns:
        One `Scores` a text, over its real tokens.
    """
    from captum.attr import InputXGradient, IntegratedGradients  # brings matplotlib, half a second

    targets = targets.to(model.device)
    # Gradients need ordinary tensors, also where the caller is in inference mode.
    with torch.inference_mode(False), torch.enable_grad():
        mask, segments = batch.mask.clone(), None if batch.segments is None else batch.segments.clone()
        sets = mask[:, None].bool() if kept is None else kept.clone()  # [B, L, n]
        # Detached: the gradient is asked for these embeddings, not for the table that they come from.
        table = model.hf_model.get_input_embeddings()
        embeds = table(batch.ids.clone()).detach()  # [B, n, E]
        origin = torch.where(batch.words[..., None], _replacement(model, table, baseline), embeds)

        def output(x: Tensor, mask: Tensor, segments: Tensor | None, sets: Tensor, targets: Tensor) -> Tensor:
            rule = Dense() if kept is None else Frozen(sets)
            logits = model(None, mask, segments, rule=rule, inputs_embeds=x).logits
            return log_odds(logits, targets, model.multi_label)  # [rows]

        given = (mask, segments, sets, targets)
        with torch.no_grad():
            reached, left = output(embeds, *given), output(origin, *given)  # [B]
        if method == "gradient_x_input":
            values = InputXGradient(output).attribute(embeds.requires_grad_(), additional_forward_args=given)
        else:
            values = IntegratedGradients(output).attribute(
                embeds,
                origin,
                additional_forward_args=given,
                n_steps=steps,
                internal_batch_size=max(len(mask), _TOKENS_AT_ONCE // mask.shape[1]),
            )
        values = values.detach().sum(dim=-1)  # [B, n]
    found = [
        _scores(method, values[row, real].tolist(), float(reached[row]), float(left[row]), steps)
        for row, real in enumerate(mask.bool())
    ]
    again = [row for row, scores in enumerate(found) if scores.converged is False]
    if again and 2 * steps <= most_steps:
        rows = None if kept is None else kept[again]
        options = (targets[again], method, baseline, 2 * steps, most_steps)
        for row, scores in zip(again, attribute_batch(model, batch.rows(again), rows, *options), strict=True):
            found[row] = scores
    return found


def log_odds(logits: Tensor, targets: Tensor, multi_label: bool = False) -> Tensor:
    """Log-odds of a class, or the value of a regression: ``[B, C]`` and ``[B]`` -> ``[B]``.

    Where each label is answered by itself, its logit is its log-odds.
    """
    if logits.shape[-1] == 1:
        return logits[:, 0]
    chosen = torch.nn.functional.one_hot(targets, logits.shape[-1]).bool()  # [B, C]
    if multi_label:
        return logits[chosen]
    return logits[chosen] - logits.masked_fill(chosen, -torch.inf).logsumexp(dim=-1)


def class_index(model: PrunedModel, label: str | None, logits: Tensor) -> int:
    """The index of a class by its name; without a name, of the largest logit of ``[C]``.

    Raises:
        ValueError: for a class that does not exist, with the list of those that do.
    """
    if label is None:
        return int(logits.argmax())
    if len(logits) == 1:
        raise ValueError(f"this model puts out a number, so there is no class {label!r}")
    names = [model.config.id2label[index] for index in range(len(logits))]
    if label not in names:
        raise ValueError(f"there is no class {label!r}; there is: {', '.join(names)}")
    return names.index(label)


def _scores(
    method: AttributionMethod, values: list[float], reached: float, left: float, steps: int
) -> Scores:
    if method == "gradient_x_input":
        return Scores(tuple(values), reached, None, None, 1)
    return Scores(tuple(values), reached, left, math.fsum(values) - (reached - left), steps)


def _replacement(model: PrunedModel, table: Any, baseline: Baseline) -> Tensor:
    """The embedding ``[E]`` that stands for "no word here"."""
    if baseline == "zero":
        return torch.zeros(table.weight.shape[-1], device=model.device)
    token = getattr(model.tokenizer, f"{baseline}_token_id", None)
    if token is None:
        raise ValueError(f"this model's tokenizer has no {baseline} token; take another baseline")
    return table(torch.tensor(token, device=model.device)).detach()


def _check(method: str, baseline: str, steps: int) -> None:
    for what, value, known in (
        ("method", method, get_args(AttributionMethod)),
        ("baseline", baseline, get_args(Baseline)),
    ):
        if value not in known:
            raise ValueError(f"there is no {what} {value!r}; there is: {', '.join(known)}")
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"the number of steps must be from 1 to {MOST_STEPS}, got {steps}")
