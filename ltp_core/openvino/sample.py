"""Texts of ours that 8 bits are calibrated on where nobody gives any: as long as those that a model reads.

Ranges are read off them, and longer texts have other ones.
"""

from importlib.resources import files
from itertools import chain, cycle, islice

from ltp_core.data.sentences import own_sentences
from ltp_core.data.tasks import TASKS
from ltp_core.prediction import Text, TorchClassifier

USUAL = 25.0  # tokens, of a model that has no reference length
SHARES = (0.25, 0.5, 1.0, 1.5, 2.0)  # of the usual length, in turn
MOST_LETTERS = 5_000  # of a text, should a tokenizer find nothing in it
MOST_TOKENS = 16_000  # in all: more take long, and change little


def own_pairs() -> list[tuple[str, str]]:
    """Pairs of texts that we wrote: reviews, news, captions, questions; alike, contrary or paraphrased."""
    lines = files("ltp_core.data").joinpath("pairs.txt").read_text(encoding="utf-8").splitlines()
    return [(first, second) for first, second in (line.split("\t") for line in lines)]


def sample(model: TorchClassifier, most: int) -> list[Text]:
    """Texts as long as the model's usual ones, or pairs for a model that reads pairs.

    Args:
        model: what is calibrated, with the reference length that says what is usual and the task that says
            whether pairs are read.
        most: how many at most.
    """
    task = TASKS.get(model.settings.task or "")
    if task is not None and task.pairs:
        return [*own_pairs()[:most]]
    usual = model.reference_length or USUAL
    supply = cycle([*own_sentences(), *chain.from_iterable(zip(*own_pairs(), strict=True))])
    found: list[Text] = []
    tokens = 0
    for share in islice(cycle(SHARES), most):
        text = next(supply)
        while (length := len(model.tokenizer.tokenize(text))) < share * usual and len(text) < MOST_LETTERS:
            text += " " + next(supply)
        tokens += length
        found.append(text)
        if tokens > MOST_TOKENS:
            break
    return found
