import re
from dataclasses import replace

from app.says import verdict


def test_the_strip_sets_both_side_by_side(prediction, comparison):
    dense = prediction(share=0.95, flops=1_000_000_000)
    html = verdict.strip(dense, prediction(), comparison, "", "CPU").replace("\u00a0", " ")
    for words in (
        "same answer; 2.5× fewer FLOPs; Pruning: 1.25× faster (1.25–1.25).",
        "positive 95.0 %",
        "positive 90.0 %",
        "1.00 GFLOPs",
        "400 MFLOPs",
        "12.0 ms",
        "8.00 ms",
        "20 runs each",
    ):
        assert words in html


def test_at_equal_work_pruning_gains_nothing(prediction, comparison):
    dense = prediction(flops=1_000_000_000)
    html = verdict.strip(dense, dense, comparison, "", "CPU")
    assert "as in the dense run; Pruning: nothing is pruned, so nothing is gained" in html


def test_the_same_label_at_another_confidence_is_not_called_the_same(prediction):
    card = verdict.answer_card(prediction(share=0.999), prediction(share=0.613)).replace("\u00a0", " ")
    assert "Same label, not as sure (99.9 % → 61.3 %)" in card
    assert "Same answer" in verdict.answer_card(prediction(share=0.95), prediction(share=0.86))


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
    assert "3.27" in card and "−0.40" in card and 'class="track"' not in card
    assert verdict.answer_card(prediction(), prediction()).count('class="track"') == 2
