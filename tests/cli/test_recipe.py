"""The command that `recipe` writes, given to the real command line, describes the same job."""

import shlex
from dataclasses import replace
from inspect import signature

import pytest
from typer.testing import CliRunner

from ltp_core.cli import app
from ltp_core.commands.train import train
from ltp_core.pages import recipe
from ltp_core.pages.recipe import train_command, train_commands
from ltp_core.training import pipeline
from ltp_core.training.job import Job, Pruning, Recipe

DENSE = Recipe(epochs=5, batch_size=16, max_tokens=256, seed=2)
PRUNED = replace(DENSE, epochs=1.5, learning_rate=3e-5)
USUAL = Job("sst2", None, "all-MiniLM-L6-v2", None, "ltp", DENSE, PRUNED, Pruning())
JOBS = [
    USUAL,
    replace(USUAL, method="dense", pruned=replace(DENSE, epochs=3, learning_rate=3e-5)),
    replace(USUAL, pruning=Pruning(target_flops=None, penalty=0.1, stages=("soft-output", "hard"))),
    replace(USUAL, tuning=300, untouched=0, limit=10_000, ablation="half", data="a folder/with spaces"),
    replace(
        USUAL,
        pruning=Pruning(
            target_flops=3.0, thresholds=(0.01, 0.02), distill=1.0, augment=2.0, unlabelled="imdb"
        ),
    ),
    replace(
        USUAL,
        pruning=Pruning(
            temperature=0.3,
            last_temperature=0.05,
            threshold_rate=0.002,
            distill_hidden=1.0,
            shortest=8,
            spared_layers=2,
        ),
    ),
    replace(USUAL, pruned=replace(PRUNED, bfloat16=False), dense=replace(DENSE, bfloat16=False)),
    replace(USUAL, task="ratings.csv", regression=True, rank=16),
    replace(USUAL, pruning=Pruning(reference_length=25.0, importance_queries=None)),
    replace(USUAL, method="lat", baseline="sst2"),
]


class Stop(Exception):
    """Enough seen."""


@pytest.mark.parametrize("job", JOBS)
def test_the_command_describes_the_job(job, monkeypatch):
    seen = []

    def run(job, *others):
        seen.append(job)
        raise Stop

    monkeypatch.setattr(pipeline, "run", run)
    line = train_command(job, "runs/x")
    program, *words = shlex.split(line)
    assert program == "ltp"
    CliRunner().invoke(app, words)
    assert seen == [job]


def test_a_dense_stage_of_its_own_has_a_line_of_its_own():
    assert train_commands(USUAL, "runs/x") == [train_command(USUAL, "runs/x")]
    other = replace(USUAL, dense=replace(DENSE, seed=0), pruned=replace(PRUNED, bfloat16=False))
    first, second = train_commands(other, "runs/x")
    batches = "--batch-size 16 --max-tokens 256"
    assert first == f"ltp train --task sst2 --output runs/x-dense --method dense --epochs 5 {batches}"
    assert second.startswith(f"ltp train --task sst2 --output runs/x --baseline runs/x-dense {batches}")
    assert "--seed 2" in second and "--no-bfloat16" in second and "--epochs" not in second.split()


def test_defaults_are_not_named():
    assert train_command(JOBS[1], "runs/x") == (
        "ltp train --task sst2 --output runs/x --method dense --epochs 5 --batch-size 16 --max-tokens 256 "
        "--seed 2"
    )


def test_what_train_cannot_be_told_is_not_said():
    assert train_command(replace(USUAL, pruning=Pruning(first_threshold=0.0004)), "runs/x") is None
    assert train_commands(replace(USUAL, pruning=Pruning(first_threshold=0.0004)), "runs/x") == []


def test_what_is_not_named_is_what_train_takes_when_it_is_told_nothing():
    takes = {name: parameter.default for name, parameter in signature(train).parameters.items()}
    usual = recipe._told(recipe.USUAL, "")
    assert set(takes) - set(usual) == {"record", "device", "json"}  # which train nothing else
    named_always = {"task", "output", "target_flops"}
    for name in set(usual) - named_always:
        assert usual[name] == takes[name], name
