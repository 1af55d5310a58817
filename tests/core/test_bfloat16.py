"""Training in bfloat16 where the processor has it, in float32 where it would imitate it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ltp_core.training import pipeline, stages
from ltp_core.training.bfloat16 import multiplies_bfloat16
from ltp_core.training.job import Job
from ltp_core.training.loop import Loop
from tests.core.test_pipeline import job  # noqa: F401  # a fixture


def test_what_the_kernel_says_of_the_processor():
    """The reference: Linux's own list of what the processor can do."""
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text().partition("flags")[2].splitlines()[0].split() if cpu.is_file() else []
    if not flags:
        pytest.skip("no list of an x86 processor's flags here")
    if "avx512_bf16" in flags:
        assert multiplies_bfloat16("cpu")
    elif "amx_bf16" not in flags:
        assert not multiplies_bfloat16("cpu")


def test_other_devices_are_taken_at_their_word():
    assert multiplies_bfloat16("cuda") and multiplies_bfloat16(torch.device("mps"))


@pytest.mark.parametrize("has", [True, False])
def test_trainer_teacher_and_record_go_by_the_processor(job, tmp_path, monkeypatch, has):  # noqa: F811
    monkeypatch.setattr(pipeline, "multiplies_bfloat16", lambda device: has)  # imitated, if need be
    trained, answered, said = [], [], []
    run_loop, run_rows = Loop.run, stages.run_rows

    def watched_loop(self):
        trained.append(self.args.bf16)
        run_loop(self)

    def watched_rows(*given, **named):
        answered.append(torch.is_autocast_enabled("cpu"))
        return run_rows(*given, **named)

    monkeypatch.setattr(Loop, "run", watched_loop)
    monkeypatch.setattr(stages, "run_rows", watched_rows)
    short = replace(job, dense=replace(job.dense, bfloat16=True), pruned=replace(job.pruned, bfloat16=True))
    model = pipeline.run(short, tmp_path / "out", said.append)
    assert trained == [has, has]
    assert answered[0] is has and not any(answered[1:])  # the teacher; what is measured, never
    assert [line for line in said if "bfloat16" in line] == (
        []
        if has
        else ["this processor has no instructions for bfloat16: matrix products are computed in float32"]
    )
    stored = Job.of(model.settings.training)
    assert (stored.dense.bfloat16, stored.pruned.bfloat16) == (has, has)
    monkeypatch.setattr(pipeline, "multiplies_bfloat16", lambda device: not has)
    pipeline.run(short, tmp_path / "out", said.append)  # the same command goes on elsewhere


def test_float32_that_was_told_stays(job, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(pipeline, "multiplies_bfloat16", lambda device: False)
    said = []
    pipeline.run(replace(job, method="dense"), tmp_path / "out", said.append)
    assert not any("bfloat16" in line for line in said)
