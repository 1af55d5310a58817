import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.visitor.state import (
    LONGEST_LINK,
    Choices,
    PageSettings,
    read_choice,
    read_model,
    read_positions,
    read_query,
)

CHOICES = Choices(
    model="sst2",
    devices=("cpu", "cuda"),
    layers=3,
    heads=4,
    learned=(0.01, 0.02, 0.03),
    has_learned=True,
    text="A film.",
)


def test_an_empty_address_gives_the_defaults():
    reading = read_query({}, CHOICES)
    assert reading.settings == PageSettings("sst2", "cuda", "A film.", "", (0.01, 0.02, 0.03))
    assert reading.notices == []


def test_an_empty_text_stays_empty():
    assert read_query({"text": ""}, CHOICES).settings.text == ""


@given(
    text=some.text(max_size=50),
    device=some.sampled_from(CHOICES.devices),
    thresholds=some.tuples(*[some.floats(0, 1)] * 3),
    layer=some.integers(1, 3),
    head=some.integers(0, 4),
    token=some.integers(0, 512),
)
def test_settings_survive_the_address(text, device, thresholds, layer, head, token):
    settings = PageSettings("sst2", device, text, "", thresholds, layer, head, token)
    reading = read_query(settings.to_query(CHOICES), CHOICES)
    assert reading.settings == settings
    assert reading.notices == []


def test_what_has_its_default_is_left_out():
    assert PageSettings.default(CHOICES).to_query(CHOICES) == {"model": "sst2", "text": "A film."}


@pytest.mark.parametrize("value", ["abc", "", "nan", "inf", "-0.1", "1.5", "0,5", "<img src=x>"])
def test_a_bad_threshold_falls_back_with_a_notice(value):
    reading = read_query({"t1": "0.5", "t3": value}, CHOICES)
    assert reading.settings.thresholds == (0.5, 0.02, 0.03)
    (notice,) = reading.notices
    assert (
        notice
        == f"t3={value} is not a share of attention from 0 to 1; the learned threshold is used instead."
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"layer": "4"}, "layer=4"),
        ({"layer": "²"}, "layer=²"),
        ({"head": "-1"}, "head=-1"),
        ({"token": "x"}, "token=x"),
        ({"token": "9" * 5000}, "token=9"),
        ({"device": "tpu"}, "“tpu”"),
        ({"t4": "0.1"}, "3 layers"),
    ],
)
def test_other_bad_values_fall_back_with_a_notice(query, words):
    reading = read_query(query, CHOICES)
    assert reading.settings == PageSettings.default(CHOICES)
    (notice,) = reading.notices
    assert words in notice


def test_an_unknown_model_is_answered_with_the_list():
    name, notice = read_model({"model": "bert"}, ["sst2", "mrpc"])
    assert name == "sst2"
    assert "“bert”" in notice and "sst2, mrpc" in notice


def test_a_text_too_long_for_a_link_is_left_out():
    settings = PageSettings("sst2", "cuda", "x" * (LONGEST_LINK + 1), "", CHOICES.learned, layer=2)
    assert settings.to_query(CHOICES) == {"model": "sst2", "layer": "2"}


def test_a_pair_has_two_texts():
    choices = Choices("mrpc", ("cpu",), 3, 4, (0.0,) * 3, False, "one", "two")
    settings = read_query({"pair": "other"}, choices).settings
    assert (settings.text, settings.pair) == ("one", "other")
    assert read_query(settings.to_query(choices), choices).settings == settings


def test_a_choice_is_read_from_its_text():
    assert read_choice("rows", "200", (50, 200), 50) == (200, None)
    value, notice = read_choice("rows", "<b>", (50, 200), 50)
    assert value == 50 and notice == "There is no rows “<b>” here; there is: 50, 200."


def test_positions_are_sorted_and_those_outside_are_said():
    assert read_positions("go", "5,2,2", range(1, 6)) == ([2, 5], None)
    assert read_positions("go", "", range(1, 6)) == ([], None)
    found, notice = read_positions("go", "2,6,²,99999999999", range(1, 6))
    assert found == [2] and "only positions from 1 to 5" in notice
