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


_LTP = "abstract of Kim et al., Learned Token Pruning for Transformers, KDD 2022, arXiv 2107.00910"
_POWER = "abstract of Goyal et al., PoWER-BERT, ICML 2020, arXiv 2001.08950"

FLOPS = (Anchor("LTP, RoBERTa-base", 2.1, 1.0, _LTP),)
TIME = (
    Anchor("LTP, RoBERTa-base, CPU", 1.9, 1.0, _LTP),
    Anchor("PoWER-BERT, BERT-base, GPU", 4.5, 1.0, _POWER),
)
