"""Commands with hostile input: exit 2, one line that says what to do, nothing made and nothing lost."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

from ltp_core import PrunedModel, cli
from ltp_core.checkpoints import SHIPPED

ROWS = "text,label\ngood film,0\nbad film,1\n"


@pytest.fixture
def here(tmp_path, monkeypatch, tiny_bert, tokenizer):
    """A folder to work in, with a model and data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    model = tiny_bert(num_labels=2, id2label={0: "negative", 1: "positive"})
    PrunedModel(model, tokenizer, (0.0, 0.02, 0.05)).save_pretrained("model")
    Path("rows.csv").write_text(ROWS)
    return tmp_path


def call(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["ltp", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture
def ltp(monkeypatch, capsys):
    return lambda *arguments: call(monkeypatch, capsys, *arguments)


def listed(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


NAMES = ["data[1].csv", "data*.csv", "data?.csv", "a b.csv", "{a,b}.csv", "~x.csv"]
NAMES += ["a'b\".csv", "é.csv", "%d.csv", "a::b.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_that_is_there_is_that_path(here, ltp, name):
    """data[1].csv is a pattern that data1.csv fits, which would be evaluated in its place."""
    Path("data1.csv").write_text(ROWS * 1 + "so so film,1\n" * 7)
    Path(name).write_text(ROWS)
    code, out, err = ltp("evaluate", "--model", "model", "--data", name, "--json")
    assert code == 0, err
    assert json.loads(out)["examples"] == 2 and "2 rows, 2 classes: negative, positive" in err


@pytest.mark.parametrize("name", ["data[1]", "data*", "a b", "sst2"])
def test_so_is_a_folder(here, ltp, name):
    for folder, rows in ((name, ROWS), ("data1", ROWS + "so so,1\n")):
        Path(folder).mkdir()
        Path(folder, "train.csv").write_text(rows)
    code, out, err = ltp("evaluate", "--model", "model", "--data", name, "--split", "train", "--json")
    assert code == 0, err
    assert json.loads(out)["examples"] == 2


def test_a_leading_dash(here, ltp):
    Path("-rows.csv").write_text(ROWS)
    assert ltp("evaluate", "--model", "model", "--data=-rows.csv", "--json")[0] == 0
    code, out, _ = ltp("trace", "--model", "model", "--json", "--", "--good film")
    assert code == 0 and "good" in json.loads(out)["tokens"]


def test_labels_are_matched_with_the_models_classes(here, ltp):
    Path("named.csv").write_text("text,label\ngood film,Negative\nbad film,positive\n")
    scores = [
        json.loads(ltp("evaluate", "--model", "model", "--data", data, "--json")[1])["dense"]["score"]
        for data in ("rows.csv", "named.csv")
    ]
    assert scores[0] == scores[1]
    Path("six.csv").write_text("text,label\ngood film,1\nbad film,6\n")
    code, _, err = ltp("evaluate", "--model", "model", "--data", "six.csv")
    assert code == 2 and "row 2: the label '6' is none of: negative, positive, or 0 to 1" in err


BAD_DATA = {
    "two texts": ("a.csv", b"text,sentence,label\na,b,0\n", "several columns that could be the text"),
    "a quote": ("a.csv", b'text,label\n"a,0\n', "line 2: a quote"),
    "an empty text": ("a.csv", b"text,label\na,0\n ,1\n", "row 2 (line 3): column 'text' holds no text"),
    "columns": ("a.csv", b",".join(b"c%d" % n for n in range(100_000)), "100,000 columns"),
    "another ending": ("a.xlsx", b"PK", "none of the files that can be read"),
    "nothing": ("a.csv", b"", "no text column"),
}


@pytest.mark.parametrize("name", BAD_DATA)
@pytest.mark.parametrize("command", ["evaluate", "calibrate", "train"])
def test_bad_data_is_refused_before_a_model_is_loaded(here, ltp, monkeypatch, command, name):
    monkeypatch.setattr(PrunedModel, "from_pretrained", lambda *a, **k: pytest.fail("a model was loaded"))
    monkeypatch.setattr(
        "ltp_core.training.pipeline.fresh_model", lambda *a: pytest.fail("a model was loaded")
    )
    file, content, said = BAD_DATA[name]
    if command == "train" and name == "an empty text":
        pytest.skip("training leaves such rows out")
    Path(file).write_bytes(content)
    before = listed(here)
    more = {
        "evaluate": ["--model", "model", "--data", file],
        "calibrate": ["--model", "model", "--data", file, "--output", "new"],
        "train": ["--task", file, "--output", "new"],
    }
    code, out, err = ltp(command, *more[command])
    assert code == 2 and said in err and out == ""
    assert err.count("\n") == 1 and listed(here) == before


def _file(here):
    Path("out").write_text("mine")


def _full(here):
    Path("out").mkdir()
    Path("out", "mine").write_text("mine")


OUTPUTS = {
    "a file": ("out", _file, "is a file: choose another --output"),
    "below a file": ("out/new", _file, "cannot write to out/new"),
    "a folder with something in it": ("out", _full, "choose another --output"),
    "inside of the model": ("model/new", lambda here: None, "inside of the model's own folder"),
    "the model itself": ("model", lambda here: None, "choose another --output"),
    "inside of the model by another way": ("model/../model/new", lambda here: None, "the model's own folder"),
    "where nobody can write": ("/proc/new", lambda here: None, "cannot write to /proc/new"),
}


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("command", ["calibrate", "train", "export"])
def test_an_output_is_tried_first(here, ltp, monkeypatch, command, name):
    output, prepare, said = OUTPUTS[name]
    if command == "train" and "model" in output:
        pytest.skip("training starts from a base, and goes on in a folder of its own")
    prepare(here)
    monkeypatch.setattr(PrunedModel, "from_pretrained", lambda *a, **k: pytest.fail("a model was loaded"))
    monkeypatch.setattr(
        "ltp_core.training.pipeline.fresh_model", lambda *a: pytest.fail("a model was loaded")
    )
    before = {path: (here / path).read_bytes() for path in listed(here)}
    arguments = {
        "calibrate": ["--model", "model", "--data", "rows.csv"],
        "train": ["--task", "rows.csv", "--base", "model"],
        "export": ["--model", "model", "--format", "transformers"],
    }
    code, out, err = ltp(command, *arguments[command], "--output", output)
    assert code == 2 and err.count("\n") == 1 and out == ""
    assert said in err
    assert {path: (here / path).read_bytes() for path in listed(here)} == before


def test_a_disk_that_is_nearly_full_is_said_first(here, ltp, monkeypatch):
    free = type("Usage", (), {"free": 2**20 + 1000})
    monkeypatch.setattr("ltp_core.files.whole.shutil.disk_usage", lambda place: free)
    code, _, err = ltp("calibrate", "--model", "model", "--data", "rows.csv", "--output", "new")
    assert code == 2 and "make room" in err and not Path("new").exists()


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), RuntimeError("write failed: No space left on device (28)")],
)
def test_a_disk_that_is_full_is_one_line(ltp, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr("ltp_core.commands.models.shipped_models", fail)
    code, _, err = ltp("models")
    assert code == 2 and err.count("\n") == 1 and "the disk is full: make room" in err


def test_a_base_without_a_tokenizer_is_refused(here, ltp):
    shutil.copytree("model", "bare")
    for file in Path("bare").glob("tokenizer*"):
        file.unlink()
    Path("many.csv").write_text("text,label\n" + "".join(f"good film {n},{n % 2}\n" for n in range(40)))
    given = ("--task", "many.csv", "--base", "bare", "--output", "new", "--tuning", "4", "--untouched", "4")
    code, _, err = ltp("train", *given)
    assert code == 2 and "bare has no tokenizer" in err and not Path("new").exists()


def test_a_base_in_half_precision_is_trained_in_float32(here, ltp):
    tuned = PrunedModel.from_pretrained(Path("model"))
    tuned.hf_model.to(torch.bfloat16)
    tuned.save_pretrained("half")
    Path("many.csv").write_text("text,label\n" + "".join(f"good film {n},{n % 2}\n" for n in range(40)))
    given = ["--task", "many.csv", "--base", "half", "--output", "new", "--tuning", "4", "--untouched", "4"]
    given += [
        "--method",
        "dense",
        "--epochs",
        "0.2",
        "--batch-size",
        "4",
        "--max-tokens",
        "16",
        "--device",
        "cpu",
    ]
    code, _, err = ltp("train", *given)
    assert code == 0, err
    assert "half is stored in bfloat16: trained in float32" in err and "2 classes: 0, 1" in err
    assert PrunedModel.from_pretrained(Path("new/baseline")).hf_model.dtype == torch.float32


def test_half_precision_is_attributed_in_float32(here, ltp):
    tuned = PrunedModel.from_pretrained(Path("model"))
    tuned.hf_model.half()
    tuned.save_pretrained("half")
    code, _, err = ltp("attribute", "good film", "--model", "half", "--json", "--draws", "1")
    assert code == 0 and "half is stored in torch.float16: attributed in float32" in err


def test_a_cache_that_cannot_be_written_is_named(here, ltp, monkeypatch):
    import datasets

    def fail(*arguments, **options):
        raise NotADirectoryError(20, "Not a directory", "/dev/null/datasets")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    code, _, err = ltp("evaluate", "--model", "model", "--data", "nobody/nothing")
    assert code == 2 and "cannot keep nobody/nothing in " in err and "set HF_HOME to a folder" in err


@pytest.mark.parametrize("columns", ["20", "40", "60", "79", "80", "100", "200"])
def test_models_can_be_read_on_any_terminal(ltp, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    code, out, _ = ltp("models")
    assert code == 0 and "…" not in out
    words = out.split()
    for name in (path.name for path in SHIPPED.iterdir() if (path / "ltp_config.json").is_file()):
        assert name in words


def test_numbers_that_are_none(here, ltp):
    for option, value in (
        ("--limit", "0"),
        ("--batch-size", "0"),
        ("--max-tokens", "1"),
        ("--factor", "nan"),
    ):
        code, _, err = ltp("evaluate", "--model", "model", "--data", "rows.csv", option, value)
        assert code == 2 and err.splitlines()[-1].startswith("ltp: ") and "Traceback" not in err
