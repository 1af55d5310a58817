"""The rivals that train: SpAtten's cascaded top-k and the Length-Adaptive Transformer (LAT).

Both start from the same dense model as learned token pruning, on the same rows with the same share of
distillation, and learn weights that bear many degrees of pruning, so that one training serves a whole
curve of accuracy against FLOPs. Which degree to use is chosen afterwards, in `lengths`. `RIVALS` is all that
the rest of the training knows of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ltp_core.architectures import view_of
from ltp_core.rules import Dense, LengthConfig, Rule, TopK, falling_shares
from ltp_core.rules.table import LAT, TOPK
from ltp_core.run import Inputs
from ltp_core.training.lengths import LOWEST_SHARE
from ltp_core.training.objective import TaughtModule, distillation_loss, hidden_loss


class RivalModule(TaughtModule):
    """What both rivals share: a model that runs under fixed rules, and the loss that LTP has, too."""

    @property
    def layers(self) -> int:
        """How many layers the model has."""
        return len(view_of(self.hf_model).layers)


class TopKModule(RivalModule):
    """A model under cascaded top-k at a share drawn anew for each batch; the forward returns the loss.

    Source: Wang, Zhang & Han, "SpAtten", HPCA 2021: fine-tuning under cascade token pruning. Differences: the
    paper tunes for one ratio, we draw it (the logarithm is uniform), so one model serves many; shares fall by
    one factor a layer, after as many spared layers as learned token pruning has; distilled.
    """

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        teacher_logits: Tensor,
        token_type_ids: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the loss and the logits of the model under this batch's share."""
        last = LOWEST_SHARE ** float(torch.rand(()))
        rule = TopK(falling_shares(last, self.layers, self.pruning.spared_layers))
        inputs = Inputs(input_ids, attention_mask, token_type_ids)
        run = self.under(inputs, rule)
        return {"loss": self.taught(run, inputs, labels, teacher_logits), "logits": run.logits}


class LengthDropModule(RivalModule):
    """LAT: LengthDrop with the sandwich rule and in-place distillation; the forward returns the loss.

    Each batch runs through the whole model, which learns the task; through the smallest sub-model; and
    through one whose lengths are drawn. The last two learn what the whole model says (in-place
    distillation). A layer's length is drawn between what enters it and that times 1 − p.

    Source: Kim & Cho, "Length-Adaptive Transformer", ACL 2021. Differences: the paper's p = 0.2 over 12
    layers leaves 7 % of the tokens in the smallest sub-model; here p follows from the depth so that 5 % stay.
    One drawn sub-model a batch; no LayerDrop; lengths are shares of the input; the whole model is distilled
    from the dense one as the other methods are.
    """

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        teacher_logits: Tensor,
        token_type_ids: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the mean loss of the three, and the whole model's logits."""
        inputs = Inputs(input_ids, attention_mask, token_type_ids)
        whole = self.under(inputs, Dense())
        loss = self.taught(whole, inputs, labels, teacher_logits)
        said, hidden = whole.logits.detach().float(), tuple(state.detach() for state in whole.hidden)
        smallest = falling_shares(LOWEST_SHARE, self.layers)
        for shares in (smallest, drawn_shares(self.layers, torch.rand(self.layers).tolist())):
            part = self.under(inputs, LengthConfig(shares))
            loss = loss + distillation_loss(part.logits.float(), said)
            if self.pruning.distill_hidden > 0:
                loss = loss + self.pruning.distill_hidden * hidden_loss(part, replace(whole, hidden=hidden))
        return {"loss": loss / 3, "logits": whole.logits}


def drawn_shares(layers: int, draws: Sequence[float]) -> list[float]:
    """LengthDrop: each layer keeps between ``1 - p`` and all of what enters it.

    Args:
        layers: L; p is such that `LOWEST_SHARE` is left after L layers at the least.
        draws: L numbers in [0, 1), uniform.
    """
    least = LOWEST_SHARE ** (1 / layers)  # 1 - p
    return np.cumprod([least + (1 - least) * draw for draw in draws]).tolist()


@dataclass(frozen=True)
class Rival:
    """How one rule is trained that keeps as many tokens as its shares say.

    Attributes:
        module: what learns the weights.
        rule: makes the rule from shares of the tokens, one a layer.
        unread: what in `Pruning` has no effect on it.
        searches: whether its shares come from a search on tuning rows; else they fall evenly.
    """

    module: type[RivalModule]
    rule: Callable[[list[float]], Rule]
    unread: tuple[str, ...]
    searches: bool = False


_OF_THRESHOLDS = (
    "stages",
    "thresholds",
    "temperature",
    "last_temperature",
    "threshold_rate",
    "reference_length",
)

# By the names in `rules.table`: every rule there for which weights are trained, but the learned thresholds.
RIVALS = {
    TOPK.name: Rival(TopKModule, TopK, _OF_THRESHOLDS),
    LAT.name: Rival(LengthDropModule, LengthConfig, (*_OF_THRESHOLDS, "spared_layers"), searches=True),
}
