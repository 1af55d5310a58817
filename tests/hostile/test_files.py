"""Each hostile file gives the same on the command line and in the lab: its rows, or one line."""

import csv
import io
import json
import math

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.visitor.uploads import read_upload
from ltp_core.data.columns import DataError
from ltp_core.data.labels import plain, read_labels
from ltp_core.data.reader import Limits, read_file
from ltp_core.data.rows import Rows, labelled
from ltp_core.data.sources import load_table
from tests.hostile.files import CASES, Case
from tests.some import some

REFUSED, KEPT = ([case for case in CASES if (case.said is not None) is so] for so in (True, False))


def name(case: Case) -> str:
    return case.name


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", KEPT, ids=name)
def test_what_is_read(folder, case):
    (folder / case.file).write_bytes(case.content)
    rows = labelled(load_table(case.file).filled())
    assert rows == Rows(list(case.texts), list(case.labels))
    assert rows.classes == case.classes
    assert {type(label) for label in rows.labels} == {int if case.classes else float}
    lab = read_upload(case.file, case.content, case.classes)
    assert list(lab.texts) == list(case.texts) and lab.labels == list(case.labels) and lab.note == ""


@pytest.mark.parametrize("case", REFUSED, ids=name)
def test_what_is_refused(folder, case):
    (folder / case.file).write_bytes(case.content)
    with pytest.raises(DataError) as found:
        labelled(load_table(case.file).filled())
    said = str(found.value)
    assert case.said in said and "\n" not in said and len(said) < 400
    if "differ" in said or "is a name" in said or "different labels" in said:
        return  # the lab knows the classes already
    with pytest.raises(DataError) as there:
        read_upload(case.file, case.content, ("0", "1"))
    assert str(there.value).replace("20,000", "100,000") == said


# What Hypothesis makes

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
TEXT = CELL.filter(lambda text: text.strip())
ROWS = st.lists(st.tuples(TEXT, st.sampled_from([0, 1, 6])), min_size=1, max_size=20)


def read(file: str, content: bytes) -> Rows:
    return labelled(read_file(io.BytesIO(content), file))


def expected(rows: list[tuple[str, int]]) -> Rows:
    classes = sorted({label for _, label in rows})
    return Rows([text for text, _ in rows], [classes.index(label) for _, label in rows])


@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_a_csv_writer_wrote_is_read(rows, end, encoding):
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([("text", "label"), *rows])
    assert read("a.csv", file.getvalue().encode(encoding)) == expected(rows)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.booleans(), st.sampled_from([None, 0, 2]), st.booleans())
def test_what_a_json_writer_wrote_is_read(rows, array, indent, ascii_only):
    objects = [{"text": text, "label": label, "more": [{}]} for text, label in rows]
    if array:
        content = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    else:
        content = "\n".join(json.dumps(found, ensure_ascii=ascii_only) for found in objects)
    assert read("a.json", content.encode()) == expected(rows)


@settings(deadline=None, max_examples=30)
@given(ROWS, st.integers(1, 7))
def test_what_a_parquet_writer_wrote_is_read(rows, group):
    file = io.BytesIO()
    table = pyarrow.table({"text": [text for text, _ in rows], "label": [label for _, label in rows]})
    pyarrow.parquet.write_table(table, file, row_group_size=group)
    assert read("a.parquet", file.getvalue()) == expected(rows)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["a.csv", "a.json", "a.jsonl", "a.parquet"]), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_one_line(file, content):
    for start in (b"", b"text,label\n", b'[{"text": "a"}', b'{"text": "a"}\n'):
        try:
            read(file, start + content)
        except DataError as error:
            assert str(error) and "\n" not in str(error)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([case for case in CASES if len(case.content) < 5000]), st.data())
def test_a_file_that_was_cut_or_changed_is_read_or_refused(case, data):
    place = data.draw(st.integers(0, len(case.content)))
    content = case.content[:place] + data.draw(st.binary(max_size=4)) + case.content[place + 1 :]
    for changed in (case.content[:place], content):
        try:
            read(case.file, changed)
        except DataError as error:
            assert str(error) and "\n" not in str(error)


LABEL = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))


@settings(deadline=None, max_examples=200)
@given(st.lists(LABEL, min_size=1, max_size=12))
def test_any_labels_are_classes_numbers_or_refused(values):
    try:
        found = read_labels([plain(value) for value in values], "a.csv")
    except ValueError as error:
        assert str(error)
        return
    assert len(found.values) == len(values)
    if found.classes:
        assert set(found.values) == set(range(len(found.classes)))  # no class without a row
        again = read_labels([plain(value) for value in values], "a.csv", found.classes)
        assert again == found  # what a model of these classes would be measured on
    else:
        assert all(isinstance(value, float) and math.isfinite(value) for value in some(found.values))


# What a file's classes are to a model


@pytest.mark.parametrize(
    ("classes", "labels", "places"),
    [
        (
            ("negative", "positive"),
            ["positive", "NEGATIVE", 1, "0", 1.0, True, "false"],
            [1, 0, 1, 0, 1, 1, 0],
        ),
        (("1", "6"), [6, "1", 6.0, "1.0"], [1, 0, 1, 0]),
        (("False", "True"), [True, "false", "TRUE"], [1, 0, 1]),
        (("LABEL_0", "LABEL_1"), ["label_1", 0], [1, 0]),
    ],
)
def test_labels_of_known_classes(classes, labels, places):
    assert read_labels([plain(label) for label in labels], "a.csv", classes).values == places


@pytest.mark.parametrize(
    ("classes", "label"),
    [
        (("a", "b"), 2),
        (("a", "b"), -1),
        (("a", "b"), 0.5),
        (("a", "b"), "c"),
        (("1", "6"), 0),
        ((), "a"),
        ((), True),
    ],
)
def test_labels_of_no_known_class(classes, label):
    with pytest.raises(DataError, match=r"row 2: the label .* is none of: "):
        read_labels([plain(classes[0] if classes else 1), plain(label)], "a.csv", classes)


# How much is read


def test_reading_stops_at_the_limit():
    content = b"text,label\na,0\nb,1\n" + b"c,0\n\xff\x00broken"
    table = read_file(io.BytesIO(content), "a.csv", Limits(rows=2))
    assert list(table.texts) == ["a", "b"] and table.more


def test_cells_are_bounded():
    with pytest.raises(DataError, match="more than 5 cells; leave columns out"):
        read_file(io.BytesIO(b"text,label\na,0\nb,1\nc,0\n"), "a.csv", Limits(cells=5))


@pytest.mark.parametrize("file", ["a.csv", "a.jsonl", "a.json", "a.parquet"])
def test_reading_tells_how_far_it_is_and_can_be_cancelled(file):
    many = [{"text": f"text {number}", "label": 0} for number in range(40_000)]
    made = {
        "a.csv": lambda: b"text,label\n" + b"".join(b"%s,0\n" % row["text"].encode() for row in many),
        "a.jsonl": lambda: b"".join(json.dumps(row).encode() + b"\n" for row in many),
        "a.json": lambda: json.dumps(many).encode(),
        "a.parquet": lambda: _parquet(many),
    }
    content, told = made[file](), []
    read_file(io.BytesIO(content), file, progress=lambda done, total: told.append((done, total)))
    assert len(told) >= 3 and [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(0 <= done <= total for done, total in some(told))

    class CancelledError(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        if done > total / 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        read_file(io.BytesIO(content), file, progress=cancel)


def _parquet(rows):
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()
