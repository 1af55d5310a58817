import re
from dataclasses import replace

from app.says import verdict


def test_the_strip_sets_both_side_by_side(prediction, comparison):
    dense = prediction(share=0.95, flops=1_000_000_000)
    html = verdict.strip(dense, prediction(), comparison, "", "CPU").replace("\u00a0", " ")
    for words in (
        "3 of 5 tokens left after layer 2 of 3; same answer; 2.5× fewer FLOPs; 1.50× faster here",
        "positive 95.0 %",
        "positive 90.0 %",
        "1.00 GFLOPs",
        "400 MFLOPs",
        "12.0 ms",
        "(11.0–13.0)",
        "8.00 ms",
        "20 runs each",
    ):
        assert words in html


def test_at_equal_work_the_gain_is_our_engines(prediction, comparison):
    dense = prediction(flops=1_000_000_000)
    html = verdict.strip(dense, dense, comparison, "", "CPU")
    assert "as in the dense run; our engine alone is 1.50× faster here" in html
    assert 'class="headline">Our engine: 1.50× faster<' in html


def test_the_cards_stand_below_the_finding_in_the_outline(prediction, comparison):
    html = verdict.strip(prediction(), prediction(), comparison, "", "CPU")
    assert re.findall(r"<(h\d)", html) == ["h2", "h3", "h3", "h3"]


def test_before_the_measurement_there_is_no_time(prediction):
    html = verdict.strip(prediction(), prediction(), None, "measuring", "CPU")
    assert "measuring" in html and "ms</span>" not in html


def test_a_label_is_text(prediction):
    html = verdict.strip(prediction("<img src=x>"), prediction("<img src=x>"), None, "", "CPU")
    assert "<img" not in html and "&lt;img src=x&gt;" in html


def test_a_regression_has_no_bar_to_fill(prediction):
    def value(number):
        return replace(prediction(), label=None, probabilities={}, value=number)

    card = verdict.answer_card(value(3.27), value(-0.4))
    assert "3.27" in card and "-0.40" in card and 'class="track"' not in card
    assert verdict.answer_card(prediction(), prediction()).count('class="track"') == 2
