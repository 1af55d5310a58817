"""docs/finding.md, from the JSON files of the `finding` command. Every number in it comes from there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from ltp_core.why.deletion import CHOICES

Findings = Mapping[str, Any]


def page(findings: Sequence[Findings], figures: Mapping[str, Mapping[str, str]]) -> str:
    """The whole page.

    Args:
        findings: contents of the JSON files.
        figures: model -> figure -> its address as seen from the page.
    """
    sections = [_section(found, figures[found["model"]]) for found in findings]
    template = Template(Path(__file__).with_name("page.md").read_text(encoding="utf-8"))
    return template.substitute(sections="\n\n".join(sections), draws=findings[0]["deletion"]["draws"])


def _section(found: Findings, figures: Mapping[str, str]) -> str:
    parts = [
        f"## {found['model']}",
        f"{found['examples']:,} sentences of the development set, {found['words']:,} tokens of text, "
        f"{found['layers']} layers.",
        _agreement(found, figures),
        _deletion(found, figures),
        _kinds(found, figures),
        _places(found, figures),
        _flips(found),
        _transfer(found),
        _exactness(found),
    ]
    return "\n\n".join(part for part in parts if part)


def _agreement(found: Findings, figures: Mapping[str, str]) -> str:
    overall = found["agreement"]["overall"]
    if overall is None:
        return "Nothing is pruned, so there is nothing to agree on."
    verdict = "no more often than chance"
    if overall["low"] > 0.5:
        verdict = "more often than chance"
    elif overall["high"] < 0.5:
        verdict = "less often than chance"
    rows = [
        [row["layer"], _shown(row["auc"]), _shown(row["overlap"], 100, 0), _shown(row["chance"], 100, 0)]
        for row in found["agreement"]["layers"]
    ]
    head = ["layer", "area under ROC curve", "largest attributions that are left, %", "by chance, %"]
    return "\n\n".join(
        [
            "### Does what survives matter more?",
            f"The longer survivor has the larger attribution {verdict}: in {_shown(overall, 100, 1)} % "
            "of all pairs of words of a sentence.",
            f"![Area under the ROC curve in each layer]({figures['agreement']})",
            "Third column: of the k words with the largest attributions, how many are among the k words that "
            "are left. Each layer counts the sentences that have lost some of their words by then, but not "
            "all.",
            _table(head, rows),
        ]
    )


def _deletion(found: Findings, figures: Mapping[str, str]) -> str:
    choices = found["deletion"]["when_pruned"]
    against = _compare(choices["random"]["more_than_ltp"], "Random words cost", "than LTP's own")
    smallest = _compare(
        choices["lowest"]["more_than_ltp"], "Words with the smallest attributions cost", "than LTP's"
    )
    rows = [
        [CHOICES[name], _shown(row["drop"]), _shown(row["flips"], 100, 1), _shown(row["more_than_ltp"])]
        for name, row in choices.items()
    ]
    head = ["who goes", "log-odds fall by", "answers that change, %", "more than LTP"]
    doubt = ""
    if choices["highest"]["drop"]["value"] <= choices["random"]["drop"]["value"]:
        doubt = (
            " But here attribution fails a check of its own: to lose the words with the largest attributions "
            "costs no more than to lose random ones. So it says little about what matters to this model, and "
            "agreement with it proves little."
        )
    return "\n\n".join(
        [
            "### Does the answer survive the loss?",
            f"{against} {smallest}{doubt}",
            _table(head, rows),
            "In this table words go layer by layer, as under LTP: the others have read them by then. In the "
            "figure they are deleted from the text itself, so nobody ever reads them.",
            f"![Fall of the log-odds when words are deleted from the text]({figures['deletion']})",
        ]
    )


def _kinds(found: Findings, figures: Mapping[str, str]) -> str:
    many = [row for row in found["kinds"] if row["words"] >= 10] or found["kinds"]
    order = sorted(many, key=lambda row: row["layers_survived"]["value"])
    first, last = order[0], order[-1]
    layers = range(1, found["layers"] + 1)
    rows = [
        [
            row["name"],
            row["words"],
            *(f"{100 * share['value']:.0f}" for share in row["left"]),
            _shown(row["layers_survived"]),
            _shown(row["relative_attribution"]),
        ]
        for row in order
    ]
    head = [
        "kind",
        "tokens",
        *(f"left after {n}, %" for n in layers),
        "layers survived",
        "relative attribution",
    ]
    return "\n\n".join(
        [
            "### Which words go first?",
            f"Of the kinds in the table, {first['name']} goes first (after "
            f"{_shown(first['layers_survived'])} layers on average), and {last['name']} stays longest "
            f"({_shown(last['layers_survived'])}).",
            f"![Size of attribution beside layers survived, by kind of word]({figures['kinds']})",
            _table(head, rows),
        ]
    )


def _places(found: Findings, figures: Mapping[str, str]) -> str:
    order = sorted(found["places"], key=lambda row: row["layers_survived"]["value"])
    first, last = order[0], order[-1]
    return "\n\n".join(
        [
            "### Which places go first?",
            f"The {_place(first)} of a sentence survives {_shown(first['layers_survived'])} layers, the "
            f"{_place(last)} {_shown(last['layers_survived'])}. Their attributions are "
            f"{_shown(first['relative_attribution'])} and {_shown(last['relative_attribution'])} times the "
            "mean.",
            f"![Words left after each layer, by place in the sentence]({figures['left']})",
        ]
    )


def _place(row: Findings) -> str:
    return str(row["name"]) if "fifth" in row["name"] else f"{row['name']} fifth"


def _flips(found: Findings) -> str:
    flips = found["flips"]
    head = ["", "flipped", "all others", "others as uncertain", "flipped − as uncertain"]
    names = {
        "margin": "log-odds of the dense answer",
        "dropped_attribution": f"share of attribution gone after layer {flips['middle_layer']}, %",
        "agreement": "agreement with survival",
    }
    rows = []
    for key, name in names.items():
        scale, digits = (100, 0) if key == "dropped_attribution" else (1, 2)
        cells = ("flipped", "others", "uncertain", "flipped_minus_uncertain")
        rows.append([name, *(_shown(flips[key][cell], scale, digits) for cell in cells)])
    gap = flips["dropped_attribution"]["flipped_minus_uncertain"]
    if gap is None:
        said = "There are too few to compare."
    elif gap["low"] > 0:
        said = (
            "They lose more of their attribution than sentences that are as uncertain and keep their answer."
        )
    elif gap["high"] < 0:
        said = (
            "They lose less of their attribution than sentences that are as uncertain and keep their answer."
        )
    else:
        said = (
            "Whether they lose more of their attribution than sentences that are as uncertain cannot be told "
            "from so few."
        )
    return "\n\n".join(
        [
            "### Are flips where the two disagree?",
            f"Pruning changes {flips['flipped']} of {found['examples']:,} answers; the dense answer was "
            f"right in {flips['dense_was_right']} of them, the pruned one in "
            f"{flips['pruned_is_right']}. {said}",
            _table(head, rows),
            f"*As uncertain*: for each flipped sentence, the {flips['neighbours']} others whose dense "
            "answers have the most similar log-odds. Pruning flips what was uncertain before, so only this "
            "comparison says something.",
        ]
    )


def _transfer(found: Findings) -> str:
    transfer = found["transfer"]
    if transfer is None:
        return ""
    rows = [
        [
            row["thresholds"],
            f"{row['factor']:.3g}",
            f"{row['flops_reduction']:.2f}×",
            _shown(row["score"], 100, 1),
            _shown(row["same_answer_as_dense"], 100, 1),
            " ".join(f"{100 * share:.0f}" for share in row["kept_per_layer"]),
        ]
        for row in transfer["rows"]
    ]
    borrowed = [row for row in transfer["rows"] if row["thresholds"] not in ("own", "rising", "flat")]
    who = (
        "Thresholds of " + ", ".join(row["thresholds"] for row in borrowed) + " on this model's weights"
        if borrowed
        else "No other model was given, so only hand-made shapes are tried on this model's weights"
    )
    head = ["thresholds", "factor", "paper FLOPs", "accuracy, %", "same answer as dense, %", "tokens left, %"]
    return "\n\n".join(
        [
            "### Do thresholds carry over?",
            f"{who}: each shape times one factor, settled without labels on {transfer['settled_on']} of the "
            "texts so that all do the same work. With nothing pruned the accuracy is "
            f"{_shown(transfer['dense_score'], 100, 1)} %.",
            _table(head, rows),
            "*Rising* grows evenly to the last layer, *flat* is one threshold for all layers; neither is "
            "learned. Intervals that overlap tell nothing apart.",
        ]
    )


def _exactness(found: Findings) -> str:
    exact, stamp = found["attribution"], found["stamp"]
    steps = ", ".join(f"{count} with {n}" for n, count in exact["steps"].items())
    return (
        f"*Exactness*: sentences by steps of the integral: {steps}; {100 * exact['converged']:.1f} % "
        "converged (the attributions miss their sum by at most 2 % of their sizes; median "
        f"{100 * exact['median_relative_delta']:.2f} %, largest "
        f"{100 * exact['largest_relative_delta']:.1f} %). Commit {stamp['commit']}, {stamp['machine']}."
    )


def _compare(gap: Mapping[str, float] | None, who: str, than: str) -> str:
    if gap is None:
        return ""
    if gap["low"] > 0:
        return f"{who} the answer more {than}: {_shown(gap)} in log-odds."
    if gap["high"] < 0:
        return f"{who} the answer less {than}: {_shown(gap)} in log-odds."
    return f"{who} the answer neither clearly more nor less {than}: {_shown(gap)} in log-odds."


def _shown(interval: Mapping[str, float] | None, scale: float = 1, digits: int = 2) -> str:
    if interval is None:
        return "–"
    value, low, high = (scale * interval[name] for name in ("value", "low", "high"))
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _table(head: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
