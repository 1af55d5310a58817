"""Small random models and a toy tokenizer, all offline. Random models are for unit tests only."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when datasets is imported

import pytest
import torch
from hypothesis import settings
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

from ltp_core import PrunedModel, bases, checkpoints
from ltp_core.training.shipping import seal
from ltp_core.weights.deltas import rounded

settings.register_profile("fixed", derandomize=True, database=None, deadline=None, max_examples=50)
settings.load_profile("fixed")

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["good", "bad", "the", "a", "film", "plot", "it", "was", "very", "and", "of", "so"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + c for c in LETTERS), *WORDS]
MAX_TOKENS = 32


def _tiny_bert(seed: int = 0, layers: int = 3, **options) -> BertForSequenceClassification:
    """A random BERT whose attention is far from uniform and whose biases and norms are not trivial."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=48,
        num_hidden_layers=layers,
        intermediate_size=80,
        max_position_embeddings=MAX_TOKENS,
        initializer_range=0.2,
        **{"num_attention_heads": 4, "num_labels": 3, "attn_implementation": "eager", **options},
    )
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.2 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="session")
def tiny_bert():
    """Makes a tiny random Hugging Face model: ``tiny_bert(seed=0, layers=3, **config)``."""
    return _tiny_bert


def _make_tokenizer() -> BertTokenizer:
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(VOCABULARY))}
    return BertTokenizer(vocab=vocabulary, model_max_length=MAX_TOKENS)


@pytest.fixture(scope="session")
def make_tokenizer():
    """Makes a tokenizer: WordPiece over a few words and single letters; at most 32 tokens."""
    return _make_tokenizer


@pytest.fixture
def tokenizer():
    """One of them."""
    return _make_tokenizer()


@pytest.fixture
def model(tokenizer):
    """A tiny `PrunedModel` with tokenizer and without thresholds."""
    return PrunedModel(_tiny_bert(), tokenizer)


@pytest.fixture
def ragged_batch():
    """Three right-padded inputs of 9, 4 and 13 tokens, as keyword arguments of a call."""
    generator = torch.Generator().manual_seed(1)
    lengths = [9, 4, 13]
    mask = torch.tensor([[1] * n + [0] * (max(lengths) - n) for n in lengths])
    ids = torch.randint(5, len(VOCABULARY) - 1, mask.shape, generator=generator)
    return {"input_ids": torch.where(mask.bool(), ids, 0), "attention_mask": mask}


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A shipped model "toy": tiny BERT, stored as its difference to a tiny base, which is in the cache."""
    tuned = _tiny_bert(seed=3)
    base = BertModel(BertConfig(**tuned.config.to_dict()))
    base.load_state_dict({k: v + 1e-3 * torch.randn_like(v) for k, v in tuned.bert.state_dict().items()})
    home = tmp_path / "base"
    base.save_pretrained(home)
    _make_tokenizer().save_pretrained(home)
    digest = bases.sha256(home / "model.safetensors")
    toy = bases.Base("toy-base", "nobody/toy-base", "0" * 40, ("toy-base",), digest, "make toy")
    monkeypatch.setenv(bases.CACHE, str(tmp_path / "cache"))
    place = tmp_path / "cache" / "bases" / f"toy-base-{digest[:12]}"
    place.parent.mkdir(parents=True)
    home.rename(place)
    monkeypatch.setitem(bases.BASES, "toy-base", toy)
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path / "models")

    folder = tmp_path / "models" / "toy"
    folder.mkdir(parents=True)
    tuned.config.save_pretrained(folder)
    checkpoints.save_thresholds(folder, (0.05, 0.1, 0.1 + 0.2))
    for weights in ("ltp", "baseline"):
        checkpoints.save_difference(folder / f"{weights}.delta.safetensors", tuned, toy, rounded(8))
    checkpoints.Settings(base="toy-base").write(folder)
    seal(folder)
    return folder
