"""Sentences to start from, written for this project; pairs for tasks that compare two texts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A text, or a pair of texts, and the name on its button."""

    name: str
    text: str
    pair: str = ""


_LONG_SENTENCES = (
    "For the first half hour it looked as if I had been right: people shout, cars explode, and nobody "
    "seems to know why. Then, quite suddenly, the noise stops, an old man sits down at a kitchen table, "
    "and the film becomes one of the finest of the year."
)

_WHOLE_REVIEW = (
    "I went in expecting very little. The trailer was loud, the posters were everywhere, and the "
    "director's last two films had put me to sleep. For the first half hour it looked as if I had been "
    "right: people shout, cars explode, and nobody seems to know why. Then, quite suddenly, the noise "
    "stops. An old man sits down at a kitchen table, tells his daughter what he has done, and for ten "
    "minutes nothing else happens. I have not seen a better scene this year, and the film never quite "
    "loses what it finds there. It is uneven, and at times it is silly, but I walked home moved and "
    "grateful."
)

SENTIMENT = (
    Example(
        "Praise",
        "A clever script, sharp editing and a villain one almost likes make this the best thriller of the "
        "season.",
    ),
    Example(
        "Mixed feelings",
        "The plot is thin and the jokes are old, but the two leads are so charming that I left the "
        "cinema smiling.",
    ),
    Example("Complaint", "Two hours of noise in search of a story, and it never finds one."),
    Example("Negation", "It is not that the film is bad; it is just never as good as it thinks it is."),
    Example("Repeated word", "the the the the"),
    Example("Long sentences", _LONG_SENTENCES),
    Example("Whole review", _WHOLE_REVIEW),
)

GENERAL = (
    Example("A fact", "The library opens at nine in the morning and closes at six, except on Sundays."),
    Example(
        "An opinion", "I have rarely read a book that was so short and left me with so much to think about."
    ),
    Example("Repeated word", "the the the the"),
)

PARAPHRASE = (
    Example(
        "Same meaning",
        "The company said on Monday that it would cut two hundred jobs.",
        "Two hundred jobs will be lost, the company announced on Monday.",
    ),
    Example(
        "Different meaning",
        "The company said on Monday that it would cut two hundred jobs.",
        "The company said on Monday that it would hire two hundred people.",
    ),
)

QUESTION = (
    Example(
        "Answered",
        "When was the bridge opened?",
        "The bridge was opened to traffic in 1932, after eight years of work.",
    ),
    Example(
        "Not answered",
        "When was the bridge opened?",
        "Around two hundred thousand cars cross the bridge every day.",
    ),
)

PAIR_TASKS = {
    "mrpc": PARAPHRASE,
    "qqp": PARAPHRASE,
    "stsb": PARAPHRASE,
    "rte": PARAPHRASE,
    "mnli": PARAPHRASE,
    "wnli": PARAPHRASE,
    "qnli": QUESTION,
}


def is_pair_task(task: str | None) -> bool:
    """Whether a task's model reads two texts."""
    return task in PAIR_TASKS


def examples_for(task: str | None) -> tuple[Example, ...]:
    """What to try on a model of this task."""
    if task in PAIR_TASKS:
        return PAIR_TASKS[task]
    return SENTIMENT if task == "sst2" else GENERAL
