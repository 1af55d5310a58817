"""Hostile addresses, names and cells in the pages: cut, shown literally, run by nobody."""

import csv
import html as markup
import io
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app import models
from app.figures.colours import LIGHT
from app.figures.layout import value_axis
from app.figures.tables import FORMULA, to_csv
from app.says.text import visible
from app.visitor.state import LONGEST, LONGEST_OTHER, MOST_PARAMETERS, SAID, cut
from ltp_core import CheckpointError, PrunedModel
from tests.app.conftest import THRESHOLDS, comparison  # noqa: F401, a fixture
from tests.app.harness import VIEWS, html, open_main, open_view, run
from tests.app.test_learn import choose
from tests.some import some

PAGES = sorted(file.stem for file in VIEWS.glob("*.py"))
NAMES = {  # of classes: what HTML, Markdown, Plotly and spreadsheets would make something of
    "html": ("<img src=x onerror=alert(1)>", "<b>bold</b>"),
    "markdown": ("![x](http://192.0.2.1/x.png)", "[click](javascript:alert(1)) **a** :red[b] $x^2$"),
    "formula": ("=HYPERLINK(0)", "@SUM(1)"),
    "invisible": ("\u202eevil", "a\u0000b\u200b"),
}


@pytest.fixture
def named(tmp_path, monkeypatch, tiny_bert, tokenizer):
    """Offers a tiny model whose classes have these names."""

    def offer(names):
        models.load.clear()
        folder = tmp_path / "tiny"
        network = tiny_bert(num_labels=2)
        network.config.id2label = dict(enumerate(names))
        network.config.label2id = {name: number for number, name in enumerate(names)}
        PrunedModel(network, tokenizer, THRESHOLDS).save_pretrained(folder)
        monkeypatch.setenv(models.MODELS_VARIABLE, str(folder))

    return offer


def labels(page):
    """All labels and options that Streamlit reads as Markdown."""
    for kind in ("radio", "button_group", "button", "expander", "progress", "checkbox", "number_input"):
        for element in page.get(kind):
            proto = element.proto
            yield getattr(proto, "label", "")
            for option in getattr(proto, "options", ()):
                yield option if isinstance(option, str) else option.content


PLACES = [  # a page, what its address says, and whether it words an answer, so that a name must be there
    *((view, {}, view == "compare") for view in PAGES),
    ("why", {"show": "matter"}, True),
    ("why", {"show": "what_if"}, True),
    ("learn", {"lesson": "int8"}, True),
]


@pytest.mark.parametrize(("view", "address", "answers"), PLACES)
@pytest.mark.parametrize("kind", NAMES)
def test_class_names_are_text_on_every_page(
    named,
    comparison,  # noqa: F811
    monkeypatch,
    kind,
    view,
    address,
    answers,
):
    monkeypatch.setattr("app.runs.measure", lambda *args, **kwargs: comparison)
    named(NAMES[kind])
    page = open_view(view, text="the plot was very good", **address)
    for radio in page.radio:  # a lesson answers once something was guessed
        choose(radio, 0)
        run(page)
    shown = html(page) + "".join(labels(page))
    figures = "".join(chart.proto.spec for chart in page.get("plotly_chart"))
    if answers:
        assert any(markup.escape(visible(name)) in shown for name in NAMES[kind])
    for name in NAMES[kind]:
        assert markup.escape(name) == name or (name not in shown and name not in figures)
        assert visible(name) == name or name not in shown
    assert not any(re.search(r"(?<!\\)\]\(|(?<!\\):red|(?<!\\)<", label) for label in some(labels(page)))


@pytest.mark.parametrize("name", NAMES["html"])
def test_the_title_of_an_axis_names_a_class_literally(name):
    assert "<" not in value_axis(LIGHT, f"the log-odds of “{name}”")["title"]["text"]


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16, torch.float32])
def test_a_model_in_half_precision_is_computed_in_float32_and_said_so(
    tmp_path, monkeypatch, tiny_bert, tokenizer, stored
):
    models.load.clear()
    PrunedModel(tiny_bert(num_labels=2).to(stored), tokenizer, THRESHOLDS).save_pretrained(tmp_path / "half")
    monkeypatch.setenv(models.MODELS_VARIABLE, str(tmp_path / "half"))
    page = open_view("why", text="the plot was very good", model="half", show="matter")
    name = str(stored).removeprefix("torch.")
    assert (f"stored in {name}" in html(page)) == (stored != torch.float32)
    assert models.load(tmp_path / "half", models.devices()[-1]).hf_model.dtype == torch.float32
    assert "not converge" not in html(page).lower()


def test_a_model_that_cannot_read_is_refused_when_it_is_loaded(tmp_path, tiny_bert):
    PrunedModel(tiny_bert(num_labels=2), None, THRESHOLDS).save_pretrained(tmp_path / "mute")
    with pytest.raises(
        CheckpointError, match="mute has no tokenizer: put the files of the one it was trained"
    ):
        models.load(tmp_path / "mute", models.devices()[-1])


LONG = 100_000
PARAMETERS = ["model", "device", "text", "pair", "layer", "head", "token", "t1", "t2", "t999", "a", "b"]
PAGE_PARAMETERS = [
    "lesson",
    "hide",
    "source",
    "rows",
    "class",
    "method",
    "part",
    "stay",
    "go",
    "unknown",
    "x" * LONG,
]


@pytest.mark.parametrize("name", [*PARAMETERS, *PAGE_PARAMETERS])
@pytest.mark.parametrize("filling", ["a", "9", "<", "\u202e", "é"])
def test_an_address_of_100_kilobytes_is_cut(name, filling):
    kept, notices = cut({name: filling * LONG})
    assert sum(map(len, kept.values())) <= max(LONGEST.values())
    assert len(notices) == 1 and len(notices[0]) < 150 and filling * (SAID + 1) not in notices[0]


@pytest.mark.parametrize(
    "query",
    [
        {"t1": "9" * LONG},
        {"model": "m" * LONG},
        {"device": "d" * LONG},
        {"a": "x" * LONG, "lesson": "1" * LONG},
        {f"p{number}": "v" for number in range(900)},
        {"text": "word " * LONG},
    ],
)
def test_the_page_does_not_echo_it(named, comparison, monkeypatch, query):  # noqa: F811
    monkeypatch.setattr("app.runs.measure", lambda *args, **kwargs: comparison)
    named(("negative", "positive"))
    page = open_main(**{"text": "the plot was very good", **query})
    said = re.sub(r"<style.*?</style>", "", html(page), flags=re.S)
    for value in query.values():
        assert value[: LONGEST["text"] + 1] not in said or len(value) < 100
    notices = re.findall(r'class="notice" role="status">(.*?)</div>', said, flags=re.S)
    assert all(len(notice) < 400 for notice in some(notices))


@given(
    st.dictionaries(st.text(max_size=60), st.text(max_size=LONGEST_OTHER + 5), max_size=MOST_PARAMETERS + 5)
)
def test_what_is_left_of_an_address_is_bounded_and_stays_as_it_is(query):
    kept, notices = cut(query)
    assert len(kept) <= MOST_PARAMETERS + 2 and len(notices) <= 5
    assert cut(kept) == (kept, [])
    assert not [name for name, value in kept.items() if not query[name].startswith(value)]


CELLS = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "=cmd|' /C calc'!A0",
    "-",
    "=",
    "@",
]


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell):
    header, row = csv.reader(io.StringIO(to_csv({cell: [cell], "n": [-1.5]}), newline=""))
    assert header == ["'" + cell, "n"] and row == ["'" + cell, "-1.5"]  # a number stays one


@given(st.lists(st.text(), min_size=1))
def test_no_cell_begins_like_a_formula(cells):
    rows = list(csv.reader(io.StringIO(to_csv({"token": cells}), newline="")))[1:]
    assert not any(cell.startswith(FORMULA) for row in rows for cell in row)
