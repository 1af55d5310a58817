"""The highest resident size of a process that runs a batch: Hugging Face's forward, ours, and ours pruned."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ltp_core.data.sentences import inputs_of_length, own_sentences
from ltp_core.model import PrunedModel
from ltp_core.rules import Dense, Thresholds
from ltp_core.speed.memory import RESET, highest_resident, start_again
from ltp_core.speed.settled import settled, to_multiply

RUNS = ("hugging_face", "packed_dense", "pruned")
SETTLED_ON = 4  # texts of the batch


def measure_resident(
    source: str,
    model: PrunedModel,
    length: int,
    batch_size: int,
    target_flops: float,
    say: Callable[[str], object] = lambda line: None,
) -> dict[str, Any]:
    """Run one batch in each of three ways, each in a process of its own.

    Args:
        source: what the processes load: a folder or the name of a shipped model.
        model: loaded from there, to settle thresholds on.
        length: tokens of a text, special ones included; our own sentences, joined and cut.
        batch_size: texts in the batch.
        target_flops: the FLOPs reduction of the pruned run.
        say: told what each run took, a line at a time.

    Returns:
        ``length``, ``batch_size``, ``flops_reduction``, and ``megabytes``: of each of `RUNS`, in 10^6 bytes.

    Raises:
        ValueError: for a model without thresholds, a target that is not reached, or on a system that does
            not tell.
        OSError: if a process fails.
    """
    texts = inputs_of_length(model.tokenizer, own_sentences(), length, batch_size)
    pruned = settled(model, to_multiply(model.learned_rule, "memory"), texts[:SETTLED_ON], target_flops)
    megabytes = {}
    for run in RUNS:
        megabytes[run] = process_megabytes(source, run, texts, length, pruned.rule.values)
        say(f"{run}: {megabytes[run]:.0f} MB")
    about = {"length": length, "batch_size": batch_size, "flops_reduction": pruned.flops_reduction}
    return {**about, "megabytes": megabytes}


def process_megabytes(
    model: str, run: str, texts: Sequence[str], length: int, thresholds: Sequence[float]
) -> float:
    """Highest resident size of a new process while it runs a batch, in 10^6 bytes.

    Everything in it counts: Python, PyTorch, the weights, our packed copy of them. What loading alone
    needed, before the first forward pass, does not.

    Args:
        model: a folder or the name of a shipped model.
        run: one of `RUNS`.
        texts: the batch.
        length: longer ones are cut.
        thresholds: what the run "pruned" has.

    Raises:
        ValueError: on a system that does not tell.
        OSError: if the process fails.
    """
    if not RESET.exists():
        raise ValueError("only Linux tells the highest resident size of a process")
    task = json.dumps([model, run, list(texts), length, list(thresholds), torch.get_num_threads()])
    done = subprocess.run(
        [sys.executable, "-m", "ltp_core.speed.resident"],
        input=task,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"the process for {run} failed: {done.stderr.strip().splitlines()[-1:]}")
    return float(done.stdout)


def _run_here(task: str) -> float:
    """What the new process does."""
    name, run, texts, length, thresholds, threads = json.loads(task)
    torch.set_num_threads(threads)
    model = PrunedModel.from_pretrained(name)
    batch, _ = model.encode(texts, length)
    rule = Thresholds(thresholds, model.reference_length) if run == "pruned" else Dense()
    start_again()
    with torch.inference_mode():
        for _ in range(2):  # the second finds what the first has left
            model.hf_model(**batch) if run == "hugging_face" else model(**batch, rule=rule)
    return highest_resident() / 1e6


if __name__ == "__main__":
    print(_run_here(sys.stdin.read()))
