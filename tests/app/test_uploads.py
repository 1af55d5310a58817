"""Data files of visitors: what is read, and what is said about what cannot be."""

import contextlib
import io
import json
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest

from app.visitor import uploads
from app.visitor.uploads import read_upload
from ltp_core.data.columns import Chosen, DataError

CLASSES = ("negative", "positive")


def parquet(**columns):
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def not_utf_8():
    """A column that is said to be text, and holds a byte that no UTF-8 text has."""
    return pyarrow.Array.from_buffers(pyarrow.string(), 1, pyarrow.array([b"\xff"]).buffers())


def beyond_all_dates():
    """A time that Python has no year for."""
    return pyarrow.array([2**62], pyarrow.timestamp("us"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'sentence,label\n"good, film",1\nbad,0\n'),
        ("a.csv", '\ufeffsentence,label\n"good, film",positive\nbad,Negative\n'.encode()),
        (
            "a.jsonl",
            b'{"sentence": "good, film", "label": 1}\n\n{"sentence": "bad", "label": "negative"}\n',
        ),
        ("a.PARQUET", parquet(sentence=["good, film", "bad"], label=[1, 0], idx=[7, 8])),
    ],
)
def test_the_three_formats(name, content):
    data = read_upload(name, content, CLASSES)
    assert data.texts == ["good, film", "bad"]
    assert data.labels == [1.0, 0.0]
    assert data.note == ""


def test_pairs_and_no_labels():
    data = read_upload("a.csv", b"question,sentence\nwhen?,now\n", CLASSES)
    assert data.texts == [("when?", "now")] and data.labels is None


def test_numbers_of_a_regression():
    assert read_upload("a.csv", b"text,label\ngood,4.5\n", ()).labels == [4.5]


def test_a_missing_label_means_that_nothing_is_scored():
    data = read_upload("a.csv", b"text,label\ngood,1\nbad,\n", CLASSES)
    assert data.labels is None and "no row is scored" in data.note


def test_lines_end_where_json_says():
    content = '{"text": "one\u2028two\x85three"}\r\n{"text": "four"}\r\n'.encode()
    assert read_upload("a.jsonl", content, CLASSES).texts == ["one\u2028two\x85three", "four"]


def test_many_blank_lines_hide_no_row():
    content = b"\n" * (3 * uploads.MOST_ROWS) + b'{"text": "a"}'
    assert read_upload("a.jsonl", content, CLASSES).texts == ["a"]


def test_a_label_that_only_a_later_line_has_is_seen():
    data = read_upload("a.jsonl", b'{"text": "a"}\n{"text": "b", "label": 1}\n', CLASSES)
    assert data.labels is None and "Rows without a label are in a.jsonl" in data.note


def test_rows_beyond_the_limit_are_left_out_and_it_is_said(monkeypatch):
    monkeypatch.setattr(uploads, "MOST_ROWS", 2)
    for name, content in (
        ("a.csv", b"text\na\nb\nc\n"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "b"}\n{"text": "c"}\n'),
        ("a.parquet", parquet(text=["a", "b", "c"])),
    ):
        data = read_upload(name, content, CLASSES)
        assert data.texts == ["a", "b"] and "first 2 rows" in data.note


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"x", "none of the files that can be read: .csv, .json, .jsonl, .parquet"),
        ("a.csv", b"", "no text column"),
        ("a.csv", b"text\n", "a.csv has no rows"),
        ("a.csv", b"body,label\nx,1\n", "no text column"),
        ("a.csv", b"text\n\xff\xfe\n", "not UTF-8"),
        (
            "a.csv",
            b"text,label\nx,maybe\n",
            "row 1: the label 'maybe' is none of: negative, positive, or 0 to 1",
        ),
        ("a.csv", b"text,label\nx,2\n", "is none of: negative, positive, or 0 to 1"),
        ("a.csv", b"text,label\nx,0.5\n", "is none of"),
        ("a.csv", b"text,other\n   ,1\n", "column 'text' holds no text"),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', "line 2: this is not a JSON object"),
        ("a.jsonl", b'\n\n{"text": "a"}\n\n[1]\n', "line 5: this is not a JSON object"),
        ("a.jsonl", b'{"text": "a"}\n{"label": 1}\n', "row 2 (line 2): column 'text' holds no text"),
        ("a.jsonl", b'{"text": 3}\n', "column 'text' holds no text"),
        ("a.jsonl", b"", "no text column"),
        ("a.jsonl", b"[" * 100_000, "line 1: this is not a JSON object"),
        ("a.parquet", b"PAR1 no", "no Parquet file that can be read"),
        ("a.parquet", parquet(body=["x"]), "no text column"),
        (
            "a.parquet",
            parquet(text=[["x"]]),
            "a.parquet: column 'text' holds no text, but values of the type",
        ),
        ("a.parquet", parquet(text=[b"x"]), "holds no text, but values of the type binary"),
        ("a.parquet", parquet(text=["x"], label=[[1]]), "column 'label' holds no labels, but values of the"),
        ("a.jsonl", b'{"text": "x", "label": ' + b"9" * 401 + b"}", "row 1 (line 1): the label 9999"),
        ("a.jsonl", b'{"text": "x", "label": ' + b"9" * 5_000 + b"}", "line 1: this is not a JSON object"),
        ("a.parquet", parquet(text=not_utf_8()), "a.parquet holds text that is not UTF-8; save it as UTF-8"),
        (
            "a.parquet",
            parquet(text=["x"], label=beyond_all_dates()),
            "holds no labels, but values of the type time",
        ),
        ("a.parquet", parquet(text=["x", None]), "row 2: column 'text' holds no text"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(name, content, said):
    with pytest.raises(DataError, match=r".") as caught:
        read_upload(name, content, CLASSES)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_limits(monkeypatch):
    long = json.dumps({"text": "a" * (uploads.MOST_CHARACTERS + 1)}).encode()
    with pytest.raises(DataError, match="more than 20,000 characters"):
        read_upload("a.jsonl", long, CLASSES)
    with pytest.raises(DataError, match="more than 5 MB"):
        read_upload("a.csv", b"a" * (5 * 2**20 + 1), CLASSES)
    monkeypatch.setattr(uploads, "MOST_UNPACKED", 0)
    with pytest.raises(DataError, match="when unpacked"):
        read_upload("a.parquet", parquet(text=["a" * 100]), CLASSES)


def repeated(text, rows):
    """A column that holds one text in so many rows, and stores it once."""
    places = pyarrow.array([0] * rows, pyarrow.int32())
    return pyarrow.DictionaryArray.from_arrays(places, pyarrow.array([text]))


@pytest.fixture
def peak():
    """Bytes that Arrow and Python held at most while a function ran, which may refuse a file."""

    def measure(work):
        usual = pyarrow.default_memory_pool()
        pool = pyarrow.proxy_memory_pool(usual)
        pyarrow.set_memory_pool(pool)
        tracemalloc.start()
        try:
            with contextlib.suppress(DataError):
                work()
            return pool.max_memory() + tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            pyarrow.set_memory_pool(usual)

    return measure


@pytest.mark.parametrize("column", ["text", "label"])
@pytest.mark.parametrize("store_schema", [True, False])
def test_a_long_text_that_many_rows_share_is_refused_before_it_is_unpacked(peak, column, store_schema):
    rows = uploads.MOST_ROWS + 1
    columns = {"text": repeated("a film", rows), column: repeated("a" * 200_000, rows)}
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file, store_schema=store_schema)
    with pytest.raises(DataError, match=r"row 1: .* has more than (20,000|200) characters"):
        read_upload("a.parquet", file.getvalue(), CLASSES)
    assert peak(lambda: read_upload("a.parquet", file.getvalue(), CLASSES)) < 8 * 2**20


def test_a_text_that_may_be_as_long_is_held_once(peak):
    content = parquet(text=repeated("a" * uploads.MOST_CHARACTERS, uploads.MOST_ROWS))
    assert len(read_upload("a.parquet", content, CLASSES).texts) == uploads.MOST_ROWS
    assert peak(lambda: read_upload("a.parquet", content, CLASSES)) < 8 * 2**20


def test_a_long_text_in_a_row_that_is_left_out_harms_nobody(monkeypatch):
    monkeypatch.setattr(uploads, "MOST_ROWS", 2)
    content = parquet(text=["a", "b", "c", "a" * 30_000])
    assert read_upload("a.parquet", content, CLASSES).texts == ["a", "b"]


@pytest.mark.parametrize(
    "kind",
    [pyarrow.large_string(), pyarrow.string_view(), pyarrow.dictionary(pyarrow.int32(), pyarrow.string())],
)
def test_every_kind_of_string_is_text(kind):
    content = parquet(text=pyarrow.array(["a", "b", "a"], kind), label=pyarrow.array(["1", None, "0"], kind))
    data = read_upload("a.parquet", content, CLASSES)
    assert data.texts == ["a", "b", "a"] and data.labels is None


def test_rows_are_counted_over_batches():
    file = io.BytesIO()
    table = pyarrow.table({"text": ["a", "b", "c" * 30_000]})
    pyarrow.parquet.write_table(table, file, row_group_size=1)
    with pytest.raises(DataError, match="row 3: a text has more"):
        read_upload("a.parquet", file.getvalue(), CLASSES)


def test_chosen_columns_are_read_from_every_kind_of_file(tmp_path):
    rows = [{"id": 1, "review": "a film", "stars": 1}, {"id": 2, "review": "b film", "stars": 0}]
    file = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    contents = {
        "a.csv": b"id,review,stars\n1,a film,1\n2,b film,0\n",
        "b.csv": b"id;review;stars\n1;a film;1\n2;b film;0\n",
        "a.jsonl": b"\n".join(json.dumps(row).encode() for row in rows),
        "a.json": json.dumps(rows).encode(),
        "a.parquet": file.read_bytes(),
    }
    for name, content in contents.items():
        assert uploads.names_of(name, content) == ["id", "review", "stars"], name
        data = read_upload(name, content, CLASSES, chosen=Chosen(("review",), "stars"))
        assert (list(data.texts), data.labels) == (["a film", "b film"], [1.0, 0.0]), name
        pairs = read_upload(name, content, CLASSES, chosen=Chosen(("review", "review")))
        assert pairs.texts[0] == ("a film", "a film") and pairs.labels is None, name
        with pytest.raises(DataError, match="has no column gone; it has: id, review, stars"):
            read_upload(name, content, CLASSES, chosen=Chosen(("gone",)))


def test_the_columns_of_a_file_are_known_even_where_one_could_not_be_read(tmp_path):
    file = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"review": ["a film"], "tags": [["x", "y"]]}), file)
    assert uploads.names_of("a.parquet", file.read_bytes()) == ["review", "tags"]
    data = read_upload("a.parquet", file.read_bytes(), CLASSES, chosen=Chosen(("review",)))
    assert list(data.texts) == ["a film"]
    with pytest.raises(DataError, match="holds no text, but values of the type list"):
        read_upload("a.parquet", file.read_bytes(), CLASSES, chosen=Chosen(("tags",)))


def test_columns_with_usual_names_are_found_and_others_are_not():
    assert uploads.usual_columns(["id", "text", "label"], "a.csv") == Chosen(("text",), "label")
    assert uploads.usual_columns(["question", "sentence"], "a.csv") == Chosen(("question", "sentence"))
    assert uploads.usual_columns(["review", "stars"], "a.csv") is None
    assert uploads.usual_columns(["text", "sentence"], "a.csv") is None  # which of them?
