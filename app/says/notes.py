"""How the numbers on the page are counted and measured, in words."""

from app.limits import MAX_CHARACTERS, MOST_RUNS
from app.says import words
from ltp_core import Prediction

STAGE = "Drag an orange line: what is under it leaves. Click a word to see why it stays or goes."
ATTENTION = (
    "Each row is one token that spreads its attention over all others; it adds up to 100 %. "
    "The mean of a column, over all heads, is the share that the threshold is compared with."
)


def numbers(
    dense: Prediction, pruned: Prediction, device: str, max_tokens: int, has_learned: bool
) -> list[str]:
    """Paragraphs on the answer, the work and the time of these two runs."""
    trained = (
        "trained together with the thresholds" if has_learned else "which were not trained with thresholds"
    )
    ran_dense, ran_pruned = words.flops(dense.executed_flops), words.flops(pruned.executed_flops)
    return [
        f"Answer: both runs use the same weights, {trained}. Dense means that "
        "nothing is pruned. Everything shown as pruned comes from one and the same run.",
        "Work: FLOPs of the encoder’s matrix products, as in the paper; a multiplication and an addition "
        "are two. Our engine also leaves out what cannot change the answer, dense or pruned: it ran "
        f"{ran_dense} dense and {ran_pruned} pruned, classifier included.",
        f"Time: this very text, just now, on this {device}. Three take turns, after a warm-up: Hugging "
        "Face’s own forward pass, our engine with nothing pruned, and our engine under these thresholds. "
        "What pruning gives is the second over the third, turn by turn; the interval holds the median of "
        "these ratios with 95 % confidence. Tokenization is not counted. Other programs on this machine make "
        "all of them slower.",
        f"Limits: a text has at most {MAX_CHARACTERS:,} characters, of which the model reads the first "
        f"{max_tokens} tokens. {MOST_RUNS} texts run at once. Visitors are measured one after the other, and "
        "data sets wait meanwhile.",
    ]
