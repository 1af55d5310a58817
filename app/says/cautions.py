"""What a visitor should know about a text before believing an answer: a line each, some with a way out."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from app.says.questions import question
from app.says.words import tokens as counted
from ltp_core import PrunedModel, Trace
from ltp_core.checkpoints import shipped_models

_MOST_UNKNOWN = 0.3  # of a text's tokens
_FEWEST_WORDS = 4  # of a text whose language is guessed
_LETTERS = re.compile(r"[^\W\d_]+")

# The commonest words of languages that are written in Latin letters; those that several share are left out.
_COMMON = {
    "English": "the and of to is that it was for with this but not are have you be his her from they which",
    "German": "der die das und ist nicht ein eine ich mit auf für den dem von zu sich auch sehr aber wie",
    "French": "le la les et est pas un une des que dans pour ce cette il elle mais très avec sur du au",
    "Spanish": "el los las y es no un una que de en por con para pero muy esta este como su lo",
    "Italian": "il lo gli è non un una che di per con ma molto questo questa come sono della nel",
    "Portuguese": "o os as é não um uma que de em para com mas muito este esta como seu na do",
    "Dutch": "het een en is niet van ik dat op met voor maar deze zijn ook heel naar te",
}


@dataclass(frozen=True)
class Caution:
    """A line for the visitor.

    Attributes:
        text: what is to be known.
        model: one that suits this text better, if there is one.
    """

    text: str
    model: str | None = None


def cautions(model: PrunedModel, trace: Trace, texts: Sequence[str], models: Sequence[str]) -> list[Caution]:
    """All that applies.

    Args:
        model: the one that reads the text.
        trace: what happened to the text's tokens.
        texts: the one or two texts.
        models: names of all models that can be chosen.
    """
    found = []
    trained = model.settings.trained_length
    if trained is not None and len(trace.tokens) > trained:
        longer = question(model).longer
        other = longer if longer in models else None
        found.append(
            Caution(
                f"This text has {counted(len(trace.tokens))}; “{model.name}” has learned from texts of at "
                f"most {trained}, so its thresholds and its answer may fail here.",
                other,
            )
        )
    if odd := _unread(model, trace, texts):
        found.append(Caution(odd))
    return found


def _unread(model: PrunedModel, trace: Trace, texts: Sequence[str]) -> str | None:
    """Why the model can make little of the text, if so; of shipped ones we know that they read English."""
    unknown = getattr(model.tokenizer, "unk_token", None)
    if unknown is not None:
        share = trace.tokens.count(unknown) / max(1, len(trace.tokens) - 2)
        if share > _MOST_UNKNOWN:
            return f"{share * 100:.0f} % of this text is unknown to the model, which sees {unknown} instead."
    if model.name not in shipped_models():
        return None
    language = foreign_language(" ".join(texts))
    return language and f"This looks like {language}; the model has learned to read English only."


def foreign_language(text: str) -> str | None:
    """The language of a text if it is plainly not English: by its letters, or its commonest words."""
    words = [word.lower() for word in _LETTERS.findall(text)]
    letters = "".join(words)
    if letters and sum(not _is_latin(letter) for letter in letters) > len(letters) / 2:
        return "another script than the Latin one"
    if len(words) < _FEWEST_WORDS:
        return None
    hits = {name: sum(word in common.split() for word in words) for name, common in _COMMON.items()}
    best = max(hits, key=lambda name: hits[name])
    return best if hits[best] >= 2 and hits[best] > 2 * hits["English"] else None


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")
