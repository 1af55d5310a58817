"""The report: one file that loads nothing and shows text as it is."""

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.figures.colours import level
from app.figures.still import map_svg, stage_svg
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


def test_the_stage_and_the_map_are_in_it(write):
    """Layer 1: five words, one of them struck through; layer 2: four, one of them; layer 3: three."""
    page = write(Texts("a very <b>"))
    stage, survival = re.findall(r'<svg class="still".*?</svg>', page, flags=re.DOTALL)
    assert (stage.count('class="stays"'), stage.count('class="leaves"')) == (4 + 3 + 3, 2)
    assert re.search('class="leaves"><rect[^>]*/><text[^>]*>very<', stage)
    assert stage.count('<line class="threshold"') == 3 and ">10\u00a0%<" in stage and ">off<" in stage
    assert survival.count("<rect") == 5 + 4 + 3 and survival.count("✕") == 2
    assert "3 of 5 tokens reach the end" in stage and "aria-label" in survival


def test_bars_are_as_high_as_on_the_stage(prediction):
    """The foot is half of the least share, 0.05 / 2; a share s reaches log(s / foot) / log(1 / foot)."""
    drawn = stage_svg(prediction(), prediction())
    first = re.search(r'class="stays"><rect[^>]* height="([\d.]+)"', drawn)
    expected = (58 - 20 - 6) * math.log(0.4 / 0.025) / math.log(1 / 0.025)
    assert float(first[1]) == pytest.approx(expected, abs=0.06)


def test_a_long_text_has_several_blocks_and_a_map_without_names(prediction, trace):
    tokens = tuple(f"word{number}" for number in range(200))
    layer = replace(trace.layers[0], importance=(0.005,) * 200, kept=(True,) * 200)
    long = prediction(trace=replace(trace, tokens=tokens, segments=(0,) * 200, layers=(layer,)))
    assert stage_svg(long, long).count(">Layer 1<") > 8
    assert map_svg(long.trace).count("<rect") == 200 and "word7<" not in map_svg(long.trace)


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
