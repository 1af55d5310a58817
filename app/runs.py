"""What the pages ask of a loaded model: predictions, measured times, explanations.

Thresholds go in with each call. Times are measured one visitor at a time, and no batch of a data set runs
meanwhile. A single text, or an explanation, of another visitor may run while times are measured, and then
slows them down. `surveys` has what is asked about many texts.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from app import turns
from app.limits import MAX_CHARACTERS
from app.models import first_line, start_thresholds
from ltp_core import AttentionTrace, Dense, Prediction, PrunedModel, Thresholds
from ltp_core.data.sentences import own_sentences
from ltp_core.data.survey import LengthPoint, flops_by_length
from ltp_core.flops import LayerFlops, flops_by_layer
from ltp_core.model import Text
from ltp_core.speed.latency import TextTimes, time_text
from ltp_core.why import contest, counterfactual
from ltp_core.why.agreement import Agreement, agreement
from ltp_core.why.attribution import Attribution, AttributionMethod, Batch, attribute
from ltp_core.why.counterfactual import KeptToken, SmallestDrop, SmallestScale
from ltp_core.why.deletion import Deletion, deletion

LENGTHS = (16, 32, 64, 128, 192, 256, 384, 512)  # tokens
TEXTS_A_LENGTH = 2
MOST_EXPLAINED = 160  # tokens that Integrated Gradients, or a search for a flip, is run on
DRAWS = 20  # random deletions that LTP's own is set against
SEARCH_BUDGET = 500  # runs of the text, in a search for what flips its label
USUAL_SECONDS = 0.5  # of a measurement, at least
LONGER_SECONDS = 5.0  # of one that a visitor asks for, since the usual one was too noisy
REST = 0.4  # seconds before a measurement: a browser on this machine draws its new figures meanwhile


class InputProblem(ValueError):
    """Something about the text, or the moment, that its writer can change, said in one line."""


@dataclass(frozen=True)
class Texts:
    """What a visitor typed: one text, or two for a model that compares."""

    first: str
    second: str | None = None

    @property
    def for_model(self) -> str | tuple[str, str]:
        """As `PrunedModel` takes it."""
        return self.first if self.second is None else (self.first, self.second)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to read yet."""
        return not self.first.strip() or (self.second is not None and not self.second.strip())


def predict(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...] | None, attention_layer: int | None = None
) -> Prediction:
    """Run the model once; thresholds None means that nothing is pruned.

    Raises:
        InputProblem: if the text is too long for the lab, or has nothing that the model could read.
    """
    longest = max(len(texts.first), len(texts.second or ""))
    if longest > MAX_CHARACTERS:
        raise InputProblem(
            f"This text has {longest:,} characters; the lab takes {MAX_CHARACTERS:,}. Shorten it to go on."
        )
    with _slot(model):
        return model.predict(texts.for_model, rule=_rule(model, thresholds), attention_layer=attention_layer)


def predict_nothing(model: PrunedModel, texts: Texts) -> Prediction:
    """What the model says where no word is left; raises as `predict` does."""
    with _slot(model):
        return model.predict_nothing(pair=texts.second is not None)


def attention_of_all(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...]
) -> tuple[AttentionTrace, ...]:
    """The attention of every layer, for which each takes a run of its own; raises as `predict` does."""
    found = []
    for layer in range(1, model.layers + 1):
        attention = predict(model, texts, thresholds, layer).trace.attention
        if attention is None:
            raise InputProblem(f"“{model.name}” keeps no attention.")
        found.append(attention)
    return tuple(found)


def predict_batch(
    model: PrunedModel, texts: Sequence[Text], thresholds: tuple[float, ...] | None
) -> list[Prediction]:
    """Run several texts as one packed batch; raises as `predict` does."""
    with _slot(model):
        return model.predict(list(texts), rule=_rule(model, thresholds))


def work_by_layer(model: PrunedModel, prediction: Prediction) -> list[LayerFlops]:
    """Paper FLOPs of a run, layer by layer and part by part."""
    return flops_by_layer(model.dimensions, len(prediction.trace.tokens), prediction.trace.alive)


def work_by_length(model: PrunedModel, thresholds: tuple[float, ...]) -> list[LengthPoint]:
    """Paper FLOPs of sentences of ours, joined and cut to several lengths; raises as `predict` does."""
    lengths = [length for length in LENGTHS if length <= model.max_tokens]
    with _slot(model):
        return flops_by_length(model, _rule(model, thresholds), lengths, TEXTS_A_LENGTH)


def rivals(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...], draws: int
) -> tuple[list[contest.Contender], list[Prediction]]:
    """All rules at nearly the FLOPs of these thresholds, and so many random draws; raises as `predict`."""
    with _slot(model):
        found = contest.contest(model, texts.for_model, _rule(model, thresholds))
        return found, contest.random_draws(model, texts.for_model, found[0].prediction, draws)


@dataclass(frozen=True)
class Explanation:
    """What attribution says of one text, and how it agrees with survival.

    Attributes:
        attribution: of the dense and the pruned model.
        dense: agreement of the dense attributions with survival.
        pruned: agreement of the pruned attributions with survival.
        deletion: what happens when other tokens go in place of those that are pruned.
    """

    attribution: Attribution
    dense: Agreement
    pruned: Agreement
    deletion: Deletion


def explain(
    model: PrunedModel,
    texts: Texts,
    thresholds: tuple[float, ...],
    label: str | None,
    method: AttributionMethod,
) -> Explanation:
    """Attribute the answer to the tokens, and set that beside survival; raises as `predict` does."""
    with _alone(model):
        batch = Batch.of(model.encode([texts.for_model])[0])
        if method == "integrated_gradients":
            _short_enough(batch, "Shorten it, or choose Gradient × input, which takes any length.")
        found = attribute(model, texts.for_model, label, method, _rule(model, thresholds))
        kept = [layer.kept for layer in found.trace.layers]
        dense, pruned = (agreement(x.values, kept, found.words) for x in (found.dense, found.pruned))
        return Explanation(found, dense, pruned, deletion(model, batch, found, DRAWS))


def predict_pinned(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...], stay: Sequence[int], go: Sequence[int]
) -> Prediction:
    """Run with some tokens pinned, counted from 0; raises as `predict` does."""
    with _slot(model):
        return counterfactual.pinned(model, texts.for_model, stay, go, _rule(model, thresholds))


def keeping(model: PrunedModel, texts: Texts, thresholds: tuple[float, ...]) -> tuple[KeptToken, ...]:
    """What each dropped token would change if it stayed; raises as `predict` does."""
    with _alone(model):
        _short_enough(Batch.of(model.encode([texts.for_model])[0]))
        return counterfactual.what_keeping_changes(model, texts.for_model, _rule(model, thresholds))


def smallest_changes(
    model: PrunedModel, texts: Texts, thresholds: tuple[float, ...]
) -> tuple[SmallestDrop, SmallestScale | None]:
    """The smallest changes that flip the label; no scale where all thresholds are 0. Raises as `predict`."""
    with _alone(model):
        _short_enough(Batch.of(model.encode([texts.for_model])[0]))
        rule = Thresholds(thresholds, model.reference_length)
        drop = counterfactual.smallest_drop(model, texts.for_model, rule, SEARCH_BUDGET)
        scale = counterfactual.smallest_scale(model, texts.for_model, rule) if any(thresholds) else None
        return drop, scale


@dataclass(frozen=True)
class Removal:
    """A word, the attention that it got, and what the model says without it.

    Attributes:
        word: as the model reads it.
        share: of the attention in the first layer, in multiples of the average.
        rank: among the tokens of the text by that share, 1 for the most.
        whole: the run on the text.
        without: the run on the text without the word.
    """

    word: str
    share: float
    rank: int
    whole: Prediction
    without: Prediction

    @property
    def flips(self) -> bool:
        """Whether the label changes."""
        return self.whole.label != self.without.label


def remove_word(model: PrunedModel, text: str, word: str) -> Removal:
    """Take a word out of a text that has it once as a token of its own; raises as `predict` does."""
    whole = predict(model, Texts(text), start_thresholds(model))
    rest = " ".join(re.sub(rf"\b{re.escape(word)}\b", "", text, flags=re.IGNORECASE).split())
    without = predict(model, Texts(rest), start_thresholds(model))
    tokens = whole.trace.tokens
    shares = [share or 0.0 for share in whole.trace.layers[0].importance]
    share = shares[tokens.index(word.lower())]
    rank = 1 + sum(other > share for other in shares)
    return Removal(word, share * len(tokens), rank, whole, without)


def company(texts: Texts, size: int) -> list[Text]:
    """A batch of so many texts that begins with the visitor's; the others are sentences of ours."""
    return [texts.for_model, *own_texts(pairs=texts.second is not None)[: size - 1]]


def own_texts(pairs: bool) -> list[Text]:
    """The sentences that come with the project, two by two for a model that reads pairs."""
    ours = own_sentences()
    return list(zip(ours[::2], ours[1::2], strict=False)) if pairs else list(ours)


def measure(
    model: PrunedModel,
    texts: Texts,
    thresholds: tuple[float, ...],
    each_round: Callable[[], None],
    seconds: float = USUAL_SECONDS,
) -> TextTimes:
    """Time this very text on the model's device: dense and pruned, in turn.

    Args:
        model: what to run.
        texts: the input.
        thresholds: one a layer.
        each_round: called between rounds and while waiting; may raise to stop.
        seconds: how long at least.

    Raises:
        Busy: if others kept measuring for too long.
    """
    return measure_batch(model, [texts.for_model], thresholds, each_round, seconds)


def measure_batch(
    model: PrunedModel,
    texts: Sequence[Text],
    thresholds: tuple[float, ...],
    each_round: Callable[[], None],
    seconds: float = USUAL_SECONDS,
) -> TextTimes:
    """As `measure`, for several texts in one batch.

    It begins after a rest, in which the visitor may change something again. Drawing and measuring at once
    would slow each other down where both use the same cores.
    """
    rested = time.monotonic() + REST
    while time.monotonic() < rested:
        each_round()
        time.sleep(0.05)
    with turns.measuring(each_round):
        return time_text(
            model, list(texts), rule=_rule(model, thresholds), seconds=seconds, on_round=each_round
        )


def _short_enough(batch: Batch, way_out: str = "Shorten it to go on.") -> None:
    tokens = batch.ids.shape[1]
    if tokens > MOST_EXPLAINED:
        raise ValueError(
            f"This text has {tokens} tokens; the lab does this for up to {MOST_EXPLAINED}. {way_out}"
        )


@contextmanager
def _slot(model: PrunedModel) -> Iterator[None]:
    """A place among the texts that run at once; what goes wrong inside is said in one line."""
    try:
        with turns.running():
            yield
    except (turns.Busy, ValueError) as error:
        raise InputProblem(str(error)) from None
    except RuntimeError as error:  # out of memory, a device that has gone
        raise InputProblem(f"This text could not be run on {model.device}: {first_line(error)}") from None


@contextmanager
def _alone(model: PrunedModel) -> Iterator[None]:
    """The place of the one text that is explained, and one among those that run."""
    try:
        with turns.explaining(), _slot(model):
            yield
    except turns.Busy as busy:
        raise InputProblem(str(busy)) from None


def _rule(model: PrunedModel, thresholds: tuple[float, ...] | None) -> Dense | Thresholds:
    return Dense() if thresholds is None else Thresholds(thresholds, model.reference_length)
