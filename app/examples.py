"""Sentences to start from, written for this project; pairs for tasks that compare two texts."""

from dataclasses import dataclass

from ltp_core.data.tasks import TASKS


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

_GOOD_REVIEW = (
    "This is one of the best films I have seen in years. The story of two brothers who walk across the "
    "country to sell their father's piano is simple, but it is told with so much warmth and humour that I "
    "never wanted it to end. The young actors are wonderful, above all the younger brother, who can say more "
    "with one look than others with a whole speech. The photography is beautiful, and the music stays with "
    "you for days. I laughed a lot, I cried twice, and when the lights went on people clapped. Take your "
    "family, take your friends, and see it on a big screen while you can. Highly recommended."
)

_BAD_REVIEW = (
    "What a waste of two hours. The plot makes no sense, the acting is wooden, and the dialogue sounds as if "
    "it had been written on the way to work. Scenes end before they have begun, a sister appears once and is "
    "never mentioned again, and the terrible secret that everybody whispers about is plain to see after ten "
    "minutes. The effects look cheap, the music is far too loud, and not one of the jokes is funny. I have "
    "seen bad films that were at least good fun, but this one is just boring. By the time the storm finally "
    "came I was hoping that it would take the whole cast with it. Avoid."
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

_JOBS = "The company said on Monday that it would cut two hundred jobs at its plant in Ohio."

PARAPHRASE = (
    Example(
        "Same meaning",
        _JOBS,
        "Two hundred jobs will be lost at the plant in Ohio, the company announced on Monday.",
    ),
    Example(
        "Another matter", _JOBS, "The company's shares fell by three percent to their lowest price in years."
    ),
    Example(
        "Same words, opposite meaning",
        _JOBS,
        "The company said on Monday that it would hire two hundred people at its plant in Ohio.",
    ),
)

# CoLA asks whether a sentence is well formed, not what it says.
GRAMMAR = (
    Example("Well formed", "The children who live next door feed our cat whenever we travel."),
    Example("Wrong agreement", "The children who lives next door feed our cat whenever we travels."),
    Example("Wrong order", "Whenever travel we, feed the children our cat who live next door."),
    Example("Hard to read, but right", "The letter the teacher the parents trusted wrote was never sent."),
)

ENTAILMENT = (
    Example(
        "Follows",
        "The museum, which opened in 1987 in a former factory, was visited by two million people last year.",
        "The museum is in a building that used to be a factory.",
    ),
    Example(
        "Does not follow",
        "The museum, which opened in 1987 in a former factory, was visited by two million people last year.",
        "The museum was visited by more people last year than in any year before.",
    ),
)

SIMILARITY = (
    Example("Alike", "A girl is playing a violin on the stage.", "A young woman plays the violin in a hall."),
    Example(
        "Half alike", "A girl is playing a violin on the stage.", "A man is playing a guitar on the stage."
    ),
    Example("Unlike", "A girl is playing a violin on the stage.", "Two dogs run through the snow."),
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

# IMDb's model has read whole reviews only.
REVIEWS = (
    Example("Praise", _GOOD_REVIEW),
    Example("Complaint", _BAD_REVIEW),
    Example("A change of mind", _WHOLE_REVIEW),
    Example("Long sentences", _LONG_SENTENCES),
    Example("One sentence", SENTIMENT[0].text),
)

EXAMPLES = {
    "sst2": SENTIMENT,
    "imdb": REVIEWS,
    "cola": GRAMMAR,
    "mrpc": PARAPHRASE,
    "qqp": PARAPHRASE,
    "stsb": SIMILARITY,
    "rte": ENTAILMENT,
    "mnli": ENTAILMENT,
    "qnli": QUESTION,
}


# Found by running all rules on our sentences under learned thresholds; tests/app/test_compare.py holds it.
DIFFER = {
    "sst2": Example(
        "Rules differ",
        "Every performance is excellent, the camera is always where it should be, and still the whole thing "
        "left me cold.",
    ),
    "imdb": Example(
        "Rules differ",
        "There is not much here that we have not seen before, yet it is done with such charm that it "
        "hardly matters. An incoherent mess from beginning to end. The story of the lighthouse keeper "
        "and his radio is told with humour, patience and a great deal of heart, and I left the cinema "
        "wanting to call my father. The chase scenes are shot so close and cut so fast that I gave up "
        "trying to understand who was chasing whom.",
    ),
    "cola": Example("Rules differ", "Not a single scene rings true."),
    "rte": ENTAILMENT[1],
    "mrpc": Example(
        "Rules differ",
        "A spokesman for the bank declined to comment on the report.",
        "The bank did not want to comment on the report.",
    ),
}


def is_pair_task(task: str | None) -> bool:
    """Whether a task's model reads two texts."""
    return task in TASKS and TASKS[task].pairs


def examples_for(task: str | None) -> tuple[Example, ...]:
    """What to try on a model of this task; for one without examples of its own, those of its kind."""
    return EXAMPLES.get(task or "", ENTAILMENT if is_pair_task(task) else GENERAL)


def where_rules_differ(task: str | None) -> Example | None:
    """A text on which rules at equal FLOPs give different answers on the shipped model of this task."""
    return DIFFER.get(task or "")
