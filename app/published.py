"""What others have published, as marked points beside our own; every number with where it stands.

Only what the abstracts say: they are of other models on other rows, so each is an anchor, not a rival.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Anchor:
    """One published claim.

    Attributes:
        name: of the method and the model.
        reduction: dense over pruned FLOPs, or dense over pruned time.
        lost: at most so many points were lost.
        source: where the claim stands.
    """

    name: str
    reduction: float
    lost: float
    source: str


@dataclass(frozen=True)
class Padded:
    """A published FLOPs reduction that counts padding as work saved.

    Attributes:
        task: of GLUE.
        counted: the reduction as published, in which padded places were computed by the dense run only.
        sparsity: the share of real tokens removed, as the same page gives it.
        score: of the pruned model, in percent.
    """

    task: str
    counted: float
    sparsity: float
    score: float

    @property
    def without_padding(self) -> float:
        """Dense over pruned tokens where only real ones count: 1 / (1 - sparsity)."""
        return 1 / (1 - self.sparsity)


_LTP = "abstract of Kim et al., Learned Token Pruning for Transformers, KDD 2022, arXiv 2107.00910"
_POWER = "abstract of Goyal et al., PoWER-BERT, ICML 2020, arXiv 2001.08950"

FLOPS = (Anchor("LTP, RoBERTa-base", 2.1, 1.0, _LTP),)
TIME = (
    Anchor("LTP, RoBERTa-base, CPU", 1.9, 1.0, _LTP),
    Anchor("PoWER-BERT, BERT-base, GPU", 4.5, 1.0, _POWER),
)

TOP_SOURCE = (
    "README of ToP (Li et al., KDD 2023, arXiv 2306.14393), BERT-base: its table of results and its settings"
)
TOP = (
    Padded("CoLA", 10.39, 0.43, 60.3),
    Padded("RTE", 7.71, 0.59, 68.3),
    Padded("QQP", 12.41, 0.65, 90.9),
    Padded("MRPC", 7.71, 0.67, 89.1),
    Padded("SST-2", 4.66, 0.40, 93.4),
    Padded("MNLI", 6.68, 0.50, 83.4),
    Padded("QNLI", 6.16, 0.58, 89.0),
    Padded("STS-B", 7.20, 0.70, 86.6),
)
