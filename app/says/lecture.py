"""What Why says, step by step, about one token in one layer: sentences and small pieces of HTML."""

from collections.abc import Collection
from dataclasses import dataclass

from app.says import words
from app.says.text import as_html, visible
from app.says.words import attention_of
from ltp_core import LayerTrace, Trace

HEADS = (
    "Each small square is one head. A row is a token that spreads its attention, 100\u00a0% of it, over all "
    "tokens; a column is a token that receives. The framed column is the chosen token."
)
MEAN = "The heads are averaged, square by square. Each row still adds up to 100\u00a0%."
IMPORTANCE = (
    "The mean of a column is the share of all attention that its token receives: its importance. Over all "
    "tokens that are still there it adds up to 100\u00a0%."
)
COMPARE = (
    "A bar that ends under the line gets too little: its token leaves, before the layer’s feed-forward part."
)


@dataclass(frozen=True)
class Case:
    """One token in one layer.

    Attributes:
        trace: of the pruned run, with the attention of this layer.
        layer: the first is 1.
        token: index in the input.
    """

    trace: Trace
    layer: int
    token: int

    @property
    def at(self) -> LayerTrace:
        """The layer."""
        return self.trace.layers[self.layer - 1]

    @property
    def name(self) -> str:
        """The token in quotation marks, as it is shown."""
        return f"“{visible(self.trace.tokens[self.token])}”"

    @property
    def share(self) -> float:
        """Its importance here; 0 if it has left."""
        return self.at.importance[self.token] or 0.0

    @property
    def entered(self) -> bool:
        """Whether it was still there."""
        return self.at.importance[self.token] is not None

    @property
    def entering(self) -> list[int]:
        """The tokens that enter this layer."""
        return [index for index, share in enumerate(self.at.importance) if share is not None]

    @property
    def stays(self) -> bool:
        """Whether it goes on."""
        return self.at.kept[self.token]


def closest(trace: Trace, layer: int) -> int:
    """The token whose importance is nearest to the threshold: the one worth a look."""
    at = trace.layers[layer - 1]
    distances = {
        index: abs(share - (at.threshold or 0.0))
        for index, share in enumerate(at.importance)
        if share is not None
    }
    return min(distances, key=lambda index: distances[index])


def opening(trace: Trace, layer: int, special: Collection[str]) -> tuple[int, int]:
    """What to look at when nothing was clicked: a word that left, in this layer if one did, else the first.

    Of those that leave together it is the one that came nearest to the threshold. A special token is taken
    only where no word leaves; where nobody does, the token nearest to the threshold.

    Args:
        trace: what happened.
        layer: where to look first, from 1.
        special: tokens that are no words.

    Returns:
        The layer, from 1, and the token, from 0.
    """
    for passed in (special, ()):
        for at in (trace.layers[layer - 1], *trace.layers):
            entering = (i for i, share in enumerate(at.importance) if share is not None)
            gone = [i for i in entering if not at.kept[i] and trace.tokens[i] not in passed]
            if gone:
                return at.layer, max(gone, key=lambda index: at.importance[index] or 0.0)
    return layer, closest(trace, layer)


def option(trace: Trace, number: int) -> str:
    """A token in the list of tokens: its number and itself.

    How it fares stands below. Here it would change with the layer, and a browser goes on sending a label that
    the list no longer has.
    """
    return f"{number} · {visible(trace.tokens[number - 1])}"


def left_in(case: Case) -> int:
    """The layer where it left."""
    return next(layer.layer for layer in case.trace.layers if not layer.kept[case.token])


def gone(case: Case) -> str:
    """That there is nothing to see of it here."""
    return f"{case.name} left in layer {left_in(case)}. Layer {case.layer} no longer computes it."


def received(case: Case) -> list[float]:
    """For each head, the share of its attention that the token receives."""
    attention = attention_of(case.trace)
    place = attention.tokens.index(case.token)
    return [float(head[place]) for head in attention.received]


def heads_title(case: Case, head: int) -> str:
    """Which heads look at it most, or what one head does."""
    shares = received(case)
    if head:
        return f"Head {head} gives {case.name} {words.percent(shares[head - 1])} of its attention"
    most = max(range(len(shares)), key=lambda index: shares[index])
    return (
        f"{len(shares)} heads look: head {most + 1} gives {case.name} most, "
        f"{words.percent(shares[most])} of its attention"
    )


def mean_title(case: Case) -> str:
    """What the average does."""
    return f"The mean over the {len(received(case))} heads: one table of who looks at whom"


def importance_title(case: Case) -> str:
    """The importance, beside the average."""
    average = words.times(case.share * len(case.entering))
    return f"{case.name} receives {words.percent(case.share)} of all attention, {average} the average"


def compare_title(case: Case) -> str:
    """Importance against threshold."""
    least = case.at.threshold
    if not least:
        return f"Layer {case.layer} has no threshold: nobody leaves"
    sign = "is at least" if case.share >= least else "is less than"
    return f"{words.threshold(case.share)} {sign} the threshold, {words.threshold(least)}"


def acting(case: Case, set_to: float) -> str:
    """What a long text makes of a threshold; nothing where it acts as it is set."""
    least = case.at.threshold
    if not least or least >= set_to:
        return ""
    return (
        f" It is set to {words.threshold(set_to)}; on a text of {len(case.trace.tokens)} tokens, longer than "
        f"this model’s reference length, it acts as {words.threshold(least)}, in every layer."
    )


def decision_title(case: Case) -> str:
    """Who is left."""
    left = sum(case.at.kept)
    verb = "stays" if case.stays else "leaves"
    reason = ""
    if case.stays and case.at.threshold and case.share < case.at.threshold:
        reason = ": the classifier reads this token, so it never leaves"
    return f"{case.name} {verb}{reason}; {left} of {words.tokens(len(case.entering))} go on"


def head_shares(case: Case) -> str:
    """The token's share in every head, in numbers, and their mean."""
    shares = received(case)
    cells = "".join(
        f'<span class="number"><b>{words.percent(share)}</b>head {number}</span>'
        for number, share in enumerate(shares, start=1)
    )
    mean = f'<span class="number result"><b>{words.percent(case.share)}</b>mean</span>'
    return f'<div class="numbers">{cells}{mean}</div>'


def column_sum(case: Case) -> str:
    """The column's sum over the number of rows, worked out."""
    rows = case.at.queries or len(case.entering)
    text = (
        f"The column of {case.name} adds up to {words.percent(case.share * rows)}; divided by {rows} rows "
        f"this is {words.percent(case.share)}."
    )
    if rows < len(case.entering):
        text = (
            f"Of the {len(case.entering)} rows this model averages {rows}, evenly spaced, the first and the "
            f"last among them. In those: {text[0].lower()}{text[1:]}"
        )
    return f'<p class="working">{as_html(text)}</p>'


def sentence(case: Case) -> str:
    """The sentence, with the tokens that leave here struck out and those gone before faint."""
    parts = []
    for index, token in enumerate(case.trace.tokens):
        gone_before = case.at.importance[index] is None
        kind = "gone" if gone_before else "stays" if case.at.kept[index] else "leaves"
        chosen = " chosen" if index == case.token else ""
        tag = "span" if kind == "stays" else "s"
        parts.append(f'<{tag} class="{kind}{chosen}">{as_html(token)}</{tag}>')
    return f'<p class="tokens">{" ".join(parts)}</p>'
