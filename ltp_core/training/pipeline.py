"""From a task's name to a trained model in a folder: dense first, then pruned, resumable at any point."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import set_seed

from ltp_core.bases import BASES, KNOWN, Base, base_folder
from ltp_core.checkpoints import BASELINE_FOLDER, Settings, has_baseline
from ltp_core.data.evaluation import Evaluation, run_rows
from ltp_core.data.labels import describe
from ltp_core.data.lines import Progress
from ltp_core.data.metrics import metric_of, scores
from ltp_core.data.rows import DataError, Rows, Split, hold_out, load_rows, texts_of
from ltp_core.data.tasks import TASKS
from ltp_core.files.whole import check_output, part_of, write_whole
from ltp_core.forward import ideas
from ltp_core.model import PrunedModel, Text
from ltp_core.rules import Rule, falling_shares
from ltp_core.rules.table import LTP, RULES
from ltp_core.training.augment import drawable
from ltp_core.training.budget import ceiling
from ltp_core.training.job import Job
from ltp_core.training.lengths import (
    LOWEST_SHARE,
    SEARCH_ROWS,
    falling_at,
    lengths_at,
    read_search,
    reduction_of,
    search_lengths,
    token_counts,
    write_search,
)
from ltp_core.training.low_rank import with_factors
from ltp_core.training.processes import join
from ltp_core.training.rivals import RIVALS
from ltp_core.training.stages import train_dense, train_pruned, train_rival
from ltp_core.weights.pretrained import (
    check_folder,
    check_vocabulary,
    in_float32,
    load_classifier,
    load_config,
    load_tokenizer,
    reason,
)

JOB_FILE = "job.json"


def held_out_rows(job: Job, name: str, progress: Progress | None = None) -> Rows:
    """The rows that a job held out of its training set: "tuning" or "untouched"."""
    rows: Rows = getattr(split_of(job, progress=progress), name)
    return rows


def split_of(
    job: Job, say: Callable[[str], None] = lambda line: None, progress: Progress | None = None
) -> Split:
    """Load a job's training rows and hold out what it says: always the same rows.

    Rows with an empty text, as QQP has some, are left out, which is said: they have no token to learn from.
    """
    task = TASKS.get(job.task)
    source = job.data or (task.hub_id if task else job.task)
    classes = task.classes if task else () if job.regression else None
    found = load_rows(source, "train", task.config if task else None, classes, progress)
    rows = found.with_text()
    if empty := len(found) - len(rows):
        say(f"{empty:,} of {len(found):,} rows hold no text: left out")
    return hold_out(rows.fair(job.limit), job.tuning, job.untouched, seed=0)


def run(
    job: Job,
    folder: Path,
    say: Callable[[str], None],
    device: str = "cpu",
    reading: Callable[[], AbstractContextManager[Progress | None]] = nullcontext,
) -> PrunedModel:
    """Train what a job describes; go on where an earlier, interrupted call stopped.

    Under `torchrun` or `accelerate launch`, all processes call this, and all get the model.

    Args:
        job: what to do.
        folder: where the model comes to lie; `baseline/` in it holds the dense one.
        say: told what happens, a line at a time, by rank 0.
        device: where to train; of several of its kind, each process takes its own.
        reading: entered while the data is read, with what is told how much of a file is.

    Returns:
        The finished model.

    Raises:
        DataError: for unusable data, a target out of reach, or a folder that holds another job.
    """
    if job.ablation != ideas.IDEA and ideas.IDEA is not None:
        raise DataError(f"LTP_IDEA is {ideas.IDEA}, --ablation {job.ablation}")
    ranks = join(device)
    if ranks.num_processes > 1:
        device = str(ranks.device)
    if not ranks.is_main_process:
        say, reading = _silent, nullcontext
    if ranks.is_main_process:
        check_output(folder, resumes=True)
        check_claim(job, folder)
    with reading() as progress:
        split = split_of(job, say, progress)
    names = class_names(split)
    baseline = folder / BASELINE_FOLDER
    start = _start(job, names, baseline, say)
    unlabelled = None
    if job.rank is not None:
        _base_of(job, start)
    if job.method != "dense":  # what is wrong here is said now, not after the dense stage
        _check_target(job, start, split.tuning)
        if job.pruning.unlabelled is not None:
            unlabelled = drawable(texts_of(job.pruning.unlabelled), split)
    if ranks.is_main_process:
        claim(job, folder)
    ranks.wait_for_everyone()
    held = f"{len(split.tuning)} tuning, {len(split.untouched)} untouched"
    say(f"{len(split.train)} training rows, {held}; {describe(names)}")
    if not (baseline / "config.json").is_file():
        if job.baseline is None:
            say("dense fine-tuning")
            train_dense(_learnable(job, start).to(device), split.train, job.dense, folder / "dense")
            start.settings = replace(start.settings, training=asdict(job))
        if ranks.is_main_process:
            publish(start.eval(), baseline)
    ranks.wait_for_everyone()
    if job.method == "dense":
        return PrunedModel.from_pretrained(baseline).to(device)
    if not (folder / "config.json").is_file():
        say(f"{RULES[job.method].trained}")
        set_seed(job.pruned.seed)
        model = _learnable(job, PrunedModel.from_pretrained(baseline)).to(device)
        model = prune(job, model, split, unlabelled, folder, say)
        model.settings = replace(model.settings, training=asdict(job))
        if ranks.is_main_process:
            publish(model, folder)
    ranks.wait_for_everyone()
    return PrunedModel.from_pretrained(folder).to(device)


def prune(
    job: Job,
    model: PrunedModel,
    split: Split,
    unlabelled: Sequence[Text] | None,
    folder: Path,
    say: Callable[[str], None],
) -> PrunedModel:
    """From the dense model to the one that a job's method makes of it."""
    stage = folder / "pruned"
    if job.method == LTP.name:
        return train_pruned(model, split.train, split.tuning, job.pruned, job.pruning, stage, unlabelled)
    rival = RIVALS[job.method]
    model = train_rival(model, split.train, job.pruned, job.pruning, rival.module, stage, unlabelled)
    if rival.searches:
        say("searching length configurations on tuning rows")
        rows = split.tuning.fair(SEARCH_ROWS)
        front = search_lengths(
            model, rows, job.pruned.max_tokens, seed=job.pruned.seed, progress=_every(20, say)
        )
        if PartialState().is_main_process:
            write_search(folder, front, len(rows))
    return model


def rule_at(job: Job, model: PrunedModel, folder: Path, rows: Rows) -> Rule:
    """The rule that a finished run ends with: a rival has many, so the one at the job's FLOPs target."""
    target = job.pruning.target_flops
    rival = RIVALS.get(job.method)
    if rival is None or target is None:
        return model.learned_rule
    size, counts = model.dimensions, token_counts(model, rows, job.pruned.max_tokens)
    if rival.searches:
        return rival.rule(lengths_at(read_search(folder), size, counts, target))
    return rival.rule(falling_at(size, counts, target, job.pruning.spared_layers))


def _learnable(job: Job, model: PrunedModel) -> PrunedModel:
    """The model as its weights are learned: whole, or as factors of their difference to the base."""
    if job.rank is not None:
        model.hf_model = with_factors(model.hf_model, _base_of(job, model), job.rank)
    return model


def _base_of(job: Job, model: PrunedModel) -> Base:
    """The base that a dense model started from, which may be another than the one named for this run."""
    name = Job.of(model.settings.training).base if model.settings.training else job.base
    if name not in BASES:
        raise DataError(f"--rank needs a base whose weights are known ({KNOWN}), not {name}")
    return BASES[name]


def _every(number: int, say: Callable[[str], None]) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if done % number == 0 or done == total:
            say(f"{done} of {total}")

    return tell


def _silent(line: str) -> None:
    """What the other ranks would say, rank 0 says."""


def _start(job: Job, names: tuple[str, ...], baseline: Path, say: Callable[[str], None]) -> PrunedModel:
    """The dense model to begin with: this run's own, another run's, or the base with a fresh head."""
    if (baseline / "config.json").is_file():
        return PrunedModel.from_pretrained(baseline)
    if job.baseline is None:
        return fresh_model(job, names, say)
    weights = "baseline" if has_baseline(job.baseline) else "ltp"  # a pruned model's, or a dense one itself
    model = PrunedModel.from_pretrained(job.baseline, weights)
    _check_held_out(job, model)
    if model.dimensions.classes != max(len(names), 1):
        raise DataError(
            f"{job.baseline} has {model.dimensions.classes} outputs, which does not fit this task"
        )
    return model


def _check_target(job: Job, model: PrunedModel, tuning: Rows) -> None:
    """Refuse a FLOPs target that the method cannot promise to reach, before hours of training."""
    job.pruning.first_thresholds(model.layers)  # says so, if the wrong number of them was given
    target = job.pruning.target_flops
    if target is None:
        return
    size, counts = model.dimensions, token_counts(model, tuning, job.pruned.max_tokens)
    rival = RIVALS.get(job.method)
    if rival is not None and rival.searches:  # what its search starts from
        highest = reduction_of(size, counts, falling_shares(LOWEST_SHARE, model.layers))
        left = f"{LOWEST_SHARE:.0%} of the tokens left after the last"
    else:
        spared = job.pruning.spared_layers
        highest = ceiling(size, counts, spared)
        left = f"[CLS] alone left after the attention of layer {spared + 1}"
    if target > highest:
        raise DataError(
            f"a FLOPs reduction of {target:g} cannot be reached: with {model.layers} layers, and {left}, "
            f"the ceiling on these rows is {highest:.2f}"
        )


def _check_held_out(job: Job, baseline: PrunedModel) -> None:
    """Refuse a baseline that was trained on rows which this job holds out."""
    if not baseline.settings.training:
        raise DataError(f"{job.baseline} does not say how it was trained, so it may have seen held-out rows")
    other = Job.of(baseline.settings.training)
    for name in ("task", "tuning", "untouched", "limit"):
        if getattr(other, name) != getattr(job, name):
            raise DataError(
                f"{job.baseline} was trained with another --{name}: it may have seen held-out rows"
            )


def fresh_model(job: Job, names: tuple[str, ...], say: Callable[[str], None] = _silent) -> PrunedModel:
    """The base with a new, seeded head for these classes; for a regression if there are none.

    Weights in half precision are trained in float32, which is said.

    Raises:
        DataError: for a base that cannot be trained, with what to do.
    """
    set_seed(job.dense.seed)
    source: Any = base_folder(BASES[job.base]) if job.base in BASES else job.base
    heads: dict[str, Any] = {"num_labels": max(len(names), 1), "problem_type": None}
    if names:
        heads |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    try:
        if Path(source).is_dir():
            check_folder(Path(source))
        config = load_config(source, **heads)
        for name in ("attention_probs_dropout_prob", "attention_dropout"):  # whichever the family has
            if hasattr(config, name):
                setattr(config, name, 0.0)  # it would cost half of the time at 256 tokens on a CPU
        model = load_classifier(source, config=config, ignore_mismatched_sizes=True)
        if stored := in_float32(model):
            say(f"{job.base} is stored in {stored}: trained in float32")
        tokenizer = load_tokenizer(source)
        check_vocabulary(model, tokenizer)
        settings = Settings(task=job.task, importance_queries=job.pruning.importance_queries)
        return PrunedModel(model, tokenizer, settings=settings, name=job.base)
    except Exception as error:  # transformers raises many kinds
        raise DataError(f"cannot start from {job.base}: {reason(error)}") from None


def class_names(split: Split) -> tuple[str, ...]:
    """The names of the labels 0, 1, …, by the rule of `data.labels`; none for a regression.

    Raises:
        DataError: if there is one class only.
    """
    labels = [label for rows in (split.train, split.tuning, split.untouched) for label in rows.labels]
    names = split.train.classes or ()
    if len(set(labels)) < 2:
        only = names[int(labels[0])] if names else labels[0]
        raise DataError(f"all labels are {only}: there is nothing to learn")
    return names


def claim(job: Job, folder: Path) -> None:
    """Write the job into its folder, or check that the folder belongs to this very job."""
    if check_claim(job, folder):
        return
    folder.mkdir(parents=True, exist_ok=True)  # a run that is killed while it writes claims nothing
    write_whole(folder / JOB_FILE, json.dumps(asdict(job), indent=2) + "\n")


def check_claim(job: Job, folder: Path) -> bool:
    """Whether a folder belongs to this very job already; DataError if it holds anything else."""
    file = folder / JOB_FILE
    if file.is_file():
        if Job.of(json.loads(file.read_text(encoding="utf-8"))) != job:
            raise DataError(
                f"{folder} holds another run ({JOB_FILE} differs): choose another --output, or delete it"
            )
        return True
    part = part_of(file)
    if folder.exists() and any(path != part for path in folder.iterdir()):
        raise DataError(f"{folder} is not empty and holds no run to resume: choose another --output")
    return False


def publish(model: PrunedModel, folder: Path) -> None:
    """Save a finished model so that it is there whole or not at all: config.json appears last."""
    model.save_pretrained(folder)


def score(
    model: PrunedModel, rows: Rows, task: str | None, **options: Any
) -> tuple[dict[str, float], Evaluation]:
    """Score a model on rows with the task's metric; the first score is the one to report."""
    found = run_rows(model, rows, **options)
    return scores(metric_of(task, model.dimensions.classes), found.logits, rows.labels), found
