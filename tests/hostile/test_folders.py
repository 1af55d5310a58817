"""Models that people bring, and ones that nobody should: refused in one line, or with the right answer."""

import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import (
    AutoTokenizer,
    BertForSequenceClassification,
    BertweetTokenizer,
    PhobertTokenizer,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from ltp_core import CheckpointError, PrunedModel, Thresholds
from ltp_core.checkpoints import Settings, describe
from tests.core.families import make

CONFIG = "config.json"


@pytest.fixture
def model(tiny_bert, tokenizer, tmp_path):
    """A folder with a whole pruned model."""
    PrunedModel(tiny_bert(), tokenizer, (0.0, 0.02, 0.05)).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def change(file: Path, **values):
    """Set values of a JSON file; None removes one."""
    found = {**json.loads(file.read_text()), **values} if file.is_file() else values
    file.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))


def weights(folder, change):
    file = folder / "model.safetensors"
    found = change(load_file(file))
    save_file(found, file, metadata={"format": "pt"})


def header(file, text: bytes, length=None):
    file.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text)


def refused(source, said):
    with pytest.raises(CheckpointError) as found:
        PrunedModel.from_pretrained(source)
    assert said in str(found.value) or re.search(said, str(found.value))
    assert "\n" not in str(found.value)


def _adapter(folder):
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')


def _only_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _shards(folder, names):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))


NAMES = {"id2label": {"0": "a", "1": "a", "2": "b"}}
GAPS = {"id2label": {"1": "a", "2": "b", "5": "c"}, "label2id": None}
BAD = {
    "no config": (lambda f: (f / CONFIG).unlink(), "no config.json"),
    "an adapter inside": (_adapter, "holds an adapter (LoRA) beside or instead of a whole model: merge it"),
    "an adapter alone": (lambda f: (_adapter(f), (f / CONFIG).unlink()), "merge_and_unload()"),
    "pickle alone": (_only_pickle, "pytorch_model.bin alone, which may run code"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "no model.safetensors"),
    "shards that are not there": (
        lambda f: _shards(f, {"a": "model-1.safetensors"}),
        "has no model-1.safetensors",
    ),
    "shards elsewhere": (
        lambda f: _shards(f, {"a": "../../etc/passwd"}),
        "does not name files of its folder",
    ),
    "shards that are no names": (lambda f: _shards(f, [1]), "does not name files of its folder"),
    "a wrapper of torch.compile": (
        lambda f: weights(f, lambda w: {f"_orig_mod.{name}": v for name, v in w.items()}),
        "torch.compile wrapper: save the model inside, model._orig_mod",
    ),
    "a wrapper of DataParallel": (
        lambda f: weights(f, lambda w: {f"module.{name}": v for name, v in w.items()}),
        "DataParallel wrapper: save the model inside, model.module",
    ),
    "weights of another library": (
        lambda f: (f / "model.safetensors").rename(f / "tf_model.h5"),
        "no model.safetensors, which save_pretrained() writes",
    ),
    "a pipe for weights": (
        lambda f: ((f / "model.safetensors").unlink(), os.mkfifo(f / "model.safetensors")),
        "model.safetensors is no plain file",
    ),
    "a pipe for a vocabulary": (lambda f: os.mkfifo(f / "vocab.txt"), "vocab.txt is no plain file"),
    "a tokenizer of 400 MB": (
        lambda f: (f / "tokenizer.json").open("wb").truncate(400 << 20),
        "400 MB: that is no tokenizer",
    ),
    "a tokenizer's settings 90,000 deep": (
        lambda f: (f / "tokenizer_config.json").write_text('{"a": ' * 90_000),
        "nested too deep",
    ),
    "a config that is a folder": (
        lambda f: ((f / CONFIG).unlink(), (f / CONFIG).mkdir()),
        "has no config.json",
    ),
    "texts of at most 0 tokens": (
        lambda f: change(f / "tokenizer_config.json", model_max_length=0),
        "model_max_length must be a number of tokens, at least 3, got 0",
    ),
    "texts of at most -1 tokens": (
        lambda f: change(f / "tokenizer_config.json", model_max_length=-1),
        "model_max_length must be a number of tokens, at least 3, got -1",
    ),
    "texts of at most x tokens": (
        lambda f: change(f / "tokenizer_config.json", model_max_length="x"),
        "model_max_length must be a number of tokens, at least 3, got 'x'",
    ),
    "dropout in words": (
        lambda f: change(f / CONFIG, hidden_dropout_prob="x"),
        "Validation error for field 'hidden_dropout_prob': [A-Z]",
    ),
    "weights that are no numbers": (
        lambda f: weights(f, lambda w: {n: v * torch.nan for n, v in w.items()}),
        "compute no finite numbers: they are damaged",
    ),
    "weights that are infinite": (
        lambda f: weights(f, lambda w: {n: v * 1e38 for n, v in w.items()}),
        "compute no finite numbers: they are damaged",
    ),
    "more names than outputs": (
        lambda f: change(f / CONFIG, id2label={str(n): f"class {n}" for n in range(4)}, label2id=None),
        "its weights have other sizes than its config.json says",
    ),
    "int8": (
        lambda f: weights(f, lambda w: {n: v.to(torch.int8) for n, v in w.items()}),
        "as I8: save the weights",
    ),
    "float8": (
        lambda f: weights(f, lambda w: {n: v.to(torch.float8_e4m3fn) for n, v in w.items()}),
        "as F8_E4M3: save the weights",
    ),
    "a quantization": (lambda f: change(f / CONFIG, quantization_config={"bits": 4}), "quantized weights"),
    "a million layers": (
        lambda f: change(f / CONFIG, num_hidden_layers=1_000_000),
        "1,000,000 layers; at most",
    ),
    "500 layers": (lambda f: change(f / CONFIG, num_hidden_layers=500), "config.json describes"),
    "no layers": (lambda f: change(f / CONFIG, num_hidden_layers=0), "no number above 0"),
    "layers in words": (lambda f: change(f / CONFIG, num_hidden_layers="six"), "not readable"),
    "a hidden size of 10 million": (lambda f: change(f / CONFIG, hidden_size=10**7), "config.json describes"),
    "an FFN of 10 billion": (lambda f: change(f / CONFIG, intermediate_size=10**10), "config.json describes"),
    "a vocabulary of a billion": (lambda f: change(f / CONFIG, vocab_size=10**9), "config.json describes"),
    "a negative size": (lambda f: change(f / CONFIG, hidden_size=-48), "no number above 0"),
    "a config that is a list": (lambda f: (f / CONFIG).write_text("[]"), "it holds no object"),
    "a config cut in two": (lambda f: (f / CONFIG).write_text('{"a": '), "config.json is not readable"),
    "a config 90,000 deep": (lambda f: (f / CONFIG).write_text("[" * 90_000), "nested too deep"),
    "a config of 20 MB": (
        lambda f: (f / CONFIG).write_text(" " * (20 << 20)),
        "20 MB: that is no configuration",
    ),
    "a config that is no text": (
        lambda f: (f / CONFIG).write_bytes(b"\xff\xfe{}"),
        "config.json is not readable",
    ),
    "two classes of one name": (
        lambda f: change(f / CONFIG, **NAMES),
        "gives 2 outputs the name 'a': rename one",
    ),
    "classes 1, 2 and 5": (
        lambda f: change(f / CONFIG, **GAPS),
        "names the outputs 1, 2, 5; it must name 0 to 2",
    ),
    "a header of 4 GB": (
        lambda f: header(f / "model.safetensors", b"{}", 2**32),
        "header of 4,294,967,296 bytes",
    ),
    "a header that lies": (
        lambda f: header(f / "model.safetensors", b"{}", 2**20),
        "it is no safetensors file",
    ),
    "a header that is a list": (
        lambda f: header(f / "model.safetensors", b"[1]"),
        "it is no safetensors file",
    ),
    "a header 90,000 deep": (
        lambda f: header(f / "model.safetensors", b"[" * 90_000),
        "it is no safetensors file",
    ),
    "a shape below 0": (
        lambda f: header(
            f / "model.safetensors", b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}'
        ),
        "it is no safetensors file",
    ),
    "an empty file of weights": (
        lambda f: (f / "model.safetensors").write_bytes(b""),
        "it is no safetensors file",
    ),
    "weights of another model": (
        lambda f: weights(f, lambda w: {"a": torch.ones(9**5)}),
        "has no weights for",
    ),
    "thresholds of 2": (
        lambda f: save_file({"thresholds": torch.tensor([0.0, 2.0, 0.1])}, f / "ltp.safetensors"),
        "a threshold of 2: a share is between 0 and 1",
    ),
    "a negative threshold": (
        lambda f: save_file({"thresholds": torch.tensor([0.0, -0.1, 0.1])}, f / "ltp.safetensors"),
        "a threshold of -0.1: a share",
    ),
    "a threshold that is none": (
        lambda f: save_file({"thresholds": torch.tensor([0.0, torch.nan, 0.1])}, f / "ltp.safetensors"),
        "a threshold of nan: a share",
    ),
    "whole thresholds": (
        lambda f: save_file({"thresholds": torch.tensor([0, 1, 0])}, f / "ltp.safetensors"),
        "of the type torch.int64: they are shares",
    ),
    "thresholds of 400 MB": (
        lambda f: (f / "ltp.safetensors").open("wb").truncate(400 << 20),
        "419,430,400 bytes: those are no thresholds",
    ),
    "settings 90,000 deep": (lambda f: (f / "ltp_config.json").write_text("[" * 90_000), "nested too deep"),
    "settings nested 90,000 deep inside": (
        lambda f: (f / "ltp_config.json").write_text('{"training": ' * 90_000),
        "nested too deep",
    ),
    "settings of 20 MB": (lambda f: (f / "ltp_config.json").write_text(" " * (20 << 20)), "no configuration"),
    "max_tokens in words": (
        lambda f: change(f / "ltp_config.json", training={"pruned": {"max_tokens": "x"}}),
        "max_tokens must be a number of tokens, got 'x'",
    ),
    "max_tokens below 0": (
        lambda f: change(f / "ltp_config.json", training={"pruned": {"max_tokens": -5}}),
        "max_tokens must be a number of tokens, got -5",
    ),
    "a temperature of 0": (lambda f: change(f / "ltp_config.json", temperature=0), "temperature must be"),
    "a reference length in words": (
        lambda f: change(f / "ltp_config.json", reference_length="x"),
        "reference length",
    ),
    "a tokenizer of special tokens": (
        lambda f: [p.unlink() for p in f.glob("tokenizer.json")],
        "has no tokenizer: put the files",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(model, name):
    spoil, said = BAD[name]
    spoil(model)
    refused(model, said)


# What Hypothesis makes of a good folder


@pytest.fixture(scope="module")
def good(tmp_path_factory, tiny_bert, make_tokenizer):
    """The files of a folder that is right, by name."""
    folder = tmp_path_factory.mktemp("good") / "model"
    model = PrunedModel(tiny_bert(), make_tokenizer(), (0.0, 0.02, 0.05))
    model.settings = Settings(task="sst2", training={"pruned": {"max_tokens": 32}})
    model.save_pretrained(folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def loaded_or_refused(files):
    """What is loaded answers; all else is one line."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in files.items():
            (Path(place) / name).write_bytes(content)
        try:
            found = PrunedModel.from_pretrained(place).predict("a good film")
        except ValueError as error:  # CheckpointError, or what a text cannot be read for
            assert str(error) and "\n" not in str(error)
            return
        assert len(found.probabilities) == 3
        total = sum(found.probabilities.values())
        assert total == pytest.approx(1, abs=1e-5) or math.isnan(total)  # of weights that are no numbers


SMALL = st.integers(-3, 3)
NUMBERS = st.one_of(st.integers(-(2**70), 2**70), SMALL, st.floats())
OTHERS = st.one_of(st.none(), st.booleans(), st.text(max_size=8), st.lists(SMALL, max_size=3))
VALUES = st.one_of(NUMBERS, OTHERS, st.dictionaries(st.text(max_size=3), SMALL, max_size=3))


@settings(deadline=None, max_examples=80)  # a model is loaded in each
@given(st.sampled_from([CONFIG, "ltp_config.json", "tokenizer_config.json"]), st.data())
def test_a_value_of_another_kind_is_read_or_refused(good, name, data):
    found = json.loads(good[name])
    key = data.draw(st.sampled_from(sorted(found)))
    found[key] = data.draw(VALUES)
    loaded_or_refused({**good, name: json.dumps(found).encode()})


@settings(deadline=None, max_examples=50)  # likewise
@given(st.data())
def test_a_folder_with_a_file_cut_or_changed_is_read_or_refused(good, data):
    name = data.draw(st.sampled_from(sorted(good)))
    content = good[name]
    place = data.draw(st.integers(0, min(len(content), 3000)))
    changed = content[:place] + data.draw(st.binary(max_size=4)) + content[place + 1 :]
    loaded_or_refused({**good, name: data.draw(st.sampled_from([changed, content[:place]]))})


def test_a_share_of_more_than_1_is_one_under_a_short_reference_length(model):
    """With N = 1 a threshold is a part of the average share, as in the authors' code."""
    save_file({"thresholds": torch.tensor([0.0, 0.5, 2.0])}, model / "ltp.safetensors")
    change(model / "ltp_config.json", reference_length=1)
    assert PrunedModel.from_pretrained(model).thresholds == (0.0, 0.5, 2.0)


@pytest.mark.parametrize(
    "name", ["two classes of one name", "classes 1, 2 and 5", "a million layers", "an adapter inside"]
)
def test_it_is_refused_without_weights_already(model, name):
    spoil, said = BAD[name]
    spoil(model)
    (model / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:-1000])
    with pytest.raises(CheckpointError) as found:
        describe(model)
    assert said in str(found.value)


def test_probabilities_are_of_all_classes(model):
    change(model / CONFIG, id2label={"2": "c", "0": "a", "1": "b"})
    found = PrunedModel.from_pretrained(model).predict("a good film")
    assert list(found.probabilities) == ["a", "b", "c"]
    assert sum(found.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize("where", [CONFIG, "tokenizer_config.json"])
def test_code_of_a_model_never_runs_even_if_a_terminal_says_yes(model, tmp_path, where):
    ran = tmp_path / "ran"
    for module in ("custom.py", "configuration_custom.py"):
        (model / module).write_text(f"open({str(ran)!r}, 'w')\n\n\nclass Custom:\n    pass\n")
    auto = {"AutoConfig": "custom.Custom", "AutoModelForSequenceClassification": "custom.Custom"}
    change(
        model / where, auto_map={**auto, "AutoTokenizer": ["custom.Custom", None]}, model_type="custom-model"
    )
    command = (
        "import sys; sys.stdin.isatty = lambda: True\n"
        "from ltp_core import PrunedModel\n"
        "try: PrunedModel.from_pretrained(sys.argv[1])\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", command, model], input="y\n" * 20, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not ran.exists() and "[y/N]" not in done.stdout + done.stderr
    if where == CONFIG:
        assert "it brings code of its own, which is never run here" in done.stdout


def test_an_adapter_inside_of_a_model_is_not_saved_alone(tiny_bert, tokenizer, tmp_path):
    hf_model = tiny_bert()
    hf_model._hf_peft_config_loaded = True  # what `add_adapter` and loading beside an adapter set
    with pytest.raises(ValueError, match="merge it first"):
        PrunedModel(hf_model, tokenizer).save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_a_token_without_an_embedding_is_named(model):
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.add_tokens([f"<new{number}>" for number in range(9)])
    tokenizer.save_pretrained(model)
    loaded = PrunedModel.from_pretrained(model)
    assert loaded.predict("a good film").trace.tokens  # what does not have it is read as ever
    with pytest.raises(
        ValueError, match="holds the token '<new8>', which the tokenizer has and the model has not"
    ):
        loaded.predict("a <new8> film")


# Tokenizers in Python

PHOBERT = """xin 9
chào 9
các@@ 9
bạn 9
"""


def slow(kind, folder):
    """A tokenizer of one of the two kinds, over words and pieces of a few words."""
    (folder / "vocab.txt").write_text("a 9\ngo@@ 9\nod 9\nfilm 9\nfi@@ 9\nlms 9\nit 9\n", encoding="utf-8")
    (folder / "bpe.codes").write_text("#version: 0.2\ng o 9\no d</w> 9\nf i 9\ni t</w> 9\n", encoding="utf-8")
    return kind(str(folder / "vocab.txt"), str(folder / "bpe.codes"), model_max_length=30)


@pytest.mark.parametrize("kind", [BertweetTokenizer, PhobertTokenizer])
def test_tokenizers_in_python(kind, tmp_path):
    tokenizer = slow(kind, tmp_path)
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=40, pad_token_id=1, initializer_range=0.3,
    )  # fmt: skip
    hf_model = RobertaForSequenceClassification(config).eval()
    PrunedModel(hf_model, tokenizer).save_pretrained(tmp_path / "model")
    loaded = PrunedModel.from_pretrained(tmp_path / "model")
    assert not loaded.tokenizer.is_fast
    for text in ("a good film", ("it", "a good film it"), "a good film " * 20):
        first, second = (text, None) if isinstance(text, str) else text
        found = loaded.predict(text, Thresholds([0.0, 0.0]))
        inputs = tokenizer(first, second, truncation=True, max_length=30, return_tensors="pt")
        with torch.no_grad():
            expected = hf_model(**inputs).logits.softmax(-1)[0].tolist()
        assert list(found.probabilities.values()) == pytest.approx(expected, abs=1e-5)
        tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist())
        assert list(found.trace.tokens) == tokens
        specials = [token in tokenizer.all_special_tokens for token in tokens]
        encoding, cut = loaded.encode([text])
        assert [part is None for part in encoding.sequence_ids(0)] == [
            s and t != "<unk>" for s, t in zip(specials, tokens, strict=True)
        ]
        assert (cut[0] > 0) == (text == "a good film " * 20)
    with pytest.raises(ValueError, match="the text is empty"):
        loaded.predict("  ")


def test_words_are_found_by_their_own_offsets(tmp_path):
    tokenizer = slow(BertweetTokenizer, tmp_path)
    from ltp_core.slow_tokens import tokenized

    text = "A  good film"
    found = tokenized(tokenizer, [text], None)
    words = [
        None if word is None else text[slice(*found.word_to_chars(0, word, 0))] for word in found.word_ids(0)
    ]
    assert words[0] is None and words[-1] is None
    assert list(dict.fromkeys(words[1:-1])) == ["A", "good", "film"]
    assert len(words) > 5  # words in pieces


# RoBERTa's positions


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "camembert", "mpnet"])
@pytest.mark.parametrize("execution", ["removed", "masked"])
def test_a_pad_token_in_a_text_is_numbered_as_hugging_face_does(family, execution):
    """Its positions count what differs from the pad token, wherever that stands."""
    hf_model = make(family)
    ids = torch.tensor([[2, 5, 1, 7, 8, 9, 3], [2, 1, 1, 6, 3, 1, 1], [2, 4, 5, 6, 7, 8, 3]])
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2, [1] * 7])
    with torch.no_grad():
        expected = hf_model(input_ids=ids, attention_mask=mask).logits
        model = PrunedModel(hf_model)
        found = model(ids, mask, rule=Thresholds([0.0] * model.layers), execution=execution).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_left_padding_with_a_pad_token_in_the_text():
    hf_model = make("roberta")
    ids = torch.tensor([[1, 1, 2, 5, 1, 7, 3], [2, 5, 1, 7, 6, 4, 3]])
    mask = torch.tensor([[0, 0, 1, 1, 1, 1, 1], [1] * 7])
    model = PrunedModel(hf_model)
    with torch.no_grad():
        expected = hf_model(input_ids=ids, attention_mask=mask).logits[1]
        alone = hf_model(input_ids=ids[:1, 2:], attention_mask=mask[:1, 2:]).logits[0]
        found = model(ids, mask, rule=Thresholds([0.0] * model.layers)).logits
    torch.testing.assert_close(found[1], expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[0], alone, atol=1e-5, rtol=1e-5)


# Saved whole, or not at all


def test_a_save_that_breaks_off_leaves_no_model_that_can_be_loaded(
    tiny_bert, tokenizer, tmp_path, monkeypatch
):
    model = PrunedModel(tiny_bert(), tokenizer, (0.0, 0.01, 0.02))
    monkeypatch.setattr(BertForSequenceClassification, "save_pretrained", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.save_pretrained(tmp_path / "out")
    assert not list(tmp_path.glob("out*"))
