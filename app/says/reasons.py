"""What attributions and counterfactuals show, each as one sentence."""

from collections.abc import Sequence

from app.says.words import NBSP, number, probability, signed, tokens
from ltp_core import Prediction, Trace
from ltp_core.why.agreement import Agreement
from ltp_core.why.attribution import Attribution, Scores
from ltp_core.why.counterfactual import KeptToken, SmallestDrop, SmallestScale
from ltp_core.why.deletion import OWN, Deletion, Effect

CHOICES = {
    OWN: "What the thresholds drop",
    "random": "Words at random",
    "lowest": "Words with the smallest attributions",
    "highest": "Words with the largest attributions",
}
MOST_NAMED = 5  # words in a heading
MOST_DRAWS = 0.75  # of the random draws that a claim needs on its side


def unit(label: str | None) -> str:
    """Of an attribution; short, for it stands below a narrow axis."""
    return "added to the value" if label is None else "added log-odds"


def fall(label: str | None) -> str:
    """Of a deletion."""
    return "The value moves by" if label is None else f"Log-odds of {label} fall by"


def attribution(found: Attribution) -> str:
    """The word that matters most, and how long it is read."""
    sizes = [
        abs(value) if word else -1.0 for value, word in zip(found.dense.values, found.words, strict=True)
    ]
    first = max(range(len(sizes)), key=lambda token: sizes[token])
    survived, layers = found.trace.survived[first], len(found.trace.layers)
    fate = "survives all layers" if survived == layers else f"leaves in layer {survived + 1} of {layers}"
    value = found.dense.values[first]
    does = (
        "moves the value"
        if found.label is None
        else f"speaks {'for' if value > 0 else 'against'} {found.label}"
    )
    return f"“{found.trace.tokens[first]}” {does} most ({signed(value)}), and {fate}"


def word(found: Attribution, token: int) -> str:
    """What one word adds to the answer, its place among all, and when it leaves; "" for a special one."""
    if not found.words[token]:
        return ""
    value = found.dense.values[token]
    sizes = [abs(v) for v, is_word in zip(found.dense.values, found.words, strict=True) if is_word]
    place = 1 + sum(size > abs(value) for size in sizes)
    survived, layers = found.trace.survived[token], len(found.trace.layers)
    fate = "stays to the end" if survived == layers else f"leaves in layer {survived + 1} of {layers}"
    return (
        f"“{found.trace.tokens[token]}”, the chosen word, has {signed(value)}: number {place} of "
        f"{len(sizes)} in size. It {fate}."
    )


def how(found: Attribution, method: str) -> str:
    """How the numbers were made, and how exact they are."""
    what = (
        "the value"
        if found.label is None
        else f"the log-odds of “{found.label}” (0 is even, +2.3 is ten to one)"
    )
    parts = [
        f"{method}, for {what}. “Pruned” holds the kept words fixed. [CLS] and [SEP] are left as they are.",
    ]
    if found.dense.delta is not None:
        parts.append(
            "From a text in which each word is [MASK]. The attributions should sum up to what the words "
            f"change: {_gap('dense', found.dense)}; {_gap('pruned', found.pruned)}."
        )
    return " ".join(parts)


def _gap(name: str, scores: Scores) -> str:
    verdict = "converged" if scores.converged else "not converged, so read it with care"
    return f"{name}, they miss it by {abs(scores.delta or 0):.4f} at {scores.steps} steps ({verdict})"


def agreement(found: Agreement) -> str:
    """How well attribution foretells survival; nothing is claimed where the interval holds chance."""
    if found.overall is None or found.interval is None:
        return "All words survive equally long, so there is nothing to agree on"
    low, high = found.interval
    pairs = (
        f"in {100 * found.overall:.0f}{NBSP}% of all pairs the longer survivor has the larger attribution "
        f"({100 * low:.0f}–{100 * high:.0f}{NBSP}%; chance is 50{NBSP}%)"
    )
    if low > 0.5:
        return f"They agree: {pairs}"
    return f"They disagree: {pairs}" if high < 0.5 else f"Too few words to tell: {pairs}"


def deletion(found: Deletion, trace: Trace) -> str:
    """LTP's choice against each draw of as many words, on the pruned run of this trace."""
    if trace.alive[-1] == len(trace.tokens):
        return "Nothing is pruned, so nothing is lost"
    own, drawn = found.when_pruned[OWN].sizes[0], found.when_pruned["random"].sizes
    if all(f"{own:.3f}" == f"{size:.3f}" for size in drawn):  # so it is where no word is left to choose among
        return "Pruning moves the answer exactly as much as dropping as many words at random"
    less, more = sum(own < size for size in drawn), sum(own > size for size in drawn)
    draws = f"of {len(drawn)} random choices of as many words"
    if less >= MOST_DRAWS * len(drawn):
        return f"Pruning moves the answer less than {less} {draws}"
    if more >= MOST_DRAWS * len(drawn):
        return f"Pruning moves the answer more than {more} {draws}"
    return f"Pruning does no better than chance here: it moves the answer less than {less} {draws}"


def moves(effect: Effect) -> str:
    """How far the answer falls; of several draws the mean, and from where to where they move it."""
    if len(effect.sizes) == 1:
        return signed(effect.drop, 3)
    return f"{signed(effect.drop, 3)}; {min(effect.sizes):.3f} to {max(effect.sizes):.3f} in size"


def flips(share: float | None, choice: str, draws: int) -> str:
    """Whether the answer changes."""
    if share is None:
        return ""
    if choice == "random":
        return f"in {round(share * draws)} of {draws} draws"
    return "yes" if share else "no"


def pins(before: Prediction, after: Prediction) -> str:
    """What holding and taking away did."""
    if before.label is None:
        return (
            f"With your words the answer moves from {number(before.value or 0)} to {number(after.value or 0)}"
        )
    if before.labels is not None:
        verb = "keep" if before.label == after.label else "change"
        return f"Your words {verb} the answer: {after.label}"
    shares = (probability(before.probabilities[before.label]), probability(after.probabilities[before.label]))
    moved = f"{before.label} goes from {shares[0]} to {shares[1]}"
    if shares[0] == shares[1]:
        moved = f"{before.label} stays at {shares[0]}"
    if before.label != after.label:
        return f"Your words change the answer to {after.label}: {moved}"
    return f"Your words keep the answer: {moved}"


def smallest_drop(found: SmallestDrop) -> str:
    """The set, and what is known of it."""
    if found.positions is None:
        return f"No set of words was found that flips {found.before} ({_tried(found)})"
    names = ", ".join(f"“{token}”" for token in found.tokens)
    known = "no smaller set does" if found.proven else "a smaller set may do"
    return f"Without {names}, {found.before} becomes {found.after}; {known}"


def how_dropped(found: SmallestDrop) -> str:
    """What was tried, and what it does to the answer."""
    before, after = found.log_odds
    moved = signed(before) if found.positions is None else f"{signed(before)} before, {signed(after)} after"
    tried = _tried(found)
    return f"Tried: {tried}; {found.passes} runs of {found.budget}. Log-odds of {found.before}: {moved}."


def _tried(found: SmallestDrop) -> str:
    tried = f"all sets of up to {tokens(found.exhausted)}" if found.exhausted else "some single tokens"
    return f"{tried}, and larger ones greedily"


def smallest_scale(found: SmallestScale) -> str:
    """The factor."""
    if found.factor is None:
        return f"However high the thresholds, the answer stays {found.before}"
    return f"At {found.factor:.2f} times the thresholds, {found.before} becomes {found.after}"


def kept(found: tuple[KeptToken, ...], label: str | None) -> str:
    """The dropped token that would change most."""
    most = max(found, key=lambda token: abs(token.change))
    flipping = [token for token in found if token.label != label]
    if label is not None and flipping:
        strongest = sorted(flipping, key=lambda token: -abs(token.change))[:MOST_NAMED]
        names = ", ".join(f"“{token.token}”" for token in strongest)
        if len(flipping) == 1:
            return f"{names}, had it stayed, would change the answer"
        more = len(flipping) - len(strongest)
        others = f" and {more} more" if more else ""
        return f"Any one of {names}{others}, had it stayed, would change the answer"
    moves = f"“{most.token}” would move it most ({signed(most.change)})"
    return f"No dropped word alone would change the answer; {moves}"


def without_bars(found: Sequence[KeptToken], layers: int, reads_first_token: bool, first: str) -> str:
    """Why words that leave in the last layer change nothing, where there are any."""
    if not reads_first_token or all(token.leaves < layers for token in found):
        return ""
    return (
        " A word that leaves in the last layer has no bar: to keep it would change nothing, since after that "
        f"only {first} is read."
    )
