"""`ltp handout`: one page of PDF whose words and numbers are those of a run made at the time."""

import re
import zlib
from dataclasses import replace

import pytest

from ltp_core import Dense, PrunedModel
from ltp_core.checkpoints import shipped_models
from ltp_core.cli import main
from ltp_core.commands import handout as command
from ltp_core.pages.handout import HandoutError, PageRun, questions, write_handout
from tests.cli.test_commands import document, folder, ltp, refused, shown  # noqa: F401, fixtures

TEXT = "a good film and a good plot"


def words(file):
    """The text of a PDF by matplotlib: two bytes a letter, in one string or in parts with kerning between."""
    data = file.read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    drawn = b"\n".join(
        inflated for stream in streams if b"Tj" in (inflated := _inflate(stream)) or b"TJ" in inflated
    )
    parts = re.findall(rb"\[(.*?)\]\s*TJ|\(((?:[^()\\]|\\.)*)\)\s*Tj", drawn, re.DOTALL)
    lines = (
        b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", array)) if array else alone for array, alone in parts
    )
    return "\n".join(re.sub(rb"\\(.)", rb"\1", line).decode("utf-16-be") for line in lines)


def _inflate(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@pytest.fixture
def run(folder):  # noqa: F811
    model = PrunedModel.from_pretrained(folder)
    return PageRun(
        "tiny", model.dimensions, TEXT, model.predict(TEXT, Dense()), model.predict(TEXT), "made now"
    )


def test_the_page_is_one_and_holds_the_numbers_of_its_run(document, folder, run, tmp_path):  # noqa: F811
    file = tmp_path / "page.pdf"
    said = document("handout", TEXT, "--model", folder, "--output", file)
    data = file.read_bytes()
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    trace = run.pruned.trace
    assert said["tokens"] == list(trace.tokens) and said["alive"] == list(trace.alive)
    said_there = words(file)
    here = len(trace.tokens)
    for layer, left in zip(trace.layers, trace.alive, strict=True):
        assert f"Layer {layer.layer}" in said_there
        assert re.search(rf"^{here}\D+{left}$", said_there, re.MULTILINE)
        here = left
    assert (
        f"{run.pruned.flops_reduction:.2f}" in said_there
        and f"{100 * run.dense.confidence:.1f} %" in said_there
    )


def test_its_answers_follow_from_the_run(run):
    asked = dict(questions(run))
    first = run.pruned.trace.layers[0].importance
    most = run.pruned.trace.tokens[first.index(max(first))]
    assert any(answer.startswith(f"“{most}”") for answer in asked.values())
    assert any(str(len(run.pruned.trace.tokens)) in answer for answer in asked.values())


def test_a_text_that_is_too_long_is_refused_and_an_earlier_page_stays(refused, folder, run, tmp_path):  # noqa: F811
    file = tmp_path / "page.pdf"
    file.write_bytes(b"earlier")
    line = refused("handout", "film " * 60, "--model", folder, "--output", file)
    assert "a page has room for 24: take a shorter one" in line and file.read_bytes() == b"earlier"
    with pytest.raises(HandoutError, match="layers"):
        long = run.pruned.trace.layers * 5
        trace = replace(run.pruned.trace, layers=long)
        write_handout(replace(run, pruned=replace(run.pruned, trace=trace)), file)


def test_an_output_that_cannot_be_written_is_said_before_a_model_is_loaded(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "load", lambda *args: pytest.fail("a model was loaded"))
    monkeypatch.setattr("sys.argv", ["ltp", "handout", "--output", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2 and "is no file: choose another --output" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["$x^2$ is a plot", "a <b>plot</b> \\frac{1}{2}"])
def test_text_is_text_on_the_page(document, folder, tmp_path, text):  # noqa: F811
    file = tmp_path / "page.pdf"
    document("handout", text, "--model", folder, "--output", file)
    assert text in words(file)


@pytest.mark.skipif("sst2" not in shipped_models(), reason="no shipped models")
def test_the_shipped_model_fits_a_page(document, tmp_path):  # noqa: F811
    document("handout", "--output", tmp_path / "page.pdf")
    assert "photography" in words(tmp_path / "page.pdf")
