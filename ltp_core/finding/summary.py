"""From measured examples to the numbers of the finding: plain dictionaries, each mean with its interval."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ltp_core.finding import bootstrap
from ltp_core.finding.bootstrap import Interval
from ltp_core.finding.examples import Examined, left, sizes
from ltp_core.finding.word_classes import KINDS
from ltp_core.why.deletion import CHOICES, OWN

PLACES = ("first fifth", "second", "third", "fourth", "last fifth")
NEIGHBOURS = 5  # sentences that keep their answer, for each that does not


def summarise(examples: Sequence[Examined]) -> dict[str, Any]:
    """All parts of the finding, ready for JSON."""
    layers = len(examples[0].attribution.trace.layers)
    return {
        "examples": len(examples),
        "layers": layers,
        "words": int(sum(sum(example.attribution.words) for example in examples)),
        "attribution": _attribution(examples),
        "agreement": _agreement(examples, layers),
        "deletion": _deletion(examples, layers),
        "kinds": _groups(examples, KINDS, lambda example: np.asarray(example.kinds)),
        "places": _groups(examples, PLACES, _places),
        "flips": _flips(examples, layers),
    }


def plain(interval: Interval | None) -> dict[str, Any] | None:
    """An interval as JSON has it."""
    return None if interval is None else asdict(interval)


def _attribution(examples: Sequence[Examined]) -> dict[str, Any]:
    scores = [example.attribution.dense for example in examples]
    gaps = [abs(s.delta or 0) / max(sum(map(abs, s.values)), 1e-9) for s in scores]
    return {
        "converged": sum(bool(s.converged) for s in scores) / len(scores),
        "median_relative_delta": float(np.median(gaps)),
        "largest_relative_delta": float(max(gaps)),
        "steps": {str(n): sum(s.steps == n for s in scores) for n in sorted({s.steps for s in scores})},
    }


def _agreement(examples: Sequence[Examined], layers: int) -> dict[str, Any]:
    return {
        "overall": plain(bootstrap.mean([example.agreement.overall for example in examples])),
        "layers": [
            {
                "layer": layer + 1,
                "auc": plain(bootstrap.mean([example.agreement.auc[layer] for example in examples])),
                "overlap": plain(bootstrap.mean(_partial(examples, layer, "overlap"))),
                "chance": plain(bootstrap.mean(_partial(examples, layer, "chance"))),
            }
            for layer in range(layers)
        ],
    }


def _partial(examples: Sequence[Examined], layer: int, name: str) -> list[float | None]:
    """A value of the sentences of which this layer has some words, but not all."""
    agreed = [example.agreement for example in examples]
    return [getattr(one, name)[layer] if 0 < one.k[layer] < one.tokens else None for one in agreed]


def _deletion(examples: Sequence[Examined], layers: int) -> dict[str, Any]:
    found = [example.deletion for example in examples]
    own = np.asarray([one.when_pruned[OWN].drop for one in found])
    when_pruned = {}
    for choice in CHOICES:
        drops = np.asarray([one.when_pruned[choice].drop for one in found])
        when_pruned[choice] = {
            "drop": plain(bootstrap.mean(drops)),
            "flips": plain(bootstrap.mean([one.when_pruned[choice].flips for one in found])),
            "more_than_ltp": plain(bootstrap.mean(drops - own)),
        }
    from_text = {
        choice: [
            {
                "layer": layer + 1,
                "drop": plain(bootstrap.mean([one.from_text[choice][layer].drop for one in found])),
                "flips": plain(bootstrap.mean([one.from_text[choice][layer].flips for one in found])),
            }
            for layer in range(layers)
        ]
        for choice in CHOICES
    }
    return {"when_pruned": when_pruned, "from_text": from_text, "draws": found[0].draws}


def _groups(
    examples: Sequence[Examined], names: Sequence[str], of: Callable[[Examined], np.ndarray]
) -> list[dict[str, Any]]:
    """Words by group: how many are left after each layer, and how large their attributions are.

    A size is set against the mean size in its own sentence, so that sentences of all strengths count alike.
    """
    rows = []
    for name in names:
        counts, kept, size = [], [], []
        for example in examples:
            member = of(example) == name  # [m]
            relative = sizes(example) / max(float(sizes(example).mean()), 1e-12)  # [m]
            counts.append(int(member.sum()))
            kept.append(left(example)[:, member].sum(axis=1))
            size.append(float(relative[member].sum()))
        stays = np.asarray(kept)  # [N, L]
        if not sum(counts):
            continue
        rows.append(
            {
                "name": name,
                "words": sum(counts),
                "left": [plain(bootstrap.ratio(column, counts)) for column in stays.T],
                "layers_survived": plain(bootstrap.ratio(stays.sum(axis=1), counts)),
                "relative_attribution": plain(bootstrap.ratio(size, counts)),
            }
        )
    return rows


def _places(example: Examined) -> np.ndarray:
    """In which fifth of its text each word is."""
    total = sum(example.attribution.words)
    return np.asarray([PLACES[min(4, 5 * place // total)] for place in range(total)])


def _flips(examples: Sequence[Examined], layers: int) -> dict[str, Any]:
    """Sentences whose answer pruning changes, against all others and those as uncertain."""
    middle = layers // 2
    flipped = [example for example in examples if example.answers[0] != example.answers[1]]
    others = [example for example in examples if example.answers[0] == example.answers[1]]
    uncertain = [near for one in flipped for near in _nearest(one, others)]

    def dropped(example: Examined) -> float:
        """Share of the attributions, by size, whose words are gone in the middle layer."""
        size = sizes(example)
        return float(size[~left(example)[middle - 1]].sum() / max(float(size.sum()), 1e-12))

    def agreed(example: Examined) -> float | None:
        return example.agreement.overall

    def groups(value: Callable[[Examined], float | None]) -> dict[str, Any]:
        parts = {
            name: [v for v in map(value, group) if v is not None]
            for name, group in (("flipped", flipped), ("others", others), ("uncertain", uncertain))
        }
        return {
            **{name: plain(bootstrap.mean(values)) if values else None for name, values in parts.items()},
            "flipped_minus_others": plain(bootstrap.difference(parts["flipped"], parts["others"])),
            "flipped_minus_uncertain": plain(bootstrap.difference(parts["flipped"], parts["uncertain"])),
        }

    return {
        "flipped": len(flipped),
        "others": len(others),
        "neighbours": NEIGHBOURS,
        "dense_was_right": sum(example.answers[0] == example.label for example in flipped),
        "pruned_is_right": sum(example.answers[1] == example.label for example in flipped),
        "middle_layer": middle,
        "margin": groups(_margin),
        "dropped_attribution": groups(dropped),
        "agreement": groups(agreed),
    }


def _nearest(one: Examined, others: Sequence[Examined]) -> list[Examined]:
    """The sentences of which the dense model is most nearly as sure."""
    return sorted(others, key=lambda other: abs(_margin(other) - _margin(one)))[:NEIGHBOURS]


def _margin(example: Examined) -> float:
    """How sure the dense model is: log-odds of its answer."""
    return example.attribution.dense.output
