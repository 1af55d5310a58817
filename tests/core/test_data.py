"""Rows: how they are read, how they are held out, and how bad ones are refused in one line."""

import csv
import json
import random
import tracemalloc

import datasets
import pytest

from ltp_core.data.rows import DataError, Rows, hold_out, load_rows
from ltp_core.data.tasks import TASKS
from tests.some import some

ROWS = [{"sentence": "a good film", "label": 1}, {"sentence": 'it, was "bad"', "label": 0}]
PAIRS = [
    {"sentence1": "a", "sentence2": "b", "label": 0.5},
    {"sentence1": "c d", "sentence2": "e", "label": 3.0},
]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keeps what `datasets` converts out of the user's cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def write(path, rows):
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        datasets.Dataset.from_list(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def refused(match, *arguments):
    with pytest.raises(DataError, match=match) as found:
        load_rows(*arguments)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet"])
def test_files(tmp_path, suffix):
    rows = load_rows(write(tmp_path / f"rows{suffix}", ROWS))
    assert rows.texts == ["a good film", 'it, was "bad"']
    assert rows.labels == [1, 0]
    assert len(rows) == 2


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_pairs(tmp_path, suffix):
    rows = load_rows(write(tmp_path / f"rows{suffix}", PAIRS))
    assert rows == Rows([("a", "b"), ("c d", "e")], [0.5, 3.0])


@pytest.mark.parametrize(
    "columns",
    [
        ("sentence",),
        ("text",),
        ("question", "sentence"),
        ("premise", "hypothesis"),
        ("question1", "question2"),
    ],
)
def test_text_columns(tmp_path, columns):
    row = {name: f"the {name}" for name in columns} | {"label": 1, "idx": 7}
    texts = load_rows(write(tmp_path / "rows.jsonl", [row])).texts
    expected = tuple(f"the {name}" for name in columns)
    assert texts == [expected if len(columns) == 2 else expected[0]]


def test_a_folder_in_the_hubs_layout(tmp_path):
    (tmp_path / "sst2").mkdir()
    write(tmp_path / "sst2" / "train-00000.parquet", ROWS)
    write(tmp_path / "sst2" / "validation-00000.parquet", ROWS[:1])
    assert len(load_rows(str(tmp_path / "sst2"), "train")) == 2
    assert len(load_rows(str(tmp_path / "sst2"), "validation")) == 1
    refused("has no split 'test'; it has: train, validation", str(tmp_path / "sst2"), "test")


def test_a_file_whose_content_changed_is_read_anew(tmp_path):
    load_rows(write(tmp_path / "rows.csv", ROWS))
    assert load_rows(write(tmp_path / "rows.csv", ROWS[:1])).texts == ["a good film"]


def test_rows_without_text_are_left_out():
    rows = Rows(["a", "", " \n", "b"], [0, 1, 2, 3])
    assert rows.with_text() == Rows(["a", "b"], [0, 3])
    pairs = Rows([("a", "b"), ("a", ""), (" ", "b")], [0.0, 1.0, 2.0])
    assert pairs.with_text() == Rows([("a", "b")], [0.0])


def test_take():
    rows = Rows(["a", "b", "c"], [0, 1, 2])
    assert rows.take([2, 0]) == Rows(["c", "a"], [2, 0])


@pytest.mark.parametrize("name", ["missing.csv", "missing.jsonl", "missing.parquet"])
def test_a_missing_file(tmp_path, name):
    refused("there is no file", str(tmp_path / name))


def test_a_missing_folder():
    refused("cannot read no/such/folder", "no/such/folder")


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([{"phrase": "a", "label": 1}], "no text column; it needs one of: .*it has: phrase, label"),
        ([{"sentence1": "a", "label": 1}], "no text column"),
        ([{"sentence": "a", "gold": 1}], "row 1: there is no label"),
        ([{"sentence": "a", "label": None}, {"sentence": "b", "label": 1}], "row 1: there is no label"),
        (
            [{"sentence": "a", "label": "x"}, {"sentence": "b", "label": 1}],
            "row 1 is a name, x, that of row 2",
        ),
        ([{"sentence": 7, "label": 1}], "column 'sentence' holds no text"),
        (
            [{"sentence": None, "label": 1}, {"sentence": "b", "label": 1}],
            "row 1 .line 1.: column .* holds no text",
        ),
    ],
)
def test_bad_rows(tmp_path, rows, match):
    refused(match, write(tmp_path / "rows.jsonl", rows))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("header.csv", b"sentence,label\n"),
        ("empty.csv", b""),
        ("empty.jsonl", b""),
        ("broken.jsonl", b'{"sentence": "a", "lab'),
        ("broken.parquet", b"PAR1 and nothing more"),
        ("bytes.csv", b"sentence,label\n\xff\xfe\xff,1\n"),
        ("ragged.csv", b"sentence,label\na,1,2,3\nb,1\n"),
    ],
)
def test_unreadable_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(name, str(tmp_path / name))


def test_a_label_that_only_some_rows_have_as_text(tmp_path):
    (tmp_path / "rows.csv").write_text("sentence,label\na,1\nb,x\n")
    refused("the label of row 2 is a name, x, that of row 1 a number, 1", str(tmp_path / "rows.csv"))


def test_labels_that_are_not_a_number(tmp_path):
    rows = [{"sentence": "a", "label": 1.0}, {"sentence": "b", "label": float("nan")}]
    refused("label", write(tmp_path / "rows.parquet", rows))


@pytest.mark.parametrize("name", ["rows.tsv", "rows.txt"])
def test_a_file_of_another_format_is_not_called_missing(tmp_path, name):
    """It is there; what helps is to hear which formats are read."""
    (tmp_path / name).write_text("sentence\tlabel\na\t1\n")
    refused(r"\.csv", str(tmp_path / name))


def test_a_tasks_configuration_is_for_data_that_has_it(tmp_path):
    """A model of SST-2 may be measured on other data, which has no configuration "sst2"."""
    write(tmp_path / "validation.jsonl", [{"sentence": "a", "label": 1}])
    assert load_rows(str(tmp_path), "validation", "sst2", ["no", "yes"]) == Rows(["a"], [1])


def test_tasks():
    assert set(TASKS) == {"sst2", "mrpc", "rte", "stsb", "cola", "qnli", "qqp", "mnli", "imdb"}
    assert TASKS["sst2"].classes == ("negative", "positive")
    assert (TASKS["sst2"].hub_id, TASKS["sst2"].config) == ("nyu-mll/glue", "sst2")
    assert TASKS["stsb"].classes == ()  # a regression
    assert len(TASKS["mnli"].classes) == 3
    assert TASKS["mnli"].development == "validation_matched"
    assert (TASKS["imdb"].config, TASKS["imdb"].development) == (None, "test")
    assert all(task.name == name for name, task in some(TASKS.items()))


# Holding out


def phrases(seed=0, sentences=40):
    """Sentences and pieces of them, in random order: what SST-2's training set is."""
    rng = random.Random(seed)
    words = [
        "the",
        "a",
        "film",
        "plot",
        "good",
        "bad",
        "very",
        "it",
        "was",
        "and",
        "so",
        "of",
        "actor",
        "scene",
    ]
    texts = []
    for _ in range(sentences):
        sentence = [rng.choice(words) for _ in range(rng.randint(3, 9))]
        texts.append(" ".join(sentence))
        for _ in range(rng.randint(0, 5)):
            start = rng.randrange(len(sentence))
            texts.append(" ".join(sentence[start : rng.randint(start + 1, len(sentence))]))
    rng.shuffle(texts)
    return Rows(texts, list(range(len(texts))))


def contains(whole, piece):
    return f" {piece} " in f" {whole} "


@pytest.mark.parametrize("seed", range(5))
def test_no_piece_of_a_held_out_sentence_is_trained_on(seed):
    rows = phrases(seed)
    split = hold_out(rows, 5, 8, seed)
    assert (len(split.tuning), len(split.untouched)) == (5, 8)
    held = split.tuning.texts + split.untouched.texts
    assert len(set(held)) == 13
    for text in some(held):  # whole: no part of any longer row
        assert not any(contains(other, text) for other in rows.texts if other != text)
    # Exactly the pieces leave: brute force over all rows.
    expected = [t for t in rows.texts if not any(contains(whole, t) for whole in held)]
    assert split.train.texts == expected
    assert 0 < len(expected) < len(rows) - 13
    for part in (split.train, split.tuning, split.untouched):  # labels stay with their texts
        assert all(
            rows.texts[label] == text for text, label in some(zip(part.texts, part.labels, strict=True))
        )


def pieces_of(text):
    words = text.split()
    return {" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}


@pytest.mark.parametrize("seed", range(20))
def test_what_leaves_are_all_pieces_of_a_held_out_text(seed):
    """Few words, so that rows are often the same or part of another; some have no word at all."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choices("abcd", k=rng.choice([0, 1, 2, 3, 8]))) for _ in range(80)]
    texts += [f"{rng.choice('abcd')}  {number} {rng.choice('abcd')}" for number in range(8)]
    split = hold_out(Rows(texts, list(range(len(texts)))), 2, 3, seed)
    gone = set().union(*map(pieces_of, split.tuning.texts + split.untouched.texts))
    assert split.train.texts == [text for text in texts if " ".join(text.split()) not in gone]


def test_long_texts_take_memory_in_proportion():
    """All pieces of one text of 400 words are 80,000, some 70 MB."""
    words = [f"word{number}" for number in range(4000)]
    texts = [" ".join(words[start : start + 400]) for start in range(0, 4000, 400)] + ["word1 word2"]
    tracemalloc.start()
    split = hold_out(Rows(texts, list(range(11))), 2, 3, 0)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(split.untouched) == 3 and used < 5e6


def test_a_piece_is_made_of_whole_words():
    texts = ["art", "the party was good", "a b c", "d e f"]
    split = hold_out(Rows(texts, [0, 1, 2, 3]), 1, 1, 0)
    assert "art" in split.train.texts + split.tuning.texts + split.untouched.texts
    assert len(split.train) == 2
    texts = ["a film", "via film a", "b c", "d e"]  # "a film" is in the second, but not as words
    assert len(hold_out(Rows(texts, [0, 1, 2, 3]), 1, 1, 0).train) == 2


def test_rows_that_share_nothing_are_split_at_random():
    rows = Rows([f"text{i}" for i in range(20)], list(range(20)))
    split = hold_out(rows, 4, 6, 0)
    parts = [set(part.labels) for part in (split.train, split.tuning, split.untouched)]
    assert [len(part) for part in parts] == [10, 4, 6]
    assert set().union(*parts) == set(range(20))


def test_the_same_text_twice_is_held_out_once_and_trained_on_never():
    rows = Rows(["a  b", "a b", "c d", "e f", "g h"], [0, 1, 2, 3, 4])
    for seed in range(6):
        split = hold_out(rows, 1, 1, seed)
        held = {" ".join(text.split()) for text in split.tuning.texts + split.untouched.texts}
        assert len(held) == 2
        assert not held & {" ".join(text.split()) for text in split.train.texts}


def test_the_split_depends_on_the_seed_alone():
    rows = phrases()
    assert hold_out(rows, 5, 5, 1) == hold_out(rows, 5, 5, 1)
    assert hold_out(rows, 5, 5, 1).tuning != hold_out(rows, 5, 5, 2).tuning


def test_pairs_are_held_out_whole():
    texts = [(f"a{i} b", f"c d{i}") for i in range(12)]
    split = hold_out(Rows(texts, list(range(12))), 2, 3, 0)
    assert (len(split.train), len(split.tuning), len(split.untouched)) == (7, 2, 3)
    assert set(split.train.texts + split.tuning.texts + split.untouched.texts) == set(texts)


def test_where_the_first_text_ends_tells_pairs_apart():
    texts = [("a b", "c"), ("a", "b c"), ("d", "e"), ("f", "g")]
    seen = [hold_out(Rows(texts, [0, 1, 2, 3]), 1, 1, seed) for seed in range(8)]
    assert all(len(split.train) == 2 for split in some(seen))


def test_too_few_rows():
    with pytest.raises(DataError, match="cannot hold out 4 of 6 texts: at most half"):
        hold_out(Rows([f"t{i}" for i in range(6)], [0] * 6), 2, 2, 0)


def test_numbers_in_a_text_column_of_a_csv_file_are_texts(tmp_path):
    (tmp_path / "rows.csv").write_text("sentence1,sentence2,label\n007,1.50,0\n12,,1\n", encoding="utf-8")
    rows = load_rows(str(tmp_path / "rows.csv"))
    assert rows.texts == [("007", "1.50"), ("12", "")]
    assert rows.labels == [0, 1]


def test_some_rows_of_a_file_that_is_sorted_by_label():
    """The first are the first; a fair choice has every class."""
    mixed, classes = Rows(list("abcdef"), [0, 1, 0, 0, 1, 1]), Rows(list("abcdef"), [0, 0, 0, 1, 1, 1])
    assert mixed.first(3) == mixed.fair(3) == Rows(["a", "b", "c"], [0, 1, 0])
    assert classes.first(2) == Rows(["a", "b"], [0, 0])
    assert classes.fair(4) == Rows(["a", "b", "d", "e"], [0, 0, 1, 1])
    assert classes.fair(2).labels == [0, 1]
    assert classes.first(None) == classes.first(9) == classes.fair(None) == classes.fair(9) == classes
    alike = Rows(list("abc"), [1, 1, 1])
    assert alike.fair(2) == Rows(["a", "b"], [1, 1])
