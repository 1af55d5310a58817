"""Train, evaluate and trace a model of another family than BERT, from nothing but a folder."""

import json
import sys

import datasets
import pytest
import torch
from transformers import (
    AlbertConfig,
    AlbertModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    RobertaPreLayerNormConfig,
    RobertaPreLayerNormForSequenceClassification,
)

from ltp_core import PrunedModel
from ltp_core.cli import main

SIZES = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 32}
COMMON = {"vocab_size": 80, "max_position_embeddings": 34, "initializer_range": 0.2}
TOKENS = {"pad_token_id": 0, "bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
DISTANCES = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8}
BASES = {
    "albert": (AlbertModel, AlbertConfig, {**SIZES, "embedding_size": 16}),
    "deberta-v2": (DebertaV2Model, DebertaV2Config, {**SIZES, **DISTANCES}),
    "distilbert": (
        DistilBertModel,
        DistilBertConfig,
        {"dim": 24, "n_heads": 2, "n_layers": 2, "hidden_dim": 32},
    ),
    "mpnet": (MPNetModel, MPNetConfig, SIZES),
    "modernbert": (ModernBertModel, ModernBertConfig, {**SIZES, **TOKENS, "local_attention": 4}),
}


@pytest.fixture
def ltp(monkeypatch, capsys):
    """Runs a command in this process; returns its exit code, the JSON and what it said on stderr."""

    def run(*arguments):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["ltp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, json.loads(said.out) if said.out else None, said.err

    return run


@pytest.mark.parametrize("family", BASES)
def test_a_base_in_a_folder_is_trained_evaluated_and_traced(
    family, ltp, tmp_path, make_tokenizer, monkeypatch
):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    architecture, config, sizes = BASES[family]
    torch.manual_seed(0)
    base, output, data = tmp_path / "base", tmp_path / "out", tmp_path / "rows.jsonl"
    architecture(config(**COMMON, **sizes)).save_pretrained(base)
    make_tokenizer().save_pretrained(base)
    texts = [f"{tone} {b} film {c} the plot" for tone in ("good", "bad") for b in "abcdef" for c in "uvwx"]
    rows = [{"sentence": text, "label": int(text.startswith("good"))} for text in texts]
    data.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")

    options = ("--epochs", 1, "--pruning-epochs", 1, "--tuning", 8, "--untouched", 8, "--target-flops", 1.2)
    code, trained, said = ltp("train", "--task", data, "--base", base, "--output", output, *options, "--json")
    assert code == 0, said
    assert trained["flops_reduction"] == pytest.approx(1.2, rel=0.05)
    model = PrunedModel.from_pretrained(output)
    assert model.config.model_type == family and len(model.thresholds) == 2

    code, evaluated, said = ltp("evaluate", "--model", output, "--data", data, "--json")
    assert code == 0, said
    assert evaluated["examples"] == len(rows) and evaluated["flops_reduction"] > 1

    code, traced, said = ltp("trace", "the film was very good", "--model", output, "--json")
    assert code == 0, said
    assert traced["tokens"] == ["[CLS]", "the", "film", "was", "very", "good", "[SEP]"]
    assert [layer["layer"] for layer in traced["layers"]] == [1, 2]
    assert traced["dense"]["executed_flops"] > 0


def test_a_folder_of_an_unknown_family_is_refused_in_one_line(ltp, tmp_path, make_tokenizer):
    config = RobertaPreLayerNormConfig(**COMMON, **SIZES, pad_token_id=0)
    RobertaPreLayerNormForSequenceClassification(config).save_pretrained(tmp_path)
    make_tokenizer().save_pretrained(tmp_path)
    code, document, said = ltp("trace", "good", "--model", tmp_path, "--json")
    assert (code, document) == (2, None)
    assert "cannot prune a 'roberta-prelayernorm' model; known families: albert, bert" in said
