"""Every command: one JSON document on stdout; for bad input one line and exit code 2; and as a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ltp_core import Dense, PrunedModel
from ltp_core.cli import main
from ltp_core.pages import report
from ltp_core.results import write_rows
from ltp_core.speed import benchmark as speed
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
THRESHOLDS = [0.08, 0.12, 0.16]
ROWS = [
    ("the film was very good", 1),
    ("bad plot", 0),
    ("a good film and a good plot", 1),
    ("it was so bad", 2),
]


def process(*arguments, **variables):
    """A command in a process of its own."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **variables}
    command = [sys.executable, "-m", "ltp_core", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, cwd=ROOT, env=environment, timeout=240)


@pytest.fixture
def ltp(monkeypatch, capfd):
    """Calls a command in this process, which saves the seconds of an import.

    ``ltp("trace", …)`` gives exit code, stdout and stderr, with what is not written by Python, too.
    """
    monkeypatch.chdir(ROOT)
    threads = torch.get_num_threads()

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["ltp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capfd.readouterr()

    yield call
    torch.set_num_threads(threads)


@pytest.fixture
def shown(ltp):
    """What a command prints for people."""

    def call(*arguments):
        code, out, err = ltp(*arguments)
        assert code == 0, err
        return out

    return call


@pytest.fixture
def document(shown):
    """The one JSON document that a command prints, with nothing else on stdout."""
    return lambda *arguments: json.loads(shown(*arguments, "--json"))


@pytest.fixture
def refused(ltp):
    """The one line that a command says to bad input."""

    def call(*arguments):
        code, out, err = ltp(*arguments)
        return _refusal(code, out, err)

    return call


def _refusal(code, out, err):
    assert code == 2 and out == ""
    line = err.strip()
    assert "\n" not in line and "Traceback" not in line
    return line


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_bert, make_tokenizer):
    """A tiny random model with thresholds, and a baseline beside it, as `train` leaves them."""
    folder = tmp_path_factory.mktemp("model")
    PrunedModel(tiny_bert(), make_tokenizer(), THRESHOLDS).save_pretrained(folder)
    PrunedModel(tiny_bert(seed=1), make_tokenizer()).save_pretrained(folder / "baseline")
    return folder


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / "rows.csv"
    file.write_text(
        "sentence,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS), encoding="utf-8"
    )
    return file


def test_a_trace_in_a_file_shows_who_left(shown, folder):
    result = PrunedModel.from_pretrained(folder).predict(ROWS[2][0])
    lines = shown("trace", ROWS[2][0], "--model", folder).splitlines()
    for line, layer in zip(lines, result.trace.layers, strict=False):
        stayed = [token for token, kept in zip(result.trace.tokens, layer.kept, strict=True) if kept]
        assert [word for word in line.split()[3:] if word.strip("·")] == stayed
    assert not all(result.trace.layers[-1].kept)


def test_help_lists_the_commands_and_each_has_an_example(shown):
    listed = shown("--help")
    for command in (
        "models",
        "trace",
        "attribute",
        "evaluate",
        "benchmark",
        "export",
        "train",
        "calibrate",
        "choose",
        "ship",
        "results",
        "report",
    ):
        assert command in listed
    assert "Example: ltp trace" in " ".join(shown("trace", "--help").split())


def test_models_lists_what_is_shipped(document):
    rows, shipped = document("models"), (ROOT / "assets" / "models").glob("*/ltp_config.json")
    assert [row["name"] for row in rows] == sorted(file.parent.name for file in shipped) != []
    for row in some(rows):
        assert set(row) >= {"name", "task", "base", "score", "baseline_score", "flops_reduction", "size_mb"}


def test_trace_says_what_happened_to_every_token(document, folder):
    found = document("trace", "the film was very good", "--model", folder)
    assert found["tokens"] == ["[CLS]", "the", "film", "was", "very", "good", "[SEP]"]
    assert found["segments"] == [0] * 7 and found["truncated_tokens"] == 0
    assert found["thresholds"] == THRESHOLDS
    assert [layer["layer"] for layer in found["layers"]] == [1, 2, 3]
    before = [True] * 7
    for layer, theta in zip(found["layers"], THRESHOLDS, strict=True):
        assert layer["threshold"] == pytest.approx(theta)
        for token, (share, kept) in enumerate(zip(layer["importance"], layer["kept"], strict=True)):
            if not before[token]:
                assert share is None and kept is False
            else:
                assert kept is (share >= theta or token == 0)
        assert sum(s for s in layer["importance"] if s is not None) == pytest.approx(1, abs=1e-5)
        before = layer["kept"]
    assert sum(before) < 7
    for run in ("dense", "pruned"):
        assert sum(found[run]["probabilities"].values()) == pytest.approx(1)
        assert found[run]["milliseconds"] > 0 and found[run]["executed_flops"] > 0
    assert found["flops_reduction"] == found["dense"]["flops"] / found["pruned"]["flops"] > 1


def test_trace_with_thresholds_off_prunes_nothing_and_both_agree(document, folder):
    found = document("trace", "so", "--pair", "bad", "--model", folder, "--thresholds", "off")
    assert found["thresholds"] == [0, 0, 0] and found["segments"] == [0, 0, 0, 1, 1]
    assert all(all(layer["kept"]) for layer in some(found["layers"]))
    assert found["flops_reduction"] == 1
    for label, share in some(found["dense"]["probabilities"].items()):
        assert found["pruned"]["probabilities"][label] == pytest.approx(share, abs=1e-5)


def test_trace_takes_strange_text(document, folder):
    text = "<img src=x onerror=alert(1)> ![x](http://x) \u202eabc 😀 \x07 good " + "film " * 10_000
    found = document("trace", text, "--model", folder)
    assert len(found["tokens"]) == 32
    assert found["truncated_tokens"] > 9_000


def test_trace_refuses_what_it_cannot_read(refused, folder):
    assert "empty" in refused("trace", "  ", "--model", folder)
    assert "shipped models are" in refused("trace", "good", "--model", "no-such-model")


def test_trace_draws_a_table_for_people(shown, folder):
    said = shown("trace", "a good film", "--model", folder)
    assert "[CLS]" in said and "fewer FLOPs" in said


def test_attribute_sets_attributions_beside_survival(document, shown, folder):
    found = document("attribute", "the film was very good", "--model", folder, "--class", "LABEL_2")
    traced = document("trace", "the film was very good", "--model", folder)
    assert found["tokens"] == traced["tokens"] and found["class"] == "LABEL_2"
    assert found["survival"] == [
        sum(layer["kept"][token] for layer in traced["layers"]) for token in range(len(found["tokens"]))
    ]
    for part in (found, found["pruned"]):
        assert len(part["attributions"]) == 7 and part["converged"] is True
        assert abs(part["convergence_delta"]) <= 0.02 * sum(map(abs, part["attributions"]))
        assert part["agreement"]["tokens"] == 5 and len(part["agreement"]["auc"]) == 3
    assert set(found["deletion"]["when_pruned"]) == {"ltp", "random", "lowest", "highest"}
    said = shown("attribute", "good film", "--model", folder, "--method", "gradient_x_input")
    assert "good" in said and "ROC" in said


def test_evaluate_scores_what_predict_says(document, folder, csv):
    found = document("evaluate", "--model", folder, "--data", csv, "--batch-size", 3)
    model = PrunedModel.from_pretrained(folder)
    names = list(model.hf_model.config.label2id)
    said = [names.index(model.predict(text).label) for text, _ in ROWS]
    right = sum(label == answer for (_, label), answer in zip(ROWS, said, strict=True))
    assert found["examples"] == 4 and found["metric"] == "accuracy"
    assert found["pruned"]["score"] == right / 4
    assert 0 <= found["baseline"]["score"] <= 1
    assert found["flops_reduction"] == found["dense"]["flops"] / found["pruned"]["flops"]
    assert len(found["kept_per_layer"]) == 3
    few = document("evaluate", "--model", folder, "--data", csv, "--limit", 2, "--rule", "off")
    assert few["examples"] == 2 and few["flops_reduction"] == 1


def test_benchmark_times_all_three_in_one_run(document, folder):
    options = ("--lengths", "8,24", "--batch-sizes", "1,2", "--runs", "3", "--seconds", "0", "--threads", 1)
    found = document("benchmark", "--model", folder, *options)
    assert found["threads"] == 1
    assert [(row["length"], row["batch_size"]) for row in found["rows"]] == [(8, 1), (8, 2), (24, 1), (24, 2)]
    for row in some(found["rows"]):
        assert row["against"] == "sdpa" and row["flops_reduction"] > 1
        assert row["speedup"] == row["dense_ms"] / row["pruned_ms"]
        assert row["realised"] == pytest.approx(row["speedup"] / row["flops_reduction"])
        assert row["sentences_per_second"] == pytest.approx(1000 * row["batch_size"] / row["pruned_ms"])


def test_benchmark_against_onnxruntime_has_a_row_of_the_graph(document, folder):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    options = ("--lengths", 24, "--batch-sizes", 1, "--runs", 2, "--seconds", 0, "--threads", 1)
    found = document("benchmark", "--model", folder, "--against", "sdpa,onnxruntime", *options)
    assert [(row["engine"], row["against"]) for row in found["rows"]] == [
        ("ltp", "sdpa"),
        ("ltp", "onnxruntime"),
        ("onnxruntime", "sdpa"),
        ("onnxruntime", "onnxruntime"),
    ]
    ours, _, _, graph = found["rows"]
    assert graph["pruned_ms"] > 0 and graph["flops_reduction"] == ours["flops_reduction"] > 1
    (selection,) = found["selection"]
    assert (selection["length"], selection["batch_size"]) == (24, 1)
    assert selection["threshold_us"] > 0 and selection["top_k_us"] > 0


def test_benchmark_takes_texts_as_they_are_and_writes_what_it_found(
    folder, csv, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr("ltp_core.commands.benchmark.RESULTS", tmp_path)
    options = ["--max-tokens", "16", "--batch-sizes", "1,2", "--runs", "1", "--seconds", "0", "--limit", "3"]
    command = ["benchmark", "--model", folder, "--data", csv, *options, "--write", "rows", "--json"]
    monkeypatch.setattr(sys, "argv", ["ltp", *map(str, command)])
    with pytest.raises(SystemExit) as exit:
        main()
    assert exit.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "performance-rows.json").read_text()) == found
    tokens = [row["tokens"] for row in found["rows"]]
    assert tokens == [
        pytest.approx((7 + 4 + 9) / 3),
        pytest.approx((7 + 4) / 2),
    ]  # batches of 2: one row is over
    assert found["scores"]["examples"] == 3 and 0 <= found["scores"]["pruned"]["score"] <= 1
    assert found["commit"] and found["versions"]["torch"] == found["torch"]
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    shown = "\n".join(report._speed(report._benchmarks()))
    assert "| ≤ 16 | 1 | ltp | sdpa |" in shown and "on these 3 texts" in shown
    assert ("GPU: not measured" in shown) is not torch.cuda.is_available()
    assert "rows.csv" in found["texts"] and str(csv.parent.parent) not in found["texts"]


def test_a_benchmark_that_is_stopped_keeps_its_rows(folder, monkeypatch, tmp_path):
    time_rounds, seen = speed.time_rounds, []

    def stopped(*arguments):
        if seen:
            raise KeyboardInterrupt
        seen.append(time_rounds(*arguments))
        return seen[0]

    monkeypatch.setattr("ltp_core.commands.benchmark.RESULTS", tmp_path)
    monkeypatch.setattr(speed, "time_rounds", stopped)
    options = ["--lengths", "8,24", "--batch-sizes", "1", "--runs", "1", "--seconds", "0", "--write", "rows"]
    monkeypatch.setattr(sys, "argv", ["ltp", "benchmark", "--model", str(folder), *options])
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        main()
    kept = json.loads((tmp_path / "performance-rows.json").read_text())
    assert [row["length"] for row in kept["rows"]] == [8]
    assert kept["rows"][0]["pruned_ms"] == seen[0][0]["pruned_ms"]


def test_export_writes_a_graph_that_prunes_as_the_engine_does(document, refused, folder, tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    found = document("export", "--model", folder, "--format", "onnx", "--output", tmp_path / "graph")
    assert found["output"] == str(tmp_path / "graph" / "model.onnx")
    assert found["inputs"] == 100 and found["max_abs_difference"] < 1e-4
    exported = PrunedModel.from_pretrained(tmp_path / "graph", backend="onnxruntime")
    expected = PrunedModel.from_pretrained(folder).predict("the film was very good")
    assert exported.predict("the film was very good").trace.alive == expected.trace.alive
    assert "is there already: choose another" in refused(
        "export", "--model", folder, "--output", tmp_path / "graph"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--format", "transformers", "--precision", "int8"),
            "the format transformers has no precision 'int8'",
        ),
        (("--precision", "int4"), "the format onnx has no precision 'int4'; there is onnx: float32, int8"),
        (("--limit", "0"), "--limit must be at least 1"),
        (("--format", "transformers", "--data", "rows.csv"), "--data is for what is scored or calibrated"),
    ],
)
def test_an_export_that_cannot_be_is_refused(refused, folder, tmp_path, options, said):
    assert said in refused("export", "--model", folder, "--output", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_blocks_measures_where_to_gather(document, refused, folder, tmp_path, monkeypatch):
    pytest.importorskip("openvino", reason="the extra `fast` is not installed")
    monkeypatch.setenv("LTP_LAB_CACHE", str(tmp_path / "cache"))
    options = ("--precision", "float32", "--lengths", "8,16", "--runs", "1", "--threads", "1")
    found = document("blocks", "--model", folder, *options)
    assert found["together"] in (0, 8, 16) and found["rows"][0]["length"] == 8
    assert all(
        row[f"{way}_ms"] > 0 for row in some(found["rows"]) for way in ("one_block", "gathered", "dense")
    )
    assert "--precision must be float32 or int8" in refused("blocks", "--precision", "int4")


def test_blocks_refuses_a_length_before_it_loads_a_model(refused, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(PrunedModel, "from_pretrained", lambda *rest, **named: pytest.fail("was loaded"))
    exported = tmp_path / "exported"  # what is read of such a folder before its graph is
    exported.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (exported / name).write_bytes((folder / name).read_bytes())
    (exported / "openvino.xml").write_text("<net")
    for source in (folder, exported):
        said = refused("blocks", "--model", source, "--precision", "float32", "--lengths", "8,4096")
        assert "length 4096 is more than this model's" in said


def test_export_writes_a_plain_folder(document, folder, tmp_path):
    found = document("export", "--model", folder, "--format", "transformers", "--output", tmp_path / "plain")
    assert found["output"] == str(tmp_path / "plain") and found["max_abs_difference"] < 1e-5
    plain, model = PrunedModel.from_pretrained(tmp_path / "plain"), PrunedModel.from_pretrained(folder)
    assert plain.thresholds is None
    text = "the film was very good"
    found, expected = plain.predict(text), model.predict(text, Dense())
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-6)


def test_train_makes_a_model_that_loads_and_resumes(document, refused, folder, tmp_path):
    texts = [f"{tone} {b} film {c}" for tone in ("good", "bad") for b in "abcdef" for c in "uvwx"]
    data = tmp_path / "rows.jsonl"
    rows = [{"sentence": text, "label": int(text.startswith("good"))} for text in texts]
    data.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    output = tmp_path / "out"
    command = ("train", "--task", data, "--base", folder / "baseline", "--output", output)
    options = ("--epochs", 1, "--pruning-epochs", 1, "--tuning", 8, "--untouched", 8, "--target-flops", 1.2)
    found = document(*command, *options)
    assert found["output"] == str(output) and 0 <= found["score"] <= 1
    assert found["flops_reduction"] == pytest.approx(1.2, rel=0.05)
    assert len(PrunedModel.from_pretrained(output).thresholds) == 3
    assert document(*command, *options) == found  # nothing is left to do
    untouched = document("evaluate", "--model", output, "--split", "untouched")
    assert untouched["examples"] == 8
    assert "another run" in refused(*command, *options, "--seed", 1)


def test_a_folder_of_train_stays_what_was_said(monkeypatch, capsys, tmp_path):
    """ "./sst2" is a folder here; without the "./" it would be the shipped model."""

    def run(job, folder, *_):
        raise ValueError(f"{job.baseline} and {folder!r}")

    monkeypatch.setattr("ltp_core.training.pipeline.run", run)
    command = ["ltp", "train", "--task", "sst2", "--baseline", "./sst2", "--output", "sst2"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit):
        main()
    assert f"./sst2 and {Path('sst2')!r}" in capsys.readouterr().err


BAD_INPUT = {
    "wrong count": (
        ("trace", "good", "--model", "{folder}", "--thresholds", "0.1,0.2"),
        "needs 3 thresholds; got 2",
    ),
    "no numbers": (
        ("trace", "good", "--model", "{folder}", "--thresholds", "a,b,c"),
        "not a list of numbers",
    ),
    "negative": (("trace", "good", "--model", "{folder}", "--thresholds=-1,0,0"), "not negative"),
    "empty, attributed": (("attribute", " ", "--model", "{folder}"), "the text is empty"),
    "no class": (
        ("attribute", "good", "--model", "{folder}", "--class", "x"),
        "no class 'x'; there is: LABEL_0",
    ),
    "no draws": (("attribute", "good", "--model", "{folder}", "--draws", "0"), "draws must be at least 1"),
    "no device": (("trace", "good", "--model", "{folder}", "--device", "abacus"), "no device 'abacus' here"),
    "no file": (("evaluate", "--model", "{folder}", "--data", "nowhere.csv"), "no file nowhere.csv"),
    "wrong column": (("evaluate", "--model", "{folder}", "--data", "{wrong}"), "no text column"),
    "unreadable": (
        ("evaluate", "--model", "{folder}", "--data", "{broken}"),
        "no Parquet file that can be read",
    ),
    "too long": (
        ("benchmark", "--model", "{folder}", "--lengths", "999"),
        "more than this model's 32 tokens",
    ),
    "unknown peer": (
        ("benchmark", "--model", "{folder}", "--against", "magic"),
        "known: sdpa, eager, compile, onnxruntime",
    ),
    "texts without data": (("benchmark", "--model", "{folder}", "--max-tokens", "64"), "needs --data"),
    "a path to write": (("benchmark", "--model", "{folder}", "--write", "../x"), "takes a name"),
    "large batch": (
        ("benchmark", "--model", "{folder}", "--data", "{csv}", "--max-tokens", "16", "--batch-sizes", "99"),
        "a batch of 99 needs as many texts; there are 4",
    ),
    "existing file": (("export", "--model", "{folder}", "--output", "{csv}"), "is a file: choose another"),
    "no format": (("export", "--format", "magic", "--output", "{out}"), "'magic' is not one of"),
    "no command": (("nothing",), "No such command 'nothing'"),
    "no number": (("evaluate", "--limit", "x"), "Invalid value for '--limit'"),
    "no method": (
        ("train", "--task", "sst2", "--output", "{out}", "--method", "magic"),
        "'magic' is not one of",
    ),
    "low target": (
        ("train", "--task", "{wrong}", "--output", "{out}", "--target-flops", "0.5"),
        "at least 1",
    ),
    **{
        f"{option} {value}": (("train", "--task", "{csv}", "--output", "{out}", option, value), expected)
        for option, value, expected in (
            *(("--reference-length", n, "a number of tokens above 0") for n in ("0", "-25", "nan", "inf")),
            ("--reference-length", "x", "Invalid value for '--reference-length'"),
            *(("--importance-queries", k, "a whole number above 0, or all") for k in ("0", "-1", "6.5", "x")),
        )
    },
    **{
        f"{option} of a rival": (
            ("train", "--task", "sst2", "--output", "{out}", "--method", method, option, value),
            f"{option} has no effect on --method {method}",
        )
        for method, option, value in (
            ("topk", "--stages", "soft"),
            ("topk", "--thresholds", "0.1,0.2"),
            ("topk", "--temperature", "0.2"),
            ("lat", "--last-temperature", "0.1"),
            ("lat", "--threshold-rate", "0.1"),
            ("lat", "--reference-length", "25"),
            ("lat", "--spared-layers", "1"),
        )
    },
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_exit_code_2(refused, case, folder, csv, tmp_path):
    (tmp_path / "wrong.csv").write_text("words,label\na,0\n", encoding="utf-8")
    (tmp_path / "broken.parquet").write_bytes(b"this is no parquet file")
    places = {
        "folder": folder,
        "csv": csv,
        "wrong": tmp_path / "wrong.csv",
        "broken": tmp_path / "broken.parquet",
        "out": tmp_path / "out",
    }
    arguments, expected = BAD_INPUT[case]
    assert expected in refused(*(argument.format(**places) for argument in arguments))


def test_a_command_as_a_process(folder):
    """Where stdout cannot show all characters, as where Windows redirects it; JSON holds them all."""
    trace = ("trace", "good ω film", "--model", folder)
    ran = [process(*trace, *more, PYTHONIOENCODING="cp1252") for more in ([], ["--json"])]
    assert [one.returncode for one in ran] == [0, 0], ran
    assert json.loads(ran[1].stdout)["tokens"][0] == "[CLS]"


PROCESSES = {  # what else computes, on the smallest of work
    "models": (),
    "attribute": ("good film", "--model", "{folder}", "--steps", "8"),
    "evaluate": ("--model", "{folder}", "--data", "{csv}"),
    "benchmark": (
        "--model",
        "{folder}",
        "--lengths",
        "8",
        "--batch-sizes",
        "1",
        "--runs",
        "1",
        "--seconds",
        "0",
    ),
    "export": ("--model", "{folder}", "--format", "transformers", "--output", "{out}"),
    "predict": ("--model", "{folder}", "--data", "{csv}", "--output", "{out}.csv"),
    "calibrate": ("--model", "{folder}", "--data", "{csv}", "--target-flops", "1.2", "--output", "{out}"),
}


@pytest.mark.slow  # an import of PyTorch each; what they print is tested in one process, above
@pytest.mark.parametrize("command", PROCESSES)
def test_every_command_as_a_process(command, folder, csv, tmp_path):
    places = {"folder": folder, "csv": csv, "out": tmp_path / "out"}
    ran = process(command, *(argument.format(**places) for argument in PROCESSES[command]), "--json")
    assert ran.returncode == 0, ran.stderr.decode()
    assert json.loads(ran.stdout)


@pytest.mark.slow  # likewise
def test_bad_input_as_a_process(folder):
    ran = process("trace", "  ", "--model", folder)
    assert "empty" in _refusal(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def test_a_benchmark_names_the_price_of_its_reduction(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    found = {"model": "tiny", "rows": [{"flops_reduction": 2.1}]}
    assert report._cost(found) == ""  # the model was not measured
    points = [("development", 1, 1.8, 0.1), ("development", 1.3, 2.2, 3.26), ("tuning", 1.3, 2.1, 9.9)]
    names = ("split", "factor", "flops_reduction", "points_lost")
    write_rows(tmp_path / "tiny.json", [dict(zip(names, point, strict=True)) for point in points])
    assert "tiny loses 3.3 points on its development set at 2.20×, and it ships at 1.80×." in report._cost(
        found
    )
