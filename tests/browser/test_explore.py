"""What a visitor of Explore does and sees."""

import csv
import io
import json
import re
from itertools import pairwise
from urllib.parse import parse_qs, urlparse

import pytest

from tests.browser.lab import answers, kept, open_menu, press, reaches, settle, slider, type_text, words, work

SENTENCE = "The plot is thin, but the two leads are so charming that I left the cinema smiling."
ALL_PASS = {f"t{layer}": "0" for layer in range(1, 7)}


def test_a_threshold_removes_tokens_and_work(visit):
    page = visit(**ALL_PASS)
    type_text(page, SENTENCE)
    before, (dense, full) = kept(page), work(page)
    assert words(page)[:3] == ["[CLS]", "the", "plot"] and dense == full
    press(page, 2, "End")
    after, (dense_after, pruned) = kept(page), work(page)
    assert after[0] == before[0]
    assert after[1] < before[1] and after[2] < before[2]
    assert dense_after == dense and pruned < full


def test_raising_one_threshold_never_adds_a_survivor_in_that_layer(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    left = [kept(page)[2]]
    for _ in range(4):
        press(page, 3, "ArrowRight", 8)
        left.append(kept(page)[2])
    assert left == sorted(left, reverse=True) and left[-1] < left[0]


def test_off_prunes_nothing_and_both_answers_agree(visit):
    page = visit(text=SENTENCE)
    page.locator(".st-key-stage .off-all").click()
    settle(page)
    assert len(set(kept(page))) == 1
    said, (dense, pruned) = answers(page)
    assert said.startswith("The same answer") and dense == pruned
    assert len(set(work(page))) == 1
    assert page.get_by_test_id("stage-headline").inner_text().startswith("Nothing is pruned")
    assert "nothing is gained" in page.get_by_test_id("stage-time").inner_text()


def test_the_time_is_prunings_own_with_its_interval_and_the_engines_stands_apart(visit):
    page = visit(text=SENTENCE)
    time = page.get_by_test_id("stage-time")
    time.locator(".detail").first.wait_for()
    headline, times, engine = time.locator("p").all_inner_texts()
    said = re.fullmatch(
        r"Pruning: (?:[\d.]+× (?:faster|slower)|too noisy to say) \(([\d.]+)–([\d.]+)\)", headline
    )
    assert said and 0 < float(said[1]) <= float(said[2])
    assert re.fullmatch(r"[\d.]+\sms → [\d.]+\sms on this CPU, in \d+ turns", times)
    assert engine.startswith("Apart from that, our engine") and engine.endswith("Hugging Face’s")
    assert time.locator("button").count() == ("noisy" in headline)


def test_equal_words_keep_their_columns(visit):
    page = visit(text="the the the the", **ALL_PASS)
    assert words(page) == ["[CLS]", "the", "the", "the", "the", "[SEP]"]


def test_a_reload_and_a_copied_link_restore_the_view(visit):
    page = visit(text=SENTENCE)
    press(page, 2, "ArrowRight", 5)
    page.locator(".st-key-layer").get_by_role("radio", name="3").click()
    settle(page)
    threshold = slider(page, 2).get_attribute("aria-valuetext")
    seen = kept(page)
    reaches(page, "&layer=3")
    page.reload()
    page.get_by_test_id("stage-headline").wait_for()
    settle(page)
    for other in (page, visit(**{k: v[0] for k, v in parse_qs(urlparse(page.url).query).items()})):
        assert kept(other) == seen
        assert slider(other, 2).get_attribute("aria-valuetext") == threshold
        assert other.locator(".st-key-text textarea").input_value() == SENTENCE
        assert other.get_by_role("heading", name="Layer 3,").is_visible()


def test_back_returns_to_the_thresholds_before(visit):
    page = visit(text=SENTENCE)
    learned = kept(page)
    press(page, 1, "End")
    assert kept(page) != learned
    page.go_back()
    settle(page)
    assert kept(page) == learned


def test_undo(visit):
    page = visit(text=SENTENCE)
    learned = kept(page)
    press(page, 1, "End")
    page.locator(".st-key-stage .undo").click()
    settle(page)
    assert kept(page) == learned


def test_a_bad_value_in_the_address_falls_back_with_a_notice(visit):
    page = visit(text=SENTENCE, t3="abc")
    assert page.locator(".notice").inner_text().startswith("t3=abc is not a share of attention from 0 to 1")
    assert kept(page)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=http://other.example/x.png onerror=alert(1)> <b>bold</b>",
        "![x](http://other.example/y.png) [link](http://other.example) `code` $x^2$ :red[red]",
        "a שלום עולם b \u202eabc",
        "😀 👩\u200d🚀 \x07 end",
        "&lt;b&gt; <a href='http://other.example'>here</a><br>there %{x}",
    ],
)
def test_text_is_never_markup(visit, text):
    page = visit(text=SENTENCE)
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog) or dialog.dismiss())
    type_text(page, text)
    page.locator(".st-key-map_numbers summary").click()
    settle(page)
    page.locator(".st-key-stage .cell").nth(2).hover()
    page.wait_for_timeout(300)
    assert page.locator(".st-key-text textarea").input_value() == text
    assert not page.locator("[data-testid=stException]").count()
    assert not page.locator(".stApp img[src*=other], .stApp a[href*=other]").count()
    host = urlparse(page.url).netloc
    assert {urlparse(url).netloc for url in page.requests if url.startswith("http")} == {host}
    assert not dialogs
    shown = "".join(words(page))
    assert set(text) & set("<>&") <= set(shown)


def test_ten_thousand_words(visit):
    page = visit(text=SENTENCE)
    type_text(page, "good film " * 5_000)
    assert any("were cut" in notice for notice in page.locator(".notice").all_inner_texts())
    assert len(words(page)) == 512
    assert page.locator(".st-key-stage .prose").bounding_box()["height"] < 1_000  # px: still to be read


def test_an_empty_box_invites(visit):
    page = visit(text="")
    assert "Type a sentence" in page.locator(".notice").inner_text()
    open_menu(page, "surprises")
    page.locator(".st-key-example_1 button").click()
    settle(page)
    assert kept(page)


def test_two_visitors_do_not_see_each_others_thresholds(visit):
    one, other = visit(text=SENTENCE, **ALL_PASS), visit(text=SENTENCE, **ALL_PASS)
    before = kept(other)
    press(one, 1, "End")
    other.locator(".st-key-layer").get_by_role("radio", name="2").click()
    settle(other)
    assert kept(one)[0] < before[0]
    assert kept(other) == before


def test_everything_is_reached_by_keyboard(visit):
    page = visit(text=SENTENCE)
    page.locator(".st-key-text textarea").focus()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.closest('[class*=st-key-]')?.className.match(/st-key-(\\w+)/)[1]"
            )
        )
    expected = {"run", "model_chip", "surprises", "gear", "stage", "threshold_numbers", "layer", "head"}
    assert expected <= reached


def test_focus_stays_on_the_threshold_that_moves(visit):
    page = visit(text=SENTENCE, **ALL_PASS)
    slider(page, 2).focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        settle(page)
    assert slider(page, 2).evaluate("handle => handle.getRootNode().activeElement === handle")


def test_figures_have_names(visit):
    page = visit(text=SENTENCE)
    names = page.locator(".js-plotly-plot, [data-testid=stPlotlyChart]").evaluate_all(
        "charts => charts.map(c => (c.closest('[aria-label]') || c.querySelector('[aria-label]'))?.ariaLabel)"
    )
    assert page.locator(".st-key-stage .drawing").get_attribute("aria-label").startswith("Read on only")
    assert any(name and name.startswith("Attention heatmap:") for name in names)


def test_downloads_hold_the_numbers_on_the_screen(visit):
    page = visit(text=SENTENCE)
    page.locator(".st-key-map_numbers summary").click()
    settle(page)
    with page.expect_download() as started:
        page.locator(".st-key-map_numbers_json button").click()
    trace = json.loads(started.value.path().read_text(encoding="utf-8"))
    assert [sum(layer["kept"]) for layer in trace["layers"]] == kept(page)
    with page.expect_download() as started:
        page.locator(".st-key-map_numbers_csv button").click()
    rows = list(csv.DictReader(io.StringIO(started.value.path().read_text(encoding="utf-8"))))
    assert [row["token"] for row in rows] == trace["tokens"]
    assert float(rows[1]["layer 1"]) == trace["layers"][0]["importance"][1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_theme(visit, scheme):
    page = visit({"color_scheme": scheme}, text=SENTENCE)
    expected = {"light": "rgb(15, 21, 28)", "dark": "rgb(230, 233, 237)"}
    wait_for_ink(page, expected[scheme])
    page.get_by_test_id("stMainMenuButton").click()
    other = "dark" if scheme == "light" else "light"
    page.get_by_test_id(f"stMainMenuItem-theme-{other.capitalize()}").click()
    wait_for_ink(page, expected[other])


def wait_for_ink(page, colour):
    """Wait until the attention map has words of this colour: the theme is known only after a first run."""
    page.wait_for_function(
        """fill => {
          const text = document.querySelector('.st-key-attention_map .xtick text');
          return text !== null && getComputedStyle(text).fill === fill;
        }""",
        arg=colour,
        timeout=20_000,
    )


def test_a_narrow_screen_reads_prose_and_scrolls_only_inside_figures(visit):
    page = visit({"viewport": {"width": 390, "height": 844}}, text=SENTENCE)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    boxes = page.locator(".st-key-stage .prose .word").evaluate_all(
        "words => words.map(word => word.getBoundingClientRect()).map(({ x, y, right }) => [y, x, right])"
    )
    lines = {y: sorted(box[1:] for box in boxes if box[0] == y) for y, *_ in boxes}
    assert len(lines) > 1
    for places in lines.values():
        assert not [one for one, other in pairwise(places) if one[1] > other[0] + 1]  # px: over another
        assert places[-1][1] <= 390
