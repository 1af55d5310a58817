"""kill -9 at random moments: whatever can be read afterwards is whole, and the same call goes on."""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from safetensors.torch import load_file
from transformers import BertModel

from ltp_core import PrunedModel
from ltp_core.bases import Base, sha256
from ltp_core.checkpoints import Settings
from ltp_core.training.job import Job, Pruning, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CALL = """
import sys
from pathlib import Path
from ltp_core import cli
sys.argv[0] = "ltp"
cli.main()
"""

# What ships and measures one model again and again, with a base and folders of its own.
SHIP = """
import sys
from pathlib import Path
from ltp_core import bases, checkpoints
from ltp_core.commands import ship
from ltp_core.measuring.shipped import measure_shipped
from ltp_core.pages import shipped
from ltp_core.training import shipping
here = Path(sys.argv[1])
base = bases.Base("tiny", "tiny", "0", (), bases.sha256(here / "base" / "model.safetensors"), "")
for module in (checkpoints, shipping):
    module.BASES["tiny"] = base
    module.base_folder = lambda base: here / "base"
checkpoints.SHIPPED = here / "models"
ship.RESULTS = shipped.RESULTS = here / "results"
ship.ship(here / "run", "mine", target_flops=None)
print("ready", file=sys.stderr, flush=True)
while True:
    COMMAND
"""
SHIPPING = 'ship.ship(here / "run", "mine", target_flops=None)'
MEASURING = 'shipped.write_shipped("mine", *measure_shipped("mine", str(here / "data"), [1.0], "cpu"))'


def ended(command):
    """Run a command to its end; the seconds that it took."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", *map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return time.monotonic() - began


def killed(command, seconds):
    """Run a command and kill it after so long; whether it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-c", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0, said[-2000:]  # what was killed before goes on
    return False


def kill_again_and_again(command, folder, times, seconds):
    """Kill calls that write a folder at random moments of `seconds`, each time going on in it.

    One that comes to its end was not killed, and one that has put its model there had nothing left to do: the
    next writes another folder. What can be read is looked at after each; returns the folder of the last.
    """
    kills, moments = 0, []
    while kills < times:
        moments.append(random.uniform(0.3, 1.0) * seconds)
        if killed([*command, folder], moments[-1]):
            kills += 1
            whole = (folder / "config.json").is_file()
        else:
            whole = True
        if whole:
            folder = folder.with_name(f"{folder.name}-again")
        check(folder.parent)
        assert len(moments) < 4 * times, "it ends before it can be killed"
    print([round(moment, 1) for moment in moments], "of", round(seconds, 1))
    return folder


def check(folder: Path) -> int:
    """See that all that can be read is whole; how many models there are."""
    for file in folder.rglob("*.json"):
        if "checkpoint-" not in str(file):  # the Trainer's: the last whole one is found by their own rule
            json.loads(file.read_text(encoding="utf-8"))
    models = [file.parent for file in folder.rglob("config.json") if ".part" not in str(file.parent)]
    for model in models:
        if not any(part.startswith(("checkpoint", "tmp")) for part in model.parts[len(folder.parts) :]):
            load_file(model / "model.safetensors")
            PrunedModel.from_pretrained(model)
    return len(models)


@pytest.fixture
def here(tmp_path, tiny_bert, tokenizer):
    PrunedModel(tiny_bert(num_labels=2), tokenizer).save_pretrained(tmp_path / "dense")
    rows = [f"{'good' if n % 2 else 'bad'} film {'very ' * (n % 7)}{n},{n % 2}" for n in range(120)]
    (tmp_path / "rows.csv").write_text("text,label\n" + "\n".join(rows))
    return tmp_path


def test_training_killed_ten_times(here):
    random.seed(0)
    command = [CALL, "train", "--task", here / "rows.csv", "--base", here / "dense"]
    command += ["--tuning", 8, "--untouched", 8, "--epochs", 6, "--pruning-epochs", 6, "--batch-size", 4]
    command += ["--max-tokens", 16, "--save-steps", 5, "--target-flops", 1.3, "--device", "cpu", "--output"]
    seconds = ended([*command, here / "whole"])
    left = kill_again_and_again(command, here / "out", 10, seconds)
    ended([*command, left])
    assert check(left) >= 2
    whole, resumed = (PrunedModel.from_pretrained(folder) for folder in (here / "whole", left))
    assert resumed.thresholds == pytest.approx(whole.thresholds, rel=1e-3)  # none of the steps was lost


def test_calibration_killed_five_times(here):
    random.seed(1)
    command = [CALL, "calibrate", "--model", here / "dense", "--data", here / "rows.csv", "--texts", 60]
    command += ["--target-flops", 1.6, "--device", "cpu", "--output"]
    seconds = ended([*command, here / "whole"])
    left = kill_again_and_again(command, here / "out", 5, seconds)
    ended([*command, left])
    whole, again = (PrunedModel.from_pretrained(folder) for folder in (here / "whole", left))
    assert again.thresholds == whole.thresholds


@pytest.fixture
def run(here, tiny_bert, tokenizer, monkeypatch):
    """A training run that can be shipped as a difference to a tiny base, and data to measure it on."""
    job = Job("sst2", str(here / "data"), "tiny", None, "ltp", Recipe(), Recipe(), Pruning(), 4, 4)
    for folder, seed, thresholds in (("run/baseline", 1, None), ("run", 2, [0.02, 0.04, 0.06])):
        model = PrunedModel(tiny_bert(seed=seed, num_labels=2), tokenizer, thresholds)
        model.settings = Settings(task="sst2", training=asdict(job))
        model.save_pretrained(here / folder)
    base = BertModel(tiny_bert(num_labels=2).config)
    base.save_pretrained(here / "base")
    tokenizer.save_pretrained(here / "base")
    (here / "data").mkdir()
    for split in ("train", "validation"):
        (here / "data" / f"{split}.csv").write_text((here / "rows.csv").read_text())
    (here / "models").mkdir()
    tiny = Base("tiny", "tiny", "0", (), sha256(here / "base" / "model.safetensors"), "")
    monkeypatch.setitem(__import__("ltp_core.checkpoints", fromlist=["BASES"]).BASES, "tiny", tiny)
    monkeypatch.setattr("ltp_core.checkpoints.base_folder", lambda base: here / "base")
    return here


def ran(here, what, times):
    """Kill a loop that ships or measures at a random moment, several times, and look at the model."""
    random.seed(2)
    for _ in range(times):
        script = SHIP.replace("COMMAND", what)
        process = subprocess.Popen([sys.executable, "-c", script, here], stderr=subprocess.PIPE, text=True)
        said = []
        for line in process.stderr or ():
            said.append(line)
            if "ready" in line:
                break
        else:
            pytest.fail(f"after a kill it does not begin again: {''.join(said)[-2000:]}")
        time.sleep(random.uniform(0.5, 8))
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        yield


def test_ship_killed_five_times(run):
    there = []
    for _ in ran(run, SHIPPING, 5):
        for weights in ("ltp", "baseline"):
            there.append(PrunedModel.from_pretrained(run / "models" / "mine", weights))
    assert len(there) == 10


def test_results_killed_five_times(run):
    for _ in ran(run, MEASURING, 5):
        PrunedModel.from_pretrained(run / "models" / "mine")
        for file in (run / "results").glob("*.json"):
            assert json.loads(file.read_text())["rows"]
