"""Commands with hostile input: exit 2, one line that says what to do, nothing made and nothing lost."""

import json
import re
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from ltp_core import PrunedModel, cli
from ltp_core.checkpoints import SHIPPED, Settings
from ltp_core.training.job import Job, Pruning, Recipe
from tests.some import some

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


@pytest.fixture
def no_weights(monkeypatch):
    """Whoever loads weights fails."""
    for what in ("model.PrunedModel.from_pretrained", "training.start.fresh_model"):
        monkeypatch.setattr(f"ltp_core.{what}", lambda *a, **k: pytest.fail("a model was loaded"))


READERS = {  # each command that reads a data file, with the rest of its call
    "evaluate": ["--model", "model", "--data"],
    "calibrate": ["--model", "model", "--output", "new", "--data"],
    "train": ["--output", "new", "--task"],
    "finding": ["--model", "model", "--output", "new.json", "--data"],
    "lengths": ["--model", "model", "--output", "new.json", "--data"],
    "precision": ["--model", "model", "--lengths", "8", "--data"],
    "predict": ["--model", "model", "--output", "new.csv", "--data"],
    "benchmark": ["--model", "model", "--data"],
    "compare": ["--task", "sst2", "--ltp", "model", "--output", "new.json", "--data"],
}
LEFT_OUT = {("train", "an empty text"), ("predict", "an empty text")}  # these say so of the row, and go on


@pytest.mark.parametrize("name", BAD_DATA)
@pytest.mark.parametrize("command", READERS)
def test_bad_data_is_refused_before_a_model_is_loaded(here, ltp, no_weights, command, name):
    if (command, name) in LEFT_OUT:
        pytest.skip("such rows are left out")
    file, content, said = BAD_DATA[name]
    Path(file).write_bytes(content)
    before = listed(here)
    code, out, err = ltp(command, *READERS[command], file)
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
def test_an_output_is_tried_first(here, ltp, no_weights, command, name):
    output, prepare, said = OUTPUTS[name]
    if command == "train" and "model" in output:
        pytest.skip("training starts from a base, and goes on in a folder of its own")
    prepare(here)
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


WRITERS = {  # each command that writes one file, with the rest of its call
    "finding": ["--model", "model", "--data", "rows.csv", "--output"],
    "lengths": ["--model", "model", "--data", "rows.csv", "--output"],
    "growth": ["--model", "model", "--lengths", "8", "--batch-sizes", "", "--largest", "", "--output"],
    "compare": ["--task", "sst2", "--ltp", "model", "--data", "rows.csv", "--output"],
    "predict": ["--model", "model", "--data", "rows.csv", "--output"],
}
FILES = {
    "a folder": ("out", lambda: Path("out").mkdir(), "out is (no file|a folder)"),
    "below a file": ("rows.csv/out.csv", lambda: None, "cannot write to rows.csv/out.csv"),
    "where nobody can write": ("/proc/out.csv", lambda: None, "cannot write to /proc/out.csv"),
    "what is no results": (
        "mine.csv",
        lambda: Path("mine.csv").write_text("mine"),
        "mine.csv (is there|exists)",
    ),
    "a model": ("model/config.json", lambda: None, "(holds no results|must end in)"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", WRITERS)
def test_a_file_is_tried_first(here, ltp, no_weights, command, name):
    output, prepare, said = FILES[name]
    if command == "predict" and name == "a folder":
        output += ".csv"
        Path(output).mkdir()
        said = "out.csv is a folder"
    prepare()
    before = {path: (here / path).read_bytes() for path in listed(here)}
    code, out, err = ltp(command, *WRITERS[command], output)
    assert code == 2 and err.count("\n") == 1 and out == ""
    assert re.search(said, err), err
    assert {path: (here / path).read_bytes() for path in listed(here)} == before


FIXED = {  # each command whose file has its place, with the call that writes it
    "performance-precision.json": ["precision", "--model", "model", "--lengths", "8", "--write"],
    "performance-memory.json": ["memory", "--model", "model", "--length", "8", "--write"],
    "performance-mine.json": ["benchmark", "--model", "model", "--lengths", "8", "--write", "mine"],
    "mine.json": ["results", "--model", "mine", "--data", "rows.csv"],
    "train-rows.json": ["train", "--task", "rows.csv", "--base", "model", "--output", "new", "--record"],
}


@pytest.mark.parametrize("file", FIXED)
@pytest.mark.parametrize("way", ["a folder", "no results", "nobody can write", "the disk is full"])
def test_a_place_that_is_given_is_tried_first(here, ltp, no_weights, monkeypatch, file, way):
    results = Path("/proc") if way == "nobody can write" else here / "results"
    monkeypatch.setattr(f"ltp_core.commands.{FIXED[file][0]}.RESULTS", results)
    monkeypatch.setattr("ltp_core.checkpoints.SHIPPED", here / "shipped")
    shutil.copytree("model", "shipped/mine")
    if way == "a folder":
        (results / file).mkdir(parents=True)
    elif way == "no results":
        results.mkdir()
        (results / file).write_text("mine")
    elif way == "the disk is full":
        free = type("Usage", (), {"free": 1000})
        monkeypatch.setattr("ltp_core.files.whole.shutil.disk_usage", lambda place: free)
    said = {
        "a folder": "is no file: move it away",
        "no results": "holds no results: move it away",
        "nobody can write": "cannot write to /proc",
        "the disk is full": "make room",
    }
    code, out, err = ltp(*FIXED[file])
    assert code == 2 and err.count("\n") == 1 and out == "" and said[way] in err


@pytest.mark.parametrize("way", ["a file", "nobody can write", "the disk is full"])
def test_ship_tries_its_place_first(here, ltp, no_weights, monkeypatch, way):
    """The run is one that can be shipped."""
    for folder, base in (("run", None), ("run/baseline", "all-MiniLM-L6-v2")):
        shutil.copytree("model", folder, dirs_exist_ok=True)
        job = Job("sst2", "rows.csv", base or "none", None, "ltp", Recipe(), Recipe(), Pruning())
        Settings(task="sst2", training=asdict(job)).write(Path(folder))
    monkeypatch.setattr("ltp_core.checkpoints.SHIPPED", here / "shipped")
    monkeypatch.setattr("ltp_core.commands.ship.RESULTS", here / "results")
    Path("shipped").mkdir()
    if way == "a file":
        Path("shipped/mine").write_text("mine")
    elif way == "nobody can write":
        monkeypatch.setattr("ltp_core.commands.ship.RESULTS", Path("/proc"))
    else:
        free = type("Usage", (), {"free": 1000})
        monkeypatch.setattr("ltp_core.files.whole.shutil.disk_usage", lambda place: free)
    said = {
        "a file": "is a file: choose another --name",
        "nobody can write": "cannot write to /proc/training-mine.jsonl",
        "the disk is full": "make room, or choose another --name",
    }
    before = listed(here)
    code, _, err = ltp("ship", "run", "--name", "mine")
    assert code == 2 and err.count("\n") == 1 and said[way] in err and listed(here) == before


OPTIONS = {  # what a model cannot do is known from its configuration and thresholds
    "a rule": ["evaluate", "--data", "rows.csv", "--rule", "0.1,0.2"],
    "a rule of benchmark": ["benchmark", "--thresholds", "0.1,0.2"],
    "a rule of predict": ["predict", "--data", "rows.csv", "--output", "new.csv", "--rule", "topk:2"],
    "a rule of trace": ["trace", "a good film", "--thresholds", "0.1"],
    "a rule of attribute": ["attribute", "a good film", "--rule", "lat:x"],
    "a length": ["benchmark", "--lengths", "100000"],
    "a length of precision": ["precision", "--lengths", "100000"],
    "a length of memory": ["memory", "--length", "100000"],
    "a length of lengths": [
        "lengths",
        "--data",
        "rows.csv",
        "--max-tokens",
        "9,100000",
        "--output",
        "new.json",
    ],
    "a length of growth": ["growth", "--lengths", "100000", "--output", "new.json"],
}


@pytest.mark.parametrize("name", OPTIONS)
def test_what_a_model_cannot_do_is_said_before_it_is_loaded(here, ltp, no_weights, name):
    command, *rest = OPTIONS[name]
    before = listed(here)
    code, out, err = ltp(command, *rest, "--model", "model")
    assert code == 2 and err.count("\n") == 1 and out == "" and listed(here) == before
    assert re.search("thresholds|share|tokens|numbers", err), err


WITHOUT_THRESHOLDS = {
    "precision": (["--lengths", "8"], "needs thresholds to multiply, and this model has none"),
    "memory": (["--length", "8"], "needs thresholds to multiply, and this model has none"),
    "growth": (["--output", "new.json"], "needs thresholds to multiply, and this model has none"),
    "lengths": (["--data", "rows.csv", "--output", "new.json"], "this model has learned no thresholds"),
}


@pytest.mark.parametrize("command", WITHOUT_THRESHOLDS)
def test_a_model_without_thresholds_is_refused_before_it_is_loaded(here, ltp, no_weights, command):
    Path("model/ltp.safetensors").unlink()
    options, said = WITHOUT_THRESHOLDS[command]
    code, _, err = ltp(command, "--model", "model", *options)
    assert code == 2 and said in err


def test_a_family_that_does_not_fit_is_refused_before_it_is_loaded(here, ltp, no_weights):
    given = ("--data", "rows.csv", "--output", "new.json")
    code, _, err = ltp("compare", "--task", "sst2", "--ltp", "model", *given)
    assert code == 2 and "model was trained on None, not on 'sst2'" in err
    Settings(task="sst2").write(Path("model"))
    code, _, err = ltp("compare", "--task", "sst2", "--ltp", "model", *given)
    assert code == 2 and "model has no baseline weights beside it" in err
    shutil.copytree("model", "bare")
    Path("bare/ltp.safetensors").unlink()
    code, _, err = ltp("compare", "--task", "sst2", "--ltp", "bare", *given)
    assert code == 2 and "bare has no learned thresholds, so it cannot be --ltp" in err


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


@pytest.mark.parametrize("tuning", ["1", "4"])
def test_a_regression_without_two_values_to_tune_on_is_refused(here, ltp, no_weights, tuning):
    rows = [f"good film {n},{2 if n == 39 else 0.5}" for n in range(40)]  # the draw leaves this one out
    Path("many.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    given = ["--task", "many.csv", "--base", "model", "--output", "new", "--untouched", "4", "--regression"]
    before = listed(here)
    code, out, err = ltp("train", *given, "--tuning", tuning)
    assert code == 2 and err.count("\n") == 1 and out == "" and listed(here) == before
    assert re.search(rf"the labels of all {tuning} tuning rows are 0\.5, so no correlation", err)


@pytest.mark.parametrize("empty", [0, 1, 3])
def test_training_says_how_many_rows_hold_no_text(here, ltp, empty):
    rows = [f"good film {n},{n % 2}" for n in range(40)] + [f"{' ' * n},0" for n in range(empty)]
    Path("many.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    given = ["--task", "many.csv", "--base", "model", "--output", "new", "--tuning", "4", "--untouched", "4"]
    given += ["--method", "dense", "--epochs", "0.1", "--batch-size", "4", "--device", "cpu"]
    code, _, err = ltp("train", *given)
    assert code == 0, err
    assert (f"{empty} of {40 + empty} rows hold no text: left out" in err) == (empty > 0)
    assert "32 training rows, 4 tuning, 4 untouched" in err


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
    assert code == 0 and "half is stored in float16: attributed in float32" in err


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
    for name in some(path.name for path in SHIPPED.iterdir() if (path / "ltp_config.json").is_file()):
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
