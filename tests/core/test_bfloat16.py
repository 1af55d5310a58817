"""Training in bfloat16 where the processor has it, in float32 where it would imitate it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from datasets import Dataset

from ltp_core.training import loop, pipeline, stages
from ltp_core.training.bfloat16 import multiplies_bfloat16
from ltp_core.training.job import Recipe
from ltp_core.training.loop import Loop
from ltp_core.training.stages import teacher_logits
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
def test_the_trainer_uses_it_where_it_is(tiny_bert, tokenizer, tmp_path, monkeypatch, has):
    monkeypatch.setattr(loop, "multiplies_bfloat16", lambda device: has)
    table = Dataset.from_dict({"input_ids": [[1, 2]], "labels": [0]})
    assert Loop(tiny_bert(), table, tokenizer, Recipe(), tmp_path).args.bf16 is has
    plain = Loop(tiny_bert(), table, tokenizer, Recipe(bfloat16=False), tmp_path)
    assert plain.args.bf16 is False


@pytest.mark.parametrize("has", [True, False])
def test_the_teacher_answers_in_it_where_it_is(model, tmp_path, monkeypatch, has):
    seen = []
    monkeypatch.setattr(stages, "multiplies_bfloat16", lambda device: has)
    run_rows = stages.run_rows

    def watched(*given, **named):
        seen.append(torch.is_autocast_enabled("cpu"))
        return run_rows(*given, **named)

    monkeypatch.setattr(stages, "run_rows", watched)
    teacher_logits(model, ["a good film"], 32, tmp_path, bfloat16=True)
    assert seen == [has]


def test_a_run_says_that_it_goes_without(job, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(pipeline, "multiplies_bfloat16", lambda device: False)
    monkeypatch.setattr(loop, "multiplies_bfloat16", lambda device: False)
    said = []
    short = replace(job, method="dense", dense=replace(job.dense, bfloat16=True))
    pipeline.run(short, tmp_path / "out", said.append)
    assert [line for line in said if "bfloat16" in line] == [
        "this processor has no instructions for bfloat16: matrix products are computed in float32"
    ]
