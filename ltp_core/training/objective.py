"""The loss of the pruning stages: task, distillation and FLOPs budget, under the gates of a stage."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, log_softmax, mse_loss, softmax

from ltp_core.architectures import family_of, view_of
from ltp_core.forward.engine import removed_forward
from ltp_core.forward.masked import hard_gate, padded_forward, soft_gate, sparing_gate, straight_through_gate
from ltp_core.forward.output_masking import output_masked_forward
from ltp_core.model import task_loss
from ltp_core.rules import Dense, Rule, Thresholds
from ltp_core.run import Inputs, Run
from ltp_core.training.budget import Budget, FlopsTarget, KeepPenalty, batch_flops
from ltp_core.training.job import GIVEN_THRESHOLDS, Pruning, Stage


class TaughtModule(nn.Module):
    """What every method that starts from the dense model is: a model, and the dense one that teaches it.

    Args:
        hf_model: starts as the dense fine-tuned model.
        pruning: says what shares of the loss are distilled, from outputs and from hidden states.
        teacher: the dense model, if its hidden states are distilled, too; it is not trained or saved.
    """

    def __init__(self, hf_model: Any, pruning: Pruning, teacher: Any = None) -> None:
        super().__init__()
        self.hf_model = hf_model
        self.pruning = pruning
        self._teacher = (teacher,)  # in a tuple, so that it is no submodule

    def under(self, inputs: Inputs, rule: Rule) -> Run:
        """The model under a fixed rule, whose gradients reach the weights only: tokens really leave.

        Hidden states are compared on the padded grid, so where they are distilled tokens are masked.
        """
        view = view_of(self.hf_model)
        if self.pruning.distill_hidden > 0:
            return padded_forward(view, inputs, hard_gate(rule), self.pruning.importance_queries)
        run = removed_forward(view, inputs, rule, queries=self.pruning.importance_queries)
        return replace(run, masks=tuple(mask.float() for mask in run.masks))

    def taught(self, run: Run, inputs: Inputs, labels: Tensor, teacher_logits: Tensor) -> Tensor:
        """Task loss and distillation from the dense model, mixed as the recipe says: scalar."""
        share, logits = self.pruning.distill, run.logits.float()
        loss = (1 - share) * task_loss(logits, labels) + share * distillation_loss(logits, teacher_logits)
        if self.pruning.distill_hidden > 0:
            with torch.no_grad():
                dense = padded_forward(view_of(self._teacher[0]), inputs, hard_gate(Dense()))
            loss = loss + self.pruning.distill_hidden * hidden_loss(run, dense)
        return loss


class PruningModule(TaughtModule):
    """A model and its thresholds under the gates of a stage; the forward pass returns the loss.

    Args:
        hf_model: starts as the dense fine-tuned model.
        pruning: the recipe of the thresholds, `Pruning.in_unit` of the rows.
        stage: which gates; see `job.Stage`.
        thresholds: initial ones; None for the recipe's rising ones.
        teacher: the dense model, if its hidden states are distilled, too; it is not trained or saved.
    """

    def __init__(
        self,
        hf_model: Any,
        pruning: Pruning,
        stage: Stage = "straight-through",
        thresholds: tuple[float, ...] | None = None,
        teacher: Any = None,
    ) -> None:
        super().__init__(hf_model, pruning, teacher)
        self.stage = stage
        self.temperature = pruning.temperature
        self.size = family_of(hf_model.config).dimensions(hf_model.config)
        start = torch.tensor(thresholds or pruning.first_thresholds(self.size.layers), dtype=torch.float32)
        self.thresholds = nn.Parameter(start, requires_grad=stage not in GIVEN_THRESHOLDS)  # [L]
        if self.thresholds.requires_grad:
            self.thresholds.register_hook(at_most_one)
        self.budget: Budget
        if pruning.target_flops is None:
            self.budget = KeepPenalty(pruning.penalty)
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
        """Return the loss, the logits, and sums over the batch.

        `flops` is ``[dense, pruned]``; `kept` is ``[1 + L]``, all tokens and those left after each layer.
        """
        inputs = Inputs(input_ids, attention_mask, token_type_ids)
        run = self._run(inputs)
        dense, pruned = batch_flops(self.size, attention_mask, run.masks)
        loss = self.taught(run, inputs, labels, teacher_logits)
        loss = loss + self.budget.penalty(dense, pruned, attention_mask, run.masks)
        kept = torch.stack([attention_mask.sum(), *(mask.sum() for mask in run.masks)])
        return {
            "loss": loss,
            "logits": run.logits.float(),
            "flops": torch.stack([dense, pruned]).detach(),
            "kept": kept.detach(),
        }

    def _run(self, inputs: Inputs) -> Run:
        reference, queries = self.pruning.reference_length, self.pruning.importance_queries
        if self.stage in GIVEN_THRESHOLDS:
            return self.under(inputs, Thresholds(self.learned(), reference))
        make = straight_through_gate if self.stage == "straight-through" else soft_gate
        gate = make(self.thresholds, self.temperature, reference)
        forward = output_masked_forward if self.stage == "soft-output" else padded_forward
        spared = sparing_gate(gate, self.pruning.spared_layers)
        return forward(view_of(self.hf_model), inputs, spared, queries)

    def anneal(self, done: float) -> None:
        """Set the gates' temperature for this share of the training: falling geometrically."""
        first, last = self.pruning.temperature, self.pruning.last_temperature
        self.temperature = first if last is None else first * (last / first) ** done

    def progress(self) -> dict[str, Any]:
        """What to log besides the loss."""
        return {"thresholds": list(self.learned()), **self.budget.progress()}

    def learned(self) -> tuple[float, ...]:
        """The thresholds as numbers; one below 0 drops nothing, which 0 says too."""
        return tuple((self.thresholds.detach() * self.budget.factor).clamp_min(0).double().tolist())


def at_most_one(gradient: Tensor) -> Tensor:
    """A gradient, scaled down to the norm of 1 if it is longer.

    The Trainer clips the gradient of all parameters together, so one of thresholds that explodes would leave
    the weights nothing; and Adam, which knows only its size beside earlier ones, would stand still for long
    afterwards.
    """
    return gradient / gradient.norm().clamp_min(1)


def distillation_loss(logits: Tensor, teacher: Tensor) -> Tensor:
    """KL divergence from the teacher's distribution (Hinton et al. 2015); squared error for one output."""
    if logits.shape[-1] == 1:
        return mse_loss(logits, teacher)
    return kl_div(log_softmax(logits, dim=-1), softmax(teacher, dim=-1), reduction="batchmean")


def hidden_loss(run: Run, teacher: Run) -> Tensor:
    """Mean squared difference of the hidden states, over the tokens left after each layer.

    As in TinyBERT (Jiao et al. 2020), without its projection, since the widths are equal; a token counts
    as much as it is alive, and its mask gets no gradient from this.
    """
    differences = []
    for mask, own, other in zip(run.masks, run.hidden, teacher.hidden, strict=True):
        weight = mask.detach()  # [B, n]
        squared = (own.float() - other.float()).square().mean(dim=-1)  # [B, n]
        differences.append((weight * squared).sum() / weight.sum())
    return torch.stack(differences).mean()
