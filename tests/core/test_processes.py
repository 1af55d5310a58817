"""Training that is killed, and training on two processes: the same result, or an error, never a hang."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch

from ltp_core import PrunedModel
from ltp_core.training.job import Job, Pruning, Recipe
from ltp_core.training.pipeline import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
DENSE = Recipe(epochs=15, learning_rate=2e-3, batch_size=16, max_tokens=32, bfloat16=False, save_steps=6)
PRUNED = replace(DENSE, epochs=3, learning_rate=1e-3)
PRUNING = Pruning(
    target_flops=1.5, temperature=0.2, threshold_rate=0.02, first_threshold=0.3, last_threshold=0.8
)

# Runs the job in the folder that it is told; dies where it is told.
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from ltp_core.training import pipeline, stages
from ltp_core.training.job import Job
from ltp_core.training.loop import Loop

home, where = Path(sys.argv[1]), sys.argv[2]
job = Job.of(json.loads((home / "job.json").read_text()))

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def half_a_teacher(file, logits):
    file.write_bytes(b"half")
    die()

replace = os.replace
def half_a_model(source, target):
    if Path(target) == home / "out" / "model.safetensors":
        die()
    replace(source, target)

def half_a_checkpoint(self, folder):
    if self.state.global_step == 6 and hasattr(self.model, "budget"):
        (Path(folder) / "optimizer.pt").write_bytes(b"half")
        die()
    write(self, folder)

def dead_rank(self, *arguments, **named):
    if os.environ["RANK"] == "1" and self.state.global_step == 4:
        die()
    return step(self, *arguments, **named)

ends, whole = [], Loop.run
def watched(self):
    whole(self)
    module = self.accelerator.unwrap_model(self.model)
    if hasattr(module, "budget"):
        ends.append({"thresholds": module.learned(), "multiplier": float(module.budget.multiplier)})

Loop.run = watched
step, write = Loop.compute_loss, Loop._save_optimizer_and_scheduler
if where == "teacher":
    stages.np.save = half_a_teacher
elif where == "publish":
    os.replace = half_a_model
elif where == "checkpoint":
    Loop._save_optimizer_and_scheduler = half_a_checkpoint
elif where == "rank":
    Loop.compute_loss = dead_rank
said = []
pipeline.run(job, home / "out", said.append, "cpu")
(home / f"rank{os.environ.get('RANK', '0')}.json").write_text(json.dumps({"said": said, **ends[-1]}))
"""


@pytest.fixture(scope="module")
def job(tiny_bert, make_tokenizer, tmp_path_factory):
    """A job on a CSV file of 120 texts: good or bad."""
    home = tmp_path_factory.mktemp("job")
    tiny_bert().bert.save_pretrained(home / "base")
    make_tokenizer().save_pretrained(home / "base")
    words = np.random.default_rng(0).choice(["the", "a", "film", "it", "was", "very", "of"], (120, 9))
    lines = [
        " ".join([*row, ("bad", "good")[index % 2]]) + f",{index % 2}" for index, row in enumerate(words)
    ]
    (home / "rows.csv").write_text("text,label\n" + "\n".join(lines))
    task, base = str(home / "rows.csv"), str(home / "base")
    return Job(task, None, base, None, "ltp", DENSE, PRUNED, PRUNING, tuning=20, untouched=4)


@pytest.fixture(scope="module")
def whole(job, tmp_path_factory):
    """The model of a run that nobody disturbed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        yield run(job, tmp_path_factory.mktemp("whole") / "out", print)


def started(job, home, where, *launcher):
    (home / "job.json").write_text(json.dumps(asdict(job)))
    (home / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HOME": str(home / "hf")}
    command = [sys.executable, *launcher, str(home / "script.py"), str(home), where]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)


LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.mark.parametrize("where", ["teacher", "checkpoint", "publish"])
def test_a_killed_run_goes_on_to_the_same_model(job, whole, tmp_path, where):
    killed = started(job, tmp_path, where)
    assert killed.returncode == -9, killed.stderr[-2000:]
    assert not (tmp_path / "out" / "config.json").exists()
    said = []
    resumed = run(job, tmp_path / "out", said.append)
    assert "dense fine-tuning" not in said  # the baseline was finished
    assert resumed.thresholds == pytest.approx(whole.thresholds, rel=1e-5)
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weight, atol=1e-5, rtol=0)


def test_two_processes_agree_and_rank_0_alone_talks(job, whole, tmp_path):
    job = replace(job, dense=replace(DENSE, batch_size=8), pruned=replace(PRUNED, batch_size=8))  # on each
    ran = started(job, tmp_path, "nowhere", *LAUNCHER)
    assert ran.returncode == 0, ran.stderr[-2000:]
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert first["thresholds"] == second["thresholds"]
    assert first["multiplier"] == second["multiplier"]
    assert len(first["said"]) == 3 and second["said"] == []
    found = PrunedModel.from_pretrained(tmp_path / "out")
    texts = [line.rpartition(",")[0] for line in Path(job.task).read_text().splitlines()[1:]]
    labels = np.arange(120) % 2
    for model in (found, whole):
        answers = [int(p.label) for p in model.predict(texts)]
        assert np.mean(np.array(answers) == labels) > 0.9
    assert len(found.thresholds) == 3


def test_a_rank_that_dies_ends_the_job(job, tmp_path):
    ran = started(job, tmp_path, "rank", *LAUNCHER)
    assert ran.returncode != 0
    assert not (tmp_path / "rank0.json").exists()
    assert not (tmp_path / "out" / "config.json").exists()
