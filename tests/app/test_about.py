"""The About page: results are those in the models' folders; the example is a real run."""

import json
import re
from importlib.metadata import version

import yaml

from app import models, runs
from app.says import cite
from app.says.words import times
from ltp_core.checkpoints import CONFIG_FILE, shipped_models
from ltp_core.files.places import ROOT
from tests.app.harness import html, open_view


def test_measured_results_are_those_of_the_folder():
    page = open_view("about")
    said = html(page)
    for name, folder in shipped_models().items():
        results = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))["results"]
        measured = results["development"]
        score = measured["pruned"]["score"]
        share = measured["metric"] in ("accuracy", "f1")  # else a correlation
        assert (f"{100 * score:.1f} %" if share else f"{score:.3f}") in said
        assert f"{times(measured['flops_reduction'])} fewer" in said
        if (error := measured.get("points_lost_error")) is not None:
            assert f"{measured['points_lost']:.1f} ± {error:.1f}" in said
        assert f"Model card: {name}" in [box.label for box in page.expander]
    assert "Apache License 2.0" in said and "Kim, Sehoon" in page.code[0].value


def test_cards_stand_below_the_heading_of_the_models():
    cards = [card.value for card in open_view("about").markdown]
    assert len(cards) == len(shipped_models())
    for card in cards:
        prose = "".join(card.split("```")[::2])
        assert {len(marks) for marks in re.findall(r"^#+", prose, flags=re.MULTILINE)} == {3, 4}


def test_a_word_of_little_attention_decides_and_one_of_much_does_not():
    """The page's claim, on the shipped model; if new weights break it, the page needs a new example."""
    said = html(open_view("about"))
    assert "the answer turns from negative" in said
    assert "the answer stays: negative" in said


def test_taking_a_word_out(tiny_folder):
    models.load.clear()
    model = models.load(tiny_folder, "cpu")
    found = runs.remove_word(model, "the plot was bad", "Plot")
    assert found.without == runs.predict(model, runs.Texts("the was bad"), models.start_thresholds(model))
    shares = found.whole.trace.layers[0].importance
    assert found.rank == sorted(shares, reverse=True).index(shares[2]) + 1
    assert found.share == shares[2] * 6


def test_page_docs_and_citation_file_agree():
    """Each field of the BibTeX is what CITATION.cff says, and docs show the same BibTeX."""
    known = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (paper,) = known["references"]
    names = [f"{author['family-names']}, {author['given-names']}" for author in paper["authors"]]
    fields = {
        name: bibtex(cite.PAPER, name) for name in ("title", "author", "year", "pages", "doi", "publisher")
    }
    assert fields == {
        "title": paper["title"],
        "author": " and ".join(names),
        "year": str(paper["year"]),
        "pages": f"{paper['start']}--{paper['end']}",
        "doi": paper["doi"],
        "publisher": paper["publisher"]["name"],
    }
    assert bibtex(cite.PAPER, "booktitle") == paper["collection-title"].removesuffix(" (KDD 2022)")
    assert bibtex(cite.SOFTWARE, "author") == "{" + known["authors"][0]["name"] + "}"
    for name in ("title", "version", "license"):
        assert bibtex(cite.SOFTWARE, name) == known[name]
    assert known["version"] == version("ltp-lab")
    docs = (ROOT / "docs" / "citing.md").read_text(encoding="utf-8")
    assert cite.PAPER in docs and cite.SOFTWARE in docs
    assert [block.value for block in open_view("about").code[:2]] == [cite.PAPER, cite.SOFTWARE]


def bibtex(entry, name):
    """A field's value, its lines joined."""
    value = re.search(rf"^ *{name} *= \{{(.*?)\}},?$", entry, flags=re.MULTILINE | re.DOTALL)[1]
    return " ".join(value.split())
