"""The report: one file that loads nothing and shows text as it is."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.figures.colours import level
from app.report import report
from app.runs import Texts
from tests.some import some


class Reader(HTMLParser):
    """Collects what a browser would see: tags with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def write(prediction, comparison):
    def make(texts, measured=comparison, **changes):
        pruned = prediction()
        pruned = replace(pruned, trace=replace(pruned.trace, **changes))
        return report(
            texts,
            [("Model", "tiny")],
            prediction(flops=1_000_000_000),
            pruned,
            (0.1, 0.2, 0.0),
            measured,
            "CPU",
            ["A note."],
        )

    return make


def test_it_holds_the_numbers_of_the_view(write):
    text = " ".join(Reader(write(Texts("a very <b>"))).words).replace("\u00a0", " ")
    assert "3 of 5 tokens reach the end" in text
    assert "1.25× faster" in text and "A note." in text
    for cell in ("40 %", "✕ 5.0 %", "✕ 15 %", "5 → 4"):
        assert cell in text


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "</style><script>alert(1)</script>", '"><a href="http://x">']
)
def test_text_is_never_markup(write, text):
    read = Reader(write(Texts(text, text), tokens=("[CLS]", text, "a", "b", "[SEP]")))
    assert text in read.words
    assert not {"script", "img", "a", "link", "iframe"} & {tag for tag, _ in read.tags}
    assert not any({"src", "href", "onerror"} & set(attributes) for _, attributes in some(read.tags))


def test_it_loads_nothing(write):
    page = write(Texts("a"))
    assert "url(" not in page and "@import" not in page and "http" not in page.replace("http-equiv", "")


def test_without_times_it_says_so(write):
    assert "not measured" in write(Texts("a"), measured=None)


def test_a_table_of_fates_has_a_cell_for_every_token_and_layer(write):
    table = write(Texts("a")).partition('class="table fates"')[2]
    assert len(re.findall("<td", table)) == 15 and len(re.findall('class="gone"', table)) == 3


@pytest.mark.parametrize(
    ("share", "colour"), [(0, 0), (0.025, 0), (0.05, 1), (0.1999, 4), (0.2, 5), (0.8, 8), (1, 8)]
)
def test_colours_are_in_proportion_to_the_average(share, colour):
    assert level(share, entering=5) == colour
