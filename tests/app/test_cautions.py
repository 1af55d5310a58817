"""What is said before an answer is believed: length, unknown tokens, other languages."""

from types import SimpleNamespace

import pytest

from app import models
from app.says.cautions import cautions, foreign_language
from ltp_core import LayerTrace, Trace

MODELS = ("sst2", "imdb")


def model(name="sst2", task="sst2", trained=8):
    settings = SimpleNamespace(trained_length=trained, task=task)
    return SimpleNamespace(name=name, settings=settings, tokenizer=SimpleNamespace(unk_token="[UNK]"))


def trace(*tokens):
    layer = LayerTrace(1, None, (0.1,) * len(tokens), (True,) * len(tokens))
    return Trace(tokens, (0,) * len(tokens), 0, (layer,))


def test_a_text_longer_than_the_training_offers_the_model_for_it():
    long = trace(*["word"] * 9)
    [found] = cautions(model(), long, ["a film"], MODELS)
    assert "has 9 tokens" in found.text and "at most 8" in found.text and found.model == "imdb"
    [alone] = cautions(model(), long, ["a film"], ("sst2",))
    assert alone.model is None
    assert not cautions(model(trained=9), long, ["a film"], MODELS)
    assert not cautions(model(trained=None), long, ["a film"], MODELS)


def test_mostly_unknown_tokens_get_a_line():
    [found] = cautions(model(), trace("[CLS]", "a", "[UNK]", "[UNK]", "[SEP]"), ["a 漢字"], MODELS)
    assert found.text.startswith("67 % of this text is unknown to the model")
    assert not cautions(model(), trace("[CLS]", "a", "b", "c", "[SEP]"), ["a b c"], MODELS)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Film ist nicht sehr gut, aber die Musik ist schön.", "German"),
        ("Le film est très beau mais la fin est trop longue.", "French"),
        ("La película es muy larga, pero el final es bueno.", "Spanish"),
        ("Il film è molto bello, ma la fine non è per me.", "Italian"),
        ("O filme é muito bom, mas não para crianças.", "Portuguese"),
        ("De film is niet goed, maar het einde is heel mooi.", "Dutch"),
        ("Этот фильм очень хороший", "another script than the Latin one"),
    ],
)
def test_another_language_is_named(text, language):
    assert foreign_language(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "The film is not very good, but the music is.",
        "A clever script, sharp editing and a villain one almost likes.",
        "",
        "123 !!!",
        "Blorp fnord zibble wug.",
        "de la crème",  # too short to say
        "Die hard is a film that is on every year, and was in the cinema for months.",
    ],
)
def test_english_and_what_is_too_short_to_tell_are_left_alone(text):
    assert foreign_language(text) is None


def test_only_shipped_models_are_known_to_read_english():
    german = ["Der Film ist nicht sehr gut, aber die Musik ist schön."]
    tokens = trace("[CLS]", "der", "[SEP]")
    assert [found.text for found in cautions(model(), tokens, german, MODELS)] == [
        "This looks like German; the model has learned to read English only."
    ]
    assert not cautions(model(name="my-own"), tokens, german, MODELS)


def test_a_model_is_named_as_in_the_menu_and_not_by_a_folder_of_the_server():
    """As the lab loads it: from a folder, whose place would hide that it is a shipped one."""
    source = models.shared()["sst2"]
    loaded = models.load(source, "cpu")
    german = "Der Film ist nicht gut und die Schauspieler sind auch sehr schlecht mit dem Text"
    language = cautions(loaded, loaded.predict(german).trace, [german], ())
    assert [found.text for found in language] == [
        "This looks like German; the model has learned to read English only."
    ]
    longer = "a film " * 80
    [length] = cautions(loaded, loaded.predict(longer).trace, [longer], ())
    assert "“sst2” has learned" in length.text and str(source) not in length.text
