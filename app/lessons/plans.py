"""Plans for a class: what happens when, and on which page or with which lesson."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """A page that a part of a plan happens on.

    Attributes:
        title: on its link.
        path: of the page.
        query: parameters of its address.
    """

    title: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)


WATCHED = "Two hours of noise in search of a story, and it never finds one."  # of no lesson: nothing is told
PLACES = {
    "large": Place("The large view", ".", {"text": WATCHED, "present": "1"}),
    "compare": Place("Compare", "compare"),
    "evidence": Place("Evidence", "evidence"),
    "about": Place("About", "about"),
}


@dataclass(frozen=True)
class Part:
    """A part of a plan.

    Attributes:
        minutes: how long.
        what: the teacher and the class do.
        places: names of lessons, and of `PLACES`, in the order of the plan.
    """

    minutes: int
    what: str
    places: tuple[str, ...]


_WATCH = Part(
    5,
    "Hand out the handout. Then watch the projector: raise layer 2’s line step by step (click its handle, "
    "then press ↑); before each word leaves, the class says which.",
    ("large",),
)
_BREAK = (
    "Break it, then one of your own (under the stage: “With a sentence of your own”). Collect three on the "
    "board."
)
_CLOSE = Part(
    5,
    "What it does not say: read the example under “Attention is not explanation” together. A word below the "
    "average attention decides.",
    ("about",),
)

SHORT = (
    _WATCH,
    Part(6, "What a share is. Everybody predicts alone, then drags.", ("share",)),
    Part(6, "One line. Who first finds the one that leaves half of the tokens?", ("line",)),
    Part(7, "Early or late? Hands up for each answer, before anybody drags.", ("early",)),
    Part(
        8,
        _BREAK,
        ("breaks",),
    ),
    Part(8, "Guess the dropped words; compare with chance and with your neighbour.", ("guess",)),
    _CLOSE,
)
LONG = (
    _WATCH,
    Part(7, "What a share is. Everybody predicts alone, then drags.", ("share",)),
    Part(7, "One line. Who first finds the one that leaves half of the tokens?", ("line",)),
    Part(8, "Early or late? Hands up for each answer, before anybody drags.", ("early",)),
    Part(7, "Length. Let somebody say what a fixed number would do to a long text.", ("length",)),
    Part(9, "Two rules. Half of the class argues for top-k, half for thresholds.", ("topk",)),
    Part(
        10,
        _BREAK,
        ("breaks",),
    ),
    Part(8, "Measure, and compare with the neighbour: why do two moments differ?", ("time",)),
    Part(8, "Rounding. Which of the words beside a line change sides?", ("int8",)),
    Part(9, "Guess the dropped words; compare with chance and with your neighbour.", ("guess",)),
    Part(
        7,
        "Groups of three: one question of their own, answered on Evidence or Compare, one sentence each to "
        "the class.",
        ("evidence", "compare"),
    ),
    _CLOSE,
)
PLANS = {"A lesson of 45 minutes": SHORT, "A lesson of 90 minutes": LONG}

QUESTIONS = (
    (
        "Why does [CLS] always stay?",
        "The answer is read from it. A model without it would have nothing to read.",
    ),
    (
        "Is a dropped word unimportant?",
        "No. It got little attention in that layer. Sometimes it decided all the same: see the lesson on "
        "broken answers, and Why, “Did it matter?”.",
    ),
    (
        "Does the model not read the dropped words at all?",
        "It does, until they leave: the words that stay have looked at them, and carry some of it on.",
    ),
    (
        "Who set the lines?",
        "Training: one number a layer, learned together with the weights, under a target for the work that "
        "may be done. A model without learned lines starts with ones set by hand.",
    ),
    (
        "Why is it not as much faster as it does less work?",
        "See the lesson on time: weights are read once for few words as for many, and small products do "
        "not fill a processor.",
    ),
    (
        "How do I ask the whole class at once?",
        "By the poll: on Explore open “For a class”, at its foot, then the large view, and choose “Ask: the "
        "answer” or “Ask: the words”. Phones vote, and you reveal.",
    ),
    ("Does it hold on many sentences?", "Evidence has the curves, and runs a file of your own."),
    ("Is another rule better?", "Compare sets all rules side by side on one sentence, at the same work."),
)
