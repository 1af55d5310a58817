"""What `compare` measured, as sections of docs/results.md: pure functions from rows to Markdown."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ltp_core.data.tasks import TASKS
from ltp_core.pages.markdown import grid
from ltp_core.pages.recipe import train_commands
from ltp_core.results import ENGINE, lost_text
from ltp_core.rules.table import DENSE, LTP, RULES, rivals
from ltp_core.training.job import Job

Measured = dict[str, Any]

CLAIMED = "RoBERTa-base, Kim et al. 2022"
NEAR = 0.05  # relative: FLOPs reductions as near as this count as equal


def sections(
    rows: Sequence[Measured], timed: Sequence[Measured], pictures: Iterable[str], shipped: Mapping[str, int]
) -> list[str]:
    """The page's parts on rules, claims, thresholds and lengths; none while nothing was compared.

    Args:
        rows: of all `compare-*.json`.
        timed: what `benchmark --write` wrote.
        pictures: tasks of which there is a picture.
        shipped: task -> the seed of the model that ships.
    """
    if not rows:
        return []
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    parts = ["## Every rule at the same FLOPs", _protocol()]
    for task in tasks:
        parts += _task([row for row in rows if row["task"] == task], task in pictures)
    parts += ["### Mean of the tasks", *_means(rows)]
    parts += ["## The paper's claims beside ours", _claims(rows, tasks, timed)]
    examples = [row for task in tasks if (row := nearest(rows, task, shipped.get(task)))]
    parts += ["## What the learned thresholds look like", *_thresholds(examples)]
    parts += ["## Kept tokens against the length of the input", *_lengths(examples)]
    parts += ["## Where we fall short", _short(rows, tasks)]
    return parts


def ablations(rows: Sequence[Measured]) -> list[str]:
    """What single changes to the training give: rows that `train --record` wrote, if there are any."""
    if not rows:
        return []
    lines = []
    for row in sorted(rows, key=lambda row: (row["task"], row["rule"], row["seed"] or 0)):
        asked = f"{row['target_flops']:g}×" if row.get("target_flops") else f"λ = {row['penalty']:g}"
        lost = "" if row["points_lost"] is None else f"{row['points_lost']:z.1f}"
        score, reduction = f"{100 * row['pruned_score']:.1f}", f"{row['flops_reduction']:.2f}×"
        rule, seed = f"`{row['rule']}`", str(row["seed"])
        lines.append([row["task"], rule, seed, asked, str(row["examples"]), score, lost, reduction])
    return [
        "## Seeds and ablations",
        grid(["task", "rule", "seed", "asked for", "rows", "score", "points lost", "paper FLOPs"], lines),
        "`ltp` is the recipe of the shipped model; an ablation's name says what its run was about, its "
        "command what it was told. Measured on the *tuning* rows, on which the thresholds' factor was "
        "settled, too; the development set is not touched for these. With one seed and a few hundred rows, "
        "half a point is noise. `ltp train --record` adds a row.",
        *_told(rows),
    ]


def _told(rows: Sequence[Measured]) -> list[str]:
    """The commands of the ablations, where a row has what its run was told."""
    commands = {}
    for row in rows:
        if row["rule"] != LTP.name and "training" in row:
            name = row["rule"].replace("/", "-").replace(".", "-")
            commands[row["task"], row["rule"]] = _commands(row["training"], f"runs/{row['task']}-{name}")
    told = ["\n".join(lines) for _, lines in sorted(commands.items()) if lines]
    if not told:
        return []
    missing = "; earlier rows have none stored, or had options that are gone" if len(told) < len(rows) else ""
    return [f"The commands of the ablations{missing}:", "```bash\n" + "\n".join(told) + "\n```"]


def _commands(training: dict[str, Any], output: str) -> list[str]:
    """The lines that repeat a run; none for one that today's `train` cannot be told to do."""
    try:
        return train_commands(Job.of(training), output)
    except ValueError:
        return []


def _protocol() -> str:
    said = [f"`{kind.name}`: {kind.brief}" for kind in RULES.values() if kind is not DENSE]
    return f"{FITTED} {'. '.join(said)}.\n\n{WEIGHTS}"


FITTED = (
    "Each rule is fitted to a FLOPs target on *tuning* rows, which were held out of the training set, and "
    "measured on the development set, where it misses the target a little; margins between rules are taken "
    "at equal measured FLOPs, on the line between a rule's points. Targets are paper FLOPs."
)
WEIGHTS = (
    "`ltp`, `topk` and `lat` run on weights tuned for them, from the same dense baseline with the same rows "
    "and distillation: `ltp` for one target near 2.1×, the rivals for all of them; `lat` with half of the "
    "passes or fewer, of three forward passes each. All others, and what ends in `/untrained`, run on the "
    "baseline itself, as it ships, its differences to the base in 4 bits. The seed of `ltp` that ships is "
    "rounded likewise; other seeds and the trained rivals are not. Points lost are against that one "
    "baseline. The commands are\n\n"
    "```bash\nltp train --method topk --task mrpc --baseline mrpc --output runs/mrpc-topk  # and lat\n"
    "ltp compare --task mrpc --targets 1.5,1.8,2.1,2.5,3 --topk runs/mrpc-topk --lat runs/mrpc-lat\n"
    "ltp compare --task mrpc --targets 1.5,1.8,2.1,2.5,3 --rules ltp --ltp runs/seed1 --baseline mrpc\n"
    "```\n\nthe last one for each further seed."
)


def _task(rows: Sequence[Measured], picture: bool) -> list[str]:
    first = rows[0]
    title = f"### {first['task']}: {first['metric']} in percent on {first['examples']} development rows"
    parts = [title]
    if picture:
        alt = f"{first['task']}: {first['metric']} of every rule against its FLOPs reduction"
        parts.append(f"![{alt}](pictures/compare-{first['task']}.svg)")
    for row in rows:
        if row.get("constant_score") is not None:
            parts.append(f"Always the same answer would score {100 * row['constant_score']:.1f}.")
    parts.append(_scores(rows))
    of_ltp = [row for row in rows if row["rule"] == LTP.name]
    notes = {row["note"] for row in of_ltp if row.get("note")}
    one_seed = len({row["seed"] for row in of_ltp}) == 1  # a note is about one model
    note = f" A note on the model of `ltp`: {' '.join(sorted(notes))}" if notes and one_seed else ""
    parts.append(
        f"A cell: score (points lost) at measured reduction. {_seeds(rows)}; commit {first['commit']}, torch "
        f"{first['versions']['torch']}.{note}"
    )
    return parts + _other_terms(rows)


def _other_terms(rows: Sequence[Measured]) -> list[str]:
    """In what the rivals of a task were trained otherwise than `ltp`, where rows have it stored."""
    said = {
        f"`{row['rule']}` {name} {its}, `ltp` {ours}"
        for row in rows
        for name, (its, ours) in row.get("other_terms", {}).items()
    }
    return [f"Trained on other terms: {'; '.join(sorted(said))}."] if said else []


def _seeds(rows: Sequence[Measured]) -> str:
    """Which seeds the cells of a task are from."""
    seeds: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        seeds[row["rule"]].add(row["seed"])
    several = {rule: found for rule, found in seeds.items() if len(found) > 1}
    single = set().union(*(found for rule, found in seeds.items() if rule not in several))
    others = f"seed {', '.join(map(str, sorted(single)))}"
    if not several:
        return others.capitalize()
    means = "; ".join(f"`{rule}` of {', '.join(map(str, sorted(found)))}" for rule, found in several.items())
    return f"Means over seeds, ± half their range: {means}" + (f"; others {others}" if single else "")


def _scores(rows: Sequence[Measured]) -> str:
    targets = sorted({row["target_flops"] for row in rows if row["rule"] != DENSE.name})
    dense = [row for row in rows if row["rule"] == DENSE.name]
    lines = []
    for rule in sorted({row["rule"] for row in rows} - {DENSE.name}, key=_rank):
        points = [
            [row for row in rows if row["rule"] == rule and row["target_flops"] == target]
            for target in targets
        ]
        lines.append([f"`{rule}`", *(_cell(found) for found in points)])
    if dense:
        scores = [100 * row["pruned_score"] for row in dense]
        lines.insert(0, ["`dense`", f"{mean(scores):.1f}{_spread(scores)} at 1×", *[""] * (len(targets) - 1)])
    return grid(["rule", *(f"target {target:g}×" for target in targets)], lines)


def _rank(rule: str) -> tuple[bool, bool, str]:
    """Learned thresholds first, then the trained rivals, then what runs on the untouched baseline."""
    return rule != LTP.name, rule not in rivals(), rule


def _cell(found: Sequence[Measured]) -> str:
    if not found:
        return "not measured"
    scores = [100 * row["pruned_score"] for row in found]
    lost = mean(row["points_lost"] for row in found)
    reduction = mean(row["flops_reduction"] for row in found)
    return f"{mean(scores):.1f}{_spread(scores)} ({lost:z.1f}) at {reduction:.2f}×"


def _spread(values: Sequence[float]) -> str:
    return f" ± {(max(values) - min(values)) / 2:.1f}" if len(values) > 1 else ""


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean."""
    listed = list(values)
    return sum(listed) / len(listed)


def lost_at(rows: Sequence[Measured]) -> dict[tuple[str, str, float], float]:
    """Points lost by task, rule and target, the mean over seeds."""
    found = defaultdict(list)
    for row in rows:
        found[row["task"], row["rule"], row["target_flops"]].append(row["points_lost"])
    return {key: mean(values) for key, values in found.items()}


def _means(rows: Sequence[Measured]) -> list[str]:
    """Points lost in the mean of those tasks where every rule of the line was measured at the target."""
    lost = lost_at(rows)
    tasks = sorted({task for task, _, _ in lost})
    targets = sorted({target for _, rule, target in lost if rule != DENSE.name})
    lines = []
    for rule in sorted({rule for _, rule, _ in lost} - {DENSE.name}):
        cells = []
        for target in targets:
            have = [lost[task, rule, target] for task in tasks if (task, rule, target) in lost]
            cells.append(f"{mean(have):z.1f} ({len(have)})" if have else "")
        lines.append([f"`{rule}`", *cells])
    return [
        grid(["rule", *(f"target {target:g}×" for target in targets)], lines),
        "Points lost, and over how many tasks. Numbers over different tasks cannot be compared.",
    ]


def by_target(rows: Sequence[Measured], task: str, rule: str) -> dict[float, list[Measured]]:
    """A rule's rows on a task, a row a seed, by target; the lowest target first."""
    found = defaultdict(list)
    for row in rows:
        if (row["task"], row["rule"]) == (task, rule):
            found[row["target_flops"]].append(row)
    return dict(sorted(found.items()))


def best_below(rows: Sequence[Measured], task: str, limit: float = 1.0) -> list[Measured]:
    """The highest target at which `ltp` lost less than a point in the mean of seeds: a row a seed.

    A lucky point beyond one that lost more by a standard error does not count: on small development sets
    there are some. Empty if there is no such target.
    """
    reached: list[Measured] = []
    for points in by_target(rows, task, LTP.name).values():
        lost = mean(row["points_lost"] for row in points)
        if lost - (error_of(points) or 0) >= limit:
            break
        if lost < limit:
            reached = points
    return reached


def error_of(points: Sequence[Measured]) -> float | None:
    """Standard error of the points lost: of seeds, which share the rows, the mean. None if unknown."""
    errors = [error for row in points if (error := row.get("points_lost_error")) is not None]
    return mean(errors) if errors else None


def reduction_of(points: Sequence[Measured]) -> float:
    """FLOPs reduction in the mean of seeds; 1, which is none, if there is no row."""
    return mean(row["flops_reduction"] for row in points) if points else 1.0


def lost_near(rows: Sequence[Measured], task: str, rule: str, left: float) -> float | None:
    """What a rule loses where it leaves this share of the FLOPs: between its neighbouring points.

    All rules are fitted to the same targets on tuning rows, but on other rows they miss them by different
    amounts, so equal targets are not equal FLOPs.

    Returns:
        Points; None if the rule was not measured at so many FLOPs, or so few, give or take `NEAR`.
    """
    points = sorted(
        (1 / reduction_of(seeds), mean(row["points_lost"] for row in seeds))
        for seeds in by_target(rows, task, rule).values()
    )
    if not points:
        return None
    shares, lost = zip(*points, strict=True)
    if not shares[0] * (1 - NEAR) <= left <= shares[-1] * (1 + NEAR):
        return None
    return float(np.interp(left, shares, lost))


def ahead(rows: Sequence[Measured], rules: Iterable[str]) -> list[tuple[str, str, float, float]]:
    """By how many points `ltp` is above other rules at equal FLOPs.

    Returns:
        (task, rule, target of `ltp`, points) wherever both are measured.
    """
    found = []
    for task in sorted({row["task"] for row in rows}):
        for target, own in by_target(rows, task, LTP.name).items():
            lost = mean(row["points_lost"] for row in own)
            for rule in rules:
                other = lost_near(rows, task, rule, 1 / reduction_of(own))
                if other is not None:
                    found.append((task, rule, target, other - lost))
    return found


def margins(rows: Sequence[Measured]) -> list[tuple[str, float, float]]:
    """By how many points `ltp` is above the better trained rival at equal FLOPs.

    Returns:
        (task, target, points) wherever `ltp` and a trained rival are measured.
    """
    least: dict[tuple[str, float], float] = {}
    for task, _, target, points in ahead(rows, rivals()):
        least[task, target] = min(points, least.get((task, target), points))
    return [(task, target, points) for (task, target), points in least.items()]


def _claims(rows: Sequence[Measured], tasks: Sequence[str], timed: Sequence[Measured]) -> str:
    best = {task: best_below(rows, task) for task in tasks}
    reached = ", ".join(f"{task} {_reached(found)}" for task, found in best.items())
    strong = [task for task, found in best.items() if reduction_of(found) >= 2.1 * (1 - NEAR)]
    lines = [
        [
            "FLOPs up to which less than 1 point is lost",
            "up to 2.1×",
            f"{reached}: about 2.1× or more on {len(strong)} of {len(tasks)} tasks",
        ]
    ]
    for name, known in TASKS.items():
        if name in tasks and known.aim is not None:
            aim = f"no figure at hand; our aim: {known.aim:g}×"
            lines.append([f"the same on {name}", aim, _reached(best[name])])
    if gaps := margins(rows):
        task, target, most = max(gaps, key=lambda gap: gap[2])
        worst = min(gaps, key=lambda gap: gap[2])
        trained = [f"`{rival}`" for rival in rivals() if any(row["rule"] == rival for row in rows)]
        where = ", ".join(dict.fromkeys(task for task, *_ in gaps))
        ours = (
            f"at most {most:.1f} ({task} at {target:g}×), in the mean {mean(gap for *_, gap in gaps):.1f}, "
        )
        ours += f"at worst {worst[2]:.1f} ({worst[0]} at {worst[1]:g}×), "
        ours += f"against trained {', '.join(trained)} on {where}"
    else:
        ours = "not measured yet: no rival is trained"
    lines.append(["points above earlier token pruning at equal FLOPs", "up to 2.5", ours])
    lines.append(["throughput on a CPU, at less than 1 point lost", "1.9×", _throughput(timed)])
    return grid(["claim", f"the paper ({CLAIMED})", "here (six-layer MiniLM)"], lines)


def _throughput(timed: Sequence[Measured]) -> str:
    """Our speedups over Hugging Face where the texts that were timed lost less than a point themselves."""
    scored = [document for document in timed if (document.get("scores") or {}).get("points_lost") is not None]
    held = [document for document in scored if document["scores"]["points_lost"] < 1]
    if not held:
        return "not measured yet"
    found = max(held, key=lambda document: document["scores"]["examples"])
    rows = [row for row in found["rows"] if (row["engine"], row["against"]) == (ENGINE, "sdpa")]
    speedups = ", ".join(
        f"{row['speedup']:.2f}× at batch {row['batch_size']}, of which pruning alone "
        f"{row['packed_dense_ms'] / row['pruned_ms']:.2f}×"
        for row in rows
    )
    scores, reduction = found["scores"], rows[0]["flops_reduction"]
    lost = f"{scores['points_lost']:z.1f} points lost on these {scores['examples']} texts"
    what = f"{found['model']}, at most {found['max_tokens']} tokens, {reduction:.2f}× fewer FLOPs"
    return f"{speedups} ({what}; {lost}; see [Performance](performance.md#whole-reviews))"


def _reached(points: Sequence[Measured]) -> str:
    """The reduction, and what is lost there with the standard error on those rows."""
    if not points:
        return "none"
    lost = lost_text(mean(row["points_lost"] for row in points), error_of(points))
    return f"{reduction_of(points):.2f}× ({lost} lost)"


def nearest(rows: Sequence[Measured], task: str, seed: int | None, target: float = 2.1) -> Measured | None:
    """The `ltp` row of a task and seed nearest to a target; of the lowest seed if this one is not there."""
    found = [row for row in rows if row["task"] == task and row["rule"] == LTP.name]

    def order(row: Measured) -> tuple[bool, float, int]:
        return row["seed"] != seed, abs(row["target_flops"] - target), row["seed"]

    return min(found, key=order, default=None)


def _thresholds(rows: Sequence[Measured]) -> list[str]:
    found = [row for row in rows if row.get("thresholds")]
    if not found:
        return ["Not measured yet."]
    layers = max(len(row["thresholds"]) for row in found)
    lines = [
        [
            row["task"],
            f"{row['flops_reduction']:.2f}×",
            *(f"{100 * theta:.2f}" for theta in row["thresholds"]),
        ]
        for row in found
    ]
    return [
        grid(["task", "FLOPs", *(f"layer {number}" for number in range(1, layers + 1))], lines),
        "Percent of all attention that a token must receive to stay, at about 2.1×, in the models that ship. "
        "What leaves after the last layer is read by nobody, so its threshold is free to rise; executed "
        "FLOPs do not credit that.",
    ]


def _lengths(rows: Sequence[Measured]) -> list[str]:
    found = [row for row in rows if row.get("kept_by_length")]
    if not found:
        return ["Not measured yet."]
    lines = []
    for row in found:
        for group in row["kept_by_length"]:
            kept = " ".join(f"{100 * share:.0f}" for share in group["kept_per_layer"])
            span = f"{group['shortest']}–{group['longest']}"
            lines.append([row["task"], span, str(group["examples"]), kept])
    return [
        grid(["task", "tokens", "examples", "percent left after each layer"], lines),
        "`ltp` at about 2.1×, quarters of the development set by length. A threshold on a share of attention "
        "leaves room for 1/θ tokens, whatever the length, so longer inputs lose a larger part.",
    ]


def _short(rows: Sequence[Measured], tasks: Sequence[str]) -> str:
    lines = []
    for task in tasks:
        best = best_below(rows, task)
        if not best:
            lines.append(f"- {task}: `ltp` lost a point or more at all targets.")
        elif reduction_of(best) < 2.1 * (1 - NEAR):
            lines.append(f"- {task}: less than a point lost only up to {reduction_of(best):.2f}×.")
    others = sorted({row["rule"] for row in rows} - {LTP.name, DENSE.name})
    for task, rule, target, points in ahead(rows, others):
        if points < 0:
            lines.append(f"- {task} at {target:g}×: `{rule}` is {-points:.1f} points above `ltp`.")
    if not lines:
        return "At no measured point: `ltp` loses less than a point at 2.1× and no rule is above it."
    smallest = min(row["examples"] for row in rows)
    return "\n".join(
        [
            *lines,
            "",
            "Why, as far as we can tell: the paper's base has twelve layers, ours six. A token that leaves "
            "half-way has passed six layers there and three here, so less of it has reached the others; and "
            "the first layers, whose attention says little about what matters, are a larger part of the "
            f"whole. Development sets are small, too: a point is {smallest / 100:.0f} of {smallest} rows. "
            "This is a guess that the measurements above do not test.",
        ]
    )
