"""Answers to a corpus: those of `predict`, row by row, whatever the order inside, the format, or a kill."""

import csv
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pyarrow
import pytest
from pyarrow import parquet

from ltp_core import PrunedModel, Thresholds
from ltp_core.cli import main
from ltp_core.corpus import run as corpus_run
from ltp_core.corpus.answers import EMPTY, NO_TEXT, answer_all
from ltp_core.corpus.predictor import Predictor
from ltp_core.corpus.run import predict_corpus
from ltp_core.data.stream import Source

THETA = (0.03, 0.05, 0.08)
WORDS = ["good", "bad", "the", "a", "film", "plot", "it", "was", "very", "and", "of", "so"]


@pytest.fixture(scope="module")
def model(tiny_bert, make_tokenizer):
    return PrunedModel(tiny_bert(), make_tokenizer(), THETA, name="tiny")


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny")
    model.save_pretrained(path)
    return path


def sentences(count, seed=0):
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(1, 40))) for _ in range(count)]


def written(path, texts, labels=None):
    rows = [{"sentence": text, "label": 0} for text in texts]
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["sentence", "label"])
            writer.writeheader()
            writer.writerows(rows)
    return Source(str(path))


def table_at(path):
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_answers_are_those_of_predict(model):
    texts = [*sentences(50), "film " * 60]
    for batch_size in (1, 7, 100):
        found = answer_all(model, texts, batch_size=batch_size)
        for text, answer in zip(texts, found, strict=True):
            said = model.predict(text)
            assert answer.label == said.label
            assert answer.probability == pytest.approx(said.probabilities[said.label], abs=1e-5)
            assert (answer.tokens, answer.tokens_left) == (len(said.trace.tokens), said.trace.alive[-1])
            assert answer.flops == said.flops
            assert answer.truncated_tokens == said.trace.truncated_tokens
    assert found[-1].truncated_tokens == 60 + 2 - 32 and found[-1].tokens == 32
    assert len({answer.label for answer in found}) > 1 and any(a.tokens_left < a.tokens for a in found)


def test_pairs_and_thresholds_given_by_hand(model):
    texts = list(zip(sentences(9), sentences(9, seed=1), strict=True))
    rule = Thresholds([0.1, 0.1, 0.1])
    for text, answer in zip(texts, answer_all(model, texts, rule), strict=True):
        said = model.predict(text, rule=rule)
        assert (answer.label, answer.flops) == (said.label, said.flops)


def test_a_row_that_cannot_be_read_says_why_and_stops_nothing(model):
    texts = ["a good film", "", " \t", None, 7, float("nan"), "\ud800", ("a", "b"), ["x"], "bad"]
    problems = [answer.problem for answer in answer_all(model, texts)]
    # A pair makes all rows pairs, so that one is asked for apart.
    assert answer_all(model, texts[:2])[1].problem == EMPTY
    assert problems == [NO_TEXT] * 7 + [None] + [NO_TEXT] * 2
    found = answer_all(model, [text for text in texts if not isinstance(text, tuple)])
    assert [answer.problem for answer in found] == [None, EMPTY, EMPTY, *[NO_TEXT] * 5, None]
    assert [answer.label is None for answer in found] == [False, *[True] * 7, False]
    pairs = answer_all(model, [("a film", "bad"), ("a film", ""), ("", "bad"), ("a", None)])
    assert [answer.problem for answer in pairs] == [None, EMPTY, EMPTY, NO_TEXT]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("kind", [".parquet", ".csv", ".jsonl"])
def test_every_row_is_answered_in_its_place(model, tmp_path, monkeypatch, suffix, kind):
    monkeypatch.setattr(corpus_run, "PART", 16)
    texts = sentences(50)
    texts[20], texts[30] = "", 'a "film",\nso bad'
    source, output = written(tmp_path / f"rows{kind}", texts), tmp_path / f"out{suffix}"
    seen = []
    summary = predict_corpus(Predictor(model), source, output, progress=seen.append)
    rows = table_at(output)
    assert len(rows) == 50 == summary.rows
    for text, row in zip(texts, rows, strict=True):
        if not text:
            assert row["problem"] == EMPTY and not row["label"]
            continue
        said = model.predict(text)
        assert row["label"] == said.label and int(row["tokens"]) == len(said.trace.tokens)
        assert float(row["probability"]) == pytest.approx(said.probabilities[said.label], abs=1e-5)
        assert int(row["flops"]) == said.flops
    assert summary.unread_rows == 1 and summary.tokens == sum(int(row["tokens"]) for row in rows)
    assert summary.truncated_rows == sum(int(row["truncated_tokens"]) > 0 for row in rows) > 0
    assert summary.flops_reduction > 1
    assert [now.rows for now in seen] == [16, 32, 48, 50] and seen[-1].left == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"rows{kind}", f"out{suffix}"])


def test_pairs_of_a_file(model, tmp_path):
    (tmp_path / "p.jsonl").write_text('{"sentence1": "a film", "sentence2": "bad"}\n{"sentence1": "a"}\n')
    summary = predict_corpus(Predictor(model), Source(str(tmp_path / "p.jsonl")), tmp_path / "o.jsonl")
    first, second = table_at(tmp_path / "o.jsonl")
    assert first["label"] == model.predict(("a film", "bad")).label
    assert second["problem"] == NO_TEXT and summary.unread_rows == 1


class Killed(Exception):
    pass


def ended_after(parts):
    def progress(now):
        if now.rows >= parts * corpus_run.PART:
            raise Killed

    return progress


def test_a_run_that_was_ended_goes_on_at_the_last_whole_part(model, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_run, "PART", 8)
    texts, file, output = sentences(50), tmp_path / "rows.csv", tmp_path / "out.jsonl"
    predictor, answered = Predictor(model), []
    with pytest.raises(Killed):
        predict_corpus(predictor, written(file, texts), output, progress=ended_after(3))
    assert not output.exists() and (tmp_path / "out.jsonl.parts").is_dir()
    with pytest.raises(ValueError, match="holds a run that was not finished: --resume goes on"):
        predict_corpus(predictor, Source(str(file)), output)
    monkeypatch.setattr(predictor, "answers", lambda rows: answered.append(len(rows)) or real(rows))
    real = Predictor(model).answers
    summary = predict_corpus(predictor, Source(str(file)), output, resume=True)
    assert answered == [8, 8, 8, 2] and summary.resumed_rows == 24
    predict_corpus(Predictor(model), Source(str(file)), tmp_path / "at once.jsonl")
    assert output.read_text() == (tmp_path / "at once.jsonl").read_text()
    assert not (tmp_path / "out.jsonl.parts").exists()


def test_a_run_goes_on_only_with_the_same_rows_model_and_rule(model, tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_run, "PART", 8)
    texts, file, output = sentences(40), tmp_path / "rows.csv", tmp_path / "out.csv"
    with pytest.raises(Killed):
        predict_corpus(Predictor(model), written(file, texts), output, progress=ended_after(3))

    def refused(says, predictor, rows):
        with pytest.raises(ValueError, match=says):
            predict_corpus(predictor, written(file, rows), output, resume=True)

    refused("rule was learned, and is off now; --overwrite begins anew", Predictor(model, rule="off"), texts)
    other = PrunedModel(tiny_bert(seed=1), model.tokenizer, THETA, name="tiny")
    refused("digest was", Predictor(other), texts)
    refused("rows 9 to 16 of .* are not those", Predictor(model), [*texts[:9], "bad", *texts[10:]])
    refused("fewer rows", Predictor(model), texts[:8])
    # What comes after the whole parts may have been mended.
    summary = predict_corpus(Predictor(model), written(file, [*texts[:30], "bad"]), output, resume=True)
    assert (summary.rows, summary.resumed_rows) == (31, 24)


def test_what_is_there_stays(model, tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("years of work")
    source = written(tmp_path / "rows.csv", sentences(5))
    for options in ({}, {"resume": True}):
        with pytest.raises(ValueError, match="exists already"):
            predict_corpus(Predictor(model), source, output, **options)
    assert output.read_text() == "years of work"
    with pytest.raises(Killed):
        predict_corpus(Predictor(model), source, output, overwrite=True, progress=ended_after(0))
    assert output.read_text() == "years of work"  # until the new one is whole
    source = Source(str(tmp_path / "rows.csv"))
    predict_corpus(Predictor(model), source, output, overwrite=True)
    assert len(table_at(output)) == 5
    (tmp_path / "other.csv.parts").mkdir()
    (tmp_path / "other.csv.parts" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="is in the way: it is no unfinished run"):
        predict_corpus(Predictor(model), source, tmp_path / "other.csv", overwrite=True)
    assert (tmp_path / "other.csv.parts" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("out.txt", {}, "must end in one of: .parquet, .csv, .jsonl"),
        ("out.csv", {"resume": True, "overwrite": True}, "give one of them"),
        ("folder.csv", {}, "is a folder"),
    ],
)
def test_an_output_that_cannot_be(model, tmp_path, name, options, says):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=says):
        predict_corpus(Predictor(model), written(tmp_path / "r.csv", ["a"]), tmp_path / name, **options)


def test_no_rows_leave_nothing(model, tmp_path):
    (tmp_path / "rows.csv").write_text("sentence\n")
    with pytest.raises(ValueError, match="has no rows"):
        predict_corpus(Predictor(model), Source(str(tmp_path / "rows.csv")), tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def command(folder, data, output, *options):
    arguments = ["--model", folder, "--data", data, "--output", output, "--json", *options]
    return [sys.executable, "-m", "ltp_core", "predict", *map(str, arguments)]


@pytest.mark.slow
def test_a_kill_loses_at_most_a_part(folder, tmp_path):
    """A process is killed in its second part and called again: every row once, in order."""
    data, output = tmp_path / "rows.parquet", tmp_path / "out.parquet"
    texts = sentences(corpus_run.PART * 2 + 100)
    written(data, texts)
    process = subprocess.Popen(command(folder, data, output), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = tmp_path / "out.parquet.parts" / "000000.parquet"
    end = time.monotonic() + 200
    while not first.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert first.exists() and not output.exists()
    done = subprocess.run(command(folder, data, output, "--resume"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["rows"] == len(texts) and summary["resumed_rows"] >= corpus_run.PART
    assert {"rows", "seconds", "rows_per_second", "tokens", "tokens_left"} <= set(summary)
    rows = table_at(output)
    lengths = [min(len(text.split()) + 2, 32) for text in texts]
    assert [row["tokens"] for row in rows] == lengths and summary["tokens"] == sum(lengths)


def test_two_at_once_on_one_output_are_refused(model, tmp_path):
    source, output = written(tmp_path / "rows.csv", sentences(5)), tmp_path / "out.csv"

    def second(now):
        with pytest.raises(ValueError, match="another process works on"):
            predict_corpus(Predictor(model), Source(source.name), output, resume=True)
        raise Killed

    with pytest.raises(Killed):
        predict_corpus(Predictor(model), source, output, progress=second)


def test_a_batch_by_column(folder):
    predictor = Predictor(folder, prefix="said_")
    batch = {"id": [3, 4], "text": ["a good film", "bad"], "label": [1, 0]}
    table = predictor(batch)
    assert table.column_names[:4] == ["id", "text", "label", "said_label"]
    assert table["id"].to_pylist() == [3, 4]
    labels = [predictor.model.predict(text).label for text in batch["text"]]
    assert table["said_label"].to_pylist() == labels
    arrow = predictor(pyarrow.table(batch))
    assert arrow.equals(table)
    with pytest.raises(ValueError, match="have a column 'label' already: give the answers a prefix"):
        Predictor(folder)(batch)
    with pytest.raises(ValueError, match="there is no column 'review'; the rows have: id, text, label"):
        Predictor(folder, columns=["review"], prefix="x_")(batch)
    chosen = Predictor(folder, columns=["review"])({"review": ["bad"], "sentence": ["good"]})
    assert chosen["label"].to_pylist() == [predictor.model.predict("bad").label]


def test_it_travels_as_its_arguments_and_knows_its_model(folder, tiny_bert, tmp_path, make_tokenizer):
    text = pickle.dumps(Predictor(folder, rule="0.1,0.1,0.1"))
    assert len(text) < 1000  # no weights
    again = pickle.loads(text)
    assert again.rule == Thresholds([0.1, 0.1, 0.1])
    model = PrunedModel(tiny_bert(), make_tokenizer(), THETA)
    model.save_pretrained(tmp_path)
    sent = pickle.dumps(Predictor(tmp_path))
    pickle.loads(sent)
    PrunedModel(tiny_bert(), make_tokenizer(), (0.03, 0.05, 0.09)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="has changed since this work began"):
        pickle.loads(sent)


def test_the_digest_sees_everything_that_decides(tiny_bert, make_tokenizer):
    def digest(seed=0, thresholds=THETA, **options):
        return PrunedModel(tiny_bert(seed=seed, **options), make_tokenizer(), thresholds).digest()

    read = PrunedModel(tiny_bert(), make_tokenizer(), THETA)
    read.predict(["a good film", "bad"])  # the tokenizer keeps how it padded and cut
    assert read.digest() == digest()
    digests = [
        digest(),
        digest(seed=1),
        digest(thresholds=(0.03, 0.05, 0.081)),
        digest(thresholds=None),
        digest(id2label={0: "x", 1: "y", 2: "z"}),
    ]
    assert digest() == digests[0] and len(set(digests)) == len(digests)


def test_with_datasets(folder, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    texts = [*sentences(30), ""]
    rows = datasets.Dataset.from_dict({"id": list(range(31)), "text": texts})
    predictor = Predictor(folder)
    for given in (rows, rows.with_format("arrow")):
        found = given.map(predictor, batched=True, batch_size=10).with_format(None)
        assert found["id"][:] == list(range(31)) and found["problem"][30] == EMPTY
        assert found["label"][:30] == [answer.label for answer in predictor.answers(texts)[:30]]


FORKS = """
import json, sys
import datasets, torch
from ltp_core.corpus import Predictor
texts = json.loads(sys.stdin.read())
predictor = Predictor(sys.argv[1])
predictor.answers(texts)  # on several threads, which a forked process does not have
rows = datasets.Dataset.from_dict({"id": list(range(len(texts))), "text": texts})
found = rows.map(predictor, batched=True, batch_size=10, num_proc=2)
print(json.dumps([found["id"][:], found["label"][:], found["problem"][:]]))
"""


def test_with_datasets_on_two_processes(folder, model, tmp_path):
    """In a process of its own, since theirs are forked: what else runs in a test's would come along."""
    pytest.importorskip("datasets")
    texts = [*sentences(30), ""]
    done = subprocess.run(
        [sys.executable, "-c", FORKS, folder],
        input=json.dumps(texts),
        env={**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    numbers, labels, problems = json.loads(done.stdout.splitlines()[-1])
    assert numbers == list(range(31)) and problems[30] == EMPTY
    assert labels[:30] == [answer.label for answer in answer_all(model, texts)[:30]]


@pytest.mark.slow
def test_with_ray_on_two_workers(folder, tmp_path):
    ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
    ray_data = pytest.importorskip("ray.data", reason="the extra `ray` is not installed")
    texts = [*sentences(200), ""]
    parquet.write_table(pyarrow.table({"id": list(range(201)), "text": texts}), tmp_path / "in.parquet")
    ray.init(
        num_cpus=3,  # two work, one reads
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
        _temp_dir=f"/tmp/ltp-ray-{tmp_path.name[-10:]}",
    )
    try:
        rows = ray_data.read_parquet(str(tmp_path / "in.parquet")).repartition(4)
        found = rows.map_batches(
            Predictor,
            fn_constructor_kwargs={"model": str(folder)},
            compute=ray_data.ActorPoolStrategy(size=2),
            batch_size=50,
            batch_format="pyarrow",
        ).take_all()
    finally:
        ray.shutdown()
    expected = Predictor(folder).answers(texts)
    by_id = {row["id"]: row for row in found}
    assert Counter(row["id"] for row in found) == Counter(range(201))
    assert [by_id[place]["label"] for place in range(201)] == [answer.label for answer in expected]
    assert by_id[200]["problem"] == EMPTY


def test_the_command_and_its_bad_input(folder, tmp_path, monkeypatch, capsys):
    written(tmp_path / "rows.csv", ["a good film", ""])

    def ltp(*options):
        data = (
            "--model",
            folder,
            "--data",
            tmp_path / "rows.csv",
            "--output",
            tmp_path / "out.csv",
            "--json",
        )
        monkeypatch.setattr(sys, "argv", ["ltp", "predict", *map(str, (*data, *options))])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr()

    code, said = ltp()
    assert code == 0 and json.loads(said.out)["rows"] == 2 and json.loads(said.out)["unread_rows"] == 1
    for options, line in (
        ((), "exists already: --overwrite makes it anew"),
        (("--resume",), "it is whole; --overwrite makes it anew"),
        (
            ("--overwrite", "--precision", "int8"),
            "the backend torch has no precision 'int8'; there is torch: ",
        ),
        (("--overwrite", "--backend", "magic"), "backend must be 'torch' or"),
        (("--overwrite", "--batch-size", "0"), "the batch size must be at least 1"),
        (("--overwrite", "--data", "gone.csv"), "there is no file gone.csv"),
    ):
        code, said = ltp(*options)
        assert code == 2 and not said.out and line in said.err and said.err.count("\n") == 1
    assert len(table_at(tmp_path / "out.csv")) == 2
