"""Data files that people bring, and ones that nobody should: what each must give, on the command line and in the lab.

A case is a file with the texts and classes that are read of it, or what is said when it is refused.
"""

import datetime
import io
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow
import pyarrow.parquet


@dataclass(frozen=True)
class Case:
    """A file, and what must come of it: texts with classes and labels, or a refusal."""

    name: str
    file: str
    content: bytes
    said: str | None = None  # part of the refusal; None if it is read
    texts: tuple[Any, ...] = ("a", "b")
    labels: tuple[float, ...] = (0, 1)
    classes: tuple[str, ...] = ("0", "1")


def parquet(**columns: Any) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def lines(*rows: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def labelled(*labels: str) -> bytes:
    """A CSV file with these labels."""
    rows = (f"{chr(97 + row) if row < 26 else row},{label}\n" for row, label in enumerate(labels))
    return ("text,label\n" + "".join(rows)).encode()


def rows(*labels: Any) -> bytes:
    """JSON lines with these labels."""
    return lines(*({"text": chr(97 + row), "label": label} for row, label in enumerate(labels)))


def kept(name: str, file: str, content: bytes, **expected: Any) -> Case:
    return Case(name, file, content, **expected)


def refused(name: str, file: str, content: bytes, said: str) -> Case:
    return Case(name, file, content, said)


PLAIN = b"text,label\na,0\nb,1\n"
LONG = b"x" * 140_000
DATES = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]

COLUMNS = [
    refused("text twice", "a.csv", b"text,text,label\na,b,0\n", "2 columns named text"),
    refused("text twice with a blank", "a.csv", b"text, text ,label\na,b,0\n", "2 columns named text"),
    refused("label twice", "a.csv", b"text,label,label\na,0,1\n", "2 columns named label"),
    refused("another column twice", "a.csv", b"text,id,id,label\na,1,2,0\n", "2 columns named id"),
    refused(
        "a name twice in JSON",
        "a.jsonl",
        b'{"text": "a", "text": "b", "label": 0}\n',
        "line 1: there is more",
    ),
    refused(
        "a label twice in JSON", "a.jsonl", b'{"text": "a", "label": 1, "label": 0}\n', "one value of label"
    ),
    refused("text and sentence", "a.csv", b"text,sentence,label\na,b,0\n", "sentence or text"),
    refused(
        "text and a pair",
        "a.csv",
        b"text,sentence1,sentence2,label\na,b,c,0\n",
        "sentence1+sentence2 or text",
    ),
    refused("two pairs", "a.csv", b"premise,hypothesis,sentence1,sentence2\na,b,c,d\n", "several columns"),
    refused(
        "text and sentence in JSON", "a.jsonl", lines({"text": "a", "sentence": "b"}), "sentence or text"
    ),
    refused(
        "text and sentence in Parquet", "a.parquet", parquet(text=["a"], sentence=["b"]), "sentence or text"
    ),
    refused(
        "another text later",
        "a.jsonl",
        lines({"text": "a"}, {"sentence": "b"}),
        "line 2: the text is in sentence",
    ),
    refused(
        "both texts later",
        "a.jsonl",
        lines({"text": "a"}, {"text": "b", "sentence": "b"}),
        "sentence or text",
    ),
    kept(
        "a question with its sentence",
        "a.csv",
        b"question,sentence,label\na,b,0\nc,d,1\n",
        texts=(("a", "b"), ("c", "d")),
    ),
    kept("blanks around names", "a.csv", b" text , label\na,0\nb,1\n"),
    kept(
        "blanks around names in JSON",
        "a.jsonl",
        lines({" text": "a", "label ": 0}, {" text": "b", "label ": 1}),
    ),
    kept("blanks around names in Parquet", "a.parquet", parquet(**{" text": ["a", "b"], "label ": [0, 1]})),
    kept("columns without a name", "a.csv", b"text,label,,\na,0,,\nb,1,,\n"),
    kept("an index without a name", "a.csv", b",text,label\n0,a,0\n1,b,1\n"),
    refused("no text", "a.csv", b"body,label\na,0\n", "no text column"),
    refused("capitals", "a.csv", b"Text,Label\na,0\n", "it has: Text, Label"),
    refused("half a pair", "a.csv", b"sentence1,label\na,0\n", "no text column"),
    refused("1,001 columns", "a.csv", b"text,label" + b",x" * 999 + b"\n", "1,001 columns; at most 1,000"),
    refused(
        "100,000 columns",
        "a.csv",
        b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
        "line 1: a row of 100,000",
    ),
    refused(
        "2,000,000 columns without a name", "a.csv", b"," * 2_000_000 + b"\n", "line 1: a row of more than"
    ),
    refused(
        "1,001 columns in a row",
        "a.csv",
        b"text,label\na" + b",0" * 1000 + b"\n",
        "line 2: a row of 1,001 columns",
    ),
    refused(
        "1,001 columns in JSON",
        "a.jsonl",
        lines({"text": "a"} | {f"c{n}": 0 for n in range(1000)}),
        "of 1,001 columns",
    ),
    refused(
        "1,001 columns in Parquet",
        "a.parquet",
        parquet(text=["a"], **{f"c{n}": [0] for n in range(1000)}),
        "1,001 columns",
    ),
    kept(
        "1,000 columns",
        "a.csv",
        b"text,label" + b",x%d" * 998 % tuple(range(998)) + b"\na,0" + b",0" * 998 + b"\nb,1" + b",0" * 998,
    ),
]

SHAPES = [
    kept("plain", "a.csv", PLAIN),
    kept("an ending in capitals", "A.CSV", PLAIN),
    kept("Windows line ends", "a.csv", PLAIN.replace(b"\n", b"\r\n")),
    kept("old line ends, a bare CR", "a.csv", PLAIN.replace(b"\n", b"\r")),
    kept("no line end at the end", "a.csv", PLAIN.strip()),
    kept("blank lines", "a.csv", b"\n\ntext,label\n\na,0\n\n\nb,1\n\n"),
    kept("a byte order mark", "a.csv", b"\xef\xbb\xbf" + PLAIN),
    kept("a byte order mark in JSON", "a.jsonl", b"\xef\xbb\xbf" + rows(0, 1)),
    kept("UTF-16", "a.csv", PLAIN.decode().encode("utf-16")),
    kept("UTF-16, big end first", "a.csv", b"\xfe\xff" + PLAIN.decode().encode("utf-16-be")),
    kept("UTF-16 in JSON", "a.jsonl", rows(0, 1).decode().encode("utf-16")),
    refused("UTF-16 without its mark", "a.csv", PLAIN.decode().encode("utf-16-le"), "line 1: this holds a NUL byte"),
    refused("half of UTF-16", "a.csv", PLAIN.decode().encode("utf-16")[:-1] + b"\xd8", "UTF-16"),
    kept("semicolons", "a.csv", PLAIN.replace(b",", b";")),
    kept("semicolons, and commas in the texts", "a.csv", b"text;label\na, b;0\nb, c;1\n", texts=("a, b", "b, c")),
    kept("tabs", "a.csv", PLAIN.replace(b",", b"\t")),
    kept("a semicolon in a name", "a.csv", b"text,a;b,label\na,x,0\nb,y,1\n"),
    refused("semicolons without quotes", "a.csv", b"text;label\na; b;0\n", "line 2: a row of 3 cells, where the header has 2"),
    refused("a comma without quotes", "a.csv", b"text,label\nb,1\na, b,0\n", "line 3: a row of 3 cells"),
    refused("a row that is too short", "a.csv", b"text,label\na,0\nb\n", "line 3: a row of 1 cell,"),
    refused("a bare CR in a cell", "a.csv", b"text,label\na\rb,0\n", "line 2: a row of 1 cell,"),
    kept("line ends in quotes", "a.csv", b'text,label\n"a\r\nb",0\n"c\rd",1\n', texts=("a\r\nb", "c\rd")),
    refused("a quote never closed", "a.csv", b'text,label\na,0\n"b,1\nc,0\n', "line 3: a quote that is opened here"),
    refused("a quote closed rows later", "a.csv", b'text,label\n"a,0\nb,1\nc "d",0\n', "line 2: a quote is closed"),
    refused("text after a quote", "a.csv", b'text,label\n"a" b,0\n', "line 2: a quote is closed here"),
    refused("quotes with backslashes", "a.csv", b'text,label\n"a \\"b\\" c",0\n', "line 2: a quote is closed here"),
    kept("quotes written twice", "a.csv", b'text,label\n"a ""b""",0\n"b, c",1\n', texts=('a "b"', "b, c")),
    kept("a quote inside of a cell", "a.csv", b'text,label\na 5" disk,0\nb,1\n', texts=('a 5" disk', "b")),
    refused("a quote never closed in a long file", "a.csv", b'text,label\n"a,0\n' + b"b,1\n" * 40_000, "is a quote not closed?"),
    refused("a NUL byte", "a.csv", b"text,label\na,0\nb\x00,1\n", "line 3: this holds a NUL byte"),
    refused("a NUL byte in JSON", "a.jsonl", rows(0) + b'{"text": "\x00"}\n', "line 2: this holds a NUL byte"),
    refused("Latin-1", "a.csv", b"text,label\na,0\ncaf\xe9,1\n", "line 3: this is not UTF-8 text (byte 0xe9)"),
    refused("Latin-1 after 9,000 rows", "a.csv", b"text,label\n" + b"a,0\n" * 1500 + b"caf\xe9,1\n", "line 1502: this is not UTF-8"),
    refused("Latin-1 in JSON", "a.jsonl", b'{"text": "caf\xe9"}\n', "line 1: this is not UTF-8 text"),
    refused("a picture", "a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "line 1: this"),
    refused("a spreadsheet", "a.csv", b"PK\x03\x04\x14\x00\x06\x00", "line 1: this holds a NUL byte"),
    refused("a cell of 140 kB", "a.csv", b"text,label\na,0\n" + LONG + b",1\n", "line 3: a cell has more than 131,072"),
    refused("a cell of 140 kB that nobody reads", "a.csv", b"text,label,html\na,0," + LONG + b"\n", "line 2: a cell has more"),
    refused("a text of 100,001 characters", "a.csv", b"text,label\n" + b"x" * 100_001 + b",1\n", "row 1 (line 2): a text has more than"),
    refused("a text of 140 kB in JSON", "a.jsonl", lines({"text": "x" * 140_000}), "row 1 (line 1): a text has more than"),
    refused("a text of 140 kB in Parquet", "a.parquet", parquet(text=["a", "x" * 140_000]), "row 2: a text has more than"),
    refused("a row of 2 MB", "a.jsonl", lines({"text": "a"}, {"text": "x" * 2_000_000}), "line 2: a row of more than 1,048,576"),
    refused("a row of 2 MB over many lines", "a.csv", b"text,label\na," + b'"\nab",' * 300_000, "line 2: a row of more than"),
    refused("nothing", "a.csv", b"", "no text column"),
    refused("a header alone", "a.csv", b"text,label\n", "has no rows"),
    refused("blank lines alone", "a.csv", b"\n\n\n", "no text column"),
    refused("no JSON at all", "a.jsonl", b"", "no text column"),
    refused("blank JSON", "a.jsonl", b" \n \n", "no text column"),
    refused("a cut object", "a.jsonl", rows(0) + b'{"text": "b", "la', "line 2: this is not a JSON object"),
    refused("a list for an object", "a.jsonl", b'{"text": "a"}\n7\n', "line 2: this is not a JSON object"),
    refused("deep nesting", "a.jsonl", b'{"text": ' + b"[" * 90_000, "line 1: this is not a JSON object"),
    refused("a number of 5,000 digits", "a.jsonl", b'{"text": "a", "label": ' + b"9" * 5000 + b"}", "line 1: this is not a JSON"),
    refused("half of a surrogate pair", "a.jsonl", b'{"text": "\\ud83d"}\n', "half of a surrogate pair"),
    kept("a surrogate pair", "a.jsonl", b'{"text": "\\ud83d\\ude00", "label": 0}\n{"text": "b", "label": 1}\n', texts=("😀", "b")),
    kept("line ends of Unicode in JSON", "a.jsonl", '{"text": "a\u2028b\x85", "label": 0}\n{"text": "b", "label": 1}'.encode(), texts=("a\u2028b\x85", "b")),
    kept("an array", "a.json", b'[{"text": "a", "label": 0}, {"text": "b", "label": 1}]'),
    kept("an array over many lines", "a.json", json.dumps([{"text": "a", "label": 0}, {"text": "b", "label": 1}], indent=2).encode()),
    kept("an array called JSON lines", "a.jsonl", b' [{"text":"a","label":0},\n{"text":"b","label":1}\n]\n'),
    refused("an array with a comma too many", "a.json", b'[{"text": "a", "label": 0},\n]', "line 2: this is not a JSON object"),
    refused("an array without a comma", "a.json", b'[{"text": "a"}\n{"text": "b"}]', "line 2: this is no array of JSON objects: ','"),
    refused("an array that ends early", "a.json", b'[{"text": "a"},\n{"text": ', "line 2: this is not a JSON object"),
    refused("an array of numbers", "a.json", b"[1, 2]", "line 1: this is not a JSON object"),
    refused("an empty array", "a.json", b"[]", "no text column"),
    refused("one object over many lines", "a.json", b'{\n"text": "a"\n}', "line 1: this is not a JSON object"),
    refused("another ending", "a.tsv", PLAIN, "none of the files that can be read: .csv"),
    refused("no ending", "data", PLAIN, "none of the files that can be read: .csv"),
    refused("no Parquet", "a.parquet", b"PAR1 and nothing more", "no Parquet file that can be read"),
    refused("half of Parquet", "a.parquet", parquet(text=["a" * 999], label=[1])[:-40], "no Parquet file that can be read"),
    refused("a footer of 3 GB", "a.parquet", b"PAR1" + b"\xff\xff\xff\xbfPAR1", "no Parquet file that can be read"),
    refused("lists of texts", "a.parquet", parquet(text=[["a"]]), "holds no text, but values of the type list"),
    refused("bytes", "a.parquet", parquet(text=[b"a"]), "holds no text, but values of the type binary"),
    refused("Parquet without rows", "a.parquet", parquet(text=pyarrow.array([], "string"), label=pyarrow.array([], "int64")), "has no rows"),
]  # fmt: skip

TEXTS = [
    refused("an empty text", "a.csv", b"text,label\na,0\n,1\n", "row 2 (line 3): column 'text' holds no text"),
    refused("blanks", "a.csv", b"text,label\n \t ,0\n", "row 1 (line 2): column 'text' holds no text"),
    refused("blanks of Unicode", "a.csv", "text,label\n\u3000\u2003,0\n".encode(), "column 'text' holds no text"),
    refused("half of a pair is empty", "a.csv", b"sentence1,sentence2,label\na,b,0\nc,,1\n", "row 2 (line 3): column 'sentence2'"),
    refused("null", "a.jsonl", lines({"text": "a", "label": 0}, {"text": None, "label": 1}), "row 2 (line 2): column 'text' holds no text"),
    refused("a number", "a.jsonl", lines({"text": 7, "label": 0}), "column 'text' holds no text"),
    refused("an object", "a.jsonl", lines({"text": {}, "label": 0}), "column 'text' holds no text"),
    refused("null in Parquet", "a.parquet", parquet(text=["a", None]), "row 2: column 'text' holds no text"),
    refused("an empty text in Parquet", "a.parquet", parquet(text=["a", " "], label=[0, 1]), "row 2: column 'text' holds no text"),
    kept("NA is a text", "a.csv", b"text,label\nNA,0\nnull,1\n", texts=("NA", "null")),
    kept("numbers are texts", "a.csv", b"text,label\n007,0\n1.50,1\n", texts=("007", "1.50")),
    kept("blanks around a text stay", "a.csv", b"text,label\n a ,0\nb,1\n", texts=(" a ", "b")),
    kept("right to left, combined, emoji", "a.csv", "text,label\nשלום,0\né👩‍🔬,1\n".encode(), texts=("שלום", "é👩‍🔬")),
    kept("markup", "a.csv", b"text,label\n<img src=x onerror=alert(1)>,0\n=1+2,1\n", texts=("<img src=x onerror=alert(1)>", "=1+2")),
    kept("large strings", "a.parquet", parquet(text=pyarrow.array(["a", "b"], pyarrow.large_string()), label=[0, 1])),
    kept("views of strings", "a.parquet", parquet(text=pyarrow.array(["a", "b"], pyarrow.string_view()), label=[0, 1])),
    kept("a dictionary", "a.parquet", parquet(text=pyarrow.array(["a", "b"]).dictionary_encode(), label=[0, 1])),
]  # fmt: skip

SIX = {"labels": (0, 1), "classes": ("1", "6")}
WORDS = {"labels": (1, 0), "classes": ("bad", "good")}
NUMBERS = {"labels": (0.5, 2.0), "classes": ()}

LABELS = [
    kept("whole numbers", "a.csv", labelled("0", "1")),
    kept("floats that are whole", "a.csv", labelled("0.0", "1.0")),
    kept("floats that are whole in JSON", "a.jsonl", rows(0.0, 1.0)),
    kept("floats that are whole in Parquet", "a.parquet", parquet(text=["a", "b"], label=[0.0, 1.0])),
    kept("texts of numbers", "a.jsonl", rows("0", "1")),
    kept("texts of floats", "a.jsonl", rows("0.0", " 1 ")),
    kept("both", "a.jsonl", rows(0, "1")),
    kept("quotes", "a.csv", labelled('"0"', '"1"')),
    kept("exponents", "a.csv", labelled("0e0", "1e0")),
    kept("signs", "a.csv", labelled("-1", "+1"), classes=("-1", "1")),
    kept("decimals", "a.parquet", parquet(text=["a", "b"], label=[Decimal("0.00"), Decimal("1.00")])),
    kept("truth", "a.jsonl", rows(False, True), classes=("False", "True")),
    kept("truth in Parquet", "a.parquet", parquet(text=["a", "b"], label=[False, True]), classes=("False", "True")),
    kept("truth in CSV", "a.csv", labelled("False", "True"), classes=("False", "True")),
    kept("eight bits", "a.parquet", parquet(text=["a", "b"], label=pyarrow.array([0, 1], pyarrow.int8()))),
    kept("1 and 6", "a.csv", labelled("1", "6"), **SIX),
    kept("1 and 6 as floats", "a.jsonl", rows(1.0, 6.0), **SIX),
    kept("1 and 6 as texts in Parquet", "a.parquet", parquet(text=["a", "b"], label=["1", "6"]), **SIX),
    kept("names", "a.csv", labelled("good", "bad"), **WORDS),
    kept("names in JSON", "a.jsonl", rows("good", " bad "), **WORDS),
    kept("names in Parquet", "a.parquet", parquet(text=["a", "b"], label=["good", "bad"]), **WORDS),
    kept("a dictionary of names", "a.parquet", parquet(text=["a", "b"], label=pyarrow.array(["good", "bad"]).dictionary_encode()), **WORDS),
    kept("fractions", "a.csv", labelled("0.5", "2"), **NUMBERS),
    kept("fractions in JSON", "a.jsonl", rows(0.5, 2), **NUMBERS),
    kept("fractions as decimals", "a.parquet", parquet(text=["a", "b"], label=[Decimal("0.5"), Decimal("2.0")]), **NUMBERS),
    refused("names and numbers", "a.csv", labelled("1", "x"), "row 2 is a name, x, that of row 1 a number, 1"),
    refused("truth and a number", "a.jsonl", rows(True, 0), "row 1 is a name, True, that of row 2 a number, 0"),
    refused("names that differ in capitals", "a.csv", labelled("Good", "good"), "Good and good differ in capitals alone"),
    refused("an array", "a.jsonl", rows([0, 1]), "row 1 (line 1): the label [0, 1] is neither a number nor a name"),
    refused("an object", "a.jsonl", rows(0, {"a": 1}), "row 2 (line 2): the label {'a': 1} is neither"),
    refused("lists in Parquet", "a.parquet", parquet(text=["a"], label=[[1]]), "holds no labels, but values of the type list"),
    refused("dates", "a.parquet", parquet(text=["a", "b"], label=DATES), "holds no labels, but values of the type date"),
    refused("times", "a.parquet", parquet(text=["a"], label=pyarrow.array([1], pyarrow.timestamp("us"))), "holds no labels"),
    refused("bytes", "a.parquet", parquet(text=["a"], label=[b"x"]), "holds no labels, but values of the type binary"),
    refused("not a number", "a.csv", labelled("0", "nan"), "row 2 (line 3): the label 'nan' is not finite"),
    refused("not a number in JSON", "a.jsonl", b'{"text": "a", "label": NaN}\n', "the label nan is not finite"),
    refused("not a number in Parquet", "a.parquet", parquet(text=["a"], label=[float("nan")]), "the label nan is not finite"),
    refused("infinite", "a.jsonl", b'{"text": "a", "label": Infinity}\n', "the label inf is not finite"),
    refused("infinite in CSV", "a.csv", labelled("-inf"), "the label '-inf' is not finite"),
    refused("too large", "a.csv", labelled("1e300"), "is not finite, or too large"),
    refused("too large in JSON", "a.jsonl", rows(10**400), "is not finite, or too large"),
    refused("a name of 1,000 characters", "a.csv", labelled("x" * 1000), "has more than 200 characters"),
    refused("1,001 classes", "a.csv", labelled(*map(str, range(1001))), "1,001 different labels, and at most 1,000"),
]  # fmt: skip

CASES = [
    Case(f"{group}: {case.name}", case.file, case.content, case.said, case.texts, case.labels, case.classes)
    for group, cases in (("columns", COLUMNS), ("shape", SHAPES), ("text", TEXTS), ("label", LABELS))
    for case in cases
]
