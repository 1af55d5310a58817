"""Models that visitors bring: who may, what is loaded, and what is said about what cannot be."""

import json

import pytest

from app import models
from app.visitor import own_models, session
from ltp_core import PrunedModel
from tests.app.harness import html, open_view, run


@pytest.fixture
def plain_folder(tmp_path, tiny_bert, tokenizer):
    """What Hugging Face writes: a classifier without thresholds."""
    folder = tmp_path / "plain"
    tiny_bert(num_labels=2).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def page(tiny_folder, monkeypatch):
    models.load.clear()
    monkeypatch.setenv(own_models.VARIABLE, "on")
    return lambda **query: open_view("compare", text="the plot was very good", **query)


def load(page, source):
    page.text_input(key="own_model_name").set_value(str(source))
    page.button(key="own_model_load").click()
    return run(page)


def test_a_folder_without_thresholds_starts_with_hand_set_ones(page, plain_folder):
    opened = load(page(), plain_folder)
    assert opened.selectbox(key="model").value == str(plain_folder)
    assert "has learned no thresholds" in html(opened) and "3 %" in html(opened)
    assert "This model was not trained with any of them" in html(opened)


def test_a_folder_that_train_wrote(page, tmp_path, tiny_bert, tokenizer):
    folder = tmp_path / "mine"
    PrunedModel(tiny_bert(num_labels=2), tokenizer, (0.1, 0.1, 0.2)).save_pretrained(folder)
    opened = load(page(), folder)
    assert opened.selectbox(key="model").value == str(folder)
    assert "has learned no thresholds" not in html(opened)


def test_a_model_that_is_trained_anew_into_its_folder_is_read_anew(page, tmp_path, tiny_bert, tokenizer):
    def train(seed, thresholds):
        PrunedModel(tiny_bert(seed, num_labels=2), tokenizer, thresholds).save_pretrained(folder)

    def shown(opened):
        return opened.session_state[session.MEMORY].results["dense"][1].probabilities

    folder = tmp_path / "mine"
    train(1, (0.0, 0.0, 0.0))
    opened = load(page(), folder)
    before = models.load(str(folder), "cpu")
    first = shown(opened)
    run(opened)
    assert models.load(str(folder), "cpu") is before
    train(2, (0.0, 0.0, 0.0))  # other weights, the same thresholds
    after = models.load(str(folder), "cpu")
    assert after is not before and models.load(str(folder), "cpu") is after
    assert shown(run(opened)) != first


def test_the_address_then_names_it_and_the_link_works_when_it_is_confirmed(page, plain_folder):
    opened = load(page(), plain_folder)
    assert opened.query_params["model"] == str(plain_folder)
    again = page(model=str(plain_folder), t2="0.25")
    assert again.selectbox(key="model").value != str(plain_folder)
    assert f"This link names the model {plain_folder}." in html(again)
    again.button(key="link_model_load").click()
    run(again)
    assert again.selectbox(key="model").value == str(plain_folder)
    assert again.session_state[session.MEMORY].settings.thresholds[1] == 0.25
    assert "This link names" not in html(again) and "There is no model" not in html(again)


@pytest.mark.parametrize(
    "name", ["someone/any-repo", "/etc", "\\\\host\\share", "//host/share", " \\/host/share", "a" * 501]
)
def test_a_link_alone_loads_nothing(page, monkeypatch, name):
    asked, load = [], models.load
    monkeypatch.setattr(
        models, "load", lambda source, device: asked.append(str(source)) or load(source, device)
    )
    opened = page(model=name)
    assert asked and name not in asked
    offered = [button for button in opened.button if button.key == "link_model_load"]
    assert bool(offered) == (name in ("someone/any-repo", "/etc"))


def test_a_folder_on_another_machine_has_to_be_typed(page):
    said = html(page(model="\\\\host\\share"))
    assert "It is a folder on another machine: load it by “Another model …”" in said


def test_what_a_link_names_and_cannot_be_loaded_says_why(page, tmp_path):
    opened = page(model=str(tmp_path / "nothing"))
    opened.button(key="link_model_load").click()
    assert "no model" in html(run(opened)) and "it is no folder" in html(opened)
    assert opened.query_params["model"] == str(tmp_path / "nothing")


def broken(tmp_path, tiny_bert, tokenizer, kind):
    folder = tmp_path / kind
    if kind == "nothing":
        return folder
    folder.mkdir()
    if kind == "empty":
        return folder
    tiny_bert(num_labels=2).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    if kind == "family":
        config |= {"model_type": "gpt2", "architectures": ["GPT2ForSequenceClassification"]}
        (folder / "config.json").write_text(json.dumps(config))
    if kind == "weights":
        (folder / "model.safetensors").write_bytes(b"no weights")
    if kind == "json":
        (folder / "config.json").write_text("{")
    return folder


@pytest.mark.parametrize("kind", ["nothing", "empty", "family", "weights", "json"])
def test_what_cannot_be_loaded_says_why_and_the_old_model_stays(page, tmp_path, tiny_bert, tokenizer, kind):
    opened = load(page(), broken(tmp_path, tiny_bert, tokenizer, kind))
    notices = [part.split("</div>")[0] for part in html(opened).split('class="notice" role="status">')[1:]]
    why = [notice for notice in notices if "Your thresholds prune nothing" not in notice]
    assert len(why) == 1 and kind in why[0] and "\n" not in why[0]
    assert opened.selectbox(key="model").value == "tiny"
    assert "What each rule does to this text" in html(opened)


def test_a_server_that_says_no(page, plain_folder, monkeypatch):
    monkeypatch.setenv(own_models.VARIABLE, "off")
    opened = page(model=str(plain_folder))
    assert opened.selectbox(key="model").value != str(plain_folder)
    assert not [box for box in opened.text_input if box.key == "own_model_name"]
    assert "There is no model" in html(opened) and "This link names" not in html(opened)


@pytest.mark.parametrize(("said", "expected"), [("on", True), ("1", True), ("off", False), ("maybe", False)])
def test_the_owner_decides(monkeypatch, said, expected):
    monkeypatch.setenv(own_models.VARIABLE, said)
    assert own_models.allowed() is expected


def test_without_a_word_it_is_closed(monkeypatch):
    """On a loopback address, too: a proxy there lets the world in, and rewrites what it says of itself."""
    monkeypatch.delenv(own_models.VARIABLE, raising=False)
    monkeypatch.setattr(own_models.st, "get_option", lambda name: "127.0.0.1")
    assert own_models.allowed() is False
