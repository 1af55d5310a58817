"""`calibrate` in this process: the folder it leaves, the document, and that it overwrites nothing."""

import json
import sys

import pytest

from ltp_core import PrunedModel
from ltp_core.cli import main


@pytest.fixture
def call(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ltp", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            main()
        return exit.value.code, capsys.readouterr()

    return run


@pytest.fixture
def texts(tmp_path):
    file = tmp_path / "texts.csv"  # no labels
    lines = [
        f"the {tone} film was {end}" for tone in ("good", "bad") for end in ("so", "very good", "it", "a")
    ]
    file.write_text("text\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_plain_model_gets_thresholds(call, model, texts, tmp_path):
    model.save_pretrained(tmp_path / "mine")
    options = ("--model", tmp_path / "mine", "--data", texts, "--output", tmp_path / "out", "--texts", 6)
    code, said = call("calibrate", *options, "--target-flops", 1.5, "--json")
    found = json.loads(said.out)
    assert code == 0 and found["target"] == 1.5 and found["texts"] == 6
    assert found["flops_reduction"] == pytest.approx(1.5, rel=0.1) and found["divergence"] >= 0
    assert set(found["curve"][0]) == {"thresholds", "flops_reduction", "divergence"}
    loaded = PrunedModel.from_pretrained(tmp_path / "out")
    assert list(loaded.thresholds) == pytest.approx(found["thresholds"])
    kept = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert kept["thresholds"] == found["thresholds"]

    code, said = call("calibrate", *options)
    assert code == 2 and "is there already" in said.err
    code, said = call("calibrate", *options[:-4], "--output", tmp_path / "two", "--target-flops", 99)
    assert code == 2 and "the ceiling is" in said.err and said.err.count("\n") == 1
    assert not (tmp_path / "two").exists()
